import { REFUSAL_REASONS, type RefusedEncoder, refusalKey } from "../../control/facts/refusal-list.ts";
import type { RefusalLimits, RefusedEncoderStore } from "../../control/live/refused-encoders.ts";
import type { Database } from "../database/database.ts";
import type { RefusedEncoderRow } from "../schema/event-schema.ts";

/** Rejected encoders, a row for each address and reason. No row has the key that was tried. */
export class SqlRefusedEncoderStore implements RefusedEncoderStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  addRefusals(attempts: readonly RefusedEncoder[], { max, since }: RefusalLimits): Promise<void> {
    // In one order, so that two nodes do not wait for each other.
    const rows = attempts.map(rowOf).toSorted((left, right) => (left.entry < right.entry ? -1 : 1));
    return this.#database.write(async (trx) => {
      for (const row of rows) {
        await trx
          .insertInto("refused_encoder")
          .values(row)
          .onConflict((conflict) =>
            conflict.column("entry").doUpdateSet((is) => ({
              last_time: row.last_time,
              attempts: is("refused_encoder.attempts", "+", row.attempts),
            })),
          )
          .execute();
      }
      const kept = trx
        .selectFrom("refused_encoder")
        .where("last_time", ">=", since)
        .orderBy("last_time", "desc")
        .orderBy("entry")
        .limit(max)
        .select("entry");
      await trx.deleteFrom("refused_encoder").where("entry", "not in", kept).execute();
    });
  }

  listRefusals({ max, since }: RefusalLimits): Promise<readonly RefusedEncoder[]> {
    return this.#database.read(async (db) => {
      const rows = await db
        .selectFrom("refused_encoder")
        .where("last_time", ">=", since)
        .orderBy("last_time", "desc")
        .orderBy("entry")
        .limit(max)
        .selectAll()
        .execute();
      return rows.flatMap(readRow);
    });
  }
}

function rowOf(refusal: RefusedEncoder): RefusedEncoderRow {
  return {
    entry: refusalKey(refusal),
    remote_address: refusal.remoteAddress,
    reason: refusal.reason,
    channel_id: refusal.channelId ?? null,
    first_time: refusal.firstTime,
    last_time: refusal.lastTime,
    attempts: refusal.count,
  };
}

/** Nothing for a reason that only the next version knows. */
function readRow(row: RefusedEncoderRow): readonly RefusedEncoder[] {
  const reason = REFUSAL_REASONS.find((each) => each === row.reason);
  if (reason === undefined) return [];
  return [
    {
      ...{ remoteAddress: row.remote_address, reason },
      ...(row.channel_id === null ? {} : { channelId: row.channel_id }),
      firstTime: Number(row.first_time),
      lastTime: Number(row.last_time),
      count: Number(row.attempts),
    },
  ];
}
