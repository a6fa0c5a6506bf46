import { expect, test } from "vitest";
import { secondsOfDay } from "../../../src/base/calendar/time-text.ts";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import { startsTogether } from "../../../src/control/schedules/schedule.ts";
import { CHANNEL_ID, MemorySchedules, ScheduleStage, schedule } from "./schedule-stage.ts";

const HOUR_MS = 3_600_000;
/** Every day in Berlin, from a time of day to another. */
const span = (from: string, to: string) => ({
  timing: { timeZone: "Europe/Berlin", atSeconds: secondsOfDay(from), repeat: { kind: "daily" } } as const,
  end: { atSeconds: secondsOfDay(to) },
});
const done = (text: string) => ({ doneTime: Date.parse(text) });

test("a start begins on time, its end stops it, and the next day it begins again", async () => {
  const store = new MemorySchedules(schedule({ ...done("2026-07-01T17:00Z"), end: { durationSeconds: 1_800 } }));
  const stage = new ScheduleStage("2026-07-01T17:59:58.500Z", store);
  await stage.start();
  await stage.pass(HOUR_MS);
  expect(stage.played).toEqual(["2026-07-01T18:00:00.000Z sc-1 from 0 + 0", "2026-07-01T18:30:00.000Z sc-1 ends"]);
  await stage.pass(24 * HOUR_MS);
  expect(stage.played.slice(2)).toEqual([
    "2026-07-02T18:00:00.000Z sc-1 from 0 + 0",
    "2026-07-02T18:30:00.000Z sc-1 ends",
  ]);
  expect(stage.facts).toEqual(["sc-1 of 2026-07-01T18:00:00.000Z started", "sc-1 of 2026-07-02T18:00:00.000Z started"]);
  expect(store.all.get("sc-1")?.lastRun).toEqual({ time: Date.parse("2026-07-02T18:00Z"), result: "STARTED" });
});

test("without a schedule there is no timer, and one that is made later starts", async () => {
  const stage = new ScheduleStage("2026-07-01T17:59:00Z", new MemorySchedules());
  await stage.start();
  let reads = 0;
  stage.store.listSchedules = async () => {
    reads += 1;
    return [];
  };
  await stage.pass(10_000);
  expect(reads).toBe(0);
  const made = schedule(done("2026-07-01T17:59:10Z"));
  await stage.store.editSchedule(made.channelId, () => made);
  stage.runner.put(made);
  await stage.pass(60_000);
  expect(stage.played).toEqual(["2026-07-01T18:00:00.000Z sc-1 from 0 + 0"]);
});

test.each([
  { name: "is reported", catchUp: "none", played: [], reason: "server-down" },
  // Two files of 5 s, in a loop: 603 s are 60 rounds and 3 s.
  { name: "is joined where it would be", catchUp: "join", played: ["from 0 + 3000"], reason: "started" },
] as const)("a start while the server was down $name", async ({ catchUp, played, reason }) => {
  const source = { kind: "files", fileIds: ["mf-a", "mf-b"], isLooped: true } as const;
  const missed = schedule({ ...done("2026-06-20T17:00Z"), catchUp, source });
  const stage = new ScheduleStage("2026-07-01T18:10:03Z", new MemorySchedules(missed));
  await stage.start();
  expect(stage.played).toEqual(played.map((place) => `2026-07-01T18:10:03.000Z sc-1 ${place}`));
  // Of all that were missed only the last is told.
  expect(stage.facts).toEqual([`sc-1 of 2026-07-01T18:00:00.000Z ${reason}`]);
});

test.each([
  { name: "within a minute begins at its beginning", from: "2026-07-01T18:00:59Z", played: ["from 0 + 0"] },
  { name: "whose end has come is over", from: "2026-07-01T18:31:00Z", played: [] },
  { name: "whose files would be over is over", from: "2026-07-01T18:01:01Z", played: [] },
])("a late start that may be joined, $name", async ({ from, played }) => {
  const late = schedule({ ...done("2026-07-01T17:00Z"), catchUp: "join", end: { durationSeconds: 1_800 } });
  const stage = new ScheduleStage(from, new MemorySchedules(late));
  await stage.start();
  expect(stage.played.map((line) => line.slice(30))).toEqual(played);
  expect(stage.facts).toEqual([`sc-1 of 2026-07-01T18:00:00.000Z ${played.length > 0 ? "started" : "server-down"}`]);
});

