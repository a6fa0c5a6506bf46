import fc from "fast-check";
import { expect, test } from "vitest";
import { Timeline, type TimelineKind } from "../../../src/relay/stream/timeline.ts";

type Arrival = readonly [kind: TimelineKind, timestamp: number, atMs: number];

function place(arrivals: readonly Arrival[], timeline = new Timeline()): number[] {
  return arrivals.map(([kind, timestamp, atMs]) => timeline.send(timeline.map(kind, timestamp, atMs)));
}

const cases: readonly { name: string; arrivals: readonly Arrival[]; times: readonly number[] }[] = [
  {
    name: "starts at 0 wherever the encoder's clock stands",
    arrivals: [
      ["video", 3_000_000_000, 0],
      ["audio", 3_000_000_010, 10],
      ["video", 3_000_000_040, 40],
    ],
    times: [0, 10, 40],
  },
  {
    name: "crosses 0xFFFFFF",
    arrivals: [
      ["video", 0xffffff - 20, 0],
      ["video", 0xffffff + 20, 40],
    ],
    times: [0, 40],
  },
  {
    name: "crosses 2^31",
    arrivals: [
      ["video", 2 ** 31 - 20, 0],
      ["video", 2 ** 31 + 20, 40],
    ],
    times: [0, 40],
  },
  {
    name: "crosses 2^32, audio and video in turn",
    arrivals: [
      ["video", 2 ** 32 - 20, 0],
      ["audio", 2 ** 32 - 10, 10],
      ["audio", 13, 33],
      ["video", 20, 40],
    ],
    times: [0, 10, 33, 40],
  },
  {
    name: "goes on where a clock of 24 bits begins again, to the millisecond, also in a burst",
    arrivals: [
      ["video", 2 ** 24 - 1_000, 0],
      ["audio", 2 ** 24 - 1_000, 0],
      ["video", 2 ** 24 - 40, 1_000],
      ["video", 0, 1_000],
      ["video", 40, 1_000],
      ["audio", 2 ** 24 - 20, 1_000],
      ["audio", 3, 1_000],
      ["audio", 60, 1_060],
      ["video", 80, 1_080],
    ],
    times: [0, 0, 960, 1_000, 1_040, 1_040, 1_040, 1_060, 1_080],
  },
  {
    name: "crosses the end of 24 bits in the order of presentation",
    arrivals: [
      ["video", 2 ** 24 - 40, 0],
      ["video", 40, 40],
      ["video", 2 ** 24 - 1, 80],
      ["video", 80, 120],
    ],
    times: [0, 80, 80, 120],
  },
  {
    name: "holds a small step back at the last time",
    arrivals: [
      ["video", 1_000, 0],
      ["video", 2_000, 1_000],
      ["video", 1_000, 1_040],
      ["video", 2_040, 1_080],
    ],
    times: [0, 1_000, 1_000, 1_040],
  },
  {
    name: "an hour's jump forth of both goes on at the present, in sync",
    arrivals: [
      ["video", 0, 0],
      ["audio", 0, 0],
      ["video", 3_600_040, 40],
      ["audio", 3_600_050, 50],
      ["video", 3_600_080, 80],
    ],
    times: [0, 0, 40, 50, 80],
  },
  {
    name: "an hour's jump back of both goes on at the present, in sync",
    arrivals: [
      ["video", 4_000_000, 0],
      ["audio", 4_000_000, 0],
      ["video", 400_000, 40],
      ["audio", 400_010, 50],
      ["video", 400_040, 80],
    ],
    times: [0, 0, 40, 50, 80],
  },
  {
    name: "a jump of one alone leaves the other where it is",
    arrivals: [
      ["video", 0, 0],
      ["audio", 0, 0],
      ["audio", 3_600_000, 23],
      ["video", 40, 40],
      ["audio", 3_600_023, 46],
    ],
    times: [0, 0, 23, 40, 46],
  },
  {
    name: "audio five seconds behind video by its own clock is taken to be as old as it arrives",
    arrivals: [
      ["video", 10_000, 0],
      ["audio", 5_000, 10],
      ["video", 10_040, 40],
      ["audio", 5_043, 53],
    ],
    times: [0, 20, 40, 63],
  },
  {
    name: "audio that begins ten seconds late keeps its relation to video",
    arrivals: [
      ["video", 0, 0],
      ["video", 10_000, 10_000],
      ["audio", 10_010, 10_015],
      ["video", 10_040, 10_040],
    ],
    times: [0, 10_000, 10_010, 10_040],
  },
  {
    name: "a pause of the encoder that its clock shares is kept",
    arrivals: [
      ["video", 0, 0],
      ["video", 60_000, 60_000],
    ],
    times: [0, 60_000],
  },
  {
    name: "ten times real time is not a jump",
    arrivals: [
      ["video", 0, 0],
      ["video", 1_000, 100],
      ["audio", 1_010, 101],
      ["video", 2_000, 200],
    ],
    times: [0, 1_000, 1_010, 2_000],
  },
];

test.each(cases)("$name", ({ arrivals, times }) => {
  expect(place(arrivals)).toEqual(times);
});

test("another encoder goes on in step with the wall clock, and never before what was sent", () => {
  const timeline = new Timeline();
  place(
    [
      ["video", 500, 0],
      ["video", 540, 40],
    ],
    timeline,
  );
  timeline.changePublisher();
  expect(
    place(
      [
        ["video", 7_000_000, 3_040],
        ["audio", 7_000_005, 3_045],
      ],
      timeline,
    ),
  ).toEqual([3_040, 3_045]);
  timeline.changePublisher();
  expect(place([["audio", 9, 3_045]], timeline)[0]).toBeGreaterThan(3_045);
});

test("time never goes back and stays near the wall clock, whatever an encoder sends", () => {
  const arrival = fc.record({
    kind: fc.constantFrom<TimelineKind>("audio", "video"),
    timestamp: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    waitMs: fc.integer({ min: 0, max: 5_000 }),
  });
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 60 }), (arrivals) => {
      const timeline = new Timeline();
      let nowMs = 0;
      let last = 0;
      for (const { kind, timestamp, waitMs } of arrivals) {
        nowMs += waitMs;
        const time = timeline.send(timeline.map(kind, timestamp, nowMs));
        expect(Number.isInteger(time)).toBe(true);
        expect(time).toBeGreaterThanOrEqual(last);
        expect(time - last).toBeLessThanOrEqual(nowMs + 2_000 + 20);
        last = time;
      }
    }),
  );
});
