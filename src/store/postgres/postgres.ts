import { Kysely, PostgresDialect } from "kysely";
import { Database } from "../database/database.ts";
import { catchUpNumbers } from "../database/numbers.ts";
import { migrate } from "../migrations/migrate.ts";
import { commonKeyId } from "../ownership/common-key.ts";
import type { Schema } from "../schema/schema.ts";
import { checkProofs, isSealed, putProof } from "../secrets/key-proof.ts";
import { type MasterKey, Secrets, sealingFirst } from "../secrets/secrets.ts";
import { PostgresDdlPlugin } from "./ddl-plugin.ts";
import { noRefusals, openPool, type PoolOptions, type PoolTimeouts } from "./pool.ts";
import { postgresTrouble } from "./postgres-trouble.ts";
import { checkServer, isRefusal, PostgresError, serverName } from "./server-check.ts";

/** Migrations wait this long for another node's, and their statements may take as long. In milliseconds. */
const MIGRATION_TIMEOUTS: PoolTimeouts = { statementMs: 600_000, lockMs: 60_000, answerMs: 610_000, connectMs: 5_000 };

export type PostgresOptions = {
  /** `postgres://user:password@host:port/database`, with the parameters of `pg`. */
  readonly url: string;
  /**
   * The wanted key first; the one that seals is the first that all nodes have. None is ever made here: two first nodes would
   * make two.
   */
  readonly keys: readonly [MasterKey, ...MasterKey[]];
  /** Where the keys come from, for messages: a path or a setting's name. */
  readonly keysFrom: string;
  /** An idle connection broke; the next query opens another one. */
  readonly onBroken?: (error: Error) => void;
  /** For the stores' statements; default: the usual ones. */
  readonly timeouts?: PoolTimeouts;
};

/**
 * Connects to a PostgreSQL server (15 or later) and brings its tables up to date; nodes that start together wait for each
 * other there. Throws PostgresError where the server cannot be used, KeyFileError where the keys do not open what it holds,
 * DatabaseFileError where a newer version wrote it.
 */
export async function openPostgresDatabase({
  url,
  keys,
  keysFrom,
  onBroken,
  timeouts,
}: PostgresOptions): Promise<Database> {
  const path = serverName(url);
  const secrets = new Secrets(keys);
  const migrating = tablesOver(url, { onBroken, timeouts: MIGRATION_TIMEOUTS });
  try {
    await checkServer(migrating, path);
    if (await isSealed(migrating)) await checkProofs(migrating, keys, keysFrom);
    await migrate(migrating, secrets, path);
    await catchUpNumbers(migrating);
    await checkProofs(migrating, keys, keysFrom);
    const [first, ...others] = keys;
    const sealing = await commonKeyId(migrating, [first.id, ...others.map(({ id }) => id)]);
    secrets.replaceKeys(sealingFirst(keys, sealing));
    await putProof(migrating, secrets, sealing);
  } catch (error) {
    throw postgresTrouble(error) === undefined && !isRefusal(error) ? error : new PostgresError(path, error);
  } finally {
    await migrating.destroy();
  }
  const pool = { onBroken, timeouts, refusals: noRefusals() };
  const connections = { reader: tablesOver(url, pool), writer: tablesOver(url, pool) };
  return new Database({ connections, secrets, explainTrouble: postgresTrouble, path });
}

function tablesOver(url: string, options: PoolOptions): Kysely<Schema> {
  const dialect = new PostgresDialect({ pool: openPool(url, options) });
  return new Kysely<Schema>({ dialect, plugins: [new PostgresDdlPlugin()] });
}
