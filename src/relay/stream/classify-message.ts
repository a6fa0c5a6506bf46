import { AMF0_LIMITS, decodeWanted } from "../../protocol/amf0/decode.ts";
import { beginsAsAdts } from "../../protocol/flv/audio/adts.ts";
import { type AudioFrameFormat, readAudioFrameFormat } from "../../protocol/flv/audio/audio-frame-format.ts";
import { type AudioTag, classifyAudio, stripAdts } from "../../protocol/flv/audio/audio-tag.ts";
import type { AudioCodec, VideoCodec } from "../../protocol/flv/fourcc.ts";
import {
  encodeTargetMetadata,
  METADATA_PROPERTIES,
  readMetadata,
  rewriteMetadata,
} from "../../protocol/flv/metadata.ts";
import { isTimedData } from "../../protocol/flv/timed-data.ts";
import { isMultitrack, splitTracks, trackIdsOf } from "../../protocol/flv/tracks.ts";
import { classifyVideo, shownAfterMs } from "../../protocol/flv/video/video-tag.ts";
import { ProtocolError } from "../../protocol/protocol-error.ts";
import { Mark } from "./frame-marks.ts";
import type { MediaMessage } from "./media-message.ts";
import { flaggedAsKeyframe, type StreamMemory } from "./stream-memory.ts";

/** What one message from an encoder means to the relay. */
export type ClassifiedMessage =
  /** Nothing to send on: empty, an end mark (FFmpeg's looks like a keyframe), a command, other data, unreadable. */
  | { readonly what: "ignored" }
  | { readonly what: "metadata"; readonly payload: Buffer; readonly announcesVideo: boolean }
  | { readonly what: "metadata-cleared" }
  /** Captions, cue points and other data for a moment of the stream; AMF0, as received. */
  | { readonly what: "timed-data"; readonly payload: Buffer }
  | ClassifiedConfig
  | {
      readonly what: "frame";
      readonly kind: "audio" | "video";
      readonly codec: VideoCodec | AudioCodec;
      /** The default track's id where the message is about that track too. */
      readonly trackId: number;
      /** A keyframe of the default track: a stream can begin with it. */
      readonly isKeyframe: boolean;
      /** A keyframe of any track. */
      readonly startsTrack: boolean;
      /**
       * It continues the frame that the message before it began: a stream cannot begin here, and the frame is already
       * counted.
       */
      readonly isFurther: boolean;
      /** The sequence header that belongs before it, and which the encoder did not send. */
      readonly header?: ClassifiedConfig;
      /** The format that audio without a sequence header carries in each frame. */
      readonly audioFormat?: AudioFrameFormat;
      /** Presentation time minus decoding time, in milliseconds; 0 for audio. */
      readonly compositionTimeMs: number;
      readonly payload: Buffer;
    };

/** Sequence headers, of one track or of several. */
type ClassifiedConfig = {
  readonly what: "config";
  readonly kind: "audio" | "video";
  /** The parts to keep, for each of its tracks. */
  readonly parts: readonly ConfigPart[];
  /** As received. */
  readonly payload: Buffer;
};

/** One track's sequence header or metadata. `slot` identifies the track, and the kind of configuration within it. */
export type ConfigPart = {
  readonly slot: string;
  readonly trackId: number;
  readonly codec: VideoCodec | AudioCodec;
  readonly payload: Buffer;
};

type ClassifiedFrame = Extract<ClassifiedMessage, { what: "frame" }>;

export const IGNORED: ClassifiedMessage = { what: "ignored" };

/** Sequence headers are some hundred bytes; one is kept for each track, so their size is bounded. */
const CONFIG_BYTES_MAX = 64 * 1024;

/** Classifies a message, once, for all targets; `memory` is its encoder's. Never throws. */
export function classifyMessage(message: MediaMessage, memory: StreamMemory): ClassifiedMessage {
  switch (message.kind) {
    case "video":
      return classifyVideoMessage(message, memory);
    case "audio":
      return classifyAudioMessage(message.payload, memory);
    case "data":
      return classifyData(message.payload);
  }
}

