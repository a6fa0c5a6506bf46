import { classifyVideo } from "../../../protocol/flv/video/video-tag.ts";
import type { DecoderConfig } from "./decoder-config.ts";
import { audioFormat, describeAudio, videoFormat } from "./stream-format.ts";

/**
 * How a stream continues after a change of encoder. `same`: with a new sequence header at most. `reconnect`: another
 * codec, sample rate or set of tracks, which receivers do not accept within one connection. `incomplete`: tracks are
 * missing that may still come.
 */
export type Continuation = "same" | "reconnect" | "incomplete";

/** Compares what subscribers were sent with what the next encoder has sent so far. */
export function continuationOf(sent: DecoderConfig, coming: DecoderConfig): Continuation {
  const before = tracksOf(sent);
  const after = tracksOf(coming);
  const isMissing = [...before.keys()].some((slot) => !after.has(slot));
  if (isMissing) return "incomplete";
  const isSame = before.size === after.size && [...before].every(([slot, track]) => after.get(slot) === track);
  return isSame ? "same" : "reconnect";
}

/** Describes how two streams that may replace each other differ; empty if they do not. */
export function differences(onAir: DecoderConfig, standby: DecoderConfig): string {
  const [before, after] = [describe(onAir), describe(standby)];
  return Object.keys({ ...before, ...after })
    .filter((name) => before[name] !== after[name])
    .map((name) => `${name} ${after[name] ?? "none"} instead of ${before[name] ?? "none"}`)
    .join(", ");
}

function describe(head: DecoderConfig): Readonly<Record<string, string | number | undefined>> {
  const video = videoFormat(head);
  const pixelFormat = video.width === undefined ? {} : { pixelFormat: video.pixelFormat ?? "yuv420p" };
  return { ...video, ...pixelFormat, ...audioFormat(head) };
}

/** What must not change within a connection, by track and kind of configuration. */
function tracksOf(head: DecoderConfig): Map<string, string> {
  const tracks = new Map<string, string>();
  for (const [slot, { kind, payload }] of head.configs) {
    tracks.set(slot, describeTrack(kind, payload));
  }
  for (const [trackId, codec] of head.codecs("audio")) {
    const audioFormat = head.audioFrameFormat(trackId);
    if (audioFormat !== undefined)
      tracks.set(`audio ${trackId} frames`, `${codec} ${audioFormat.sampleRate} ${audioFormat.channels}`);
  }
  return tracks;
}

/** Whether a track's sequence header names another codec, sample rate or number of channels than the one before it. */
export function isAnotherTrack(kind: "audio" | "video", before: Buffer, after: Buffer): boolean {
  return describeTrack(kind, before) !== describeTrack(kind, after);
}

/** What must not change within a connection: codec, sample rate, channels. */
function describeTrack(kind: "audio" | "video", config: Buffer): string {
  if (kind === "video") return classifyVideo(config).codec;
  const { audioCodec, sampleRate, channels } = describeAudio(config);
  return `${audioCodec} ${sampleRate} ${channels}`;
}
