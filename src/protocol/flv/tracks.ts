import { blankEnhancedHeader, readPacketType, readTrack } from "./enhanced-header.ts";
import { FourCc } from "./fourcc.ts";

/** One track's part of an Enhanced RTMP message that carries several. */
type TrackPart = { readonly fourCc: number; readonly trackId: number; readonly start: number; readonly end: number };

/** A message's tracks, and the part that all of them share. */
type Multitrack = { readonly packetType: number; readonly parts: readonly TrackPart[] };

const ENHANCED_VIDEO_BIT = 0x80;
const ENHANCED_AUDIO = 0x90;
const MULTITRACK_VIDEO = 6;
const MULTITRACK_AUDIO = 5;
const MANY_CODECS = 2;
const FOURCC_BYTES = 4;
const SIZE_BYTES = 3;
/** Far more tracks than any encoder sends in a message. Each costs as much as a message. */
const TRACKS_MAX = 32;
const PacketType = { SequenceStart: 0, CodedFrames: 1, SequenceEnd: 2, CodedFramesX: 3 } as const;
const LEGACY_AVC = 7;
/** 44.1 kHz, 16 bits, stereo: decoders read the frame's own header. */
const LEGACY_MP3 = Buffer.from([0x2f]);
const NO_COMPOSITION_TIME = Buffer.alloc(3);

const header = blankEnhancedHeader();

function isEnhanced(kind: "audio" | "video", payload: Buffer): boolean {
  const first = payload[0] ?? 0;
  return kind === "video" ? (first & ENHANCED_VIDEO_BIT) !== 0 : (first & 0xf0) === ENHANCED_AUDIO;
}

/** Undefined where the message has no tracks, or is cut short. Enhanced RTMP v2, "Multitrack". */
function readMultitrack(kind: "audio" | "video", payload: Buffer): Multitrack | undefined {
  if (!isEnhanced(kind, payload) || !readPacketType(payload, header)) return undefined;
  const multitrackType = kind === "video" ? MULTITRACK_VIDEO : MULTITRACK_AUDIO;
  const form = (payload[header.bodyOffset] ?? 0) >> 4;
  if (!readTrack(payload, multitrackType, header) || !header.isMultitrack) return undefined;
  const { packetType } = header;
  const parts: TrackPart[] = [
    { fourCc: header.fourCc, trackId: header.trackId, start: header.bodyOffset, end: header.bodyEnd },
  ];
  let { fourCc, bodyEnd: offset } = header;
  while (offset < payload.length && parts.length < TRACKS_MAX) {
    const headBytes = (form === MANY_CODECS ? FOURCC_BYTES : 0) + 1 + SIZE_BYTES;
    if (offset + headBytes > payload.length) return undefined;
    if (form === MANY_CODECS) {
      fourCc = payload.readUInt32BE(offset);
      offset += FOURCC_BYTES;
    }
    const trackId = payload.readUInt8(offset);
    const start = offset + 1 + SIZE_BYTES;
    const end = start + payload.readUIntBE(offset + 1, SIZE_BYTES);
    if (end > payload.length) return undefined;
    parts.push({ fourCc, trackId, start, end });
    offset = end;
  }
  return { packetType, parts };
}

/** The tracks of a message, in its order; `[0]` where it names none. Empty where it is cut short. */
export function trackIdsOf(kind: "audio" | "video", payload: Buffer): readonly number[] {
  if (!isMultitrack(kind, payload)) return [0];
  return readMultitrack(kind, payload)?.parts.map(({ trackId }) => trackId) ?? [];
}

/** Whether a message has the form that names tracks. */
export function isMultitrack(kind: "audio" | "video", payload: Buffer): boolean {
  if (!isEnhanced(kind, payload) || !readPacketType(payload, header)) return false;
  return header.packetType === (kind === "video" ? MULTITRACK_VIDEO : MULTITRACK_AUDIO);
}

/**
 * Splits a message of several tracks into one message for each, in the form with one track id; returns a message with
 * one track as it is.
 */
export function splitTracks(kind: "audio" | "video", payload: Buffer): readonly Buffer[] {
  const multitrack = readMultitrack(kind, payload);
  if (multitrack === undefined || multitrack.parts.length < 2) return [payload];
  return multitrack.parts.map(({ fourCc, trackId, start, end }) => {
    const head = Buffer.alloc(2 + FOURCC_BYTES + 1);
    const type = kind === "video" ? MULTITRACK_VIDEO : MULTITRACK_AUDIO;
    head[0] = ((payload[0] ?? 0) & 0xf0) | type;
    head[1] = multitrack.packetType;
    head.writeUInt32BE(fourCc, 2);
    head[6] = trackId;
    return Buffer.concat([head, payload.subarray(start, end)]);
  });
}

/**
 * One track of a message as the only one of its kind: H.264 and AAC in legacy form, others in Enhanced RTMP's without
 * tracks. Undefined where the message does not contain that track. The same buffer where nothing has to change.
 */
