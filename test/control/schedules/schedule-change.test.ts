import { expect, test } from "vitest";
import { Schedules } from "../../../src/control/schedules/schedules.ts";
import { newChannel } from "../../store/suites/store-suite-data.ts";
import { CHANNEL_ID, MemorySchedules, ScheduleStage, schedule } from "./schedule-stage.ts";

const MINUTE_MS = 60_000;
/** From 20:21 to 20:14 of the next day. */
const NEARLY_A_DAY_MS = (23 * 60 + 53) * MINUTE_MS;
const LOOPED = { kind: "files", fileIds: ["mf-a"], isLooped: true } as const;
const done = (text: string) => ({ doneTime: Date.parse(text) });

/** The use cases over the runner and the store of a stage. */
function useCases(stage: ScheduleStage): Schedules {
  const { store: scheduleStore, runner, files, clock } = stage;
  const counts = { instanceNo: 1, revision: 1, publishMs: 0, targetCount: 0 };
  const channel = {
    ...newChannel(1, { targets: [] }),
    targets: [],
    channelId: CHANNEL_ID,
    state: "live",
    ...counts,
  } as const;
  return new Schedules({
    ...{ scheduleStore, runner, files, clock, publish: () => undefined, randomBytes: (size) => Buffer.alloc(size) },
    store: { findChannel: async () => channel },
  });
}

test("a daily start that is moved to a time that is over today is neither played nor missed today", async () => {
  // At 20:00 in Berlin it was done; at 20:20 it is moved to 20:15.
  const daily = schedule({ ...done("2026-07-01T18:00Z"), source: LOOPED, catchUp: "join" });
  const stage = new ScheduleStage("2026-07-01T18:20:00Z", new MemorySchedules(daily));
  await stage.start();
  const atSeconds = 20 * 3_600 + 15 * 60;
  await useCases(stage).change(CHANNEL_ID, "sc-1", (present) => ({
    ...present,
    timing: { ...present.timing, atSeconds },
  }));
  await stage.pass(MINUTE_MS);
  expect([stage.played, stage.facts]).toEqual([[], []]);
  stage.clock.setWall(NEARLY_A_DAY_MS);
  await stage.pass(2 * MINUTE_MS);
  expect(stage.played).toEqual(["2026-07-02T18:15:00.000Z sc-1 from 0 + 0"]);
  expect(stage.facts).toEqual(["sc-1 of 2026-07-02T18:15:00.000Z started"]);
});

test("a change after the clock was set back does not begin a start again that was missed", async () => {
  const time = Date.parse("2026-07-01T18:00Z");
  const lastRun = { time, result: "MISSED", reason: "encoder-on-air" } as const;
  const missed = schedule({ ...done("2026-07-01T18:00Z"), source: LOOPED, lastRun });
  const stage = new ScheduleStage("2026-07-01T17:59:30Z", new MemorySchedules(missed));
  await stage.start();
  await useCases(stage).change(CHANNEL_ID, "sc-1", (present) => ({ ...present, name: "evening" }));
  await stage.pass(2 * MINUTE_MS);
  expect([stage.played, stage.facts]).toEqual([[], []]);
  expect(stage.store.all.get("sc-1")).toMatchObject({ name: "evening", doneTime: time });
});
