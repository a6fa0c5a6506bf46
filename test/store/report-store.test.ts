import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SqlReportStore } from "../../src/store/reports/report-store.ts";
import { openSqliteDatabase } from "../../src/store/sqlite/sqlite.ts";
import "./suites/report-suite.ts";

const A = "ls-20260101000000-00001";
const REPORT = { channelId: A, interruptions: { list: [], count: 0 }, targets: [] };

// On PostgreSQL they may be those of other nodes: see test/store/postgres/finish.system.test.ts.
test("a broadcast that a lost process left on air is ended, with what was known of it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-reports-"));
  const { database } = await openSqliteDatabase(join(folder, "fanfare.db"));
  onTestFinished(async () => {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const reports = new SqlReportStore(database);
  const left = { ...REPORT, startTime: 20, endTime: 25 };
  const over = { ...REPORT, startTime: 1, endTime: 10, end: "clean" } as const;
  await reports.putReports([left, over]);
  expect(await reports.endReportsLeft()).toEqual([{ channelId: A, endTime: 25 }]);
  expect(await reports.endReportsLeft()).toEqual([]);
  const listed = await reports.listReports(A, { number: 1, size: 10 });
  expect(listed.reports).toEqual([{ ...left, end: "server-lost" }, over]);
});