test("a server that dies between the record and the start does not start it again, and says so", async () => {
  const store = new MemorySchedules(schedule(done("2026-07-01T17:00Z")));
  const dying = new ScheduleStage("2026-07-01T17:59:59Z", store);
  await dying.start();
  store.isDying = true;
  await dying.pass(1_500);
  dying.runner.stop();
  store.isDying = false;
  const next = new ScheduleStage("2026-07-01T18:00:10Z", store);
  await next.start();
  await next.pass(120_000);
  expect([dying.played, next.played]).toEqual([[], []]);
  expect(next.facts).toEqual(["sc-1 of 2026-07-01T18:00:00.000Z server-down"]);
  expect(store.claims).toEqual(["2026-07-01T18:00:00.000Z"]);
});

test("a clock that is set back over a start, by a second, an hour and half a day, starts nothing twice", async () => {
  for (const backMs of [1_000, HOUR_MS, 12 * HOUR_MS]) {
    const stage = new ScheduleStage("2026-07-01T17:59:59Z", new MemorySchedules(schedule(done("2026-07-01T17:00Z"))));
    await stage.start();
    await stage.pass(1_200);
    stage.clock.setWall(-backMs);
    await stage.pass(backMs + 5_000);
    expect([backMs, stage.played]).toEqual([backMs, ["2026-07-01T18:00:00.000Z sc-1 from 0 + 0"]]);
  }
});

test("a clock that is set forward over a start: it begins if it is near, and is reported if it is not", async () => {
  const near = new ScheduleStage("2026-07-01T17:59:30Z", new MemorySchedules(schedule(done("2026-07-01T17:00Z"))));
  await near.start();
  near.clock.setWall(45_000);
  await near.pass(2_000);
  expect(near.facts).toEqual(["sc-1 of 2026-07-01T18:00:00.000Z started"]);
  const far = new ScheduleStage("2026-07-01T17:00:00Z", new MemorySchedules(schedule(done("2026-07-01T16:00Z"))));
  await far.start();
  far.clock.setWall(2 * HOUR_MS);
  await far.pass(2_000);
  expect([far.played, far.facts]).toEqual([[], ["sc-1 of 2026-07-01T18:00:00.000Z clock-jumped"]]);
});

test("a clock that was years ahead does not stop a schedule for years", async () => {
  const stage = new ScheduleStage("2031-07-01T18:30:00Z", new MemorySchedules(schedule(done("2026-07-01T17:00Z"))));
  await stage.start();
  expect(stage.facts).toEqual(["sc-1 of 2031-07-01T18:00:00.000Z server-down"]);
  stage.clock.setWall(Date.parse("2026-07-01T17:59:00Z") - stage.clock.wallNow());
  await stage.pass(120_000);
  expect(stage.played).toEqual(["2026-07-01T18:00:00.000Z sc-1 from 0 + 0"]);
});

test("what may not start is reported with its reason", async () => {
  const reasons = {
    "source-encoder-on-air": "encoder-on-air",
    "channel-off": "channel-off",
    "server-overloaded": "server-overloaded",
    "ffmpeg-missing": "ffmpeg-missing",
    "source-running": "internal",
  } as const;
  for (const [fault, reason] of Object.entries(reasons)) {
    const stage = new ScheduleStage("2026-07-01T18:00:00Z", new MemorySchedules(schedule(done("2026-07-01T17:00Z"))));
    stage.fault = fault as keyof typeof reasons;
    await stage.start();
    expect(stage.facts).toEqual([`sc-1 of 2026-07-01T18:00:00.000Z ${reason}`]);
  }
  const store = new MemorySchedules(schedule(done("2026-07-01T17:00Z")));
  const empty = new ScheduleStage("2026-07-01T18:00:00Z", store, { hasFiles: false });
  await empty.start();
  expect(empty.facts).toEqual(["sc-1 of 2026-07-01T18:00:00.000Z files-missing"]);
});

