/** Takes what a video track's packets hold: FLV tag bodies, with decoding times unwrapped, in 90 kHz. */
export interface VideoTrack {
  config(payload: Buffer, dts: number): void;
  frame(payload: Buffer, dts: number): void;
}

/** The same of an audio track, before the bodies have their headers. */
export interface AudioTrack {
  /** A decoder's configuration: AudioSpecificConfig, OpusHead. */
  config(body: Buffer): void;
  /** A coded frame, `bytes[from…end)`, which lasts for `duration` (90 kHz). Lent. */
  frame(bytes: Buffer, from: number, end: number, duration: number): void;
}
