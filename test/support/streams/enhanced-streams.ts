import { encodeAmf0 } from "../../../src/protocol/amf0/encode.ts";
import { amf0EcmaArray, amf0Object } from "../../../src/protocol/amf0/value.ts";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { MessageType } from "../../../src/protocol/rtmp/message.ts";
import type { Clip } from "../../../src/testkit/encoder/clip.ts";
import {
  AudioPacket,
  legacyAacTag,
  legacyVideoTag,
  type MediaKind,
  manyCodecsTag,
  manyTracksTag,
  oneTrackTag,
  plainTag,
  si24,
  type TagKind,
  type TrackBody,
  VideoPacket,
  withNanoseconds,
  withUnknownModEx,
} from "./enhanced-tags.ts";
import { hex } from "./hex.ts";

/**
 * How a kind of media is put into messages. `legacy`: H.264, HEVC (12) or AAC in the legacy form; `default-legacy`: the
 * default track so and others with their number, as OBS does it.
 */
type Packing = "legacy" | "default-legacy" | "plain" | "one-track" | "many-tracks" | "many-codecs";

type KindOfStream = {
  /** FourCCs by track number. */
  readonly tracks: readonly string[];
  readonly packing: Packing;
  /** Packet type of the sequence header; 0 by default. */
  readonly start?: number;
  /** Packet type of the frames; 1 by default. */
  readonly frame?: number;
  /** Sent after the sequence header, and cached like it. */
  readonly also?: { readonly packetType: number; readonly body: Buffer };
  readonly prefix?: (tag: Buffer) => Buffer;
};

export type StreamForm = {
  readonly name: string;
  readonly video?: KindOfStream;
  readonly audio?: KindOfStream;
  /** The codecs that a target of H.264 and AAC alone is reported not to take; absent where it takes the stream. */
  readonly refused?: RegExp;
};

/** One message of a stream, and what each target gets of it. */
export type StreamTag = FlvTag & {
  /** `head`: cached for targets that join later; `end`: marks the end of a track. */
  readonly role: "metadata" | "head" | "frame" | "end";
  readonly kind: MediaKind;
  /** Numbers of its tracks. */
  readonly tracks: readonly number[];
  readonly isKeyframe: boolean;
  /** What is cached of a head: itself, or a message for each of its tracks. */
  readonly kept: readonly Buffer[];
  /** What a target that chose one of its tracks gets, by the track's number. */
  readonly alone: ReadonlyMap<number, Buffer>;
  /** HEVC of the legacy form in Enhanced RTMP's. */
  readonly enhanced: Buffer;
};

const FRAME_MS = 40;
const AUDIO_OFFSET_MS = 15;
/** Video frames from one keyframe of a track to the next. */
const GROUP_FRAMES = 10;
/** Where each track has messages of its own, each track's keyframes come so much later than those of the one before. */
const TRACK_OFFSET_FRAMES = 5;
/** So often every track is ended and started again, unchanged. */
const REBEGIN_FRAMES = 3 * GROUP_FRAMES;
const COMPOSITION_TIMES_MS = [80, 0, -40] as const;

const COLOR_INFO = encodeAmf0([
  "colorInfo",
  amf0Object({
    colorConfig: amf0Object({ bitDepth: 10, colorPrimaries: 9, transferCharacteristics: 16, matrixCoefficients: 9 }),
    hdrCll: amf0Object({ maxFall: 400, maxCLL: 1_000 }),
  }),
]);
/** 5.1 in the native order, and the same as a list of speakers. */
const NATIVE_ORDER = hex("01 06 0000003f");
const CUSTOM_ORDER = hex("02 06 00 01 02 03 04 05");

const AVC = { tracks: ["avc1"], packing: "legacy" } as const;
const AAC = { tracks: ["mp4a"], packing: "legacy" } as const;
const plain = (fourCc: string, more: Partial<KindOfStream> = {}): KindOfStream => ({
  tracks: [fourCc],
  packing: "plain",
  ...more,
});
const nanoseconds = (tag: Buffer): Buffer => withNanoseconds(tag, 500_000);
const color = { packetType: VideoPacket.Metadata, body: COLOR_INFO };
const channels = (body: Buffer) => ({ packetType: AudioPacket.MultichannelConfig, body });

