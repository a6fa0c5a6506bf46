import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { watchDatabase } from "../../../src/app/control-thread/database-watch.ts";
import { openStorage } from "../../../src/app/data-folder/storage.ts";
import type { LogFields } from "../../../src/base/log.ts";
import { ServerTroubles } from "../../../src/control/live/server-troubles.ts";
import { probeWrite } from "../../../src/store/database/write-probe.ts";
import { ManualClock } from "../../control/manual-clock.ts";
import { waitFor } from "../../support/processes/waiting.ts";

const DEADLINE_MS = 10_000;

test("a database that refuses writes is a server trouble from the first refused write, and ends without another write", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-watch-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new ManualClock();
  const reported: string[] = [];
  const logged: unknown[] = [];
  const troubles = new ServerTroubles({
    clock,
    publish: ({ trouble, isOver }) => reported.push(`${trouble.name}${isOver ? " over" : ""}`),
  });
  const note = (event: string, { detail }: LogFields = {}) => void logged.push([event, detail]);
  const storage = await openStorage({ dataDir: folder });
  watchDatabase(storage, troubles, { debug: note, info: note, warn: note, error: note }, clock);
  await probeWrite(storage.database);
  expect(reported).toEqual([]);

  const other = new DatabaseSync(join(folder, "fanfare.db"));
  other.exec("BEGIN IMMEDIATE");
  for (let count = 0; count < 2; count += 1) {
    await expect(probeWrite(storage.database)).rejects.toMatchObject({ trouble: "locked" });
  }
  expect(reported).toEqual(["database-unwritable"]);
  other.exec("ROLLBACK");
  other.close();
  clock.advance(1_999);
  expect(reported).toEqual(["database-unwritable"]);
  clock.advance(1);
  await waitFor("its end", DEADLINE_MS, () => (reported.length > 1 ? true : undefined));
  expect(reported).toEqual(["database-unwritable", "database-unwritable over"]);
  expect(logged).toEqual([
    ["database takes no write", "database is locked"],
    ["database can be written again", undefined],
  ]);
  await storage.close();
});
