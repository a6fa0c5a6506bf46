import type { MediaTag, TrackPart } from "./stream-reader.ts";

/** How the media of one file are written. Bytes only ever follow each other, and a file cut anywhere can be finished. */
export interface ContainerWriter {
  readonly container: "mp4" | "flv";
  /** The file's first bytes. */
  readonly start: Uint8Array;
  /** Takes a tag and what it holds. Its bytes are kept until `drain`. */
  add(tag: MediaTag, parts: readonly TrackPart[]): void;
  /** Milliseconds of media that were added and not drained yet. */
  readonly waitingMs: number;
  /** The bytes to append now. `isLast`: nothing follows. */
  drain(isLast: boolean): readonly Uint8Array[];
}