test("of several servers the one with the files starts it, once; without any of them it is missed", async () => {
  const store = new MemorySchedules(schedule(done("2026-07-01T17:00Z")));
  const servers = [false, true, true].map(
    (hasFiles) => new ScheduleStage("2026-07-01T17:59:59Z", store, { hasOthers: true, hasFiles }),
  );
  await Promise.all(servers.map((each) => each.start()));
  for (let second = 0; second < 70; second += 1) for (const each of servers) await each.pass(1_000);
  expect(servers.map(({ played }) => played.length)).toEqual([0, 1, 0]);
  expect(servers.flatMap(({ facts }) => facts)).toEqual(["sc-1 of 2026-07-01T18:00:00.000Z started"]);
  const alone = new ScheduleStage("2026-07-02T17:59:59Z", store, { hasOthers: true, hasFiles: false });
  await alone.start();
  await alone.pass(9_000);
  expect(alone.facts).toEqual([]);
  await alone.pass(3_000);
  expect(alone.facts).toEqual(["sc-1 of 2026-07-02T18:00:00.000Z files-missing"]);
});

test("a server leaves a start to the one that has the channel, for ten seconds", async () => {
  const store = new MemorySchedules(schedule(done("2026-07-01T17:00Z")));
  const [other, owner] = [0, 1].map(() => new ScheduleStage("2026-07-01T17:59:59Z", store, { hasOthers: true }));
  if (other === undefined || owner === undefined) throw new Error("two servers");
  other.isElsewhere = true;
  await other.start();
  await other.pass(5_000);
  expect(other.facts).toEqual([]);
  await owner.start();
  await owner.pass(2_000);
  expect([other.played.length, owner.played.length]).toEqual([0, 1]);
  await other.pass(20_000);
  expect([...other.facts, ...owner.facts]).toEqual(["sc-1 of 2026-07-01T18:00:00.000Z started"]);
});

test("one that is paused starts nothing, and the starts of the pause are not missed", async () => {
  const store = new MemorySchedules(schedule({ ...done("2026-07-01T17:00Z"), isPaused: true }));
  const stage = new ScheduleStage("2026-07-01T17:59:00Z", store);
  await stage.start();
  await stage.pass(2 * HOUR_MS);
  const resumed = schedule({ doneTime: stage.clock.wallNow() });
  await store.editSchedule(resumed.channelId, () => resumed);
  stage.runner.put(resumed);
  await stage.pass(10_000);
  expect([stage.played, stage.facts]).toEqual([[], []]);
});

test("two of one channel at the same moment: the older one plays", async () => {
  const store = new MemorySchedules(
    schedule(done("2026-07-01T17:00Z")),
    schedule({ ...done("2026-07-01T17:00Z"), scheduleId: "sc-2" }),
    schedule({ ...done("2026-07-01T17:00Z"), scheduleId: "sc-3", channelId: `${CHANNEL_ID}x` }),
  );
  const stage = new ScheduleStage("2026-07-01T18:00:00Z", store);
  await stage.start();
  expect(stage.facts.map((line) => line.replace(" of 2026-07-01T18:00:00.000Z", ""))).toEqual([
    "sc-1 started",
    "sc-2 conflict",
    "sc-3 started",
  ]);
});

test.each([
  { name: "as a whole begins behind the jump", endAt: "02:40", ends: "2026-03-29T01:30:00.000Z" },
  { name: "in part begins at the jump", endAt: "03:10", ends: "2026-03-29T01:10:00.000Z" },
])("a run that clocks skip $name", async ({ endAt, ends }) => {
  const run = schedule({ ...done("2026-03-28T12:00Z"), ...span("02:10", endAt) });
  const stage = new ScheduleStage("2026-03-29T00:59:59Z", new MemorySchedules(run));
  await stage.start();
  await stage.pass(2 * HOUR_MS);
  expect(stage.played).toEqual(["2026-03-29T01:00:00.000Z sc-1 from 0 + 0", `${ends} sc-1 ends`]);
  expect(stage.facts).toEqual(["sc-1 of 2026-03-29T01:00:00.000Z started"]);
});

