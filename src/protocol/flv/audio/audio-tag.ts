import { blankEnhancedHeader, readPacketType, readTrack } from "../enhanced-header.ts";
import { type AudioCodec, audioCodecOf } from "../fourcc.ts";
import { adtsFrameBytes, adtsHeaderBytes } from "./adts.ts";

/** What one audio message holds, as far as a relay needs it; with several tracks, what its first track holds. */
export type AudioTag = {
  readonly codec: AudioCodec;
  /** `legacy`: sound format in the first byte; `enhanced`: FourCC. */
  readonly form: "legacy" | "enhanced";
  /**
   * `config`: decoder configuration (sequence header). `frame`: coded audio. `end`: end of sequence. `multichannel`:
   * the meaning of the channels, kept with the configuration. `empty`: nothing that a decoder could use, or malformed;
   * not sent on.
   */
  readonly part: "config" | "frame" | "end" | "multichannel" | "empty";
  readonly trackId: number;
  /** True for an AAC frame with an ADTS header, which RTMP does not have: `stripAdts` removes it. */
  readonly hasAdts: boolean;
  /** Where the configuration or the coded audio begins, and where it ends. */
  readonly bodyOffset: number;
  readonly bodyEnd: number;
};

const SOUND_FORMAT_ENHANCED = 9;
const LEGACY_AAC_HEADER_BYTES = 2;
/** Object type, sampling frequency and channels fill 13 bits at least. */
const AUDIO_SPECIFIC_CONFIG_BYTES_MIN = 2;
const AacPacket = { Config: 0, Frame: 1 } as const;
const EnhancedPacket = {
  SequenceStart: 0,
  CodedFrames: 1,
  SequenceEnd: 2,
  MultichannelConfig: 4,
  Multitrack: 5,
} as const;

const header = blankEnhancedHeader();

function emptyTag(codec: AudioCodec, form: AudioTag["form"], trackId: number, length: number): AudioTag {
  return { codec, form, part: "empty", trackId, hasAdts: false, bodyOffset: length, bodyEnd: length };
}

export function legacyAudioCodec(soundFormat: number): AudioCodec {
  switch (soundFormat) {
    case 0:
    case 3:
      return "pcm";
    case 1:
      return "adpcm";
    case 2:
    case 14:
      return "mp3";
    case 4:
    case 5:
    case 6:
      return "nellymoser";
    case 7:
    case 8:
      return "g711";
    case 10:
      return "aac";
    case 11:
      return "speex";
    case 13:
      return "opus";
    default:
      return "unknown";
  }
}

function classifyLegacy(payload: Buffer, soundFormat: number): AudioTag {
  const codec = legacyAudioCodec(soundFormat);
  const length = payload.length;
  if (codec !== "aac") {
    if (codec === "unknown" || length < 2) return emptyTag(codec, "legacy", 0, length);
    return { codec, form: "legacy", part: "frame", trackId: 0, hasAdts: false, bodyOffset: 1, bodyEnd: length };
  }
  const bodyOffset = LEGACY_AAC_HEADER_BYTES;
  const bodyBytes = length - bodyOffset;
  let part: AudioTag["part"] = "empty";
  if (payload[1] === AacPacket.Config && bodyBytes >= AUDIO_SPECIFIC_CONFIG_BYTES_MIN) part = "config";
  if (payload[1] === AacPacket.Frame && bodyBytes > 0) part = "frame";
  if (part === "empty") return emptyTag(codec, "legacy", 0, length);
  const hasAdts = part === "frame" && adtsHeaderBytes(payload, bodyOffset, length) > 0;
  return { codec, form: "legacy", part, trackId: 0, hasAdts, bodyOffset, bodyEnd: length };
}

function enhancedPart(packetType: number, codec: AudioCodec, bodyBytes: number): AudioTag["part"] {
  switch (packetType) {
    case EnhancedPacket.SequenceStart:
      if (codec === "aac") return bodyBytes >= AUDIO_SPECIFIC_CONFIG_BYTES_MIN ? "config" : "empty";
      // Opus may leave its header out, MP3 and AC-3 have none: the message itself says that the track starts.
      return codec === "flac" && bodyBytes === 0 ? "empty" : "config";
    case EnhancedPacket.CodedFrames:
      return bodyBytes > 0 ? "frame" : "empty";
    case EnhancedPacket.SequenceEnd:
      return "end";
    case EnhancedPacket.MultichannelConfig:
      return bodyBytes > 0 ? "multichannel" : "empty";
    default:
      return "empty";
  }
}

function classifyEnhanced(payload: Buffer): AudioTag {
  const length = payload.length;
  if (!readPacketType(payload, header) || !readTrack(payload, EnhancedPacket.Multitrack, header)) {
    return emptyTag("unknown", "enhanced", 0, length);
  }
  const { trackId, bodyOffset, bodyEnd } = header;
  const codec = audioCodecOf(header.fourCc);
  const part = enhancedPart(header.packetType, codec, bodyEnd - bodyOffset);
  if (part === "empty") return emptyTag(codec, "enhanced", trackId, length);
  const mayHaveAdts = part === "frame" && codec === "aac" && !header.isMultitrack;
  const hasAdts = mayHaveAdts && adtsHeaderBytes(payload, bodyOffset, bodyEnd) > 0;
  return { codec, form: "enhanced", part, trackId, hasAdts, bodyOffset, bodyEnd };
}

/**
 * Returns what an audio message (type 8) holds. Reads only the header, allocates only the result, never throws.
 * Malformed messages are `empty`, and so are messages without a byte, which some encoders send for silence.
 */
export function classifyAudio(payload: Buffer): AudioTag {
  const first = payload[0];
  if (first === undefined) return emptyTag("unknown", "legacy", 0, 0);
  const soundFormat = first >> 4;
  return soundFormat === SOUND_FORMAT_ENHANCED ? classifyEnhanced(payload) : classifyLegacy(payload, soundFormat);
}

/**
 * An AAC message without the ADTS header that some encoders leave on their frames; the same buffer where there is none.
 * Keeps only the first of several ADTS frames in one message: an RTMP message is one access unit.
 */
export function stripAdts(payload: Buffer): Buffer {
  const tag = classifyAudio(payload);
  if (!tag.hasAdts) return payload;
  const headerBytes = adtsHeaderBytes(payload, tag.bodyOffset, tag.bodyEnd);
  const frameEnd = tag.bodyOffset + adtsFrameBytes(payload, tag.bodyOffset);
  return Buffer.concat([payload.subarray(0, tag.bodyOffset), payload.subarray(tag.bodyOffset + headerBytes, frameEnd)]);
}
