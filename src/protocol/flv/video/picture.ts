/** What a decoder configuration says of the picture. */
export type Picture = {
  /** Pixels, after cropping. */
  readonly width: number;
  readonly height: number;
  /** Frames per second; set where the encoder wrote timing information. */
  readonly frameRate?: number;
};

/** More pixels in one direction than any level of H.264, HEVC or AV1 in use allows are damage. */
const PIXELS_MAX = 16_384;

/** Whether a picture can be so large. */
export function isPictureSize(width: number, height: number): boolean {
  return width > 0 && height > 0 && width <= PIXELS_MAX && height <= PIXELS_MAX;
}