test.each([
  { name: "the one whose time clocks show", third: "03:00", plays: "sc-3" },
  { name: "the last one that they skip", third: "04:00", plays: "sc-2" },
])("of several that a jump brings to one moment plays $name", async ({ third, plays }) => {
  const store = new MemorySchedules(
    ...[span("02:00", "02:30"), span("02:30", "03:30"), span(third, "05:00")].map((times, index) =>
      schedule({ ...done("2026-03-28T12:00Z"), scheduleId: `sc-${index + 1}`, ...times }),
    ),
  );
  const stage = new ScheduleStage("2026-03-29T00:59:59Z", store);
  await stage.start();
  await stage.pass(2_000);
  expect(stage.played).toEqual([`2026-03-29T01:00:00.000Z ${plays} from 0 + 0`]);
  const [first, second] = [...store.all.values()];
  if (first === undefined || second === undefined) throw new Error("two schedules");
  expect(startsTogether(first, second, Date.parse("2026-03-28T12:00Z"))).toBe(false);
  expect(startsTogether(first, { ...second, timing: first.timing }, Date.parse("2026-03-28T12:00Z"))).toBe(true);
});

test("a start that the database could not record in time is not blamed on the server", async () => {
  const store = new MemorySchedules(schedule(done("2026-07-01T17:00Z")));
  const stage = new ScheduleStage("2026-07-01T17:59:59Z", store);
  await stage.start();
  const claim = store.claimStart.bind(store);
  store.claimStart = async () => {
    throw new StoreUnavailableError("unreachable");
  };
  await stage.pass(90_000);
  store.claimStart = claim;
  await stage.pass(2_000);
  expect([stage.played, stage.facts]).toEqual([[], ["sc-1 of 2026-07-01T18:00:00.000Z database-unavailable"]]);
  // At the start itself the record is taken, and then the channel cannot be read.
  await stage.pass(24 * HOUR_MS - 120_000);
  stage.error = new StoreUnavailableError("unreachable");
  await stage.pass(60_000);
  expect(stage.facts.slice(1)).toEqual(["sc-1 of 2026-07-02T18:00:00.000Z database-unavailable"]);
});

test("a server that stood still over a start says that it did not run", async () => {
  const stage = new ScheduleStage("2026-07-01T17:59:50Z", new MemorySchedules(schedule(done("2026-07-01T17:00Z"))));
  await stage.start();
  stage.clock.pause(120_000);
  await stage.pass(1_000);
  expect(stage.facts).toEqual(["sc-1 of 2026-07-01T18:00:00.000Z server-down"]);
});

test("a start whose result could not be stored is not told as missed: it is stored and told later", async () => {
  const store = new MemorySchedules(schedule(done("2026-07-01T17:00Z")));
  const [stage, other] = [0, 1].map(() => new ScheduleStage("2026-07-01T17:59:59Z", store, { hasOthers: true }));
  if (stage === undefined || other === undefined) throw new Error("two servers");
  other.isElsewhere = true;
  await stage.start();
  await other.start();
  const put = store.putResult.bind(store);
  store.putResult = async () => {
    throw new StoreUnavailableError("unreachable");
  };
  for (let second = 0; second < 50; second += 1) for (const each of [stage, other]) await each.pass(1_000);
  expect([stage.played.length, stage.facts]).toEqual([1, []]);
  store.putResult = put;
  for (let second = 0; second < 60; second += 1) for (const each of [other, stage]) await each.pass(1_000);
  expect([stage.facts, other.facts]).toEqual([["sc-1 of 2026-07-01T18:00:00.000Z started"], []]);
  expect(store.all.get("sc-1")?.lastRun?.result).toBe("STARTED");
});

