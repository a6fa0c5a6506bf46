/** Enhanced RTMP's messages, written from the tables of its second version alone: the product reads them by code of its own. */

export type MediaKind = "audio" | "video";

export const VideoPacket = {
  SequenceStart: 0,
  CodedFrames: 1,
  SequenceEnd: 2,
  CodedFramesX: 3,
  Metadata: 4,
  Mpeg2TsSequenceStart: 5,
} as const;
export const AudioPacket = { SequenceStart: 0, CodedFrames: 1, SequenceEnd: 2, MultichannelConfig: 4 } as const;

/** The content of a message for one track. */
export type TrackBody = { readonly trackId: number; readonly fourCc: string; readonly body: Buffer };

/** The kind of a message, apart from its track. */
export type TagKind = { readonly kind: MediaKind; readonly isKeyframe: boolean; readonly packetType: number };

const Multitrack = { video: 6, audio: 5 } as const;
const MultitrackForm = { OneTrack: 0, ManyTracks: 1, ManyTracksManyCodecs: 2 } as const;
const MOD_EX = 7;
const NANOSECOND_OFFSET = 0;
/** A type of ModEx that is not defined. */
const UNKNOWN_MOD_EX = 9;

const u8 = (...values: number[]): Buffer => Buffer.from(values);
const u24 = (value: number): Buffer => u8(value >> 16, (value >> 8) & 0xff, value & 0xff);

/** A signed composition time of 24 bits. */
export function si24(milliseconds: number): Buffer {
  return u24(milliseconds & 0xff_ff_ff);
}

/** The upper half of the first byte: the bit of Enhanced RTMP and the frame type, or audio format 9. */
function start({ kind, isKeyframe }: TagKind): number {
  if (kind === "audio") return 0x90;
  return isKeyframe ? 0x90 : 0xa0;
}

/** A message of the only track there is. */
export function plainTag(tag: TagKind, { fourCc, body }: Omit<TrackBody, "trackId">): Buffer {
  return Buffer.concat([u8(start(tag) | tag.packetType), Buffer.from(fourCc, "latin1"), body]);
}

function multitrack(tag: TagKind, form: number, rest: readonly Buffer[]): Buffer {
  return Buffer.concat([u8(start(tag) | Multitrack[tag.kind], (form << 4) | tag.packetType), ...rest]);
}

/** A message of one track, with its number. */
export function oneTrackTag(tag: TagKind, { trackId, fourCc, body }: TrackBody): Buffer {
  return multitrack(tag, MultitrackForm.OneTrack, [Buffer.from(fourCc, "latin1"), u8(trackId), body]);
}

/** A message of several tracks of one codec. */
export function manyTracksTag(tag: TagKind, parts: readonly TrackBody[]): Buffer {
  const fourCc = Buffer.from(parts[0]?.fourCc ?? "", "latin1");
  const bodies = parts.flatMap(({ trackId, body }) => [u8(trackId), u24(body.length), body]);
  return multitrack(tag, MultitrackForm.ManyTracks, [fourCc, ...bodies]);
}

/** A message of several tracks, each with a codec of its own. */
export function manyCodecsTag(tag: TagKind, parts: readonly TrackBody[]): Buffer {
  const bodies = parts.flatMap(({ trackId, fourCc, body }) => [
    Buffer.from(fourCc, "latin1"),
    u8(trackId),
    u24(body.length),
    body,
  ]);
  return multitrack(tag, MultitrackForm.ManyTracksManyCodecs, bodies);
}

/** The same message, presented so many nanoseconds later. */
export function withNanoseconds(tag: Buffer, nanoseconds: number): Buffer {
  return withModEx(tag, NANOSECOND_OFFSET, u24(nanoseconds));
}

/** The same message after an unknown modifier, so long that its size takes two bytes more. */
export function withUnknownModEx(tag: Buffer): Buffer {
  return withModEx(tag, UNKNOWN_MOD_EX, Buffer.alloc(300, 0xa5));
}

function withModEx(tag: Buffer, type: number, data: Buffer): Buffer {
  const first = tag[0] ?? 0;
  const size = data.length < 256 ? u8(data.length - 1) : u8(0xff, (data.length - 1) >> 8, (data.length - 1) & 0xff);
  return Buffer.concat([u8((first & 0xf0) | MOD_EX), size, data, u8((type << 4) | (first & 0x0f)), tag.subarray(1)]);
}

/** The legacy form: a codec's number, `packetType` as in Enhanced RTMP (0, 1, 2), and always a composition time. */
export function legacyVideoTag(codecId: number, tag: TagKind, compositionMs: number, body: Buffer): Buffer {
  const first = ((tag.isKeyframe ? 1 : 2) << 4) | codecId;
  return Buffer.concat([u8(first, tag.packetType), si24(compositionMs), body]);
}

/** AAC in the legacy form. */
export function legacyAacTag(packetType: number, body: Buffer): Buffer {
  return Buffer.concat([u8(0xaf, packetType), body]);
}
