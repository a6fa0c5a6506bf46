import { afterEach, beforeEach, expect, test } from "vitest";
import { parsePathInteger } from "../../../src/api-contract/schemas/field-errors.ts";
import type { BroadcastReport, FinishedReport } from "../../../src/control/reports/reports.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { SqlEventStore } from "../../../src/store/events/event-store.ts";
import { SqlReportStore } from "../../../src/store/reports/report-store.ts";
import { newTestDatabase, type TestDatabase } from "./test-databases.ts";

const A = "ls-20260101000000-00001";
const B = "ls-20260101000000-00002";
const PAGE = { number: 1, size: 10 };

let place: TestDatabase;
let database: Database;
let reports: SqlReportStore;
beforeEach(async () => {
  place = await newTestDatabase();
  database = await place.open();
  reports = new SqlReportStore(database);
});
afterEach(async () => {
  await database.close();
  await place.remove();
});

function running(channelId: string, startTime: number, endTime: number): BroadcastReport {
  return {
    channelId,
    startTime,
    endTime,
    interruptions: { list: [], count: 0 },
    targets: [
      {
        targetId: 7,
        targetName: "YOUTUBE",
        onAirMs: 5,
        bytes: 6,
        retryCount: 1,
        drops: { overTime: 1, overBytes: 2, untilKeyframe: 3 },
        interruptions: { list: [{ time: 2, durationMs: 3, reason: "TCP_RESET" }], count: 1 },
      },
    ],
  };
}
const over = (channelId: string, startTime: number, endTime: number): FinishedReport => ({
  ...running(channelId, startTime, endTime),
  end: "clean",
});

test("reports of a channel's ended broadcasts are listed newest first, by pages", async () => {
  await reports.putReports([over(A, 1, 10), over(A, 30, 40), over(B, 5, 6), over(A, 11, 20), running(A, 50, 60)]);
  expect(await reports.listReports(A, PAGE)).toEqual({
    reports: [over(A, 30, 40), over(A, 11, 20), over(A, 1, 10)],
    total: 3,
  });
  expect(await reports.listReports(A, { number: 2, size: 2 })).toEqual({ reports: [over(A, 1, 10)], total: 3 });
});

test.each(["9".repeat(17), "9".repeat(400)])("the number %s in a path is that of no report", async (digits) => {
  const read = parsePathInteger("startTime", digits);
  if ("error" in read) throw new Error("no integer");
  expect(await reports.findReport(A, read.value)).toBeUndefined();
});

test("a later report of the same broadcast replaces the earlier one", async () => {
  await reports.putReports([running(A, 1, 5)]);
  await reports.putReports([running(A, 1, 10)]);
  expect((await reports.listReports(A, PAGE)).total).toBe(0);
  await reports.putReports([{ ...over(A, 1, 12), targets: [] }]);
  expect(await reports.listReports(A, PAGE)).toEqual({ reports: [{ ...over(A, 1, 12), targets: [] }], total: 1 });
});

test("reports are removed with the events of their time, and those of broadcasts on air stay", async () => {
  await reports.putReports([over(A, 1, 10), over(A, 11, 20), running(A, 5, 6)]);
  await new SqlEventStore(database).pruneEvents(20, 500);
  expect((await reports.listReports(A, PAGE)).reports).toEqual([over(A, 11, 20)]);
  await reports.putReports([over(A, 5, 6)]);
  expect((await reports.listReports(A, PAGE)).total).toBe(2);
});