test("a start without a result is told by another server after a minute in which it saw that", async () => {
  const begun = { time: Date.parse("2026-07-01T18:00Z"), result: "BEGUN" } as const;
  const store = new MemorySchedules(schedule({ ...done("2026-07-01T18:00Z"), lastRun: begun }));
  const stage = new ScheduleStage("2026-07-01T18:30:00Z", store, { hasOthers: true });
  await stage.start();
  await stage.pass(55_000);
  expect(stage.facts).toEqual([]);
  await stage.pass(15_000);
  expect(stage.facts).toEqual(["sc-1 of 2026-07-01T18:00:00.000Z server-down"]);
});

test("a run of a few seconds that waits for a server with its files is missed for these", async () => {
  const store = new MemorySchedules(schedule({ ...done("2026-07-01T17:00Z"), end: { durationSeconds: 5 } }));
  const stage = new ScheduleStage("2026-07-01T17:59:59Z", store, { hasOthers: true, hasFiles: false });
  await stage.start();
  await stage.pass(15_000);
  expect(stage.facts).toEqual(["sc-1 of 2026-07-01T18:00:00.000Z files-missing"]);
});

test("of a channel that was deleted at the same moment nothing is told", async () => {
  const stage = new ScheduleStage("2026-07-01T18:00:00Z", new MemorySchedules(schedule(done("2026-07-01T17:00Z"))));
  stage.fault = "channel-not-found";
  await stage.start();
  await stage.pass(2_000);
  expect([stage.facts, stage.warnings]).toEqual([[], []]);
});

test("a database that fails at a start is asked again until it takes the record", async () => {
  const store = new MemorySchedules(schedule(done("2026-07-01T17:00Z")));
  const stage = new ScheduleStage("2026-07-01T17:59:59Z", store);
  await stage.start();
  const claim = store.claimStart.bind(store);
  let failures = 3;
  store.claimStart = async (scheduleId, time) => {
    failures -= 1;
    if (failures >= 0) throw new Error("locked");
    return claim(scheduleId, time);
  };
  await stage.pass(4_000);
  expect([failures, stage.played.length, stage.warnings.length]).toEqual([-1, 1, 2]);
});

test.each([
  { name: "that writes nothing", others: false, fail: ["claimStart", "putResult"] },
  { name: "that cannot be read", others: true, fail: ["listSchedules", "claimStart", "putResult"] },
] as const)("an end comes on time with a database $name", async ({ others, fail }) => {
  const times = { ...done("2026-07-01T17:00Z"), end: { durationSeconds: 1_800 } };
  const store = new MemorySchedules(
    schedule(times),
    schedule({ ...times, scheduleId: "sc-2", channelId: `${CHANNEL_ID}x`, ...span("20:20", "21:00") }),
  );
  const stage = new ScheduleStage("2026-07-01T17:59:59Z", store, { hasOthers: others });
  await stage.start();
  await stage.pass(10_000);
  for (const call of fail) {
    store[call] = async () => {
      throw new StoreUnavailableError("unreachable");
    };
  }
  await stage.pass(HOUR_MS);
  // The other channel's start is due from 20:20 on.
  expect(stage.played).toEqual(["2026-07-01T18:00:00.000Z sc-1 from 0 + 0", "2026-07-01T18:30:00.000Z sc-1 ends"]);
});

