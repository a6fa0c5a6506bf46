/** What a decoder configuration says about the frames. */
export type FrameFormat = {
  /** Pixels, after cropping. */
  readonly width: number;
  readonly height: number;
  /** Frames per second; set where the encoder wrote timing information. */
  readonly frameRate?: number;
};

/** More pixels in one direction than any level of H.264, HEVC or AV1 in use allows; such a configuration is damaged. */
const PIXELS_MAX = 16_384;

/** Whether a frame can have this size. */
export function isFrameSize(width: number, height: number): boolean {
  return width > 0 && height > 0 && width <= PIXELS_MAX && height <= PIXELS_MAX;
}
