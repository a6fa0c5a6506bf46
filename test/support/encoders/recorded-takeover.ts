import { expect } from "vitest";
import { packetHashes } from "../streams/packet-hashes.ts";
import type { NginxTarget } from "../targets/nginx-target.ts";

/** A second: before that the first encoder was hardly on air. */
const FRAMES_OF_FIRST_MIN = 25;

/**
 * Compares a target's recording with the two files it was sent from: the first, over and over, up to some video frame,
 * then the second, whole. Their audio changes over at the same place.
 */
export async function expectTakeover(
  target: NginxTarget,
  key: string,
  firstPath: string,
  secondPath: string,
): Promise<void> {
  const [first, second] = [await packetHashes(firstPath), await packetHashes(secondPath)];
  const recordings = await target.recordings(key);
  const recorded = await Promise.all(recordings.map(({ path }) => packetHashes(path)));
  const video = recorded.flatMap((hashes) => hashes.video);
  const split = video.findIndex((packet) => !first.video.includes(packet));
  expect(split).toBeGreaterThan(FRAMES_OF_FIRST_MIN);
  expect(video.slice(0, split)).toEqual(Array.from({ length: split }, (_, at) => first.video[at % first.video.length]));
  expect(video.slice(split)).toEqual(second.video);
  const audio = recorded.flatMap((hashes) => hashes.audio);
  const lastOfFirst = audio.findLastIndex((packet) => !second.audio.includes(packet));
  const firstOfSecond = audio.findIndex((packet) => !first.audio.includes(packet));
  expect(lastOfFirst).toBeGreaterThan(0);
  expect(firstOfSecond).toBeGreaterThan(lastOfFirst);
}
