import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { openSqliteDatabase } from "../../src/store/sqlite/sqlite.ts";
import "./suites/channel-list-suite.ts";

test("a page of the list and a search read the narrow rows, and a late page begins near its first channel", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-listing-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { database } = await openSqliteDatabase(join(folder, "fanfare.db"));
  await database.close();
  const connection = new DatabaseSync(join(folder, "fanfare.db"), { readOnly: true });
  const planOf = (sql: string) =>
    connection
      .prepare(`explain query plan ${sql}`)
      .all()
      .map((row) => row["detail"]);
  // In the form in which the store writes it.
  const page = "order by instance_no desc limit 20 offset 980";
  expect(planOf(`select instance_no from listed_channel where instance_no < 99000 ${page}`)).toEqual([
    "SEARCH listed_channel USING INTEGER PRIMARY KEY (rowid<?)",
  ]);
  expect(planOf(`select instance_no from listed_channel where name like '%a%' ${page}`)).toEqual([
    "SCAN listed_channel",
  ]);
  connection.close();
});
