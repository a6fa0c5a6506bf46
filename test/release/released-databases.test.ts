import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { areCompatible } from "../../src/store/migrations/schema-compat.ts";
import { openReader, openSqliteDatabase } from "../../src/store/sqlite/sqlite.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";
import { Stage } from "../support/stages/stage.ts";
import { DATABASES, RELEASED_CREDENTIALS, readAnswers, readRecorded, restoreReleased } from "./released-sample.ts";

/** Every version whose database is kept, the oldest first. */
const VERSIONS = globSync("*.json", { cwd: DATABASES })
  .map((name) => basename(name, ".json"))
  .toSorted((one, other) => one.localeCompare(other, "en", { numeric: true }));
/** Versions from before several servers could share a database. */
const SINGLE = ["0.1.0"];

test("the database of the first released version is kept", () => expect(VERSIONS[0]).toBe("0.1.0"));

test.each(VERSIONS)("this version opens the database of %s, and answers what that version did", async (version) => {
  const recorded = readRecorded(version);
  const stage = await Stage.open();
  const dataFolder = join(stage.folder, "data");
  restoreReleased(dataFolder, recorded);
  // The server's clock shows the time of the recording: later, events that are too old would be gone.
  const file = join(stage.folder, "ahead-ms");
  writeFileSync(file, `${recorded.timeMs - Date.now()}`);
  const preload = pathToFileURL(join(ROOT, "test", "support", "stages", "stepping-clock.mjs"));
  const environment = { NODE_OPTIONS: `--import=${preload}`, FANFARE_TEST_CLOCK_FILE: file };
  const fanfare = await stage.fanfare({ dataFolder, credentials: RELEASED_CREDENTIALS, environment });

  const answers = await readAnswers(fanfare.origin);

  expect(Object.keys(recorded.answers).length).toBeGreaterThanOrEqual(12);
  // New fields are allowed, other values are not.
  expect(answers).toMatchObject(recorded.answers);
});

test.each(VERSIONS.slice(-1))(
  "servers of the last release, %s, go on beside this version, if that release knew several servers",
  async (version) => {
    const folder = mkdtempSync(join(tmpdir(), "fanfare-released-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    restoreReleased(folder, readRecorded(version));
    const path = join(folder, "fanfare.db");
    const released = await stepsIn(path);
    const { database } = await openSqliteDatabase(path);
    await database.close();
    const later = (await stepsIn(path)).filter((step) => !released.includes(step));

    const reader = openReader(path);
    onTestFinished(() => reader.destroy());
    // Each step that the release does not know needs its row in `schema_compat`: see docs/compatibility.md.
    expect(await areCompatible(reader, later, released)).toBe(!SINGLE.includes(version));
  },
);

async function stepsIn(path: string): Promise<readonly string[]> {
  const reader = openReader(path);
  try {
    const { rows } = await sql<{ name: string }>`SELECT name FROM kysely_migration ORDER BY name`.execute(reader);
    return rows.map(({ name }) => name);
  } finally {
    await reader.destroy();
  }
}
