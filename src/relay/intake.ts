import { AMF0_LIMITS } from "../protocol/amf0/decode.ts";
import { classifyAudio, stripAdts } from "../protocol/flv/audio-tag.ts";
import type { AudioCodec, VideoCodec } from "../protocol/flv/fourcc.ts";
import { encodeTargetMetadata, readMetadata, rewriteMetadata } from "../protocol/flv/metadata.ts";
import { isMultitrack, splitTracks, trackIdsOf } from "../protocol/flv/tracks.ts";
import { classifyVideo } from "../protocol/flv/video-tag.ts";
import { decodeData } from "../protocol/rtmp/command.ts";
import { type Message, MessageType } from "../protocol/rtmp/message.ts";
import { ProtocolError } from "../protocol/rtmp/protocol-error.ts";

/** What one message from an encoder means to the relay. */
export type Intake =
  /** Nothing to send on: empty, an end mark (FFmpeg's looks like a keyframe), a command, timed data, unreadable. */
  | { readonly what: "ignored" }
  | { readonly what: "metadata"; readonly payload: Buffer; readonly announcesVideo: boolean }
  | { readonly what: "metadata-cleared" }
  | {
      readonly what: "config";
      readonly kind: "audio" | "video";
      /** What to keep, for each of its tracks. */
      readonly parts: readonly ConfigPart[];
      /** As it came. */
      readonly payload: Buffer;
    }
  | {
      readonly what: "frame";
      readonly kind: "audio" | "video";
      readonly codec: VideoCodec | AudioCodec;
      /** The default track's where the message is about that too. */
      readonly trackId: number;
      /** A keyframe of the default track: a stream can begin with it. */
      readonly isKeyframe: boolean;
      /** A keyframe of whichever track it is. */
      readonly startsTrack: boolean;
      /** Presentation time less decoding time, in milliseconds; 0 for sound. */
      readonly compositionTimeMs: number;
      readonly payload: Buffer;
    };

/** One track's sequence header or metadata. `slot` tells tracks, and kinds of configuration within one, apart. */
export type ConfigPart = {
  readonly slot: string;
  readonly trackId: number;
  readonly codec: VideoCodec | AudioCodec;
  readonly payload: Buffer;
};

const IGNORED: Intake = { what: "ignored" };

/** Sequence headers are some hundred bytes; one is kept for each track, so their size is bounded. */
const CONFIG_BYTES_MAX = 64 * 1024;

/** Classifies a message, once, for all targets. Never throws. */
export function takeIn(message: Message): Intake {
  switch (message.type) {
    case MessageType.Video:
      return takeInVideo(message.payload);
    case MessageType.Audio:
      return takeInAudio(message.payload);
    case MessageType.DataAmf0:
    case MessageType.DataAmf3:
      return takeInData(message);
    default:
      return IGNORED;
  }
}

function takeInVideo(payload: Buffer): Intake {
  const tag = classifyVideo(payload);
  switch (tag.part) {
    case "config":
    case "color":
      if (payload.length > CONFIG_BYTES_MAX) return IGNORED;
      return { what: "config", kind: "video", parts: configParts("video", payload), payload };
    case "frame": {
      const trackId = mainTrackOf("video", payload);
      if (trackId === undefined) return IGNORED;
      return {
        what: "frame",
        kind: "video",
        codec: tag.codec,
        trackId,
        isKeyframe: tag.isKeyframe && trackId === 0,
        startsTrack: tag.isKeyframe,
        compositionTimeMs: tag.compositionTimeMs,
        payload,
      };
    }
    default:
      return IGNORED;
  }
}

function takeInAudio(payload: Buffer): Intake {
  const tag = classifyAudio(payload);
  switch (tag.part) {
    case "config":
    case "multichannel":
      if (payload.length > CONFIG_BYTES_MAX) return IGNORED;
      return { what: "config", kind: "audio", parts: configParts("audio", payload), payload };
    case "frame": {
      const trackId = mainTrackOf("audio", payload);
      if (trackId === undefined) return IGNORED;
      return {
        what: "frame",
        kind: "audio",
        codec: tag.codec,
        trackId,
        isKeyframe: false,
        startsTrack: false,
        compositionTimeMs: 0,
        payload: tag.hasAdts ? stripAdts(payload) : payload,
      };
    }
    default:
      return IGNORED;
  }
}

/** The default track where a message is about that too; undefined where it breaks off behind its first track. */
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

function takeInData(message: Message): Intake {
  try {
    const data = readMetadata(decodeData(message, AMF0_LIMITS));
    if (data.kind === "clear") return { what: "metadata-cleared" };
    if (data.kind !== "metadata") return IGNORED;
    const entries = rewriteMetadata(data.entries);
    const announcesVideo = entries.has("videocodecid") || entries.has("width");
    return { what: "metadata", payload: encodeTargetMetadata(entries), announcesVideo };
  } catch (error) {
    if (error instanceof ProtocolError) return IGNORED;
    throw error;
  }
}