export const PLAIN_FORMS: readonly StreamForm[] = [
  { name: "HEVC", video: plain("hvc1"), audio: AAC, refused: /\(HEVC\)/ },
  { name: "HEVC without composition times", video: plain("hvc1", { frame: 3 }), audio: AAC, refused: /\(HEVC\)/ },
  { name: "HEVC with HDR metadata", video: plain("hvc1", { also: color }), audio: AAC, refused: /\(HEVC\)/ },
  { name: "AV1", video: plain("av01"), audio: AAC, refused: /\(AV1\)/ },
  { name: "AV1 after an MPEG-2 TS header", video: plain("av01", { start: 5 }), audio: AAC, refused: /\(AV1\)/ },
  { name: "VP9", video: plain("vp09"), audio: AAC, refused: /\(VP9\)/ },
  { name: "VVC", video: plain("vvc1"), audio: AAC, refused: /\(VVC\)/ },
  { name: "H.264 and AAC by FourCC", video: plain("avc1"), audio: plain("mp4a") },
  {
    name: "a nanosecond offset",
    video: plain("avc1", { prefix: nanoseconds }),
    audio: plain("mp4a", { prefix: nanoseconds }),
  },
  { name: "a long unknown ModEx", video: plain("hvc1", { prefix: withUnknownModEx }), refused: /\(HEVC\)/ },
  { name: "Opus", video: AVC, audio: plain("Opus"), refused: /\(Opus\)/ },
  { name: "Opus alone, in 5.1", audio: plain("Opus", { also: channels(NATIVE_ORDER) }), refused: /\(Opus\)/ },
  { name: "FLAC", video: AVC, audio: plain("fLaC"), refused: /\(FLAC\)/ },
  { name: "AC-3", video: AVC, audio: plain("ac-3"), refused: /\(AC-3\)/ },
  {
    name: "E-AC-3 with its speakers listed",
    video: AVC,
    audio: plain("ec-3", { also: channels(CUSTOM_ORDER) }),
    refused: /\(E-AC-3\)/,
  },
  { name: "MP3 by FourCC", video: AVC, audio: plain(".mp3"), refused: /\(MP3\)/ },
];

const tracks = (packing: Packing, ...fourCcs: string[]): KindOfStream => ({ tracks: fourCcs, packing });

export const MULTITRACK_FORMS: readonly StreamForm[] = [
  {
    name: "OBS's tracks",
    video: tracks("default-legacy", "avc1", "avc1"),
    audio: tracks("default-legacy", "mp4a", "mp4a"),
  },
  {
    name: "one track a message",
    video: tracks("one-track", "avc1", "hvc1", "av01"),
    audio: tracks("one-track", "mp4a", "Opus"),
    refused: /\(HEVC, AV1, Opus\)/,
  },
  {
    name: "many tracks of one codec a message",
    video: tracks("many-tracks", "avc1", "avc1"),
    audio: tracks("many-tracks", "mp4a", "mp4a"),
  },
  {
    name: "many tracks of many codecs a message",
    video: tracks("many-codecs", "avc1", "hvc1"),
    audio: tracks("many-codecs", "mp4a", "Opus"),
    refused: /\(HEVC, Opus\)/,
  },
];

/** HEVC under the number 12, which is not Adobe's. */
export const LEGACY_HEVC: StreamForm = {
  name: "HEVC of the old form",
  video: { tracks: ["hvc1"], packing: "legacy" },
  audio: AAC,
};

/** The stream without end, in real time: 25 video and 25 audio frames a second of each track. */
export function enhancedClip(form: StreamForm): Clip {
  return { durationMs: Number.POSITIVE_INFINITY, tags: () => streamTags(form) };
}

