import { Kysely, PostgresDialect } from "kysely";
import type { Schema } from "../schema/schema.ts";
import { openPool } from "./pool.ts";
import { postgresTrouble } from "./postgres-trouble.ts";
import { checkServer, isRefusal, PostgresError, serverName } from "./server-check.ts";

/**
 * Connects to a PostgreSQL server, checks that a Fanfare server could use it, and returns what `look` returns. Changes
 * nothing. `look` gets the server's name without its login. Throws PostgresError where the server cannot be used.
 */
export async function readPostgresDatabase<Result>(
  url: string,
  look: (db: Kysely<Schema>, server: string) => Promise<Result>,
): Promise<Result> {
  const server = serverName(url);
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: openPool(url) }) });
  try {
    await checkServer(db, server);
    return await look(db, server);
  } catch (error) {
    throw postgresTrouble(error) === undefined && !isRefusal(error) ? error : new PostgresError(server, error);
  } finally {
    await db.destroy();
  }
}
