import fc from "fast-check";
import { expect, test } from "vitest";
import { type Interleaved, Interleaver } from "../../../src/relay/rendition/interleaver.ts";

const EMPTY = Buffer.alloc(0);

/**
 * Runs frames through the interleaver, as a fan-out does. Returns what was sent: kind, original time, sent time, and
 * the moment.
 */
function run(arrivals: readonly (readonly [kind: "audio" | "video", timeMs: number, arrivalMs: number])[]) {
  const interleaver = new Interleaver();
  const sent: { kind: string; timeMs: number; sentAsMs: number; atMs: number; arrivalMs: number }[] = [];
  let lastMs = 0;
  const send = (frames: readonly Interleaved[], atMs: number) => {
    for (const { kind, timeMs, arrivalMs } of frames) {
      lastMs = Math.max(lastMs, timeMs);
      sent.push({ kind, timeMs, sentAsMs: lastMs, atMs, arrivalMs });
    }
  };
  for (const [kind, timeMs, arrivalMs] of arrivals) {
    const marks = { type: 9, isConfig: false, isKeyframe: false, trackId: 0, startsTrack: false };
    send(interleaver.add({ kind, ...marks, payload: EMPTY, timeMs, arrivalMs }, lastMs), arrivalMs);
  }
  send(interleaver.drain(), arrivals.at(-1)?.[2] ?? 0);
  return sent;
}

/** Video and audio of the same moment, one kind so much later than the other. */
function skewed(lateMs: number, late: "audio" | "video") {
  const arrivals: ["audio" | "video", number, number][] = [];
  for (let timeMs = 0; timeMs < 4_000; timeMs += 40) {
    arrivals.push(["video", timeMs, timeMs + (late === "video" ? lateMs : 0)]);
    arrivals.push(["audio", timeMs + 5, timeMs + 5 + (late === "audio" ? lateMs : 0)]);
  }
  return arrivals.sort((left, right) => left[2] - right[2]);
}

test("frames that come in order leave at once", () => {
  for (const { arrivalMs, atMs, timeMs, sentAsMs } of run(skewed(0, "video"))) {
    expect([atMs, sentAsMs]).toEqual([arrivalMs, timeMs]);
  }
});

test.each(["audio", "video"] as const)(
  "where %s comes 200 ms late the other kind is held back, and both keep their time",
  (late) => {
    const sent = run(skewed(200, late));
    expect(sent).toHaveLength(200);
    const settled = sent.filter(({ timeMs }) => timeMs > 500);
    expect(settled.every(({ timeMs, sentAsMs }) => timeMs === sentAsMs)).toBe(true);
    expect(Math.max(...settled.map(({ arrivalMs, atMs }) => atMs - arrivalMs))).toBeLessThanOrEqual(300);
  },
);

test("nothing is held longer than 300 ms, and what is later still gets a later time", () => {
  const sent = run(skewed(1_000, "video"));
  const held = sent.filter(({ timeMs }) => timeMs > 1_500 && timeMs < 3_500);
  expect(Math.max(...held.map(({ arrivalMs, atMs }) => atMs - arrivalMs))).toBeLessThanOrEqual(340);
  expect(held.some(({ timeMs, sentAsMs }) => sentAsMs > timeMs)).toBe(true);
});

test("everything is sent once, and each kind in its own order, whatever comes", () => {
  const arrival = fc.tuple(
    fc.constantFrom("audio" as const, "video" as const),
    fc.integer({ min: -300, max: 500 }),
    fc.nat(100),
  );
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 80 }), (steps) => {
      const at = { audio: 0, video: 0 };
      let nowMs = 0;
      const arrivals = steps.map(([kind, stepMs, waitMs]) => {
        at[kind] += stepMs;
        nowMs += waitMs;
        return [kind, at[kind], nowMs] as const;
      });
      const sent = run(arrivals);
      for (const kind of ["audio", "video"]) {
        const wanted = arrivals.filter((each) => each[0] === kind).map((each) => each[1]);
        expect(sent.filter((each) => each.kind === kind).map((each) => each.timeMs)).toEqual(wanted);
      }
    }),
  );
});
