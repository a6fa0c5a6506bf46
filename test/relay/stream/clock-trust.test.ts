import { expect, test } from "vitest";
import { mediaOf, RelayStage, target } from "../../support/stages/relay-stage.ts";
import { aacFrame, audio, avcFrame, video } from "../../support/streams/media-messages.ts";

const FRAME_MS = 40;

type Clock = (ms: number, kind: "audio" | "video") => number;

/** An encoder with such a clock for so long, read each 50 ms; the messages that its target got after the headers. */
function sentBy(clock: Clock, seconds: number) {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  let nextMs = 0;
  for (let nowMs = 0; nowMs < seconds * 1_000; nowMs += 50) {
    for (; nextMs <= nowMs; nextMs += FRAME_MS) {
      publisher.push(video(clock(nextMs, "video") % 2 ** 32, avcFrame(nextMs % 2_000 === 0, 1, 30)));
      publisher.push(audio(clock(nextMs, "audio") % 2 ** 32, aacFrame(1)));
    }
    stage.clock.advance(50);
  }
  const messages = mediaOf(stage.dialer.latest(1)).filter(({ payload }) => payload[1] === 1);
  const timesOf = (type: number) =>
    messages.filter((message) => message.type === type).map(({ timestamp }) => timestamp);
  return { video: timesOf(9), audio: timesOf(8), measures: stage.samples.at(-1)?.ingest.measures };
}

/** How far time went in the last so many seconds. */
function passedIn(times: readonly number[], seconds: number): number {
  const count = (seconds * 1_000) / FRAME_MS;
  return (times.at(-1) ?? 0) - (times.at(-1 - count) ?? 0);
}

const WRONG: readonly (readonly [string, Clock])[] = [
  ["microseconds", (ms) => ms * 1_000],
  ["ticks of 90 kHz", (ms) => ms * 90],
  ["video in ticks of 90 kHz, audio in milliseconds", (ms, kind) => (kind === "video" ? ms * 90 : ms)],
  ["video timed by frame number, audio in milliseconds", (ms, kind) => (kind === "video" ? ms / FRAME_MS : ms)],
  ["whole seconds", (ms) => Math.floor(ms / 1_000)],
  ["nothing but 0", () => 0],
  ["video always at 0, audio in milliseconds", (ms, kind) => (kind === "video" ? 0 : ms)],
  ["audio at double speed", (ms, kind) => (kind === "audio" ? ms * 2 : ms)],
  ["a clock at half speed", (ms) => ms / 2],
];

test.each(WRONG)(
  "%s: from 10 s on time follows the wall clock evenly, audio and video in step, and the fault is reported",
  (_, clock) => {
    const sent = sentBy(clock, 24);
    for (const times of [sent.video, sent.audio]) {
      expect(passedIn(times, 12)).toBeGreaterThan(11_800);
      expect(passedIn(times, 12)).toBeLessThan(12_200);
      const last = times.slice(-250);
      const steps = last.slice(1).map((time, index) => time - (last[index] ?? 0));
      expect(Math.min(...steps)).toBeGreaterThanOrEqual(15);
      expect(Math.max(...steps)).toBeLessThanOrEqual(65);
    }
    expect(Math.abs((sent.video.at(-1) ?? 0) - (sent.audio.at(-1) ?? 0))).toBeLessThanOrEqual(40);
    expect(sent.measures?.isClockWrong).toBe(true);
  },
);

test("audio that is 8.8 % fast is reported when it is 2 s off, and gets new times when it is 5 s off", () => {
  const clock: Clock = (ms, kind) => (kind === "audio" ? Math.round(ms * 1.088) : ms);
  expect(sentBy(clock, 20).measures).not.toHaveProperty("clockDriftPpm");
  const measures = sentBy(clock, 40).measures;
  expect(measures?.clockDriftPpm).toBeGreaterThan(80_000);
  expect(measures?.clockDriftPpm).toBeLessThan(95_000);
  expect(measures?.isClockWrong).toBeUndefined();
  const later = sentBy(clock, 100);
  expect(later.measures?.isClockWrong).toBe(true);
  expect(Math.abs((later.video.at(-1) ?? 0) - (later.audio.at(-1) ?? 0))).toBeLessThanOrEqual(40);
  expect(passedIn(later.video, 20)).toBeLessThan(20_200);
});

const RIGHT: readonly (readonly [string, Clock])[] = [
  ["milliseconds", (ms) => ms],
  ["milliseconds that wrap", (ms) => 2 ** 32 - 7_000 + ms],
  ["a clock that jumps now and then", (ms) => ms + Math.floor(ms / 15_000) * 3_600_000],
  ["a clock that is 0.05 % fast", (ms) => Math.round(ms * 1.0005)],
];

test.each(RIGHT)("%s does not count as a wrong clock", (_, clock) => {
  const { video: videoTimes, measures } = sentBy(clock, 60);
  expect(measures?.isClockWrong).toBeUndefined();
  expect(passedIn(videoTimes, 10)).toBeGreaterThan(9_900);
  expect(passedIn(videoTimes, 10)).toBeLessThan(10_100);
});

