import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import type { NginxTarget, Recording } from "../targets/nginx-target.ts";
import { isAudio, isAudioHeader, isCodedMedia, isKeyframe, isVideo, isVideoHeader, stepsBack } from "./flv-file.ts";
import { packetHashes } from "./packet-hashes.ts";

/** How long a target may take to record what the encoder has already sent, in milliseconds. */
const TAIL_DEADLINE_MS = 10_000;

/** Audio packets (21 ms each) that muxers put just before a keyframe of the same time. */
const AUDIO_AROUND_KEYFRAME_MAX = 3;

/** True once the last video and audio frame that was sent is in the recording. */
function isComplete(tags: readonly FlvTag[], sent: readonly FlvTag[]): boolean {
  return [isVideo, isAudio].every((kind) => {
    const isWanted = (tag: FlvTag): boolean => kind(tag) && isCodedMedia(tag);
    const last = sent.findLast(isWanted);
    return last === undefined || tags.findLast(isWanted)?.payload.equals(last.payload) === true;
  });
}

/** The rules for every connection of a target: configuration first, then a keyframe, and time that never steps back. */
export function expectProperStart(tags: readonly FlvTag[]): void {
  const video = tags.filter(isVideo);
  expect(video.slice(0, 1).map(isVideoHeader), "the AVC configuration comes first").toEqual([true]);
  expect(video.filter(isCodedMedia).slice(0, 1).map(isKeyframe), "the first video frame is a keyframe").toEqual([true]);
  expect(tags.filter(isAudio).slice(0, 1).map(isAudioHeader), "the AAC configuration comes first").toEqual([true]);
  expect(stepsBack(tags)).toEqual([]);
}

/**
 * Waits for the end of what was sent, then compares the recording with the file it was sent from: the same packets of
 * both streams, one for one, from a keyframe on to the end. Returns how many video frames were sent before that
 * keyframe.
 */
export async function expectSentPackets(
  target: NginxTarget,
  key: string,
  sentPath: string,
  index = 0,
): Promise<{ recording: Recording; framesSkipped: number }> {
  const sent = readFlv(await readFile(sentPath));
  const recording = await target.waitForRecording(key, (tags) => isComplete(tags, sent), TAIL_DEADLINE_MS, index);
  return { recording, framesSkipped: await expectSamePackets(recording, sentPath) };
}

/** Compares a whole recording with the file it was sent from, as above; returns how many video frames it skipped. */
export async function expectSamePackets(recording: Recording, sentPath: string): Promise<number> {
  expectProperStart(recording.tags);
  const [expected, got] = await Promise.all([packetHashes(sentPath), packetHashes(recording.path)]);
  const coded = readFlv(await readFile(sentPath)).filter(isCodedMedia);
  const frames = coded.filter(isVideo);
  const first = frames[frames.length - got.video.length];
  if (first === undefined || !isKeyframe(first)) throw new Error(`${got.video.length} of ${frames.length} frames`);
  expect(got.video).toEqual(expected.video.slice(expected.video.length - got.video.length));
  // Audio around the keyframe's own time may be sent before or after it; all later audio must be there.
  const laterAudio = coded.filter((tag) => isAudio(tag) && tag.timestamp > first.timestamp).length;
  expect(got.audio.length).toBeGreaterThanOrEqual(laterAudio);
  expect(got.audio.length).toBeLessThanOrEqual(laterAudio + AUDIO_AROUND_KEYFRAME_MAX);
  expect(got.audio).toEqual(expected.audio.slice(expected.audio.length - got.audio.length));
  return frames.indexOf(first);
}
