import { readAudioFrameFormat } from "../../../protocol/flv/audio/audio-frame-format.ts";
import { classifyAudio } from "../../../protocol/flv/audio/audio-tag.ts";
import { FlvReader } from "../../../protocol/flv/flv-reader.ts";
import type { FlvTag } from "../../../protocol/flv/flv-tag.ts";
import type { AudioCodec, VideoCodec } from "../../../protocol/flv/fourcc.ts";
import { classifyVideo } from "../../../protocol/flv/video/video-tag.ts";
import { MessageType } from "../../../protocol/rtmp/message.ts";
import type { SlateMisfit } from "../../../thread-protocol/samples.ts";
import { DecoderConfig } from "../config/decoder-config.ts";
import { audioFormat, videoFormat } from "../config/stream-format.ts";
import { audioInForm, formsOf, type TagForms, videoInForm } from "./tag-form.ts";

/** A frame of a slate; `timeMs`: since the start of the clip. */
type SlateFrame = {
  readonly kind: "audio" | "video";
  readonly timeMs: number;
  readonly isKeyframe: boolean;
  readonly payload: Buffer;
};

/** A channel's slate, made in the stream's own codecs, without reordered frames. */
export type Slate = {
  /** Its sequence headers, codecs and audio format. */
  readonly head: DecoderConfig;
  /** In order of time; the first one is a keyframe of video. */
  readonly frames: readonly SlateFrame[];
  readonly lengthMs: number;
};

/** Reads a slate from FLV. Undefined where it is none. */
export function readSlate(flv: Buffer): Slate | undefined {
  const head = new DecoderConfig();
  const frames: SlateFrame[] = [];
  for (const { type, timestamp: timeMs, payload } of tagsOf(flv)) {
    if (type === MessageType.Video) {
      const { part, isKeyframe, codec } = classifyVideo(payload);
      if (part === "config") setHeader(head, "video", codec, payload);
      else if (part === "frame") frames.push({ kind: "video", timeMs, isKeyframe, payload });
    } else if (type === MessageType.Audio) {
      const tag = classifyAudio(payload);
      if (tag.part === "config") setHeader(head, "audio", tag.codec, payload);
      if (tag.part !== "frame") continue;
      const format = readAudioFrameFormat(tag, payload);
      head.setCodec("audio", 0, tag.codec);
      if (format !== undefined) head.setAudioFrameFormat(0, format);
      frames.push({ kind: "audio", timeMs, isKeyframe: false, payload });
    }
  }
  const video = frames.filter(({ kind }) => kind === "video");
  const [first, last] = [video[0], video.at(-1)];
  if (head.config("video") === undefined || first === undefined || last === undefined || !first.isKeyframe)
    return undefined;
  const stepMs = video.length < 2 ? 1_000 : (last.timeMs - first.timeMs) / (video.length - 1);
  const startMs = first.timeMs;
  const lengthMs = Math.round(last.timeMs - startMs + stepMs);
  return {
    head,
    // Audio beside a round's end would be late in the next one.
    frames: frames
      .filter(({ timeMs }) => timeMs >= startMs && timeMs < startMs + lengthMs)
      .map((frame) => ({ ...frame, timeMs: frame.timeMs - startMs }))
      .sort((left, right) => left.timeMs - right.timeMs),
    lengthMs,
  };
}

/** The first header of a kind is the clip's. */
function setHeader(
  head: DecoderConfig,
  kind: "audio" | "video",
  codec: AudioCodec | VideoCodec,
  payload: Buffer,
): void {
  head.setCodec(kind, 0, codec);
  if (head.config(kind) === undefined) head.setConfig(kind, `${kind} 0 config`, payload);
}

function tagsOf(flv: Buffer): readonly FlvTag[] {
  try {
    return new FlvReader().push(flv);
  } catch {
    return [];
  }
}

/**
 * Why the slate cannot stand for the default tracks of this stream within a connection; undefined where it can: its video
 * has the stream's codec, size and pixel format, and its audio the codec, rate and number of channels.
 */
export function slateMisfit(slate: Slate, head: DecoderConfig): SlateMisfit | undefined {
  const { head: own } = slate;
  const audioCodecs = head.codecs("audio");
  if (head.trackConfig("video", 0) === undefined || (audioCodecs.size > 0 && !audioCodecs.has(0))) return "tracks";
  const [mine, theirs] = [videoFormat(own), videoFormat(head)];
  if (mine.videoCodec !== theirs.videoCodec || mine.pixelFormat !== theirs.pixelFormat) return "form";
  if (mine.width !== theirs.width || mine.height !== theirs.height) return "form";
  if (own.codecs("audio").size > 0) {
    const [ours, sound] = [audioFormat(own), audioFormat(head)];
    if (ours.audioCodec !== sound.audioCodec || ours.sampleRate === undefined) return "form";
    if (ours.sampleRate !== sound.sampleRate || ours.channels !== sound.channels) return "form";
  }
  const forms = formsOf(head);
  const isInForm = [...own.configs.values(), ...firstOfEachKind(slate)].every(({ kind, payload }) =>
    Boolean(inForm(kind, payload, forms)),
  );
  return isInForm ? undefined : "form";
}

/** The slate in the form in which the stream has its codecs; it must fit. */
export function slateLike(slate: Slate, head: DecoderConfig): Slate {
  const forms = formsOf(head);
  const own = new DecoderConfig();
  for (const [slot, { kind, payload }] of slate.head.configs)
    own.setConfig(kind, slot, inForm(kind, payload, forms) ?? payload);
  for (const [trackId, codec] of slate.head.codecs("audio")) own.setCodec("audio", trackId, codec);
  const frames = slate.frames.map((frame) => {
    const payload = inForm(frame.kind, frame.payload, forms) ?? frame.payload;
    return payload === frame.payload ? frame : { ...frame, payload };
  });
  return { ...slate, head: own, frames };
}

function firstOfEachKind({ frames }: Slate): readonly SlateFrame[] {
  return (["video", "audio"] as const).flatMap((kind) => frames.find((frame) => frame.kind === kind) ?? []);
}

function inForm(kind: "audio" | "video", payload: Buffer, forms: TagForms): Buffer | undefined {
  return kind === "video" ? videoInForm(payload, forms.video) : audioInForm(payload, forms.audio);
}
