import { type Kysely, type SelectQueryBuilder, sql } from "kysely";
import type { ChannelFilter } from "../../control/ports/store.ts";
import type { Schema } from "../schema/schema.ts";

/** The numbers that one row of `channel_count` stands for. The database's triggers count by it. */
const BLOCK = 1_000;

/** Where a place in the list is: `skip` channels below this number, which is not the channel's own. */
type ListPlace = { readonly below: number; readonly skip: number };

type BlockCount = { readonly block: number; readonly count: number };

/** How many channels of a list there are of each block of numbers. */
export class ChannelCounts {
  /** Newest first. */
  readonly #blocks: readonly BlockCount[];

  private constructor(blocks: readonly BlockCount[]) {
    this.#blocks = blocks;
  }

  /** Those of a state, or of all, without looking at them. */
  static async read(db: Kysely<Schema>, { state }: Pick<ChannelFilter, "state">): Promise<ChannelCounts> {
    const rows = await db.selectFrom("channel_count").orderBy("block", "desc").selectAll().execute();
    const countOf = ({ live, blocked }: (typeof rows)[number]) => {
      if (state === undefined) return Number(live) + Number(blocked);
      return state === "deleted" ? 0 : Number(state === "live" ? live : blocked);
    };
    return new ChannelCounts(rows.map((row) => ({ block: Number(row.block), count: countOf(row) })));
  }

  /** Those of these rows, each of which is looked at. */
  static async count(listed: SelectQueryBuilder<Schema, "listed_channel", object>): Promise<ChannelCounts> {
    const rows = await listed
      .select(sql<number>`instance_no / ${sql.lit(BLOCK)}`.as("block"))
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .groupBy("block")
      .orderBy("block", "desc")
      .execute();
    return new ChannelCounts(rows.map(({ block, count }) => ({ block: Number(block), count: Number(count) })));
  }

  /** The same without those of a list that is a part of this one. */
  without(others: ChannelCounts): ChannelCounts {
    const leftOut = new Map(others.#blocks.map(({ block, count }) => [block, count]));
    return new ChannelCounts(
      this.#blocks.map(({ block, count }) => ({ block, count: count - (leftOut.get(block) ?? 0) })),
    );
  }

  get total(): number {
    return this.#blocks.reduce((sum, { count }) => sum + count, 0);
  }

  /** Where the channel is that comes after so many, the newest first; undefined behind the last one. */
  placeAfter(offset: number): ListPlace | undefined {
    let skip = offset;
    for (const { block, count } of this.#blocks) {
      if (skip < count) return { below: (block + 1) * BLOCK, skip };
      skip -= count;
    }
    return undefined;
  }
}
