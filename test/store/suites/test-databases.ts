import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "../../../src/store/database/database.ts";
import { openSqliteDatabase } from "../../../src/store/sqlite/sqlite.ts";
import { openEmptyDatabase } from "../../support/stages/made-database.ts";

/** A database of one test, empty at first. */
export type TestDatabase = {
  /** Opens it; opens it again after `close` of the returned database. */
  open(): Promise<Database>;
  remove(): Promise<void>;
};

let make: () => Promise<TestDatabase> = async () => {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-database-"));
  const path = join(folder, "fanfare.db");
  return {
    open: async () => (existsSync(path) ? (await openSqliteDatabase(path)).database : openEmptyDatabase(path)),
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
};

/** Makes the database that a suite's test uses: SQLite's unless another kind was chosen. */
export function newTestDatabase(): Promise<TestDatabase> {
  return make();
}

/** Runs the suites that are imported after this on databases of another kind. */
export function useTestDatabases(other: () => Promise<TestDatabase>): void {
  make = other;
}
