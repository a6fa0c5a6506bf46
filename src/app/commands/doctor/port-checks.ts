import { systemCode } from "../../../base/system-errors.ts";
import { claimPort } from "../../../ingest/claim-port.ts";
import { DatagramPort } from "../../../net/datagram-port.ts";
import type { Config } from "../../config/settings/settings.ts";
import type { Finding } from "./finding.ts";
import type { Holder } from "./port-holders.ts";

/** An address at which a server with these settings listens. */
export type Listener = {
  /** For people. */
  readonly what: string;
  readonly protocol: "tcp" | "udp";
  readonly host: string | undefined;
  /** Never 0. */
  readonly port: number;
  /** The setting that has the port. */
  readonly setting: string;
};

export type PortDeps = {
  /** Listens there for a moment. Resolves with the system's code where that fails; undefined where it works. */
  readonly claim: (listener: Listener) => Promise<string | undefined>;
  readonly findHolder: (protocol: "tcp" | "udp", port: number) => Holder | undefined;
};

/** Every port that the settings name. Port 0 is any free one, so nothing can be in its way. */
export function listenersOf(config: Config): readonly Listener[] {
  const { httpHost, rtmpHost, metricsListen: metrics, nodeListen } = config;
  const tcp = (what: string, setting: string, host: string | undefined, port: number): Listener => {
    return { what, protocol: "tcp", host, port, setting };
  };
  const isNode = config.databaseUrl !== undefined && config.natsUrl !== undefined;
  return [
    tcp("the API", "FANFARE_HTTP_PORT", httpHost, config.httpPort),
    tcp("encoders", "FANFARE_RTMP_PORT", rtmpHost, config.rtmpPort),
    ...(config.tlsCert === undefined
      ? []
      : [tcp("encoders over TLS", "FANFARE_RTMPS_PORT", rtmpHost, config.rtmpsPort)]),
    ...(config.srtPort === undefined
      ? []
      : [{ ...tcp("encoders over SRT", "FANFARE_SRT_PORT", rtmpHost, config.srtPort), protocol: "udp" as const }]),
    ...(metrics === undefined ? [] : [tcp("metrics", "FANFARE_METRICS_LISTEN", metrics.host, metrics.port)]),
    ...Array.from({ length: isNode ? config.mediaThreads : 0 }, (_, index) =>
      tcp("other nodes", "FANFARE_NODE_LISTEN", nodeListen.host, nodeListen.port + index),
    ),
  ].filter(({ port }) => port !== 0);
}

/** Says of each port whether it is free, or which process holds it. `server`: this installation's, where it runs. */
export async function checkPorts(
  listeners: readonly Listener[],
  deps: PortDeps,
): Promise<{ readonly findings: readonly Finding[]; readonly server: Holder | undefined }> {
  const findings: Finding[] = [];
  let server: Holder | undefined;
  for (const listener of listeners) {
    const code = await deps.claim(listener);
    const holder = code === "EADDRINUSE" ? deps.findHolder(listener.protocol, listener.port) : undefined;
    if (holder?.isServer === true) server ??= holder;
    findings.push({ check: "ports", ...verdict(listener, code, holder) });
  }
  return { findings, server };
}

function verdict(
  { what, protocol, host, port, setting }: Listener,
  code: string | undefined,
  holder: Holder | undefined,
): Pick<Finding, "state" | "text"> {
  const at = `port ${port}/${protocol}${host === undefined ? "" : ` of ${host}`} for ${what}`;
  if (code === undefined) return { state: "ok", text: `${at}: free.` };
  if (code === "EACCES")
    return {
      state: "failed",
      text: `${at}: this user may not listen there; give the server CAP_NET_BIND_SERVICE, or another port with ${setting}.`,
    };
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return {
      state: "failed",
      text: `${at}: this machine does not have that address; correct the host in the settings.`,
    };
  if (code !== "EADDRINUSE")
    return { state: "failed", text: `${at}: cannot be used (${code}); choose another with ${setting}.` };
  if (holder === undefined) {
    const how = `ss -lnp${protocol === "tcp" ? "t" : "u"} as root names it`;
    return {
      state: "unknown",
      text: `${at}: held by a process that this user cannot see (${how}). That is right if it is this server.`,
    };
  }
  const process = `${holder.name} (process ${holder.pid})`;
  if (holder.isServer) return { state: "ok", text: `${at}: held by this server (process ${holder.pid}).` };
  return { state: "failed", text: `${at}: held by ${process}; stop it, or choose another port with ${setting}.` };
}

/** Listens for a moment at the address. */
export async function claimListener({ protocol, host, port }: Listener): Promise<string | undefined> {
  try {
    await (protocol === "tcp" ? claimPort({ host, port }) : claimDatagrams(host, port));
    return undefined;
  } catch (error) {
    return systemCode(error) ?? String(error);
  }
}

/** As the server binds it: on a machine without IPv6 for IPv4 alone. */
async function claimDatagrams(host: string | undefined, port: number): Promise<void> {
  const bound = await DatagramPort.bind(host, port, () => undefined);
  bound.close();
}
