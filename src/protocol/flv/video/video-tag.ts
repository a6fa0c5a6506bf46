import { blankEnhancedHeader, readPacketType, readTrack } from "../enhanced-header.ts";
import { type VideoCodec, videoCodecOf } from "../fourcc.ts";
import { lookAtFrame, Seen } from "./coded-frame.ts";

/** What one video message holds, as far as a relay needs it; with several tracks, what its first track holds. */
export type VideoTag = {
  readonly codec: VideoCodec;
  /** `legacy`: codec id in the first byte; `enhanced`: FourCC. */
  readonly form: "legacy" | "enhanced";
  /**
   * `config`: decoder configuration (sequence header). `frame`: one coded frame. `end`: end of sequence. `color`: HDR
   * metadata, kept with the configuration. `command`: a seek mark for players. `empty`: nothing that a decoder could
   * use, or malformed; not sent on.
   */
  readonly part: "config" | "frame" | "end" | "color" | "command" | "empty";
  /**
   * True for a frame whose flags say that a decoder can start with it, and that is not empty. `hasIdr` looks at the
   * slices.
   */
  readonly isKeyframe: boolean;
  /** Presentation time minus decoding time, in milliseconds; negative where an encoder (Wirecast) sends it so. */
  readonly compositionTimeMs: number;
  readonly trackId: number;
  /** Where the configuration record or the coded data begins, and where it ends. */
  readonly bodyOffset: number;
  readonly bodyEnd: number;
};

const ENHANCED_BIT = 0x80;
const FrameType = { Key: 1, GeneratedKey: 4, Command: 5 } as const;
const LegacyPacket = { Config: 0, Frame: 1, End: 2 } as const;
const EnhancedPacket = {
  SequenceStart: 0,
  CodedFrames: 1,
  SequenceEnd: 2,
  CodedFramesX: 3,
  Metadata: 4,
  Mpeg2TsSequenceStart: 5,
  Multitrack: 6,
} as const;
/** First byte, packet type and composition time of codecs that legacy tags send in access units. */
const LEGACY_HEADER_BYTES = 5;

/** No frame is shown further from its decoding than this, in milliseconds, not even at one frame in half a minute. */
const COMPOSITION_MS_MAX = 60_000;

const header = blankEnhancedHeader();

function emptyTag(codec: VideoCodec, form: VideoTag["form"], trackId: number, length: number): VideoTag {
  return {
    codec,
    form,
    part: "empty",
    isKeyframe: false,
    compositionTimeMs: 0,
    trackId,
    bodyOffset: length,
    bodyEnd: length,
  };
}

/** Signed 24-bit, big-endian. The caller has checked that there are three bytes. */
function readSi24(payload: Buffer, offset: number): number {
  return payload.readIntBE(offset, 3);
}

/**
 * Whether an access unit holds more than zero-length NAL units (DJI drones send such). Zero lengths are zero bytes,
 * whatever the size of the length field, and a real length shows in the first bytes.
 */
function hasNalUnit(payload: Buffer, offset: number, end: number): boolean {
  for (let index = offset; index < end; index += 1) {
    if (payload[index] !== 0) return true;
  }
  return false;
}

/**
 * 12 and 13 are not in Adobe's table. Chinese CDNs, Larix and cameras use them for HEVC and AV1, in the body form of
 * AVC.
 */
export function legacyVideoCodec(codecId: number): VideoCodec {
  switch (codecId) {
    case 2:
      return "h263";
    case 3:
    case 6:
      return "screen";
    case 4:
    case 5:
      return "vp6";
    case 7:
      return "avc";
    case 12:
      return "hevc";
    case 13:
      return "av1";
    default:
      return "unknown";
  }
}

function classifyLegacy(payload: Buffer, first: number): VideoTag {
  const codec = legacyVideoCodec(first & 0x0f);
  const frameType = first >> 4;
  const length = payload.length;
  let part: VideoTag["part"] = "empty";
  let bodyOffset = 1;
  let compositionTimeMs = 0;
  if (frameType === FrameType.Command) {
    part = "command";
  } else if (codec === "avc" || codec === "hevc" || codec === "av1") {
    const packetType = payload[1];
    bodyOffset = LEGACY_HEADER_BYTES;
    // A configuration counts as one whatever its frame type: some encoders flag it as an inter frame.
    if (packetType === LegacyPacket.End) {
      part = "end";
      bodyOffset = Math.min(LEGACY_HEADER_BYTES, length);
    } else if (packetType === LegacyPacket.Config && length > LEGACY_HEADER_BYTES) {
      part = "config";
    } else if (packetType === LegacyPacket.Frame && hasNalUnit(payload, LEGACY_HEADER_BYTES, length)) {
      part = "frame";
      compositionTimeMs = readSi24(payload, 2);
    }
  } else if (codec !== "unknown" && length > 1) {
    part = "frame";
  }
  if (part === "empty") return emptyTag(codec, "legacy", 0, length);
  const isKeyframe = part === "frame" && (frameType === FrameType.Key || frameType === FrameType.GeneratedKey);
  return { codec, form: "legacy", part, isKeyframe, compositionTimeMs, trackId: 0, bodyOffset, bodyEnd: length };
}

