import { expect, test } from "vitest";
import { KeptMedia } from "../../src/remote-publish/kept-media.ts";
import { LEGACY_HEVC, MULTITRACK_FORMS, PLAIN_FORMS, streamTags } from "../support/streams/enhanced-streams.ts";
import { AVC_CONFIG, avcFrame, mediaMessage, video } from "../support/streams/media-messages.ts";

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
      all.take(mediaMessage(tag), 0, true);
      headers.take(mediaMessage(tag), 0, false);
    }
    expect(payloads(all, LATER_MS).length).toBeGreaterThan(0);
    expect(payloads(headers, 0)).toEqual(payloads(all, LATER_MS));
  },
);

test("frames are kept from the first keyframe on that comes while they are wanted, and dropped when they are not", () => {
  const kept = new KeptMedia();
  const frames = [avcFrame(true, 1), avcFrame(false, 2), avcFrame(true, 3), avcFrame(false, 4)];
  kept.take(video(0, AVC_CONFIG), 0, false);
  for (const [at, frame] of frames.entries()) kept.take(video(40 * at, frame), 40 * at, at > 0);
  expect(payloads(kept, 160)).toEqual([AVC_CONFIG, frames[2], frames[3]]);
  kept.take(video(160, avcFrame(false, 5)), 160, false);
  expect(payloads(kept, 160)).toEqual([AVC_CONFIG]);
  kept.take(video(200, avcFrame(false, 6)), 200, true);
  expect(payloads(kept, 200)).toEqual([AVC_CONFIG]);
});
