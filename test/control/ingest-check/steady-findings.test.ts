import { expect, test } from "vitest";
import { ThresholdWatch } from "../../../src/control/ingest-check/over-threshold.ts";
import { type PlacedFinding, SteadyFindings } from "../../../src/control/ingest-check/steady-findings.ts";

const high = (found: number, isClear = true, targetId = 7): PlacedFinding => ({
  code: "VIDEO_BITRATE_HIGH",
  found,
  wanted: 100,
  isClear,
  targetId,
});

/** One entry a second; returns what is shown after each. */
function shownOver(seconds: readonly (readonly PlacedFinding[])[]): readonly (readonly (number | string)[])[] {
  const steady = new SteadyFindings();
  return seconds.map((findings, second) => {
    steady.take(findings, second * 1_000);
    return steady.shown.map(({ found }) => found);
  });
}

const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value);

test("a fault is shown once it was clear for five seconds", () => {
  expect(shownOver(times(7, [high(200)]))).toEqual([...times(5, []), ...times(2, [200])]);
});

test("a fault that comes and goes within five seconds is never shown", () => {
  const second = [[high(200)], [high(200)], [high(200)], [high(200)], []];
  expect(shownOver([...second, ...second, ...second])).toEqual(times(15, []));
});

test("an unclear check keeps what is shown, and shows nothing new", () => {
  expect(shownOver(times(20, [high(103, false)]))).toEqual(times(20, []));
  const seconds = [...times(6, [high(110)]), ...times(60, [high(103, false)])];
  expect(shownOver(seconds).slice(5)).toEqual(times(61, [110]));
});

test("a fault that is gone is shown for ten seconds more, without a break where it returns", () => {
  const gone = shownOver([...times(6, [high(200)]), ...times(12, [])]);
  expect(gone.slice(5)).toEqual([...times(10, [200]), ...times(3, [])]);
  const back = shownOver([...times(6, [high(200)]), ...times(9, []), [high(200)], ...times(9, [])]);
  expect(back.slice(5)).toEqual(times(20, [200]));
});

test("a number is updated where it changed by a tenth", () => {
  const seconds = [...times(6, [high(200)]), [high(219)], [high(221)], [high(202)], [high(198)]];
  expect(shownOver(seconds).slice(5)).toEqual([[200], [200], [221], [221], [198]]);
});

test("targets are separate", () => {
  const seconds = [...times(3, [high(200)]), ...times(5, [high(200), high(300, true, 8)]), [high(200)]];
  expect(shownOver(seconds).slice(4)).toEqual([[], [200], [200], [200], [200]]);
});

const tellingOver = (seconds: readonly (readonly PlacedFinding[])[], watch = new ThresholdWatch()) =>
  seconds.flatMap((findings, second) =>
    watch.take(findings, second * 1_000).map(({ targetId, bytesPerSecond }) => [second, targetId, bytesPerSecond]),
  );

test("20 % above a target's limit for ten seconds is reported, once, for each target", () => {
  expect(tellingOver(times(300, [high(120)]))).toEqual([[10, 7, 120]]);
  expect(tellingOver(times(300, [high(119)]))).toEqual([]);
  expect(tellingOver(times(30, [high(130), high(140, true, 8)]))).toEqual([
    [10, 7, 130],
    [10, 8, 140],
  ]);
});

test("the rate must stay above the limit, and is not reported again in the same broadcast", () => {
  expect(tellingOver([...times(10, [high(150)]), [], ...times(10, [high(150)])])).toEqual([]);
  const again = [...times(12, [high(150)]), ...times(60, []), ...times(60, [high(150)])];
  expect(tellingOver(again)).toEqual([[10, 7, 150]]);
});

test("other limits than rates have no threshold", () => {
  const finding: PlacedFinding = { code: "KEYFRAME_INTERVAL_LONG", found: 10, wanted: 2, isClear: true, targetId: 7 };
  expect(tellingOver(times(30, [finding]))).toEqual([]);
});
