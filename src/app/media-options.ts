import type { CertificatePair } from "../exchange/certificate.ts";
import type { DoorLimits } from "../ingest/door.ts";

/** What the media thread is started with. Plain data: it crosses the thread. */
export type MediaOptions = {
  /** Address to accept encoders on; absent: all. */
  readonly rtmpHost?: string;
  readonly rtmpPort: number;
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
  readonly door?: DoorLimits;
};
