import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { runToEnd } from "../../support/processes/children.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { isAudio, isCodedMedia, isVideo, stepsBack } from "../../support/streams/flv-file.ts";
import type { NginxTarget } from "../../support/targets/nginx-target.ts";

/** Two frames further apart than this, by their places in the clip, belong to different runs of it. In milliseconds. */
const SAME_RUN_MS = 1_000;

type Drift = {
  /** The most that audio was off the video beside it, in milliseconds. */
  readonly maxMs: number;
  /** Neighbours of one run that were compared. */
  readonly pairs: number;
  /** Neighbours of different runs, as at each change and at each end of a clip. */
  readonly strangers: number;
};

export type RecordingFigures = {
  readonly connections: number;
  readonly mediaMs: number;
  readonly stepsBack: readonly string[];
  readonly decodingErrors: readonly string[];
  readonly drift: Drift;
  readonly longestGapMs: number;
};

/** Judges what nginx recorded of a key. `clip`: the file that the frames come from. */
export async function judgeRecording(nginx: NginxTarget, key: string, clip: string): Promise<RecordingFigures> {
  const recordings = await nginx.recordings(key);
  const [recording] = recordings;
  if (recording === undefined) throw new Error("nothing was recorded");
  const { tags, path } = recording;
  const video = tags.filter((tag) => isVideo(tag) && isCodedMedia(tag));
  const errors = await decodingErrors(path);
  return {
    connections: recordings.length,
    mediaMs: tags.at(-1)?.timestamp ?? 0,
    stepsBack: stepsBack(tags),
    decodingErrors: errors.split("\n").filter((line) => line !== ""),
    drift: driftOf(tags, await placesIn(clip)),
    longestGapMs: video.reduce(
      (most, { timestamp }, at) => Math.max(most, timestamp - (video[at - 1]?.timestamp ?? timestamp)),
      0,
    ),
  };
}

/** Each frame's place in the clip, in milliseconds, by a hash of its bytes. */
async function placesIn(clip: string): Promise<ReadonlyMap<string, number>> {
  const flv = `${clip}.flv`;
  await runToEnd("ffmpeg", ["-v", "error", "-y", "-i", clip, "-c", "copy", flv]);
  const places = new Map<string, number>();
  for (const tag of readFlv(await readFile(flv)).filter(isCodedMedia)) {
    const hash = hashOf(tag);
    // Bytes that come twice have no place.
    places.set(hash, places.has(hash) ? Number.NaN : tag.timestamp);
  }
  return places;
}

/** The composition time is a part of the payload, and differs by nothing between the containers. */
function hashOf({ type, payload }: FlvTag): string {
  return `${type} ${createHash("sha1").update(payload.subarray(5)).digest("base64")}`;
}

/**
 * How far audio is off the video beside it: each frame's time in the recording, less its place in the clip, must be the
 * same for both.
 */
function driftOf(tags: readonly FlvTag[], places: ReadonlyMap<string, number>): Drift {
  let [maxMs, pairs, strangers] = [0, 0, 0];
  let videoMs: number | undefined;
  for (const tag of tags.filter(isCodedMedia)) {
    const place = places.get(hashOf(tag));
    if (place === undefined || Number.isNaN(place)) {
      videoMs = undefined;
      continue;
    }
    const offsetMs = tag.timestamp - place;
    if (isVideo(tag)) videoMs = offsetMs;
    else if (isAudio(tag) && videoMs !== undefined) {
      const offMs = Math.abs(offsetMs - videoMs);
      if (offMs > SAME_RUN_MS) strangers += 1;
      else {
        pairs += 1;
        maxMs = Math.max(maxMs, offMs);
      }
    }
  }
  return { maxMs, pairs, strangers };
}
