import { expect, test } from "vitest";
import { type Keep, KeptMedia } from "../../src/remote-publish/kept-media.ts";
import { LEGACY_HEVC, MULTITRACK_FORMS, PLAIN_FORMS, streamTags } from "../support/streams/enhanced-streams.ts";
import {
  AVC_CONFIG,
  aacFrame,
  audio,
  avcFrame,
  mediaMessage,
  metadata,
  video,
} from "../support/streams/media-messages.ts";

const TAGS = 60;
/** A keyframe of then is not sent again. */
const LATER_MS = 10_000;

const payloads = (kept: KeptMedia, nowMs: number) => kept.messages(nowMs).map(({ payload }) => payload);

test.for([...PLAIN_FORMS, ...MULTITRACK_FORMS, LEGACY_HEVC])(
  "where only headers are kept, none is overlooked: $name",
  (form) => {
    const [all, headers] = [new KeptMedia(), new KeptMedia()];
    const tags = streamTags(form);
    for (let count = 0; count < TAGS; count += 1) {
      const tag = tags.next().value;
      if (tag === undefined) break;
      all.take(mediaMessage(tag), 0, "group");
      headers.take(mediaMessage(tag), 0, "headers");
    }
    expect(payloads(all, LATER_MS).length).toBeGreaterThan(0);
    expect(payloads(headers, 0)).toEqual(payloads(all, LATER_MS));
  },
);

test.for<Keep>(["headers", "group"])(
  "another owner also knows of video that was announced and has no header yet, with %s kept",
  (keep) => {
    const kept = new KeptMedia();
    const announced = metadata({ videocodecid: 7, audiocodecid: 10 });
    kept.take(announced, 0, keep);
    kept.take(audio(0, aacFrame(1)), 0, keep);
    kept.take(video(0, avcFrame(false, 1)), 0, keep);
    expect(payloads(kept, 1_000)).toEqual([announced.payload]);
  },
);

test("frames are kept from the first keyframe on that comes while they are wanted, and dropped when they are not", () => {
  const kept = new KeptMedia();
  const frames = [avcFrame(true, 1), avcFrame(false, 2), avcFrame(true, 3), avcFrame(false, 4)];
  kept.take(video(0, AVC_CONFIG), 0, "headers");
  for (const [at, frame] of frames.entries()) kept.take(video(40 * at, frame), 40 * at, at > 0 ? "group" : "headers");
  expect(payloads(kept, 160)).toEqual([AVC_CONFIG, frames[2], frames[3]]);
  kept.take(video(160, avcFrame(false, 5)), 160, "headers");
  expect(payloads(kept, 160)).toEqual([AVC_CONFIG]);
  kept.take(video(200, avcFrame(false, 6)), 200, "group");
  expect(payloads(kept, 200)).toEqual([AVC_CONFIG]);
});

test("while nobody takes the stream, what came before a keyframe stays, for three seconds", () => {
  const kept = new KeptMedia();
  const frames = [1, 2, 3, 4, 5].map((number) => avcFrame(number % 2 === 1, number));
  const take = (at: number, keep: Keep) => kept.take(video(40 * at, frames[at] ?? AVC_CONFIG), 40 * at, keep);
  take(0, "group");
  take(1, "group");
  take(2, "all");
  take(3, "all");
  expect(payloads(kept, 3_080)).toEqual(frames.slice(0, 4));
  // From then on as ever: the keyframe must not be too old.
  expect(payloads(kept, 3_081)).toEqual([]);
  kept.take(video(3_100, avcFrame(true, 5)), 3_100, "group");
  expect(payloads(kept, 3_100)).toEqual([avcFrame(true, 5)]);
});

test("what came before a keyframe stays for half a second: the owner may not have sent it yet", () => {
  const kept = new KeptMedia();
  const take = (ms: number, number: number, isKeyframe = false, keep: Keep = "group") =>
    kept.take(video(ms, avcFrame(isKeyframe, number)), ms, keep);
  const numbered = (...numbers: readonly [number, boolean][]) => numbers.map(([no, isKey]) => avcFrame(isKey, no));
  take(0, 1, true);
  take(1_960, 2);
  take(2_000, 3, true);
  expect(payloads(kept, 2_500)).toEqual(numbered([1, true], [2, false], [3, true]));
  expect(payloads(kept, 2_501)).toEqual(numbered([3, true]));
  // Keyframes that follow each other faster are one group.
  take(2_100, 4, true);
  take(2_501, 5, true);
  expect(payloads(kept, 2_501)).toEqual(numbered([3, true], [4, true], [5, true]));
  // Nobody takes the stream from now on.
  take(2_900, 6, false, "all");
  expect(payloads(kept, 5_900)).toEqual(numbered([3, true], [4, true], [5, true], [6, false]));
  // The way is back, for longer than half a second.
  take(5_800, 7, true);
  expect(payloads(kept, 5_800)).toEqual(numbered([7, true]));
});

test("a group that is too old to be sent again does not stay behind the next keyframe", () => {
  const kept = new KeptMedia();
  kept.take(video(0, avcFrame(true, 1)), 0, "group");
  kept.take(video(2_501, avcFrame(true, 2)), 2_501, "group");
  expect(payloads(kept, 2_501)).toEqual([avcFrame(true, 2)]);
});

test("a keyframe that was too old when the stream was no longer taken is not kept for the next owner", () => {
  const kept = new KeptMedia();
  kept.take(video(0, avcFrame(true, 1)), 0, "group");
  kept.take(video(2_001, avcFrame(false, 2)), 2_001, "all");
  expect(payloads(kept, 2_001)).toEqual([]);
  kept.take(video(2_040, avcFrame(true, 3)), 2_040, "all");
  kept.take(video(2_080, avcFrame(true, 4)), 2_080, "all");
  expect(payloads(kept, 5_001)).toEqual([avcFrame(true, 3), avcFrame(true, 4)]);
});

test("frames from before another header are not kept with it", () => {
  const kept = new KeptMedia();
  const config = Buffer.concat([AVC_CONFIG, Buffer.from([1])]);
  kept.take(video(0, AVC_CONFIG), 0, "all");
  kept.take(video(0, avcFrame(true, 1)), 0, "all");
  kept.take(video(40, AVC_CONFIG), 40, "all");
  expect(payloads(kept, 40)).toEqual([AVC_CONFIG, avcFrame(true, 1)]);
  kept.take(video(80, config), 80, "all");
  kept.take(video(80, avcFrame(false, 2)), 80, "all");
  kept.take(video(120, avcFrame(true, 3)), 120, "all");
  expect(payloads(kept, 120)).toEqual([config, avcFrame(true, 3)]);
  kept.take(video(160, AVC_CONFIG), 160, "group");
  kept.take(video(160, avcFrame(true, 4)), 160, "group");
  expect(payloads(kept, 160)).toEqual([AVC_CONFIG, avcFrame(true, 4)]);
});
