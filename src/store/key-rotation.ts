import { statSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { Kysely, Transaction } from "kysely";
import { sql } from "kysely";
import type { Database } from "./database/database.ts";
import { writesSideBySide } from "./database/locks.ts";
import type { Schema } from "./schema/schema.ts";
import { KeyFileError, readKeyFile } from "./secrets/key-file.ts";
import { checkProofs, putProof } from "./secrets/key-proof.ts";
import { SEALED_TABLES } from "./secrets/sealed-columns.ts";
import type { Secrets } from "./secrets/secrets.ts";
import { sealedPrefix } from "./secrets/secrets.ts";

/** Rows that are sealed again in one transaction. Writes of the API can run between two of them. */
const BATCH_ROWS = 50;

/** A row that was written while the key changed is found in the next pass; a third pass finds none. */
const PASSES_MAX = 3;

type SealedTable = (typeof SEALED_TABLES)[number];
type Row = Readonly<Record<string, unknown>>;

/** The parts of the database that a rotation uses. */
type RotatedDatabase = Pick<Database, "read" | "write" | "secrets">;

/** The result of a changed key file. */
export type Rotation = { readonly keyId: string; readonly resealedRows: number };

/**
 * Follows the key file of a database in use. First it stores a proof of the new first key, then it seals every older
 * value with that key, and last it deletes the older keys' proofs. At whatever point the process dies, the file has
 * every key that the database needs, and the next start goes on.
 */
export class KeyRotation {
  readonly #database: RotatedDatabase;
  readonly #keyFilePath: string;
  #takenStamp: string | undefined;

  constructor(database: RotatedDatabase, keyFilePath: string) {
    this.#database = database;
    this.#keyFilePath = keyFilePath;
  }

  /**
   * Applies a changed key file; undefined where nothing changed. Throws KeyFileError where the file is missing or lacks
   * a key that is needed: the known keys stay in use then, and the next call tries again.
   */
  async takeUp(): Promise<Rotation | undefined> {
    const stamp = fileStamp(this.#keyFilePath);
    if (stamp === this.#takenStamp) return undefined;
    const { secrets } = this.#database;
    const keys = readKeyFile(this.#keyFilePath);
    const [first] = keys ?? [];
    if (keys === undefined || first === undefined) {
      throw new KeyFileError(`the encryption key file ${this.#keyFilePath} is missing: put back your copy of it.`);
    }
    await this.#database.read((db) => checkProofs(db, keys, this.#keyFilePath));
    if (first.id !== secrets.currentKeyId) {
      // At first the new key only opens values; the old one still seals.
      const former = keys.filter((key) => key.id === secrets.currentKeyId);
      secrets.replaceKeys([...former, ...keys.filter((key) => key.id !== secrets.currentKeyId)]);
      await this.#database.write((trx) => putProof(trx, secrets, first.id));
    }
    secrets.replaceKeys(keys);
    const resealedRows = await resealAll(this.#database);
    this.#takenStamp = stamp;
    return resealedRows === undefined ? undefined : { keyId: first.id, resealedRows };
  }
}

/** The ids of the keys that seal values of this database. */
export async function provenKeyIds(db: Kysely<Schema>): Promise<readonly string[]> {
  const rows = await db.selectFrom("encryption_key").select("key_id").orderBy("key_id").execute();
  return rows.map((row) => row.key_id);
}

function fileStamp(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "none" : `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
}

/** Seals again, with the present key, every value that another key sealed. Undefined where no other key is in use. */
export async function resealAll(database: RotatedDatabase): Promise<number | undefined> {
  const { secrets } = database;
  const inUse = await database.read(provenKeyIds);
  if (inUse.every((id) => id === secrets.currentKeyId)) return undefined;
  let count = 0;
  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    for (const table of SEALED_TABLES) count += await resealTable(database, table);
    if (await database.write((trx) => dropOldProofs(trx, secrets))) return count;
  }
  throw new Error("values under an older encryption key keep turning up");
}

async function resealTable(database: RotatedDatabase, table: SealedTable): Promise<number> {
  const { secrets } = database;
  const columns = sql.join(
    [table.id, ...table.columns.map(({ name }) => name)].map((name) => sql.ref(name)),
    sql`, `,
  );
  let count = 0;
  let after: unknown;
  for (;;) {
    const condition = after === undefined ? sql`1 = 1` : sql`${sql.ref(table.id)} > ${after}`;
    const batch = sql<Row>`select ${columns} from ${sql.table(table.table)} where ${condition}
      order by ${sql.ref(table.id)} limit ${sql.lit(BATCH_ROWS)}`;
    const seen = await database.read((db) => batch.execute(db));
    if (seen.rows.some((row) => isStale(row, table, secrets))) {
      count += await database.write(async (trx) => {
        const { rows } = await (writesSideBySide(trx) ? sql<Row>`${batch} for update` : batch).execute(trx);
        const stale = rows.filter((row) => isStale(row, table, secrets));
        for (const row of stale) await resealRow(trx, row, table, secrets);
        return stale.length;
      });
    }
    const last = seen.rows.at(-1);
    if (last === undefined || seen.rows.length < BATCH_ROWS) return count;
    after = last[table.id];
    // The driver never waits, so without this pause no request would be read before all is done.
    await setImmediate();
  }
}

function isStale(row: Row, { columns }: SealedTable, secrets: Secrets): boolean {
  const prefix = sealedPrefix(secrets.currentKeyId);
  return columns.some(({ name }) => row[name] !== "" && !String(row[name]).startsWith(prefix));
}

async function resealRow(trx: Transaction<Schema>, row: Row, table: SealedTable, secrets: Secrets): Promise<void> {
  const sets = table.columns.flatMap(({ name, index }) => {
    // Empty values are not sealed and have no index.
    if (row[name] === "") return [];
    const place = { table: table.table, column: name, row: String(row[table.id]) };
    const text = secrets.open(String(row[name]), place);
    const set = sql`${sql.ref(name)} = ${secrets.seal(text, place)}`;
    return index === undefined ? [set] : [set, sql`${sql.ref(index)} = ${secrets.index(text, table.table, name)}`];
  });
  await sql`update ${sql.table(table.table)} set ${sql.join(sets, sql`, `)}
    where ${sql.ref(table.id)} = ${row[table.id]}`.execute(trx);
}

/** Returns false and does nothing where a value under another key is left. */
async function dropOldProofs(trx: Transaction<Schema>, secrets: Secrets): Promise<boolean> {
  const prefix = sealedPrefix(secrets.currentKeyId);
  for (const { table, columns } of SEALED_TABLES) {
    for (const { name } of columns) {
      const column = sql.ref(name);
      const { rows } = await sql`select 1 from ${sql.table(table)}
        where ${column} <> '' and substr(${column}, 1, ${prefix.length}) <> ${prefix} limit 1`.execute(trx);
      if (rows.length > 0) return false;
    }
  }
  await trx.deleteFrom("encryption_key").where("key_id", "!=", secrets.currentKeyId).execute();
  return true;
}
