/** One request extends a hold by this many milliseconds. */
export const HOLD_EXTENSION_MS = 60_000;

/** A hold lasts at most this long after the encoder was lost, however often it is extended, in milliseconds. */
export const HOLD_MS_MAX = 3_600_000;

/** What a person can do to a running hold. */
export type HoldChange = "extend" | "end";