test("a run whose follower the database does not take goes on for ten seconds at most", async () => {
  const times = { ...done("2026-07-01T17:00Z"), end: { durationSeconds: 1_800 } };
  const following = (scheduleId: string) =>
    schedule({ ...done("2026-07-01T17:00Z"), scheduleId, ...span("20:30", "21:00") });
  const stages = ["short", "long"].map((name) => {
    const store = new MemorySchedules(schedule(times), following("sc-2"));
    return { name, store, stage: new ScheduleStage("2026-07-01T17:59:59Z", store) };
  });
  for (const { name, store, stage } of stages) {
    await stage.start();
    await stage.pass(HOUR_MS / 2 - 1_000);
    const claim = store.claimStart.bind(store);
    store.claimStart = async () => {
      throw new StoreUnavailableError("unreachable");
    };
    await stage.pass(name === "short" ? 8_000 : 20_000);
    store.claimStart = claim;
    await stage.pass(2_000);
  }
  const [short, long] = stages.map(({ stage }) => stage.played.slice(1));
  expect(short).toEqual(["2026-07-01T18:30:06.500Z sc-2 from 0 + 0"]);
  expect(long).toEqual(["2026-07-01T18:30:10.000Z sc-1 ends", "2026-07-01T18:30:18.500Z sc-2 from 0 + 0"]);
});

test("a schedule in a time zone that only another server knows is left to that, and holds up no other", async () => {
  const timing = { ...schedule().timing, timeZone: "Antarctica/Nowhere" };
  const store = new MemorySchedules(
    schedule({ ...done("2026-07-01T17:00Z"), scheduleId: "sc-0", channelId: `${CHANNEL_ID}x`, timing }),
    schedule(done("2026-07-01T17:00Z")),
  );
  const stage = new ScheduleStage("2026-07-01T17:59:59Z", store, { hasOthers: true });
  await stage.start();
  await stage.pass(10_000);
  expect([stage.played, stage.warnings]).toEqual([["2026-07-01T18:00:00.000Z sc-1 from 0 + 0"], []]);
});

test("a database that takes no result at the start of the server keeps no other schedule from being followed", async () => {
  const begun = { time: Date.parse("2026-07-01T17:00Z"), result: "BEGUN" } as const;
  const store = new MemorySchedules(
    ...["sc-a", "sc-b"].map((scheduleId) =>
      schedule({
        ...done("2026-07-01T17:00Z"),
        scheduleId,
        channelId: `${CHANNEL_ID}x`,
        isPaused: true,
        lastRun: begun,
      }),
    ),
    schedule({ ...done("2026-07-01T17:00Z"), end: { durationSeconds: 60 } }),
  );
  const stage = new ScheduleStage("2026-07-01T17:59:50Z", store);
  const put = store.putResult.bind(store);
  store.putResult = async () => {
    throw new StoreUnavailableError("full");
  };
  await stage.start();
  store.putResult = put;
  await stage.pass(30_000);
  expect(stage.played).toEqual(["2026-07-01T18:00:00.000Z sc-1 from 0 + 0"]);
  expect(stage.facts).toEqual([
    ...["sc-a", "sc-b"].map((name) => `${name} of 2026-07-01T17:00:00.000Z server-down`),
    "sc-1 of 2026-07-01T18:00:00.000Z started",
  ]);
});

test("a database that cannot be read at the start of the server is read again", async () => {
  const stage = new ScheduleStage("2026-07-01T17:59:50Z", new MemorySchedules(schedule(done("2026-07-01T17:00Z"))));
  const list = stage.store.listSchedules.bind(stage.store);
  stage.store.listSchedules = async () => {
    throw new StoreUnavailableError("locked");
  };
  await stage.start();
  stage.store.listSchedules = list;
  await stage.pass(11_000);
  expect(stage.played).toEqual(["2026-07-01T18:00:00.000Z sc-1 from 0 + 0"]);
});

test("a run that cannot be ended holds up no other", async () => {
  const times = { ...done("2026-07-01T17:00Z"), end: { durationSeconds: 1_800 } };
  const store = new MemorySchedules(
    schedule(times),
    schedule({ ...times, scheduleId: "sc-2", channelId: `${CHANNEL_ID}x` }),
  );
  const stage = new ScheduleStage("2026-07-01T17:59:59Z", store);
  await stage.start();
  await stage.pass(10_000);
  stage.endless = CHANNEL_ID;
  await stage.pass(HOUR_MS / 2);
  expect(stage.played.slice(2)).toEqual(["2026-07-01T18:30:00.000Z sc-2 ends"]);
});
