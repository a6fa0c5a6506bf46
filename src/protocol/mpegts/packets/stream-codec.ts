import type { ElementaryStream } from "./program.ts";

/** Video that can be sent on. */
export type TsVideoCodec = "avc" | "hevc" | "av1";

/** Audio that can be sent on. `aac-latm`: AAC in LOAS frames; `aac`: in ADTS frames. */
export type TsAudioCodec = "aac" | "aac-latm" | "ac3" | "eac3" | "opus" | "mpeg-audio";

/** How an elementary stream is coded. */
export type StreamCodec =
  | TsVideoCodec
  | TsAudioCodec
  /** Video or audio that RTMP cannot carry. */
  | "unsupported-video"
  | "unsupported-audio"
  /** Subtitles, teletext, SCTE-35, KLV and the like: passed over. */
  | "other";

/** Tags of descriptors: ISO/IEC 13818-1, 2.6; ETSI EN 300 468, 6.1. */
export const DescriptorTag = { Registration: 0x05, Ac3: 0x6a, Eac3: 0x7a, Extension: 0x7f, Av1: 0x80 } as const;

const PRIVATE = 0x06;

/** By stream_type: ISO/IEC 13818-1, table 2-34, and ATSC A/53 from 0x81 on. */
const BY_TYPE: ReadonlyMap<number, StreamCodec> = new Map<number, StreamCodec>([
  [0x01, "unsupported-video"],
  [0x02, "unsupported-video"],
  [0x03, "mpeg-audio"],
  [0x04, "mpeg-audio"],
  [0x0f, "aac"],
  [0x10, "unsupported-video"],
  [0x11, "aac-latm"],
  [0x1b, "avc"],
  // AAC without any framing, JPEG 2000, MPEG-H, JPEG XS, VVC, EVC.
  [0x1c, "unsupported-audio"],
  [0x21, "unsupported-video"],
  [0x24, "hevc"],
  [0x2d, "unsupported-audio"],
  [0x32, "unsupported-video"],
  [0x33, "unsupported-video"],
  [0x35, "unsupported-video"],
  [0x42, "unsupported-video"],
  [0x81, "ac3"],
  // DTS, TrueHD and DTS again, Dirac, VC-1, as FFmpeg writes and reads them.
  [0x82, "unsupported-audio"],
  [0x83, "unsupported-audio"],
  [0x84, "eac3"],
  [0x87, "eac3"],
  [0x8a, "unsupported-audio"],
  [0xd1, "unsupported-video"],
  [0xea, "unsupported-video"],
]);

const BY_REGISTRATION: ReadonlyMap<string, StreamCodec> = new Map<string, StreamCodec>([
  ["AV01", "av1"],
  ["HEVC", "hevc"],
  ["Opus", "opus"],
  ["AC-3", "ac3"],
  ["EAC3", "eac3"],
  ["VP09", "unsupported-video"],
  ["DTS1", "unsupported-audio"],
  ["DTS2", "unsupported-audio"],
  ["DTS3", "unsupported-audio"],
  ["BSSD", "unsupported-audio"],
]);

/** Decides by stream_type, and for private data by its descriptors. */
export function codecOf({ streamType, descriptors }: ElementaryStream): StreamCodec {
  if (streamType !== PRIVATE) return BY_TYPE.get(streamType) ?? "other";
  const registration = descriptors.get(DescriptorTag.Registration)?.toString("latin1", 0, 4) ?? "";
  const registered = BY_REGISTRATION.get(registration);
  if (registered !== undefined) return registered;
  if (descriptors.has(DescriptorTag.Ac3)) return "ac3";
  return descriptors.has(DescriptorTag.Eac3) ? "eac3" : "other";
}

/** Whether the stream is video that can be sent on. */
export function isVideoCodec(codec: StreamCodec): codec is TsVideoCodec {
  return codec === "avc" || codec === "hevc" || codec === "av1";
}

const AUDIO: ReadonlySet<string> = new Set<TsAudioCodec>(["aac", "aac-latm", "ac3", "eac3", "opus", "mpeg-audio"]);

/** Whether the stream is audio that can be sent on. */
export function isAudioCodec(codec: StreamCodec): codec is TsAudioCodec {
  return AUDIO.has(codec);
}

/** Distinguishes streams whose frames must not be read as those of the same: by codec, and by what only the table says. */
export function formOf(stream: ElementaryStream): string {
  const codec = codecOf(stream);
  const tag = codec === "opus" ? DescriptorTag.Extension : codec === "av1" ? DescriptorTag.Av1 : undefined;
  const said = tag === undefined ? undefined : stream.descriptors.get(tag);
  return said === undefined ? codec : `${codec} ${said.toString("hex")}`;
}
