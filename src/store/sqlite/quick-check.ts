import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

/**
 * A file up to this size is checked at start: SQLite reads some hundred MiB a second, and a start must not take
 * minutes.
 */
const WHOLE_BYTES_MAX = 256 * 1024 * 1024;
/** In a larger file the tables that grow with time are left to `fanfare doctor`. */
const GROWING_TABLES: ReadonlySet<string> = new Set(["event", "delivery", "report", "history", "audit"]);
/** A damaged file has more problems than anybody reads. */
const PROBLEMS_MAX = 20;

export type CheckResult = {
  /** What is wrong, in SQLite's words; empty where nothing was found. */
  readonly problems: readonly string[];
  /** Tables that were not checked. */
  readonly skipped: readonly string[];
};

/** Checks table by table whether pages and rows are intact. SQLite's quick_check does not compare indexes with rows. */
export function quickCheck(connection: DatabaseSync, path: string): CheckResult {
  const isLarge = statSync(path).size > WHOLE_BYTES_MAX;
  try {
    const names = tableNames(connection);
    const skipped = isLarge ? names.filter((name) => GROWING_TABLES.has(name)) : [];
    const problems = names.filter((name) => !skipped.includes(name)).flatMap((name) => checkTable(connection, name));
    return { problems: problems.slice(0, PROBLEMS_MAX), skipped };
  } catch (error) {
    return { problems: [textOf(error)], skipped: [] };
  }
}

/** Checks everything: every page, every row, every index. Takes as long as it takes. */
export function wholeCheck(connection: DatabaseSync): readonly string[] {
  try {
    const problems = messages(connection, `PRAGMA integrity_check(${PROBLEMS_MAX})`, "integrity_check");
    const foreign = connection.prepare("PRAGMA foreign_key_check").all();
    const orphans = foreign.slice(0, PROBLEMS_MAX).map(({ table, rowid, parent }) => {
      return `row ${String(rowid)} of ${String(table)} belongs to a row of ${String(parent)} that does not exist`;
    });
    return [...problems, ...orphans];
  } catch (error) {
    return [textOf(error)];
  }
}

function tableNames(connection: DatabaseSync): string[] {
  const rows = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  return rows.map(({ name }) => String(name));
}

/** A table that cannot be read at all must not hide the others. */
function checkTable(connection: DatabaseSync, name: string): string[] {
  const quoted = `'${name.replaceAll("'", "''")}'`;
  try {
    return messages(connection, `PRAGMA quick_check(${quoted})`, "quick_check").map((text) => `${name}: ${text}`);
  } catch (error) {
    return [`${name}: ${textOf(error)}`];
  }
}

function messages(connection: DatabaseSync, sql: string, column: string): string[] {
  const rows = connection.prepare(sql).all();
  return rows.map((row) => String(row[column])).filter((text) => text !== "ok");
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
