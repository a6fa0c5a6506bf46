import type { ConnectionLimits } from "../../ingest/connection-limiter.ts";
import type { CertificatePair } from "../../thread-protocol/certificate.ts";
import type { DelaySettings } from "../../thread-protocol/delays/delay-messages.ts";
import type { Sampling } from "../../thread-protocol/traces/traces.ts";

/** Which of the media threads this is, and what all of them share. */
type ThreadPlace = {
  /** From 0. */
  readonly index: number;
  readonly count: number;
  /** The first thread that listens on the port: it makes sure that no other process does. */
  readonly isFirst: boolean;
  /** The memory of `SharedCounters`. */
  readonly sharedMemory: SharedArrayBuffer;
  /** Signs the challenges of encoders' logins, where there are no other servers. Secret. */
  readonly challengeSecret: Uint8Array;
};

/** The start options of one media thread. Plain data: it is posted to the thread. */
export type ThreadOptions = MediaOptions & { readonly place: ThreadPlace };

/** The first message to a media thread that has loaded its program. Others may come before it where the process stops. */
export type ThreadStart = { readonly kind: "start"; readonly options: ThreadOptions };

/** How a media thread accepts links of other nodes, and dials theirs. Secret. */
export type NodeLinkOptions = {
  /** Absent: all addresses. */
  readonly host?: string;
  /** The first thread's port; each thread has the next one. */
  readonly port: number;
  /** The text of the cluster's secret file. */
  readonly secretText: string;
  readonly incarnation: number;
};

/** The start options of all media threads. */
export type MediaOptions = {
  /** The address on which encoders are accepted; absent: all. */
  readonly rtmpHost?: string;
  readonly rtmpPort: number;
  /** Ports at which earlier processes of this server may still accept connections. */
  readonly predecessorPorts?: readonly number[];
  /** Networks of proxies that send a header of the PROXY protocol: comma-separated CIDRs; absent: none. */
  readonly proxyProtocolFrom?: string;
  /** Media threads on one port; 1 or more. */
  readonly threads: number;
  /** The part of its time that a thread may be busy and still take new channels; 1: no limit. */
  readonly loadMax: number;
  /** Retries of all targets together in a second. */
  readonly retriesPerSecond: number;
  /** Whether plain RTMP connections use direct system calls. */
  readonly directSockets: boolean;
  /** Private networks in which targets are allowed: comma-separated CIDRs. */
  readonly targetAllow: string;
  /** Ports of this server besides the RTMP port, and outside ports that are mapped to ours: no target may lead back there. */
  readonly ownPorts: readonly number[];
  /** Names and addresses at which the outside reaches those ports. */
  readonly ownHosts: readonly string[];
  /** Accepts encoders over TLS; absent: no such port. */
  readonly rtmps?: { readonly port: number; readonly pair: CertificatePair };
  /** Accepts encoders over SRT, in the first thread; absent: no such port. `passphrase` is secret. */
  readonly srt?: { readonly port: number; readonly latencyMs: number; readonly passphrase?: string };
  /** PEM certificates of authorities that targets may use besides the system's. */
  readonly extraCa?: string;
  /** Where the streams of delayed targets lie. `bytesMax`: of all threads together. */
  readonly delays: Omit<DelaySettings, "name">;
  /** Which dials and traced commands are reported as spans. Absent: none. */
  readonly sampling?: Sampling;
  /** Absent: the defaults of `ConnectionLimiter`. */
  readonly connectionLimits?: ConnectionLimits;
  /** Absent: no other node can own its channels. */
  readonly nodeLink?: NodeLinkOptions;
  /** How long a thread keeps a channel that is off air, in milliseconds; absent: the default of `OwnedChannels`. */
  readonly channelKeptMs?: number;
};
