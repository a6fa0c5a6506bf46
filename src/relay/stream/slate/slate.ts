import { classifyAudio } from "../../../protocol/flv/audio/audio-tag.ts";
import { FlvReader } from "../../../protocol/flv/flv-reader.ts";
import type { FlvTag } from "../../../protocol/flv/flv-tag.ts";
import { classifyVideo } from "../../../protocol/flv/video/video-tag.ts";
import { MessageType } from "../../../protocol/rtmp/message.ts";
import { DecoderConfig } from "../config/decoder-config.ts";
import { audioFormat, videoFormat } from "../config/stream-format.ts";

/** A frame of a slate; `timeMs`: since the start of the clip. */
type SlateFrame = {
  readonly kind: "audio" | "video";
  readonly timeMs: number;
  readonly isKeyframe: boolean;
  readonly payload: Buffer;
};

/** A channel's slate, made into the stream's own form: H.264 without reordered frames, and AAC or no audio. */
export type Slate = {
  /** Its sequence headers. */
  readonly head: DecoderConfig;
  /** In order of time; the first one is a keyframe of video. */
  readonly frames: readonly SlateFrame[];
  readonly lengthMs: number;
};

/** Reads a slate from FLV. Undefined where it is none. */
export function readSlate(flv: Buffer): Slate | undefined {
  let videoConfig: Buffer | undefined;
  let audioConfig: Buffer | undefined;
  const frames: SlateFrame[] = [];
  for (const { type, timestamp: timeMs, payload } of tagsOf(flv)) {
    if (type === MessageType.Video) {
      const { part, isKeyframe } = classifyVideo(payload);
      if (part === "config") videoConfig ??= payload;
      else if (part === "frame") frames.push({ kind: "video", timeMs, isKeyframe, payload });
    } else if (type === MessageType.Audio) {
      const { part } = classifyAudio(payload);
      if (part === "config") audioConfig ??= payload;
      else if (part === "frame") frames.push({ kind: "audio", timeMs, isKeyframe: false, payload });
    }
  }
  const video = frames.filter(({ kind }) => kind === "video");
  const [first, last] = [video[0], video.at(-1)];
  if (videoConfig === undefined || first === undefined || last === undefined || !first.isKeyframe) return undefined;
  const stepMs = video.length < 2 ? 1_000 : (last.timeMs - first.timeMs) / (video.length - 1);
  const startMs = first.timeMs;
  const head = new DecoderConfig();
  head.setConfig("video", "video 0 config", videoConfig);
  if (audioConfig !== undefined) head.setConfig("audio", "audio 0 config", audioConfig);
  return {
    head,
    // Audio that begins before the video would be late in every round.
    frames: frames
      .filter(({ timeMs }) => timeMs >= startMs)
      .map((frame) => ({ ...frame, timeMs: frame.timeMs - startMs }))
      .sort((left, right) => left.timeMs - right.timeMs),
    lengthMs: Math.round(last.timeMs - startMs + stepMs),
  };
}

function tagsOf(flv: Buffer): readonly FlvTag[] {
  try {
    return new FlvReader().push(flv);
  } catch {
    return [];
  }
}

/**
 * Whether the slate can stand for this stream within a connection: one H.264 track of its size, in RTMP's original form,
 * and no audio of another rate or number of channels.
 */
export function fitsStream({ head: own }: Slate, head: DecoderConfig): boolean {
  if (head.codecs("video").size !== 1 || head.codecs("audio").size > 1) return false;
  const present = head.config("video");
  if (present === undefined || classifyVideo(present).form !== "legacy") return false;
  const [mine, theirs] = [videoFormat(own), videoFormat(head)];
  if (mine.videoCodec !== theirs.videoCodec || mine.width !== theirs.width || mine.height !== theirs.height)
    return false;
  if (own.config("audio") === undefined) return true;
  const presentAudio = head.config("audio");
  if (presentAudio === undefined || classifyAudio(presentAudio).form !== "legacy") return false;
  const [ours, sound] = [audioFormat(own), audioFormat(head)];
  return sound.audioCodec === "aac" && sound.sampleRate === ours.sampleRate && sound.channels === ours.channels;
}
