/** By how much one request extends a hold, in milliseconds. */
export const HOLD_EXTENSION_MS = 60_000;

/** A hold lasts at most this long after the encoder was lost, however often it is extended, in milliseconds. */
export const HOLD_MS_MAX = 3_600_000;

/** What a person does to a hold that runs. */
export type HoldChange = "extend" | "end";
