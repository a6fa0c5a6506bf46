import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { countRows } from "../../src/store/database/count-rows.ts";
import { openConnection, openSqliteDatabase } from "../../src/store/sqlite/sqlite.ts";
import { tablesOver } from "../../src/store/sqlite/tables.ts";

const COUNTED_MAX = 3;

test("a long list is counted so far that a reader who goes on sees that more follow", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-counting-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "fanfare.db");
  await (await openSqliteDatabase(path)).database.close();
  const connection = openConnection(path);
  const db = tablesOver(connection);
  onTestFinished(() => db.destroy());
  const totalAt = (number: number, size: number) =>
    countRows(db, db.selectFrom("event").where("channel_id", "=", "a"), { number, size }, COUNTED_MAX);
  const add = (eventId: number, channelId: string) =>
    connection.exec(
      `insert into event (event_id, channel_id, code, level, time, description) values (${eventId}, '${channelId}', 'X', 'INFO', 1, '')`,
    );
  for (let eventId = 1; eventId <= 3; eventId += 1) add(eventId, "a");
  add(100, "b");
  expect(await totalAt(1, 1)).toBe(3);
  for (let eventId = 4; eventId <= 7; eventId += 1) add(eventId, "a");
  expect(await totalAt(1, 1)).toBe(3);
  expect(await totalAt(3, 1)).toBe(6);
  expect(await totalAt(2, 2)).toBe(7);
});
