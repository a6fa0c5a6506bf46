/** What a decoder configuration says about the frames. */
export type FrameFormat = {
  /** Pixels, after cropping. */
  readonly width: number;
  readonly height: number;
  /** Frames per second; set where the encoder wrote timing information. */
  readonly frameRate?: number;
  /** Chroma and bit depth, as FFmpeg names them; absent: 8 bits, 4:2:0. */
  readonly pixelFormat?: string;
};

const EIGHT_BITS = 8;
/** No encoder uses more. */
const BITS_MAX = 16;
/** By `chroma_format_idc` (H.264 and H.265, table 6-1). */
const CHROMAS = ["gray", "yuv420p", "yuv422p", "yuv444p"];
const USUAL_CHROMA = 1;

/** More pixels in one direction than any level of H.264, HEVC or AV1 in use allows; such a configuration is damaged. */
const PIXELS_MAX = 16_384;

/** Whether a frame can have this size. */
export function isFrameSize(width: number, height: number): boolean {
  return width > 0 && height > 0 && width <= PIXELS_MAX && height <= PIXELS_MAX;
}

/** FFmpeg's name for this chroma (`chroma_format_idc`) and bit depth; nothing for the usual one. */
export function pixelFormat(chromaFormat: number, bitDepth: number): Pick<FrameFormat, "pixelFormat"> {
  const chroma = CHROMAS[chromaFormat];
  const isUsual = chromaFormat === USUAL_CHROMA && bitDepth === EIGHT_BITS;
  if (chroma === undefined || isUsual || bitDepth > BITS_MAX) return {};
  return { pixelFormat: bitDepth === EIGHT_BITS ? chroma : `${chroma}${bitDepth}le` };
}