test("an eight-second network delay, and a start that sends ten seconds at once, do not count as a wrong clock", () => {
  for (const [heldFromMs, heldToMs] of [
    [20_000, 28_000],
    [100, 10_100],
  ] as const) {
    const stage = new RelayStage();
    const publisher = stage.onAir(target(1));
    let nextMs = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 50) {
      const isHeld = nowMs >= heldFromMs && nowMs < heldToMs;
      const reachMs = heldFromMs === 100 ? nowMs + (nowMs > 0 ? 10_000 : 0) : nowMs;
      for (; nextMs <= reachMs && (!isHeld || heldFromMs === 100); nextMs += FRAME_MS) {
        publisher.push(video(nextMs, avcFrame(nextMs % 2_000 === 0, 1, 30)));
        publisher.push(audio(nextMs, aacFrame(1)));
      }
      stage.clock.advance(50);
    }
    expect(stage.samples.at(-1)?.ingest.measures?.isClockWrong).toBeUndefined();
  }
});

/** How long a frame of `AAC_CONFIG`'s audio plays, in milliseconds. */
const AUDIO_MS = 1_024 / 48;
const AUDIO_RIGHT = (count: number) => Math.round(count * AUDIO_MS);

/**
 * A stream with audio of 48 kHz, of which so many milliseconds have come at each moment, read each 50 ms; the times that its target
 * got.
 */
function arriving(
  comeMs: (nowMs: number) => number,
  seconds: number,
  { videoTime = (ms: number) => ms, holdSeconds = 0 } = {},
) {
  const stage = new RelayStage(holdSeconds);
  const publisher = stage.onAir(target(1));
  let [videos, audios] = [0, 0];
  for (let nowMs = 0; nowMs < seconds * 1_000; nowMs += 50) {
    while (Math.min(videos * FRAME_MS, AUDIO_RIGHT(audios)) <= comeMs(nowMs)) {
      if (videos * FRAME_MS <= AUDIO_RIGHT(audios)) {
        publisher.push(video(videoTime(videos * FRAME_MS), avcFrame(videos % 50 === 0, 1, 30)));
        videos += 1;
      } else {
        publisher.push(audio(AUDIO_RIGHT(audios), aacFrame(1)));
        audios += 1;
      }
    }
    stage.clock.advance(50);
  }
  const messages = mediaOf(stage.dialer.latest(1)).filter(({ payload }) => payload[1] === 1);
  const timesOf = (type: number) =>
    messages.filter((message) => message.type === type).map(({ timestamp }) => timestamp);
  return { video: timesOf(9), audio: timesOf(8), videos, audios, measures: stage.samples.at(-1)?.ingest.measures };
}

/** The first frames at another time than sent. */
function displaced(times: readonly number[], sentMs: (index: number) => number): readonly string[] {
  return times.flatMap((time, index) => (time === sentMs(index) ? [] : [`${sentMs(index)}: ${time}`])).slice(0, 3);
}

const PACES: readonly (readonly [string, number, (nowMs: number) => number])[] = [
  ["what the network held up for almost 5 s comes at once", 60, (ms) => (ms >= 20_000 && ms < 24_900 ? 20_000 : ms)],
  [
    "an encoder comes back, and sends the 20 s that it kept at twice real time",
    60,
    (ms) => Math.min(2 * ms, ms + 20_000),
  ],
  [
    "a network takes 0.7 of the stream for 40 s, then all of it at three times real time",
    80,
    (ms) => (ms < 40_000 ? 0.7 * ms : Math.min(ms, 28_000 + 3 * (ms - 40_000))),
  ],
  ["a file at four times real time", 40, (ms) => 4 * ms],
  ["a file at ten times real time", 20, (ms) => 10 * ms],
];

test.each(PACES)(
  "%s: every frame keeps its distance, since audio's times are as long as it plays",
  (_, seconds, comeMs) => {
    const got = arriving(comeMs, seconds);
    expect(got.measures?.isClockWrong).toBeUndefined();
    expect(displaced(got.video, (index) => index * FRAME_MS)).toEqual([]);
    expect(displaced(got.audio, AUDIO_RIGHT)).toEqual([]);
    expect([got.video.length, got.audio.length]).toEqual([got.videos, got.audios]);
  },
);

test("what the network held up for 5 s comes at once, behind filler: from the next keyframe on every frame is at its own time", () => {
  const comeMs = (ms: number) => (ms >= 20_000 && ms < 25_000 ? 20_000 : ms);
  const got = arriving(comeMs, 60, { holdSeconds: 30 });
  expect(got.measures?.isClockWrong).toBeUndefined();
  const after = got.video.slice(got.video.lastIndexOf(26_000));
  expect(displaced(after, (index) => 26_000 + index * FRAME_MS)).toEqual([]);
  expect(after).toHaveLength(got.videos - 26_000 / FRAME_MS);
});

test.each([
  ["at double speed", (ms: number) => ms * 2],
  ["at 0.8 of its speed", (ms: number) => Math.round(ms * 0.8)],
  ["always at 0", () => 0],
])("audio in order does not speak for video %s", (_, videoTime) => {
  const got = arriving((ms) => ms, 60, { videoTime });
  expect(got.measures?.isClockWrong).toBe(true);
  expect(passedIn(got.video, 10)).toBeGreaterThan(9_800);
  expect(passedIn(got.video, 10)).toBeLessThan(10_200);
});
