import type { ConnectionLimits } from "../../ingest/connection-limiter.ts";
import type { CertificatePair } from "../../thread-protocol/certificate.ts";

/** Which of the media threads this is, and what they have in common. */
type ThreadPlace = {
  /** From 0. */
  readonly index: number;
  readonly count: number;
  /** The first of all to listen: it makes sure that nobody else does. */
  readonly isFirst: boolean;
  /** A `ThreadBoard`'s. */
  readonly board: SharedArrayBuffer;
  /** What logins' challenges are signed with. Secret. */
  readonly challengeSecret: Uint8Array;
};

/** What a media thread is started with. Plain data: it crosses the thread. */
export type ThreadOptions = MediaOptions & { readonly place: ThreadPlace };

/** What all media threads are started with. */
export type MediaOptions = {
  /** Address to accept encoders on; absent: all. */
  readonly rtmpHost?: string;
  readonly rtmpPort: number;
  /** Media threads on one port; 1 or more. */
  readonly threads: number;
  /** The part of its time that a thread may be busy and still let new channels in; 1: any. */
  readonly loadMax: number;
  /** Retries of all targets together in a second. */
  readonly retriesPerSecond: number;
  /** Networks allowed for targets, as configured. */
  readonly targetAllow: string;
  /** Our ports besides the RTMP port, and outside ports mapped to ours: no target may lead back there. */
  readonly ownPorts: readonly number[];
  /** Names and addresses under which the outside reaches those ports. */
  readonly ownHosts: readonly string[];
  /** Where encoders are accepted behind TLS; absent: nowhere. */
  readonly rtmps?: { readonly port: number; readonly pair: CertificatePair };
  /** Authorities as PEM that targets may be vouched for by beside the usual ones. */
  readonly extraCa?: string;
  /** Absent: the door's own. */
  readonly door?: ConnectionLimits;
  /** How long a channel that is off air stays in its thread, in milliseconds; absent: as long as what is known of its broadcast matters. */
  readonly homeKeptMs?: number;
};
