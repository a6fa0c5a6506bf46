import { expect, test } from "vitest";
import type { PublisherHandle } from "../../src/relay/publisher/publisher.ts";
import { RelayStage, target } from "../support/stages/relay-stage.ts";
import {
  AAC_CONFIG,
  AAC_CONFIG_CHANGED,
  AVC_CONFIG,
  aacFrame,
  audio,
  avcFrame,
  video,
} from "../support/streams/media-messages.ts";

const SILENT_FRAME = "af01210049900219002380";
const FRAME_MS = 40;
const GOP_FRAMES = 25;

/** When audio begins behind a video frame, in milliseconds, and frames of video a second. */
const SEAMS = [0, 1, 10, 20, 21, 22, 33, 39].flatMap((offsetMs) => [
  [offsetMs, 25],
  [offsetMs, 60],
  [offsetMs * 20, 1],
]);

const silenced = (targetId: number) => target(targetId, { addsSilence: true });

/** A channel on air whose encoder sends video only; links are accepted. */
function videoOnly(...targets: Parameters<RelayStage["spec"]>[0]) {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec(targets));
  const publisher = stage.open();
  publisher.push(video(0, AVC_CONFIG));
  for (const link of stage.dialer.links) link.accept();
  return { stage, publisher };
}

/** Pushes video at 25 frames a second, with a keyframe each second. */
function play(stage: RelayStage, publisher: PublisherHandle, fromMs: number, toMs: number): void {
  for (let timeMs = fromMs; timeMs < toMs; timeMs += FRAME_MS) {
    publisher.push(video(timeMs, avcFrame((timeMs / FRAME_MS) % GOP_FRAMES === 0, 1)));
    stage.clock.advance(FRAME_MS);
  }
}

const audioOf = (stage: RelayStage, targetId: number) => stage.sent(targetId).filter((line) => line.includes(" af"));
const hasSilence = (stage: RelayStage) => stage.samples.at(-1)?.targets.map((sample) => sample.hasSilence);

test("a stream without audio gets silence at its exact rate, from the first frame on, for targets that ask for it", () => {
  const { stage, publisher } = videoOnly(silenced(1), target(2));
  play(stage, publisher, 0, 2_960);
  // Whether there is audio is not known yet: the target waits, and the other one does not.
  expect(stage.sent(1)).toEqual([]);
  expect(stage.sent(2).length).toBeGreaterThan(70);
  play(stage, publisher, 2_960, 10_000);
  const [header, ...frames] = audioOf(stage, 1);
  expect(header).toBe("0 af001190");
  // 1,024 samples at 48 kHz, over seven seconds, from the keyframe that the target began with.
  const times = frames.map((line) => Number(line.split(" ")[0]));
  expect(times).toEqual(times.map((_, frame) => Math.round((frame * 1_024) / 48)));
  expect(new Set(frames.map((line) => line.split(" ")[1]))).toEqual(new Set([SILENT_FRAME]));
  const videoTimes = stage.sent(1).flatMap((line) => (line.includes(" af") ? [] : [Number(line.split(" ")[0])]));
  expect((videoTimes.at(-1) ?? 0) - (times.at(-1) ?? 0)).toBeLessThan(22);
  expect(audioOf(stage, 2)).toEqual([]);
  expect(hasSilence(stage)).toEqual([true, undefined]);
  const data = stage.dialer
    .latest(1)
    .messages()
    .find(({ type }) => type === 18);
  expect(data?.payload.includes("audiocodecid")).toBe(true);
});

test("the order of time holds: no message of the target is before the one in front of it", () => {
  const { stage, publisher } = videoOnly(silenced(1));
  play(stage, publisher, 0, 8_000);
  const times = stage.sent(1).map((line) => Number(line.split(" ")[0]));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.length).toBeGreaterThan(300);
});

