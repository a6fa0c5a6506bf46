import { encodeFlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { MessageType } from "../../../src/protocol/rtmp/message.ts";
import { AAC_CONFIG, AVC_CONFIG, aacFrame, avcFrame } from "../streams/media-messages.ts";

/** A frame lasts 40 ms here. */
const FRAME_MS = 40;

export function audioTag(timestamp: number, payload: Buffer): Buffer {
  return encodeFlvTag({ type: MessageType.Audio, timestamp, payload });
}

export function videoTag(timestamp: number, payload: Buffer): Buffer {
  return encodeFlvTag({ type: MessageType.Video, timestamp, payload });
}

/** One batch from tags, in memory of its own as it comes from another thread. */
export function batch(...tags: readonly Buffer[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(tags));
}

/** The headers of a stream of H.264 and AAC. */
export function heads(video = AVC_CONFIG, audio = AAC_CONFIG): readonly Buffer[] {
  return [audioTag(0, audio), videoTag(0, video)];
}

/** Frames of video and audio from `fromMs` up to `toMs`, a keyframe each second. A frame's bytes name its time. */
export function frames(fromMs: number, toMs: number, bytes = 100): readonly Buffer[] {
  const tags: Buffer[] = [];
  for (let timeMs = fromMs; timeMs < toMs; timeMs += FRAME_MS) {
    const mark = (timeMs / FRAME_MS) % 251;
    tags.push(videoTag(timeMs, avcFrame(timeMs % 1_000 === 0, mark, bytes)), audioTag(timeMs, aacFrame(mark)));
  }
  return tags;
}
