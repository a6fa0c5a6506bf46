import type { AudioTrack } from "../track.ts";

/** How one codec's frames lie in the data of PES packets. */
export interface AudioFormat {
  /**
   * Bytes of the frame that begins at `bytes[at]`: 0 where too little is there to say, or less than all of it; -1
   * where no frame begins.
   */
  frameBytes(bytes: Buffer, at: number, end: number): number;
  /** Gives a whole frame's content to `track`. */
  read(bytes: Buffer, at: number, end: number, track: AudioTrack): void;
}

/** The length of so many samples in 90 kHz. */
export function ticksOf(samples: number, sampleRate: number): number {
  return (samples * 90_000) / sampleRate;
}