test("a stream with audio waits for nothing, and gets no silence", () => {
  const { stage, publisher } = videoOnly(silenced(1));
  publisher.push(audio(0, AAC_CONFIG));
  publisher.push(video(0, avcFrame(true, 1)));
  publisher.push(audio(10, aacFrame(2)));
  play(stage, publisher, 1_000, 3_800);
  expect(stage.sent(1).length).toBeGreaterThan(60);
  expect(stage.sent(1).join()).not.toContain(SILENT_FRAME);
  expect(hasSilence(stage)).toEqual([undefined]);
});

test("audio of the silence's own format goes on in its place, in the same connection", () => {
  const { stage, publisher } = videoOnly(silenced(1));
  play(stage, publisher, 0, 6_000);
  publisher.push(audio(6_000, AAC_CONFIG));
  publisher.push(audio(6_000, aacFrame(7)));
  publisher.push(audio(6_021, aacFrame(8)));
  play(stage, publisher, 6_000, 8_000);
  expect(stage.dialer.links).toHaveLength(1);
  const lines = audioOf(stage, 1);
  const last = lines.findLastIndex((line) => line.includes(SILENT_FRAME));
  expect(lines.slice(last + 1).filter((line) => !line.endsWith("af001190"))).toHaveLength(2);
  const times = stage.sent(1).map((line) => Number(line.split(" ")[0]));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(hasSilence(stage)).toEqual([undefined]);
});

test.each(SEAMS)(
  "no more than a frame stays empty before audio that begins %i ms behind a frame of %i fps",
  (offsetMs, fps) => {
    const { stage, publisher } = videoOnly(silenced(1));
    const frameMs = 1_000 / fps;
    for (let frame = 0; frame < 8 * fps; frame += 1) {
      publisher.push(video(Math.round(frame * frameMs), avcFrame(frame % fps === 0, 1)));
      stage.clock.advance(frameMs);
    }
    // The header comes earlier than the first frame.
    publisher.push(audio(8_000, AAC_CONFIG));
    publisher.push(video(8_000, avcFrame(true, 1)));
    for (let frame = 0; frame < 20; frame += 1) {
      publisher.push(audio(8_000 + offsetMs + Math.round((frame * 1_024) / 48), aacFrame(7)));
    }
    const lines = audioOf(stage, 1).filter((line) => !line.endsWith("af001190"));
    const times = lines.map((line) => Number(line.split(" ")[0]));
    const steps = times.slice(1).map((timeMs, index) => timeMs - (times[index] ?? timeMs));
    expect(lines.filter((line) => !line.includes(SILENT_FRAME)).length).toBeGreaterThanOrEqual(19);
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(21);
    expect(Math.max(...steps)).toBeLessThanOrEqual(43);
  },
);

test("audio of another format connects the target anew, and only it", () => {
  const { stage, publisher } = videoOnly(silenced(1), target(2));
  play(stage, publisher, 0, 6_000);
  expect(stage.dialer.links).toHaveLength(2);
  publisher.push(audio(6_000, AAC_CONFIG_CHANGED));
  expect(stage.dialer.links).toHaveLength(3);
  stage.dialer.latest(1).accept();
  publisher.push(audio(6_010, aacFrame(7)));
  play(stage, publisher, 6_000, 8_000);
  expect(audioOf(stage, 1)[0]).toBe(`0 ${AAC_CONFIG_CHANGED.toString("hex")}`);
  expect(audioOf(stage, 1).join()).not.toContain(SILENT_FRAME);
});

test("a broadcast after one without audio starts from nothing", () => {
  const { stage, publisher } = videoOnly(silenced(1));
  play(stage, publisher, 0, 6_000);
  publisher.end("clean");
  stage.clock.advance(1_000);
  const next = stage.open();
  next.push(audio(0, AAC_CONFIG_CHANGED));
  next.push(video(0, AVC_CONFIG));
  for (const link of stage.dialer.links) if (link === stage.dialer.latest(1)) link.accept();
  play(stage, next, 0, 4_000);
  expect(stage.sent(1).join()).not.toContain(SILENT_FRAME);
  expect(stage.sent(1).length).toBeGreaterThan(50);
});
