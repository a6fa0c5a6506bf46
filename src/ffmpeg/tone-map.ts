/** The curves of HDR, by the names that FFmpeg gives them. */
export const HDR_CURVES = { PQ: "smpte2084", HLG: "arib-std-b67" } as const;
export type HdrCurve = keyof typeof HDR_CURVES;

/** What is compressed at most, in pixels a second: 1080p30, which takes three quarters of a processor more. */
const COMPRESSED_MAX = 1_920 * 1_080 * 30;
/** The brightest that is left where it is not compressed, in cd/m2. */
const PEAK = 300;

/**
 * FFmpeg's filters that bring the colours of HDR (BT.2020) to those of SDR (BT.709): without them they look pale. White of a
 * page, 203 cd/m2 (ITU-R BT.2408), comes out at nine tenths, and what is brighter is compressed above. Where
 * `pixelsPerSecond` are more than 1080p30 that would take more than a processor: there white is at eight tenths, and what is brighter than
 * `PEAK` is white. The frame must have even sides.
 */
export function toneMap(curve: HdrCurve, pixelsPerSecond = 0): readonly string[] {
  const from = `tin=${HDR_CURVES[curve]}:min=2020_ncl:pin=2020`;
  if (pixelsPerSecond > COMPRESSED_MAX) return [`zscale=${from}:t=709:m=709:p=709:r=limited:npl=${PEAK}`];
  return [
    `zscale=${from}:t=linear:npl=100`,
    "format=gbrpf32le",
    "zscale=p=709",
    "tonemap=mobius:desat=0",
    "zscale=t=709:m=709:r=limited",
    "format=yuv420p",
  ];
}
