import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

/** This machine's first address that is not loopback or link-local, IPv4 first; 127.0.0.1 where there is none. */
export function firstOutsideAddress(): string {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address));
  const first = addresses.find(({ family }) => family === "IPv4") ?? addresses[0];
  return first?.address ?? "127.0.0.1";
}

/** A host as it stands in a URL: IPv6 addresses in brackets. */
export function hostInUrl(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
