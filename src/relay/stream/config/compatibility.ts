import { classifyVideo } from "../../../protocol/flv/video/video-tag.ts";
import type { DecoderConfig } from "./decoder-config.ts";
import { audioFormat, describeAudio, videoFormat } from "./stream-format.ts";

/**
 * How a stream goes on after a change of encoder. `same`: a new sequence header at most. `reconnect`: another codec, sample rate
 * or set of tracks, which receivers take within one connection badly or not at all. `incomplete`: tracks are missing that may
 * still come.
 */
export type Continuation = "same" | "reconnect" | "incomplete";

/** Compares what targets were told with what the next encoder has shown so far. */
export function continuationOf(sent: DecoderConfig, coming: DecoderConfig): Continuation {
  const before = tracksOf(sent);
  const after = tracksOf(coming);
  const isMissing = [...before.keys()].some((slot) => !after.has(slot));
  if (isMissing) return "incomplete";
  const isSame = before.size === after.size && [...before].every(([slot, track]) => after.get(slot) === track);
  return isSame ? "same" : "reconnect";
}

/** What differs between two streams that are to stand in for each other, in words; empty where nothing does. */
export function differences(onAir: DecoderConfig, standby: DecoderConfig): string {
  const [before, after] = [describe(onAir), describe(standby)];
  return Object.keys({ ...before, ...after })
    .filter((name) => before[name] !== after[name])
    .map((name) => `${name} ${after[name] ?? "none"} instead of ${before[name] ?? "none"}`)
    .join(", ");
}

function describe(head: DecoderConfig): Readonly<Record<string, string | number | undefined>> {
  return { ...videoFormat(head), ...audioFormat(head) };
}

/** Codec and, for sound, what may not change within a connection; by track and kind of configuration. */
function tracksOf(head: DecoderConfig): Map<string, string> {
  const tracks = new Map<string, string>();
  for (const [slot, { kind, payload }] of head.configs) {
    tracks.set(slot, describeTrack(kind, payload));
  }
  for (const [trackId, codec] of head.codecs("audio")) {
    const sound = head.sound(trackId);
    if (sound !== undefined) tracks.set(`audio ${trackId} frames`, `${codec} ${sound.sampleRate} ${sound.channels}`);
  }
  return tracks;
}

/** Whether a track's sequence header is of another codec, sample rate or number of channels than the one before it. */
export function isAnotherTrack(kind: "audio" | "video", before: Buffer, after: Buffer): boolean {
  return describeTrack(kind, before) !== describeTrack(kind, after);
}

/** What may not change within a connection. */
function describeTrack(kind: "audio" | "video", config: Buffer): string {
  if (kind === "video") return classifyVideo(config).codec;
  const { audioCodec, sampleRate, channels } = describeAudio(config);
  return `${audioCodec} ${sampleRate} ${channels}`;
}
