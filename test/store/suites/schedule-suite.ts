import { afterEach, beforeEach, expect, test } from "vitest";
import type { MissedReason } from "../../../src/api-contract/event-words.ts";
import type { Schedule } from "../../../src/control/schedules/schedule.ts";
import { SqlStore } from "../../../src/store/channels/sql-store.ts";
import { listWindowedTargets } from "../../../src/store/channels/windowed-targets.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { SqlScheduleStore } from "../../../src/store/sources/schedule-store.ts";
import { newChannel, TARGET } from "./store-suite-data.ts";
import { newTestDatabase, type TestDatabase } from "./test-databases.ts";

let place: TestDatabase;
let database: Database;
let channels: SqlStore;
let store: SqlScheduleStore;
beforeEach(async () => {
  place = await newTestDatabase();
  database = await place.open();
  channels = new SqlStore(database);
  store = new SqlScheduleStore(database);
});
afterEach(async () => {
  await database.close();
  await place.remove();
});

const TIME = 1_800_000_000_000;
const WINDOWS = {
  timeZone: "Asia/Seoul",
  list: [{ days: ["MON", "SUN"], fromSeconds: 72_000, toSeconds: 0 }],
} as const;

function scheduleOf(channelId: string): Schedule {
  return {
    ...{ scheduleId: "sc-1", channelId, name: "저녁", createdTime: TIME, doneTime: TIME, catchUp: "join" },
    source: { kind: "files", fileIds: ["mf-a", "mf-b"], isLooped: true },
    timing: { timeZone: "Asia/Seoul", atSeconds: 72_000, repeat: { kind: "weekly", days: ["MON", "SUN"] } },
    end: { durationSeconds: 60 },
    isPaused: false,
  };
}

test("a schedule is read as it was written, and goes with its channel", async () => {
  const { channelId } = await channels.createChannel(newChannel(1));
  const schedule = scheduleOf(channelId);
  const other: Schedule = { ...schedule, scheduleId: "sc-0", createdTime: TIME + 1, isPaused: true };
  for (const each of [schedule, other]) expect(await store.editSchedule(channelId, () => each)).toEqual(each);
  expect(await store.listSchedules()).toEqual([schedule, other]);
  expect(await store.findSchedule(channelId, "sc-0")).toEqual(other);
  expect(await store.removeSchedule("ls-other", "sc-0")).toBe(false);
  expect(await store.removeSchedule(channelId, "sc-0")).toBe(true);
  expect(await store.listChannelSchedules(channelId)).toEqual([schedule]);
  await channels.deleteChannel(channelId);
  expect(await store.listSchedules()).toEqual([]);
});

test("of claims of one start at the same time one succeeds; its result is recorded once", async () => {
  const { channelId } = await channels.createChannel(newChannel(1));
  await store.editSchedule(channelId, () => scheduleOf(channelId));
  const claims = await Promise.all([1, 2, 3, 4].map(() => store.claimStart("sc-1", TIME + 5)));
  expect(claims.filter((isMine) => isMine)).toHaveLength(1);
  expect([await store.claimStart("sc-1", TIME + 5), await store.claimStart("sc-1", TIME)]).toEqual([false, false]);
  const begun = { doneTime: TIME + 5, lastRun: { time: TIME + 5, result: "BEGUN" } };
  expect(await store.findSchedule(channelId, "sc-1")).toMatchObject(begun);
  expect(await store.putResult("sc-1", { time: TIME, result: "STARTED" })).toBe(false);
  const missed = { time: TIME + 5, result: "MISSED", reason: "encoder-on-air" } as const;
  expect(await store.putResult("sc-1", missed)).toBe(true);
  expect(await store.putResult("sc-1", { time: TIME + 5, result: "STARTED" })).toBe(false);
  expect((await store.findSchedule(channelId, "sc-1"))?.lastRun).toEqual(missed);
  // An edit keeps what is recorded, and does not bring back a start that is done.
  const edited = await store.editSchedule(channelId, ([present]) => ({
    ...(present ?? scheduleOf(channelId)),
    ...{ isPaused: true, doneTime: TIME },
  }));
  expect(edited.lastRun).toEqual(missed);
  expect(await store.findSchedule(channelId, "sc-1")).toMatchObject({
    doneTime: TIME + 5,
    lastRun: missed,
    isPaused: true,
  });
  expect(await store.claimStart("sc-1", TIME + 9)).toBe(false);
  await store.resetDone("sc-1", TIME + 2);
  expect(await store.findSchedule(channelId, "sc-1")).toMatchObject({ doneTime: TIME + 2 });
});

test("a reason that only a newer version knows leaves the schedule readable", async () => {
  const { channelId } = await channels.createChannel(newChannel(1));
  await store.editSchedule(channelId, () => scheduleOf(channelId));
  await store.claimStart("sc-1", TIME + 5);
  const reason = "of-a-newer-version" as MissedReason;
  await store.putResult("sc-1", { time: TIME + 5, result: "MISSED", reason });
  expect((await store.listSchedules()).map(({ lastRun }) => lastRun)).toEqual([{ time: TIME + 5, result: "MISSED" }]);
});

test("targets with windows are listed with what these do now", async () => {
  const target = { ...TARGET, windows: WINDOWS, isOutsideWindows: true };
  const { channelId, targets } = await channels.createChannel({ ...newChannel(1), targets: [TARGET, target] });
  expect(targets[1]).toMatchObject({ windows: WINDOWS, isOutsideWindows: true });
  const targetId = targets[1]?.targetId ?? 0;
  const listed = { channelId, targetId, windows: WINDOWS, isEnabled: true };
  const list = () => listWindowedTargets(database);
  expect(await list()).toEqual([{ ...listed, isOutsideWindows: true, openUntil: 0, revision: 1 }]);
  await channels.changeTarget(channelId, targetId, () => ({ isOutsideWindows: false, openUntil: TIME }));
  expect(await list()).toEqual([{ ...listed, isOutsideWindows: false, openUntil: TIME, revision: 2 }]);
  await channels.changeTarget(channelId, targetId, () => ({ isEnabled: false }));
  expect(await list()).toMatchObject([{ isEnabled: false, revision: 3 }]);
  await channels.changeTarget(channelId, targetId, () => ({ windows: "none" }));
  expect(await list()).toEqual([]);
});
