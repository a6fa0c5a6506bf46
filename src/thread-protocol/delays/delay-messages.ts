import type { DelayProblem } from "./delay.ts";

/** One segment of one shelf; a media thread numbers its shelves. */
type Place = { readonly shelf: number; readonly id: number };

/** Media thread to its delay thread. */
export type ToDelay =
  /** Store this segment. The memory goes with the message. */
  | (Place & { readonly kind: "put"; readonly bytes: Uint8Array<ArrayBuffer> })
  /** Send this segment back, and forget it. */
  | (Place & { readonly kind: "take" })
  | (Place & { readonly kind: "drop" })
  | { readonly kind: "close"; readonly shelf: number };

/** Delay thread to its media thread. */
export type FromDelay =
  | (Place & { readonly kind: "stored" })
  /** Absent bytes: the segment could not be read. */
  | (Place & { readonly kind: "taken"; readonly bytes?: Uint8Array<ArrayBuffer> })
  /** What this shelf got last cannot be stored at present; it is tried again. */
  | { readonly kind: "failed"; readonly shelf: number; readonly problem: DelayProblem };

/** The settings of a delay thread. */
export type DelaySettings = {
  /** Part of its files' names: no other thread has the same one. */
  readonly name: string;
  readonly folder: string;
  /** Bytes of the disk that stay free. */
  readonly keepFreeBytes: number;
  /** Bytes that all segments of this thread may take. */
  readonly bytesMax: number;
};
