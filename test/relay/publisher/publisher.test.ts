import { expect, test } from "vitest";
import { Publisher } from "../../../src/relay/publisher/publisher.ts";
import { AAC_CONFIG, AVC_CONFIG, aacFrame, audio, avcFrame, video } from "../../support/streams/media-messages.ts";

test("an encoder's sample holds what the ingest check measures of it", () => {
  const description = {
    slot: "main",
    remoteAddress: "192.0.2.1",
    encoder: "test",
    onDismissed: () => undefined,
  } as const;
  const publisher = new Publisher(1, description, 0, { nowMs: 0, awakeMs: 0 });
  publisher.take(video(0, AVC_CONFIG), 0, 0);
  publisher.take(audio(0, AAC_CONFIG), 0, 0);
  for (let nowMs = 0; nowMs <= 12_000; nowMs += 40) {
    if (nowMs > 0 && nowMs % 1_000 === 0) publisher.tick(nowMs);
    const index = nowMs / 40;
    // A keyframe every three seconds; every second frame is presented before the one sent before it.
    const compositionTimeMs = index % 2 === 0 ? 80 : 0;
    publisher.take(video(nowMs, avcFrame(index % 75 === 0, 1, 91, compositionTimeMs)), nowMs, nowMs);
    publisher.take(audio(nowMs, aacFrame(2, 17)), nowMs, nowMs);
  }
  expect(publisher.sample("LIVE", 12_000).measures).toEqual({
    videoBytesPerSecond: 2_500,
    audioBytesPerSecond: 500,
    longestKeyframeSeconds: 3,
    bFrames: 1,
  });
});

const opened = (): Publisher =>
  new Publisher(1, { slot: "main", remoteAddress: "192.0.2.1", encoder: "test", onDismissed: () => undefined }, 0, {
    nowMs: 0,
    awakeMs: 0,
  });
const measuresOf = (publisher: Publisher) => publisher.sample("LIVE", 0).measures;

test("frames whose codec needs a sequence header are reported as lacking one until it comes", () => {
  const publisher = opened();
  publisher.take(audio(0, aacFrame(1)), 0, 0);
  publisher.take(video(0, avcFrame(true, 1)), 0, 0);
  expect(measuresOf(publisher)).toMatchObject({ lackHeader: ["audio", "video"] });
  publisher.take(audio(20, AAC_CONFIG), 20, 20);
  publisher.take(video(20, AVC_CONFIG), 20, 20);
  expect(measuresOf(publisher)).not.toHaveProperty("lackHeader");
  const other = opened();
  other.take(audio(0, Buffer.from("2ffffb9064", "hex")), 0, 0);
  other.take(audio(0, Buffer.from("af01fff15080013ffc2149", "hex")), 0, 0);
  expect(measuresOf(other)).not.toHaveProperty("lackHeader");
});

test("messages of a kind that the relay does not use are reported, end marks and empty ones are not", () => {
  const publisher = opened();
  for (let index = 0; index < 100; index += 1) {
    publisher.take(video(index, Buffer.from("1f01000000010203040506", "hex")), index, index);
    publisher.take(audio(index, Buffer.from("af01", "hex")), index, index);
  }
  expect(measuresOf(publisher)).toMatchObject({ unreadable: ["video"] });
  publisher.take(video(100, avcFrame(true, 1)), 100, 100);
  expect(measuresOf(publisher)).not.toHaveProperty("unreadable");
});

test("the time that video has come without a keyframe is reported when it is longer than usual", () => {
  const publisher = opened();
  for (let nowMs = 0; nowMs <= 3_000; nowMs += 40) publisher.take(video(nowMs, avcFrame(false, 1)), nowMs, nowMs);
  expect(measuresOf(publisher)).toMatchObject({ secondsWithoutKeyframe: 3, hasKeyframe: false });
  for (let nowMs = 3_040; nowMs <= 10_000; nowMs += 40)
    publisher.take(video(nowMs, avcFrame(nowMs === 3_040, 1)), nowMs, nowMs);
  expect(measuresOf(publisher)).not.toHaveProperty("secondsWithoutKeyframe");
  for (let nowMs = 10_040; nowMs <= 15_040; nowMs += 40) publisher.take(video(nowMs, avcFrame(false, 1)), nowMs, nowMs);
  expect(measuresOf(publisher)).toMatchObject({ secondsWithoutKeyframe: 12, hasKeyframe: true });
  // Frames that come seldom and are all keyframes lack none.
  const slides = opened();
  for (let nowMs = 0; nowMs <= 100_000; nowMs += 20_000) slides.take(video(nowMs, avcFrame(true, 1)), nowMs, nowMs);
  expect(measuresOf(slides)).not.toHaveProperty("secondsWithoutKeyframe");
});

test.each([
  { form: "legacy", head: "af01" },
  { form: "enhanced", head: "916d703461" },
  { form: "enhanced with tracks", head: "95016d70346100" },
])("20 s of digital silence are reported, in seconds, until audio is back: $form", ({ head }) => {
  const publisher = opened();
  const take = (frame: string, second: number) =>
    publisher.take(audio(second * 1_000, Buffer.from(head + frame, "hex")), second * 1_000, second * 1_000);
  const [silent, sound] = ["210049900219002380", "2110049900"];
  for (let second = 0; second < 20; second += 1) take(silent, second);
  expect(measuresOf(publisher)?.secondsSilent).toBeUndefined();
  take(silent, 20);
  expect(measuresOf(publisher)?.secondsSilent).toBe(20);
  take(silent, 25.9);
  expect(measuresOf(publisher)?.secondsSilent).toBe(25);
  take(sound, 26);
  expect(measuresOf(publisher)?.secondsSilent).toBeUndefined();
  take(silent, 27);
  take(silent, 46);
  expect(measuresOf(publisher)?.secondsSilent).toBeUndefined();
});