/** The same messages, with what each target gets of them. */
export function* streamTags(form: StreamForm): Generator<StreamTag, undefined> {
  yield metadataTag(form);
  yield* headTags(form, 0);
  for (let frame = 0; ; frame += 1) {
    const timestamp = frame * FRAME_MS;
    if (frame > 0 && frame % REBEGIN_FRAMES === 0) {
      yield* endTags(form, timestamp);
      yield* headTags(form, timestamp);
    }
    if (form.video !== undefined) yield* frameTags("video", form.video, frame, timestamp);
    if (form.audio !== undefined) yield* frameTags("audio", form.audio, frame, timestamp + AUDIO_OFFSET_MS);
  }
}

function metadataTag({ video }: StreamForm): StreamTag {
  const entries = video === undefined ? {} : { width: 640, height: 360 };
  const payload = encodeAmf0(["@setDataFrame", "onMetaData", amf0EcmaArray({ encoder: "test", ...entries })]);
  const nothing = { kept: [], alone: new Map<number, Buffer>(), enhanced: payload, tracks: [], isKeyframe: false };
  return { type: MessageType.DataAmf0, timestamp: 0, payload, role: "metadata", kind: "video", ...nothing };
}

/** Audio first, as targets get them. */
function* headTags(form: StreamForm, timestamp: number): Generator<StreamTag> {
  for (const kind of ["audio", "video"] as const) {
    const of = form[kind];
    if (of === undefined) continue;
    const packetTypes = [of.start ?? 0, ...(of.also === undefined ? [] : [of.also.packetType])];
    for (const packetType of packetTypes) {
      const body = (fourCc: string, trackId: number): Buffer =>
        packetType === of.also?.packetType ? of.also.body : headerOf(fourCc, trackId);
      const tag = { kind, isKeyframe: true, packetType };
      yield* messages(of, tag, of.tracks, body, 0).map((each) => ({ ...each, timestamp, role: "head" as const }));
    }
  }
}

function* endTags(form: StreamForm, timestamp: number): Generator<StreamTag> {
  for (const kind of ["audio", "video"] as const) {
    const of = form[kind];
    // AAC of the legacy form has no such mark.
    if (of === undefined || (kind === "audio" && of.packing.includes("legacy"))) continue;
    const tag = { kind, isKeyframe: true, packetType: VideoPacket.SequenceEnd };
    const ends = messages(of, tag, of.tracks, () => Buffer.alloc(0), 0);
    yield* ends.map((each) => ({ ...each, timestamp, role: "end" as const }));
  }
}

function* frameTags(kind: MediaKind, of: KindOfStream, frame: number, timestamp: number): Generator<StreamTag> {
  const packetType = of.frame ?? VideoPacket.CodedFrames;
  const compositionMs = packetType === VideoPacket.CodedFrames ? (COMPOSITION_TIMES_MS[frame % 3] ?? 0) : 0;
  const together = of.packing.startsWith("many") ? [of.tracks] : of.tracks.map((fourCc) => [fourCc]);
  for (const [firstId, fourCcs] of together.entries()) {
    const ownFrame = frame - firstId * TRACK_OFFSET_FRAMES;
    const isKeyframe = kind === "video" && ownFrame % GROUP_FRAMES === 0;
    const tag = { kind, isKeyframe, packetType };
    const body = (fourCc: string, trackId: number): Buffer => frameOf(fourCc, trackId, frame, isKeyframe);
    const all = messages(of, tag, fourCcs, body, compositionMs, firstId);
    yield* all.map((each) => ({ ...each, timestamp, role: "frame" as const }));
  }
}

/** Everything but a message's time and role. */
type Message = Omit<StreamTag, "timestamp" | "role">;

