import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Database } from "../../../src/store/database/database.ts";
import { FILE_MODE, KEY_FILE_NAME, openSqliteDatabase } from "../../../src/store/sqlite/sqlite.ts";

type Made = { readonly database: Buffer; readonly key: Buffer };

/** What a first start makes, once a test of this process needed it. */
let made: Promise<Made> | undefined;

async function make(): Promise<Made> {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-made-"));
  try {
    const path = join(folder, "fanfare.db");
    const { database } = await openSqliteDatabase(path);
    await database.close();
    return { database: readFileSync(path), key: readFileSync(join(folder, KEY_FILE_NAME)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Opens a database without content at this path: a copy of one that was made before, since all migrations take longer
 * than most tests. All copies have the same key.
 */
export async function openEmptyDatabase(path: string): Promise<Database> {
  made ??= make();
  const { database, key } = await made;
  writeFileSync(path, database, { mode: FILE_MODE });
  writeFileSync(join(dirname(path), KEY_FILE_NAME), key, { mode: FILE_MODE });
  return (await openSqliteDatabase(path)).database;
}
