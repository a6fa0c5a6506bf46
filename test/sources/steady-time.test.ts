import { expect, test } from "vitest";
import { SteadyTime } from "../../src/sources/steady-time.ts";

const [AUDIO, VIDEO] = [8, 9];

/** Audio and video each 40 ms; returns when each tag is due, in the stream. */
function timesOf(tags: readonly { type: number; timestamp: number }[], beginMs = 0) {
  const [first = { timestamp: 0 }] = tags;
  const time = new SteadyTime(first, beginMs);
  return tags.map((tag) => {
    // It is asked for until the tag is due.
    const timeMs = [time.of(tag), time.of(tag)][1] ?? 0;
    time.sent(tag, timeMs);
    return timeMs;
  });
}

/** From here to there each 40 ms, at the times that `of` gives. */
function both(fromMs: number, untilMs: number, of: (ms: number, type: number) => number) {
  const moments = Array.from({ length: (untilMs - fromMs) / 40 }, (_, index) => fromMs + index * 40);
  return moments.flatMap((ms) => [VIDEO, AUDIO].map((type) => ({ type, timestamp: of(ms, type) })));
}

const steps = (times: readonly number[]) => new Set(times.slice(2).map((time, index) => time - (times[index] ?? 0)));

test.each([
  { name: "numbers of 31 bits that begin anew", of: (ms: number) => (ms + 2 ** 31 - 400) % 2 ** 31 },
  { name: "a source that begins anew after an hour", of: (ms: number) => (ms < 400 ? ms + 3_600_000 : ms - 400) },
  { name: "a gap of a day", of: (ms: number) => (ms < 400 ? ms : ms + 86_400_000) },
])("$name: the stream goes on, with audio and video in step", ({ of }) => {
  const times = timesOf(both(0, 2_000, of), 5_000);
  expect(times[0]).toBe(5_000);
  expect(steps(times)).toEqual(new Set([40]));
});

test("times of video that jump away from those of the audio for good stay in step with it", () => {
  // The 32 bits of RTP at 90 kHz: 13 hours and 15 minutes.
  const times = timesOf(both(0, 4_000, (ms, type) => (type === VIDEO && ms >= 1_000 ? ms + 47_721_858 : ms)));
  const apart = times.filter((_, index) => index % 2 === 1).map((audio, index) => (times[index * 2] ?? 0) - audio);
  expect(Math.max(...apart.map(Math.abs))).toBeLessThanOrEqual(40);
  expect(times.at(-1)).toBe(3_960);
});

test("audio that pauses for a while comes back where it belongs, and a short gap stays", () => {
  const paused = both(0, 30_000, (ms) => ms).filter(
    ({ type, timestamp }) => type === VIDEO || timestamp % 20_000 < 400,
  );
  expect(timesOf(paused)).toEqual(paused.map(({ timestamp }) => timestamp));
  const gap = both(0, 2_000, (ms) => (ms < 1_000 ? ms : ms + 8_000));
  expect(timesOf(gap)).toEqual(gap.map(({ timestamp }) => timestamp));
});
