/** One name for each video codec, for its legacy codec id and its FourCC. */
export type VideoCodec = "avc" | "hevc" | "vvc" | "av1" | "vp9" | "vp8" | "vp6" | "h263" | "screen" | "unknown";

/** One name for each audio codec. */
export type AudioCodec =
  | "aac"
  | "mp3"
  | "opus"
  | "flac"
  | "ac3"
  | "eac3"
  | "speex"
  | "nellymoser"
  | "g711"
  | "adpcm"
  | "pcm"
  | "unknown";

/** Enhanced RTMP's codec names, as big-endian numbers on the wire and in onMetaData. */
export const FourCc = {
  Avc: 0x61766331,
  Hevc: 0x68766331,
  Vvc: 0x76766331,
  Av1: 0x61763031,
  Vp9: 0x76703039,
  Vp8: 0x76703038,
  Aac: 0x6d703461,
  Mp3: 0x2e6d7033,
  Opus: 0x4f707573,
  Flac: 0x664c6143,
  Ac3: 0x61632d33,
  Eac3: 0x65632d33,
} as const;

export function videoCodecOf(fourCc: number): VideoCodec {
  switch (fourCc) {
    case FourCc.Avc:
      return "avc";
    case FourCc.Hevc:
      return "hevc";
    case FourCc.Vvc:
      return "vvc";
    case FourCc.Av1:
      return "av1";
    case FourCc.Vp9:
      return "vp9";
    case FourCc.Vp8:
      return "vp8";
    default:
      return "unknown";
  }
}

export function audioCodecOf(fourCc: number): AudioCodec {
  switch (fourCc) {
    case FourCc.Aac:
      return "aac";
    case FourCc.Mp3:
      return "mp3";
    case FourCc.Opus:
      return "opus";
    case FourCc.Flac:
      return "flac";
    case FourCc.Ac3:
      return "ac3";
    case FourCc.Eac3:
      return "eac3";
    default:
      return "unknown";
  }
}