function classifyVideoMessage(message: MediaMessage, memory: StreamMemory): ClassifiedMessage {
  const payload = memory.underItsCodec(message.payload);
  const tag = classifyVideo(payload);
  switch (tag.part) {
    case "config":
    case "color": {
      if (payload.length > CONFIG_BYTES_MAX) return IGNORED;
      const parts = configParts("video", payload);
      for (const part of parts) memory.configure(classifyVideo(part.payload), part.payload);
      return { what: "config", kind: "video", parts, payload };
    }
    case "frame": {
      const trackId = mainTrackOf("video", payload);
      if (trackId === undefined) return IGNORED;
      const marks = memory.marks(tag, payload, message.timestamp);
      const isStart = (marks & Mark.Start) !== 0;
      return {
        what: "frame",
        kind: "video",
        codec: tag.codec,
        trackId,
        isKeyframe: isStart && trackId === 0,
        startsTrack: isStart,
        isFurther: (marks & Mark.Further) !== 0,
        compositionTimeMs: shownAfterMs(tag),
        payload: (marks & Mark.FlagWrong) === 0 ? payload : flaggedAsKeyframe(payload),
      };
    }
    default:
      return IGNORED;
  }
}

function classifyAudioMessage(payload: Buffer, memory: StreamMemory): ClassifiedMessage {
  const tag = classifyAudio(payload);
  switch (tag.part) {
    case "config":
    case "multichannel": {
      if (payload.length > CONFIG_BYTES_MAX) return IGNORED;
      if (tag.codec === "aac" && beginsAsAdts(payload, tag.bodyOffset))
        return configOf(tag, payload, memory) ?? IGNORED;
      const parts = configParts("audio", payload);
      for (const { codec, trackId } of parts) if (codec === "aac") memory.tookAacConfig(trackId);
      return { what: "config", kind: "audio", parts, payload };
    }
    case "frame": {
      const trackId = mainTrackOf("audio", payload);
      if (trackId === undefined) return IGNORED;
      const frame = {
        what: "frame",
        kind: "audio",
        codec: tag.codec,
        trackId,
        isKeyframe: false,
        startsTrack: false,
        isFurther: false,
        compositionTimeMs: 0,
        payload,
      } as const;
      if (tag.codec !== "aac") return withFormat(frame, readAudioFrameFormat(tag, payload));
      return tag.hasAdts ? withoutAdts(frame, tag, memory) : frame;
    }
    default:
      return IGNORED;
  }
}

function withFormat(frame: ClassifiedFrame, audioFormat: AudioFrameFormat | undefined): ClassifiedFrame {
  return audioFormat === undefined ? frame : { ...frame, audioFormat };
}

/**
 * A frame without its ADTS header, with the sequence header that this header replaces, where the encoder sends none.
 */
function withoutAdts(frame: ClassifiedFrame, tag: AudioTag, memory: StreamMemory): ClassifiedFrame {
  const header = configOf(tag, frame.payload, memory);
  const own = { ...frame, payload: stripAdts(frame.payload) };
  return header === undefined ? own : { ...own, header };
}

/** The sequence header that an ADTS header stands for, where it is new. */
function configOf(tag: AudioTag, payload: Buffer, memory: StreamMemory): ClassifiedConfig | undefined {
  const config = memory.configFromAdts(tag, payload);
  if (config === undefined) return undefined;
  return { what: "config", kind: "audio", parts: configParts("audio", config), payload: config };
}

/**
 * The default track where a message is about that too; undefined where the message is cut short after its first track.
 */
function mainTrackOf(kind: "audio" | "video", payload: Buffer): number | undefined {
  if (!isMultitrack(kind, payload)) return 0;
  const trackIds = trackIdsOf(kind, payload);
  return trackIds.includes(0) ? 0 : trackIds[0];
}

function configParts(kind: "audio" | "video", payload: Buffer): ConfigPart[] {
  return splitTracks(kind, payload).flatMap((part) => {
    const { trackId, codec, part: what } = kind === "video" ? classifyVideo(part) : classifyAudio(part);
    const isConfig = what === "config" || what === "color" || what === "multichannel";
    return isConfig ? [{ slot: `${kind} ${trackId} ${what}`, trackId, codec, payload: part }] : [];
  });
}

function classifyData(values: Buffer): ClassifiedMessage {
  if (isTimedData(values)) return { what: "timed-data", payload: values };
  try {
    const data = readMetadata(decodeWanted(values, AMF0_LIMITS, METADATA_PROPERTIES));
    if (data.kind === "clear") return { what: "metadata-cleared" };
    if (data.kind !== "metadata") return IGNORED;
    const entries = rewriteMetadata(data.entries);
    // It says nothing of the stream: metadata made from the sequence headers says more.
    if (entries.size === 0) return IGNORED;
    const announcesVideo = entries.has("videocodecid") || entries.has("width");
    return { what: "metadata", payload: encodeTargetMetadata(entries), announcesVideo };
  } catch (error) {
    if (error instanceof ProtocolError) return IGNORED;
    throw error;
  }
}
