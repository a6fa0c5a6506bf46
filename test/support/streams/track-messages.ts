import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { MessageType } from "../../../src/protocol/rtmp/message.ts";
import type { EncodedPacket, EncodedTrack } from "./encoded-tracks.ts";
import {
  legacyAacTag,
  legacyVideoTag,
  type MediaKind,
  oneTrackTag,
  plainTag,
  si24,
  type TagKind,
  VideoPacket,
} from "./enhanced-tags.ts";

/** How a track is sent: under its FourCC, in the legacy form (H.264 and AAC), or under its FourCC with a number. */
export type TrackForm = "plain" | "legacy" | { readonly trackId: number };

const TYPE = { video: MessageType.Video, audio: MessageType.Audio } as const;
/** Composition times stand only before video frames of NAL units. */
const HAS_COMPOSITION_TIME: ReadonlySet<string> = new Set(["avc1", "hvc1"]);

/** A track as an encoder sends it: its sequence header, then each packet in a message. */
export function messagesOf({ kind, fourCc, header, packets }: EncodedTrack, form: TrackForm): FlvTag[] {
  const wrap = (tag: TagKind, body: Buffer, compositionMs = 0): Buffer => {
    if (form === "legacy" && kind === "audio") return legacyAacTag(tag.packetType, body);
    if (form === "legacy") return legacyVideoTag(7, tag, compositionMs, body);
    const hasTime = HAS_COMPOSITION_TIME.has(fourCc) && tag.packetType === VideoPacket.CodedFrames;
    const whole = hasTime ? Buffer.concat([si24(compositionMs), body]) : body;
    if (form === "plain") return plainTag(tag, { fourCc, body: whole });
    return oneTrackTag(tag, { fourCc, body: whole, ...form });
  };
  // The two packet types have the same numbers for audio.
  const start = { kind, isKeyframe: true, packetType: VideoPacket.SequenceStart };
  return [
    { type: TYPE[kind], timestamp: 0, payload: wrap(start, header) },
    ...packets.map(({ timestamp, compositionMs, isKeyframe, bytes }) => {
      const tag = { kind, isKeyframe, packetType: VideoPacket.CodedFrames };
      return { type: TYPE[kind], timestamp, payload: wrap(tag, bytes, compositionMs) };
    }),
  ];
}

/** Tracks as one stream: in order of time, headers before everything, and video before the audio of the same time. */
export function interleaved(tracks: readonly (readonly FlvTag[])[]): FlvTag[] {
  const headers = tracks.flatMap((tags) => tags.slice(0, 1));
  const packets = tracks.flatMap((tags) => tags.slice(1));
  return [...headers, ...packets.toSorted((left, right) => left.timestamp - right.timestamp || right.type - left.type)];
}

type Unwrapped = EncodedPacket & { readonly trackId: number; readonly fourCc: string; readonly packetType: number };

/** The track of this number, taken out of what a target got; a message without a track number is of track 0. */
export function trackOf(tags: readonly FlvTag[], kind: MediaKind, trackId = 0): EncodedTrack {
  const own = tags
    .filter(({ type }) => type === TYPE[kind])
    .map((tag) => (kind === "video" ? unwrapVideo(tag) : unwrapAudio(tag)))
    .filter((each) => each.trackId === trackId);
  const headers = own.filter(({ packetType }) => packetType === VideoPacket.SequenceStart);
  const [header] = headers;
  if (header === undefined || headers.length > 1) throw new Error(`${headers.length} headers of ${kind} ${trackId}`);
  const packets = own.filter(({ packetType }) => packetType === VideoPacket.CodedFrames);
  return { kind, fourCc: header.fourCc, header: header.bytes, packets };
}

function unwrapVideo({ timestamp, payload }: FlvTag): Unwrapped {
  const first = payload.readUInt8(0);
  const isKeyframe = ((first >> 4) & 0x07) === 1;
  if ((first & 0x80) === 0) {
    const packetType = payload.readUInt8(1);
    const compositionMs = payload.readIntBE(2, 3);
    return { timestamp, trackId: 0, fourCc: "avc1", packetType, isKeyframe, compositionMs, bytes: payload.subarray(5) };
  }
  const { trackId, fourCc, packetType, body } = unwrapEnhanced(payload, 6);
  const hasTime = HAS_COMPOSITION_TIME.has(fourCc) && packetType === VideoPacket.CodedFrames;
  const compositionMs = hasTime ? body.readIntBE(0, 3) : 0;
  return { timestamp, trackId, fourCc, packetType, isKeyframe, compositionMs, bytes: body.subarray(hasTime ? 3 : 0) };
}

function unwrapAudio({ timestamp, payload }: FlvTag): Unwrapped {
  const audio = { timestamp, isKeyframe: true, compositionMs: 0 };
  if (payload.readUInt8(0) >> 4 !== 9) {
    return { ...audio, trackId: 0, fourCc: "mp4a", packetType: payload.readUInt8(1), bytes: payload.subarray(2) };
  }
  const { trackId, fourCc, packetType, body } = unwrapEnhanced(payload, 5);
  return { ...audio, trackId, fourCc, packetType, bytes: body };
}

/** Messages of one track each: with its number where the packet type is that of several tracks. */
function unwrapEnhanced(payload: Buffer, multitrack: number) {
  const packetType = payload.readUInt8(0) & 0x0f;
  const fourCcAt = packetType === multitrack ? 2 : 1;
  const fourCc = payload.toString("latin1", fourCcAt, fourCcAt + 4);
  if (packetType !== multitrack) return { trackId: 0, fourCc, packetType, body: payload.subarray(5) };
  return { trackId: payload.readUInt8(6), fourCc, packetType: payload.readUInt8(1) & 0x0f, body: payload.subarray(7) };
}
