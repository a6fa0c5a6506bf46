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
};