export function flattenTrack(kind: "audio" | "video", payload: Buffer, trackId: number): Buffer | undefined {
  const multitrack = readMultitrack(kind, payload);
  if (multitrack === undefined) {
    if (trackId !== 0 || isMultitrack(kind, payload)) return undefined;
    if (!isEnhanced(kind, payload) || !readPacketType(payload, header)) return payload;
    const { packetType, bodyOffset } = header;
    if (bodyOffset + FOURCC_BYTES > payload.length) return payload;
    const fourCc = payload.readUInt32BE(bodyOffset);
    return plainForm(kind, payload, packetType, fourCc, payload.subarray(bodyOffset + FOURCC_BYTES));
  }
  const part = multitrack.parts.find((each) => each.trackId === trackId);
  if (part === undefined) return undefined;
  return plainForm(kind, payload, multitrack.packetType, part.fourCc, payload.subarray(part.start, part.end));
}

function plainForm(
  kind: "audio" | "video",
  payload: Buffer,
  packetType: number,
  fourCc: number,
  body: Buffer,
): Buffer | undefined {
  const first = payload[0] ?? 0;
  if (kind === "video" && fourCc === FourCc.Avc) {
    const start = Buffer.from([(((first >> 4) & 0x07) << 4) | LEGACY_AVC]);
    switch (packetType) {
      case PacketType.SequenceStart:
      case PacketType.SequenceEnd:
        return Buffer.concat([start, Buffer.from([packetType]), NO_COMPOSITION_TIME, body]);
      case PacketType.CodedFrames:
        return Buffer.concat([start, Buffer.from([1]), body]);
      case PacketType.CodedFramesX:
        return Buffer.concat([start, Buffer.from([1]), NO_COMPOSITION_TIME, body]);
      default:
        // Legacy form has no colour metadata: H.264 has it in its own parameter sets.
        return undefined;
    }
  }
  if (kind === "audio" && fourCc === FourCc.Aac) {
    if (packetType > PacketType.CodedFrames) return undefined;
    return Buffer.concat([Buffer.from([0xaf, packetType]), body]);
  }
  if (kind === "audio" && fourCc === FourCc.Mp3) {
    // MP3 has no sequence header.
    return packetType === PacketType.CodedFrames ? Buffer.concat([LEGACY_MP3, body]) : undefined;
  }
  const head = Buffer.alloc(1 + FOURCC_BYTES);
  head[0] = (first & 0xf0) | packetType;
  head.writeUInt32BE(fourCc, 1);
  return Buffer.concat([head, body]);
}

const LEGACY_FORM_CODECS: ReadonlySet<number> = new Set([FourCc.Avc, FourCc.Aac, FourCc.Mp3]);

/**
 * The FourCC of an Enhanced RTMP message that legacy form can express: legacy form has its codec, and the message names
 * no track.
 */
function needlessFourCc(kind: "audio" | "video", payload: Buffer): number | undefined {
  if (!isEnhanced(kind, payload) || !readPacketType(payload, header)) return undefined;
  const multitrackType = kind === "video" ? MULTITRACK_VIDEO : MULTITRACK_AUDIO;
  if (header.packetType === multitrackType || header.bodyOffset + FOURCC_BYTES > payload.length) return undefined;
  const fourCc = payload.readUInt32BE(header.bodyOffset);
  return LEGACY_FORM_CODECS.has(fourCc) ? fourCc : undefined;
}

/** Whether legacy form could express this message. */
export function hasLegacyForm(kind: "audio" | "video", payload: Buffer): boolean {
  return needlessFourCc(kind, payload) !== undefined;
}

/**
 * H.264, AAC and MP3 in legacy form, where they arrive in Enhanced RTMP's form without a track id; any other message as
 * it is. Undefined where legacy form cannot express it.
 */
export function legacyForm(kind: "audio" | "video", payload: Buffer): Buffer | undefined {
  const fourCc = needlessFourCc(kind, payload);
  if (fourCc === undefined) return payload;
  const { packetType, bodyOffset } = header;
  return plainForm(kind, payload, packetType, fourCc, payload.subarray(bodyOffset + FOURCC_BYTES));
}

const LEGACY_HEVC = 12;
const LEGACY_HEADER_BYTES = 5;
const COMPOSITION_TIME_OFFSET = 2;

/** HEVC with codec id 12, which is not Adobe's, in Enhanced RTMP's form; any other message as it is. */
export function enhanceHevc(payload: Buffer): Buffer {
  const first = payload[0] ?? 0;
  const packetType = payload[1] ?? 0;
  const isHevc = (first & ENHANCED_VIDEO_BIT) === 0 && (first & 0x0f) === LEGACY_HEVC;
  if (!isHevc || payload.length < LEGACY_HEADER_BYTES || packetType > PacketType.SequenceEnd) return payload;
  const head = Buffer.alloc(1 + FOURCC_BYTES);
  head[0] = ENHANCED_VIDEO_BIT | (first & 0x70) | packetType;
  head.writeUInt32BE(FourCc.Hevc, 1);
  const isFrame = packetType === PacketType.CodedFrames;
  return Buffer.concat([head, payload.subarray(isFrame ? COMPOSITION_TIME_OFFSET : LEGACY_HEADER_BYTES)]);
}
