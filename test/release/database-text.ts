import { DatabaseSync } from "node:sqlite";

/** Everything that a SQLite file holds, as SQL that makes it again: one statement a line, except where values have lines. */
export function databaseText(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const objects = rowsOf(
      database,
      "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY rowid",
    );
    const made = objects.filter(({ sql }) => sql !== "").map(({ sql }) => `${sql};`);
    const tables = objects.filter(({ type }) => type === "table").map(({ name = "" }) => name);
    const numbered = rowsOf(database, "SELECT name FROM sqlite_schema WHERE name = 'sqlite_sequence'");
    const purged = rowsOf(database, "PRAGMA user_version")[0]?.["user_version"] ?? "0";
    return [
      `PRAGMA user_version = ${purged};`,
      ...made,
      ...tables.flatMap((table) => insertsOf(database, table)),
      // Inserting the rows above has filled it.
      ...numbered.flatMap(({ name = "" }) => [`DELETE FROM ${name};`, ...insertsOf(database, name)]),
      "",
    ].join("\n");
  } finally {
    database.close();
  }
}

/** Makes the database file again. */
export function restoreDatabase(path: string, text: string): void {
  const database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  database.exec(`BEGIN;\n${text}COMMIT;`);
  database.close();
}

/** The rows of a query, their values as text; empty for null. */
function rowsOf(database: DatabaseSync, query: string): readonly Record<string, string>[] {
  const rows = database.prepare(query).all();
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, `${value ?? ""}`])));
}

function insertsOf(database: DatabaseSync, table: string): readonly string[] {
  const columns = rowsOf(database, `PRAGMA table_info("${table}")`).map(({ name = "" }) => `"${name}"`);
  const values = columns.map((column) => `quote(${column})`).join(" || ', ' || ");
  const rows = rowsOf(database, `SELECT ${values} AS line FROM "${table}"`);
  return rows.map(({ line = "" }) => `INSERT INTO "${table}" (${columns.join(", ")}) VALUES (${line});`);
}
