import { expect, test } from "vitest";
import { countHealth, HEALTH_ORDER, type HealthState, worstHealth } from "../../web/src/base/health.ts";
import { inBulk } from "../../web/src/parts/overview/bulk.ts";
import { matches, SORTS, sorted } from "../../web/src/parts/overview/order.ts";

const channel = (channelName: string, createdTime: number, state: HealthState) => ({
  channelName,
  createdTime,
  health: { state },
});

test("channels are ordered by verdict and then by name, by name alone, or newest first", () => {
  const channels = [
    channel("off", 1, "off"),
    channel("room 10", 2, "healthy"),
    channel("waits", 3, "waiting"),
    channel("room 9", 4, "healthy"),
    channel("warned", 5, "attention"),
    channel("broken", 6, "broken"),
  ];
  const names = SORTS.map((sort) => sorted(channels, sort).map(({ channelName }) => channelName));
  expect(names).toEqual([
    ["broken", "warned", "room 9", "room 10", "waits", "off"],
    ["broken", "off", "room 9", "room 10", "waits", "warned"],
    ["broken", "warned", "room 9", "waits", "room 10", "off"],
  ]);
});

test("a label is compared without case; without a chosen label every channel passes", () => {
  const labelled = { channelName: "room", health: { state: "off", reasonCount: 0 }, platforms: [] } as const;
  const passes = (labels: string[] | undefined, label?: string) =>
    matches({ ...labelled, platforms: [], labels }, { name: "", label });
  expect(passes(["Studio", "스포츠"], "studio")).toBe(true);
  expect(passes(["Studio 2"], "studio")).toBe(false);
  expect(passes(undefined, "studio")).toBe(false);
  expect(passes(undefined)).toBe(true);
});

test("verdicts are counted, and the worst one is the first in the order that has a channel", () => {
  const counts = countHealth(["waiting", "healthy", "waiting", "broken"]);
  expect(counts).toEqual({ broken: 1, attention: 0, healthy: 1, waiting: 2, off: 0 });
  expect(worstHealth(counts)).toBe("broken");
  expect(HEALTH_ORDER.map((state) => worstHealth(countHealth([state, "off"])))).toEqual(HEALTH_ORDER);
  expect(worstHealth(countHealth([]))).toBeUndefined();
});

test("a call for many subjects runs at most six at a time, and a failure stops no other", async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  const refused = new Error("refused");
  const result = await inBulk(
    Array.from({ length: 40 }, (_, index) => index),
    async (subject) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      if (subject % 20 === 7) throw refused;
      done.push(subject);
    },
  );
  expect(most).toBe(6);
  expect(done).toHaveLength(38);
  expect(result).toEqual({
    doneCount: 38,
    failures: [
      { subject: 7, error: refused },
      { subject: 27, error: refused },
    ],
  });
});
