import { hash } from "node:crypto";
import { classifyAudio } from "../protocol/flv/audio/audio-tag.ts";
import { classifyVideo } from "../protocol/flv/video/video-tag.ts";
import { type Message, MessageType } from "../protocol/rtmp/message.ts";

/** The record of one audio, video or data message. */
export type MessageRecord = {
  readonly kind: "audio" | "video" | "data";
  /** Milliseconds, unsigned 32-bit, as received. */
  readonly timestamp: number;
  /** The payload's length. */
  readonly bytes: number;
  /** SHA-256 of the payload, hexadecimal. */
  readonly hash: string;
  /** Decoder configuration (sequence header). */
  readonly isConfig: boolean;
  readonly isKeyframe: boolean;
};

/** Undefined for a message that is neither audio nor video nor data. */
export function recordMessage(message: Message): MessageRecord | undefined {
  const { type, timestamp, payload } = message;
  const record = { timestamp, bytes: payload.length, hash: hash("sha256", payload) };
  if (type === MessageType.Video) {
    const { part, isKeyframe } = classifyVideo(payload);
    return { kind: "video", ...record, isConfig: part === "config", isKeyframe };
  }
  if (type === MessageType.Audio) {
    return { kind: "audio", ...record, isConfig: classifyAudio(payload).part === "config", isKeyframe: false };
  }
  if (type !== MessageType.DataAmf0) return undefined;
  return { kind: "data", ...record, isConfig: false, isKeyframe: false };
}
