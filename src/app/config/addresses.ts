import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import type { Config } from "./settings/settings.ts";

/** Publish URLs end in this application name. Encoders may use any other: the key decides. */
const APPLICATION = "relay";

/** The addresses at which the outside reaches this server. */
export type Addresses = {
  /** The server address for encoders. */
  readonly publishUrl: string;
  /** The same over TLS; absent where there is no certificate. */
  readonly securePublishUrl?: string;
  /** The server address for encoders over SRT; absent where SRT is off. */
  readonly srtUrl?: string;
  /** The API's address, without a slash at the end. */
  readonly apiUrl: string;
};

/** This machine's first address that is not loopback or link-local, IPv4 first; 127.0.0.1 where there is none. */
export function firstOutsideAddress(): string {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address));
  const first = addresses.find(({ family }) => family === "IPv4") ?? addresses[0];
  return first?.address ?? "127.0.0.1";
}

/** A host as written in a URL: IPv6 addresses in brackets. */
export function hostInUrl(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** The addresses that the outside uses when the server listens on these ports. */
export function addressesOf(
  config: Config,
  httpPort: number,
  rtmpPort: number,
  { rtmpsPort, srtPort }: { readonly rtmpsPort?: number | undefined; readonly srtPort?: number | undefined } = {},
): Addresses {
  const host = hostInUrl(config.publicHost ?? firstOutsideAddress());
  const securePublishUrl =
    config.securePublishUrl ?? (rtmpsPort === undefined ? undefined : `rtmps://${host}:${rtmpsPort}/${APPLICATION}`);
  const srtUrl = srtPort === undefined ? undefined : (config.srtUrl ?? `srt://${host}:${srtPort}`);
  return {
    publishUrl: config.publishUrl ?? `rtmp://${host}:${rtmpPort}/${APPLICATION}`,
    ...(securePublishUrl === undefined ? {} : { securePublishUrl }),
    ...(srtUrl === undefined ? {} : { srtUrl }),
    apiUrl: `${config.tlsCert === undefined ? "http" : "https"}://${config.httpHost === undefined ? host : hostInUrl(config.httpHost)}:${httpPort}${config.basePath}`,
  };
}
