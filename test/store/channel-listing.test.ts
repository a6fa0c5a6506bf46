import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { openSqliteDatabase } from "../../src/store/sqlite/sqlite.ts";
import "./suites/channel-list-suite.ts";

test("a page of the list and a search are read from an index alone, and a late page begins near its first channel", async () => {
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
  const listed = "from channel where state != 'deleted'";
  const covering = ["SCAN channel USING COVERING INDEX channel_list"];
  expect(
    planOf(`select instance_no ${listed} and instance_no < 99000 order by instance_no desc limit 20 offset 980`),
  ).toEqual(["SEARCH channel USING COVERING INDEX channel_list (instance_no<?)"]);
  expect(planOf(`select count(*) ${listed} and lower(name) like '%a%'`)).toEqual(covering);
  connection.close();
});
