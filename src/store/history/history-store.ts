import type { HistoryBlock, HistoryLimits, HistoryStep, HistoryStore } from "../../control/history/history.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Database } from "../database/database.ts";
import { blockBytes, readBlockBytes } from "./block-bytes.ts";

/** History blocks, one row for each. */
export class SqlHistoryStore implements HistoryStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  putBlocks(blocks: readonly HistoryBlock[]): Promise<void> {
    const rows = blocks.map((block) => ({
      channel_id: block.channelId,
      step: block.step,
      start_time: block.times[0] ?? 0,
      end_time: block.times.at(-1) ?? 0,
      series: blockBytes(block).toString("base64"),
    }));
    return this.#database.write(async (trx) => {
      for (const row of rows) {
        const { end_time, series } = row;
        await trx
          .insertInto("history")
          .values(row)
          .onConflict((conflict) =>
            conflict.columns(["channel_id", "step", "start_time"]).doUpdateSet({ end_time, series }),
          )
          .execute();
      }
    });
  }

  readBlocks(channelId: ChannelId, step: HistoryStep, from: number, to: number): Promise<readonly HistoryBlock[]> {
    return this.#database.read(async (db) => {
      const rows = await db
        .selectFrom("history")
        .where("channel_id", "=", channelId)
        .where("step", "=", step)
        .where("start_time", "<=", to)
        .where("end_time", ">=", from)
        .orderBy("start_time")
        .select("series")
        .execute();
      return rows.map(({ series }) => ({ channelId, step, ...readBlockBytes(Buffer.from(series, "base64")) }));
    });
  }

  removeSeconds(channelId: ChannelId, before: number): Promise<void> {
    return this.#database.write(async (trx) => {
      await trx
        .deleteFrom("history")
        .where("channel_id", "=", channelId)
        .where("step", "=", "second")
        .where("start_time", "<", before)
        .execute();
    });
  }

  pruneHistory({ secondsBefore, minutesBefore }: HistoryLimits, limit: number): Promise<number> {
    return this.#database.write(async (trx) => {
      const old = await trx
        .selectFrom("history")
        .where(({ and, eb, or }) =>
          or([
            and([eb("step", "=", "second"), eb("end_time", "<", secondsBefore)]),
            and([eb("step", "=", "minute"), eb("end_time", "<", minutesBefore)]),
          ]),
        )
        .limit(limit)
        .select(["channel_id", "step", "start_time"])
        .execute();
      for (const { channel_id, step, start_time } of old) {
        await trx
          .deleteFrom("history")
          .where("channel_id", "=", channel_id)
          .where("step", "=", step)
          .where("start_time", "=", start_time)
          .execute();
      }
      return old.length;
    });
  }
}
