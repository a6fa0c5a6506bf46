/**
 * How another node that owns a channel is doing: the API's `ownerState`. `DRAINING`: it takes no new channels. `SILENT`: it
 * was not heard for 6 s, and may go on. `LOST`: its lease is over too, and its broadcasts are finished.
 */
export const OWNER_STATES = ["SERVING", "DRAINING", "SILENT", "LOST"] as const;
export type OwnerState = (typeof OWNER_STATES)[number];
