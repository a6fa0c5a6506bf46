import { expect, test } from "vitest";
import type { MediaFormat } from "../../src/control/ports/media-files.ts";
import { copiesVideo, runFormat } from "../../src/sources/run-format.ts";

const VIDEO: MediaFormat = {
  ...{ kind: "video", videoCodec: "h264", pixelFormat: "yuv420p", width: 1_920, height: 1_080, frameRate: 25 },
  ...{ audioCodec: "aac", sampleRate: 44_100, channels: 1 },
};
const picture = (width: number, height: number): MediaFormat => {
  return { kind: "picture", videoCodec: "png", pixelFormat: "rgb24", width, height };
};

test("a picture before the first video does not decide the size: the video is copied", () => {
  const run = runFormat([picture(640, 480), VIDEO, { ...VIDEO, width: 1_280, height: 720 }]);
  expect(run).toEqual({ width: 1_920, height: 1_080, frameRate: 25, audio: { sampleRate: 44_100, channels: 1 } });
  expect(copiesVideo(VIDEO, run)).toBe(true);
});

test("slow motion of phones is not copied: no platform takes 240 frames a second", () => {
  const slow = { ...VIDEO, frameRate: 240 };
  expect(runFormat([slow]).frameRate).toBe(60);
  expect([
    copiesVideo(slow, runFormat([slow])),
    copiesVideo({ ...VIDEO, frameRate: 60.06 }, runFormat([VIDEO])),
  ]).toEqual([false, true]);
});

test.each([0.1, 1, 9.9])("video of %s frames a second is not copied, and makes no other as slow", (frameRate) => {
  const slides = { ...VIDEO, frameRate };
  const run = runFormat([slides, VIDEO]);
  expect([run.frameRate, copiesVideo(slides, run), copiesVideo(VIDEO, run)]).toEqual([30, false, true]);
});

test("video whose frame rate is not known is copied", () => {
  const { frameRate: _frameRate, ...unknown } = VIDEO;
  expect(copiesVideo(unknown, runFormat([unknown]))).toBe(true);
});

test("a run keeps its size, and gets audio with the first list that has some", () => {
  const begun = runFormat([picture(640, 480)]);
  const run = runFormat([VIDEO], begun);
  expect(run).toEqual({ width: 640, height: 480, frameRate: 30, audio: { sampleRate: 44_100, channels: 1 } });
  expect(runFormat([{ ...VIDEO, sampleRate: 48_000, channels: 2 }], run)).toEqual(run);
});

test.each([
  { name: "of a camera", size: [4_032, 3_024], sent: [1_440, 1_080] },
  { name: "upright", size: [3_024, 4_032], sent: [1_080, 1_440] },
  { name: "wide", size: [8_000, 1_000], sent: [1_920, 240] },
  { name: "small and odd", size: [801, 601], sent: [800, 600] },
])("a picture alone is sent in a size that encoders and platforms can take: $name", ({ size, sent }) => {
  const [width = 0, height = 0] = size;
  expect(runFormat([picture(width, height)])).toEqual({ width: sent[0], height: sent[1], frameRate: 30 });
});
