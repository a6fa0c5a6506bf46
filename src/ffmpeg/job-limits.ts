/** What one child process may use. */
export type JobLimits = {
  /** Seconds of CPU time; absent: any, for a child that lives as long as a broadcast. */
  readonly cpuSeconds?: number;
  /** Address space in bytes. */
  readonly memoryBytes: number;
  /** The largest file that it may write, in bytes; 0: none. */
  readonly fileBytes: number;
  /** How long it may run, in milliseconds; absent: any. */
  readonly wallMs?: number;
  /** What it may write to its standard output in all, in bytes; absent: any. */
  readonly outputBytes?: number;
};

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** Reading a file's header, or making one picture of it. The largest frame that FFmpeg decodes needs less than this memory. */
export const LOOK_LIMITS: JobLimits = {
  cpuSeconds: 30,
  memoryBytes: 4 * GIB,
  fileBytes: 0,
  wallMs: 60_000,
  outputBytes: 4 * MIB,
};

/** Playing a file or a pulled stream: as long as the broadcast lasts. */
export const PLAY_LIMITS: JobLimits = { memoryBytes: 4 * GIB, fileBytes: 0 };

/** Making a slate. */
export const SLATE_LIMITS = {
  cpuSeconds: 300,
  memoryBytes: 4 * GIB,
  fileBytes: 0,
  wallMs: 300_000,
  outputBytes: 32 * MIB,
} as const satisfies JobLimits;