/** The messages that carry this for these tracks, the first of which has the number `firstId`. */
function messages(
  { packing, prefix = (tag) => tag }: KindOfStream,
  tag: TagKind,
  fourCcs: readonly string[],
  bodyOf: (fourCc: string, trackId: number) => Buffer,
  compositionMs: number,
  firstId = 0,
): Message[] {
  const hasTime = tag.packetType === VideoPacket.CodedFrames;
  const parts = fourCcs.map((fourCc, index) => {
    const trackId = firstId + index;
    const bare = bodyOf(fourCc, trackId);
    const body = hasTime && NAL_START[fourCc] !== undefined ? Buffer.concat([si24(compositionMs), bare]) : bare;
    return { trackId, fourCc, body, bare };
  });
  const legacy = ({ fourCc, bare }: (typeof parts)[number]): Buffer => {
    if (tag.kind === "audio") return legacyAacTag(tag.packetType, bare);
    return legacyVideoTag(fourCc === "hvc1" ? 12 : 7, tag, hasTime ? compositionMs : 0, bare);
  };
  const alone = new Map(
    parts.map((part) => {
      const isOld = part.fourCc === "avc1" || part.fourCc === "mp4a";
      return [part.trackId, isOld ? legacy(part) : plainTag(tag, part)];
    }),
  );
  const message = (payload: Buffer, of: typeof parts, kept: readonly Buffer[] = [payload]): Message => ({
    type: tag.kind === "video" ? MessageType.Video : MessageType.Audio,
    payload,
    kind: tag.kind,
    tracks: of.map(({ trackId }) => trackId),
    isKeyframe: tag.isKeyframe,
    kept,
    alone: new Map(of.map(({ trackId }) => [trackId, alone.get(trackId) ?? payload])),
    enhanced: tag.kind === "video" ? plainTag(tag, of[0] ?? { fourCc: "", body: payload }) : payload,
  });
  const single = parts.map((part) => oneTrackTag(tag, part));
  switch (packing) {
    case "many-tracks":
      return [message(prefix(manyTracksTag(tag, parts)), parts, single)];
    case "many-codecs":
      return [message(prefix(manyCodecsTag(tag, parts)), parts, single)];
    default:
      return parts.map((part) => message(prefix(packed(packing, tag, part, legacy(part))), [part]));
  }
}

/** One track's message. */
function packed(packing: Packing, tag: TagKind, part: TrackBody, legacy: Buffer): Buffer {
  if (packing === "plain") return plainTag(tag, part);
  if (packing === "legacy" || (packing === "default-legacy" && part.trackId === 0)) return legacy;
  return oneTrackTag(tag, part);
}

/** Decoder configurations, each track's own; AC-3, E-AC-3 and MP3 have none. */
function headerOf(fourCc: string, trackId: number): Buffer {
  switch (fourCc) {
    case "mp4a":
      return trackId === 0 ? hex("1190") : hex("1210");
    case "Opus":
      return Buffer.concat([Buffer.from("OpusHead"), hex("01 02 3801 80bb0000 0000 00")]);
    case "fLaC":
      return Buffer.concat([Buffer.from("fLaC"), hex("80 000022"), Buffer.alloc(34, 0x12)]);
    case "ac-3":
    case "ec-3":
    case ".mp3":
      return Buffer.alloc(0);
    default:
      return Buffer.concat([hex("01"), Buffer.from(fourCc, "latin1"), Buffer.from([trackId])]);
  }
}

/** First bytes of NAL units: of a keyframe, and of any other frame. */
const NAL_START: Readonly<Record<string, readonly [key: Buffer, other: Buffer]>> = {
  avc1: [hex("65"), hex("41")],
  hvc1: [hex("2601"), hex("0201")],
  vvc1: [hex("0039"), hex("0001")],
};

/** No two frames of a stream are alike. */
function frameOf(fourCc: string, trackId: number, frame: number, isKeyframe: boolean): Buffer {
  const mark = Buffer.from(`${fourCc} ${trackId} ${frame} ${"x".repeat(frame % 97)}`, "latin1");
  const nalStart = NAL_START[fourCc]?.[isKeyframe ? 0 : 1];
  if (nalStart === undefined) return mark;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(nalStart.length + mark.length);
  return Buffer.concat([length, nalStart, mark]);
}