function enhancedPart(packetType: number): VideoTag["part"] {
  switch (packetType) {
    case EnhancedPacket.SequenceStart:
    case EnhancedPacket.Mpeg2TsSequenceStart:
      return "config";
    case EnhancedPacket.CodedFrames:
    case EnhancedPacket.CodedFramesX:
      return "frame";
    case EnhancedPacket.SequenceEnd:
      return "end";
    case EnhancedPacket.Metadata:
      return "color";
    default:
      return "empty";
  }
}

/** Whether a CodedFrames body starts with a composition time and then holds NAL units. */
function isNalCodec(codec: VideoCodec): boolean {
  return codec === "avc" || codec === "hevc" || codec === "vvc";
}

function classifyEnhanced(payload: Buffer, first: number): VideoTag {
  const frameType = (first >> 4) & 0x07;
  const length = payload.length;
  if (!readPacketType(payload, header)) return emptyTag("unknown", "enhanced", 0, length);
  if (frameType === FrameType.Command && header.packetType !== EnhancedPacket.Metadata) {
    return { ...emptyTag("unknown", "enhanced", 0, length), part: "command", bodyOffset: header.bodyOffset };
  }
  if (!readTrack(payload, EnhancedPacket.Multitrack, header)) return emptyTag("unknown", "enhanced", 0, length);

  const { packetType, trackId, bodyEnd } = header;
  const codec = videoCodecOf(header.fourCc);
  let part = enhancedPart(packetType);
  let bodyOffset = header.bodyOffset;
  let compositionTimeMs = 0;
  if (part === "frame" && packetType === EnhancedPacket.CodedFrames && isNalCodec(codec)) {
    if (bodyOffset + 3 > bodyEnd) return emptyTag(codec, "enhanced", trackId, length);
    compositionTimeMs = readSi24(payload, bodyOffset);
    bodyOffset += 3;
  }
  const isEmptyBody = bodyOffset >= bodyEnd;
  if (isEmptyBody && part !== "end") part = "empty";
  if (part === "frame" && isNalCodec(codec) && !hasNalUnit(payload, bodyOffset, bodyEnd)) part = "empty";
  if (part === "empty") return emptyTag(codec, "enhanced", trackId, length);
  const isKeyframe = part === "frame" && frameType === FrameType.Key;
  return { codec, form: "enhanced", part, isKeyframe, compositionTimeMs, trackId, bodyOffset, bodyEnd };
}

/**
 * Returns what a video message (type 9) holds. Reads only the header, allocates only the result, never throws.
 * Malformed messages are `empty`. Adobe FLV 10.1 and Enhanced RTMP v2.
 */
export function classifyVideo(payload: Buffer): VideoTag {
  const first = payload[0];
  if (first === undefined) return emptyTag("unknown", "legacy", 0, 0);
  return (first & ENHANCED_BIT) === 0 ? classifyLegacy(payload, first) : classifyEnhanced(payload, first);
}

/**
 * When a frame is shown after its decoding, in milliseconds, for those who count on it; 0 where the tag names a time
 * that no frame can have.
 */
export function shownAfterMs({ compositionTimeMs }: VideoTag): number {
  return Math.abs(compositionTimeMs) <= COMPOSITION_MS_MAX ? compositionTimeMs : 0;
}

/**
 * Whether decoding can really start with a video message: encoders also flag recovery points of open GOPs and of intra
 * refresh as keyframes. `nalLengthSize` is the configuration's, in bytes. For codecs without NAL units the flag counts.
 */
export function hasIdr(payload: Buffer, nalLengthSize: number): boolean {
  const tag = classifyVideo(payload);
  if (tag.part !== "frame") return false;
  if (!isNalCodec(tag.codec)) return tag.isKeyframe;
  const seen = lookAtFrame(tag.codec, payload, tag.bodyOffset, tag.bodyEnd, nalLengthSize);
  return (seen & Seen.RandomAccess) !== 0;
}
