import { createHash } from "node:crypto";
import { sql } from "kysely";
import type { FailureLimits, OnceKind, SharedGuards } from "../../control/ports/shared-guards.ts";
import type { Database } from "../database/database.ts";
import { DATABASE_NOW } from "../database/database-time.ts";

/** Failures count for a minute from the first one on, in milliseconds. */
const MINUTE_MS = 60_000;
const FAILURE = "sign-in";
/** A node removes old rows at most this often, in milliseconds, and so many at a time. */
const PRUNE_INTERVAL_MS = 30_000;
const PRUNED_MAX = 10_000;

/** Shared guards in unlogged tables of PostgreSQL. Only hashes of values are stored. */
export class PostgresSharedGuards implements SharedGuards {
  readonly #database: Database;
  #prunedAtMs = Number.NEGATIVE_INFINITY;

  constructor(database: Database) {
    this.#database = database;
  }

  async useOnce(kind: OnceKind, value: string, forMs: number): Promise<boolean> {
    await this.#prune();
    return await this.#database.write(async (trx) => {
      const row = { kind, value: hashOf(value), until_time: sql<number>`${DATABASE_NOW} + ${forMs}` };
      const used = await trx
        .insertInto("guard_once")
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(["kind", "value"])
            .doUpdateSet({ until_time: row.until_time })
            .where("guard_once.until_time", "<", DATABASE_NOW),
        )
        .returning("kind")
        .executeTakeFirst();
      return used !== undefined;
    });
  }

  waitMs(limits: FailureLimits): Promise<number> {
    const byHash = new Map([...limits].map(([name, limit]) => [hashOf(name), limit]));
    return this.#database.read(async (db) => {
      const rows = await db
        .selectFrom("guard_count")
        .where("kind", "=", FAILURE)
        .where("value", "in", [...byHash.keys()])
        .select(["value", "count"])
        .select(sql<number>`from_time + ${MINUTE_MS} - ${DATABASE_NOW}`.as("left"))
        .execute();
      const waits = rows
        .filter(({ value, count }) => Number(count) >= (byHash.get(value) ?? Number.POSITIVE_INFINITY))
        .map(({ left }) => Number(left));
      return Math.max(0, ...waits);
    });
  }

  async failed(names: readonly string[]): Promise<void> {
    await this.#prune();
    // One order for all nodes: two transactions must not wait for each other.
    const values = [...new Set(names.map(hashOf))].sort();
    await this.#database.write(async (trx) => {
      for (const value of values) {
        await sql`insert into guard_count (kind, value, from_time, count) values (${FAILURE}, ${value}, ${DATABASE_NOW}, 1)
          on conflict (kind, value) do update set
            count = case when guard_count.from_time + ${MINUTE_MS} < ${DATABASE_NOW} then 1 else guard_count.count + 1 end,
            from_time = case when guard_count.from_time + ${MINUTE_MS} < ${DATABASE_NOW} then ${DATABASE_NOW}
              else guard_count.from_time end`.execute(trx);
      }
    });
  }

  async #prune(): Promise<void> {
    if (performance.now() - this.#prunedAtMs < PRUNE_INTERVAL_MS) return;
    this.#prunedAtMs = performance.now();
    await this.#database.write(async (trx) => {
      await sql`delete from guard_once where (kind, value) in
        (select kind, value from guard_once where until_time < ${DATABASE_NOW} limit ${PRUNED_MAX} for update skip locked)`.execute(
        trx,
      );
      await sql`delete from guard_count where (kind, value) in
        (select kind, value from guard_count where from_time + ${MINUTE_MS} < ${DATABASE_NOW} limit ${PRUNED_MAX}
          for update skip locked)`.execute(trx);
    });
  }
}

function hashOf(value: string): string {
  return createHash("sha256").update(value).digest("base64");
}
