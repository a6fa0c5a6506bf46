import type { Kysely } from "kysely";
import type { ChannelFilter } from "../../control/ports/store.ts";
import type { Schema } from "../schema/schema.ts";

/** The numbers that one row of `channel_count` stands for. The database's triggers count by it. */
const BLOCK = 1_000;

/** Where a place in the list is: `skip` channels below this number, which is not the channel's own. */
type ListPlace = { readonly below: number; readonly skip: number };

/** How many channels of a state, or of all, there are of each block of numbers. */
export class ChannelCounts {
  /** Newest first. */
  readonly #blocks: readonly { readonly block: number; readonly count: number }[];

  private constructor(blocks: readonly { readonly block: number; readonly count: number }[]) {
    this.#blocks = blocks;
  }

  static async read(db: Kysely<Schema>, { state }: Pick<ChannelFilter, "state">): Promise<ChannelCounts> {
    const rows = await db.selectFrom("channel_count").orderBy("block", "desc").selectAll().execute();
    const countOf = ({ live, blocked }: (typeof rows)[number]) => {
      if (state === undefined) return Number(live) + Number(blocked);
      return state === "deleted" ? 0 : Number(state === "live" ? live : blocked);
    };
    return new ChannelCounts(rows.map((row) => ({ block: Number(row.block), count: countOf(row) })));
  }

  /** The same without these channels, which were counted. */
  without(instanceNos: readonly number[]): ChannelCounts {
    const left = new Map(this.#blocks.map(({ block, count }) => [block, count]));
    for (const instanceNo of instanceNos) {
      const block = Math.floor(instanceNo / BLOCK);
      left.set(block, (left.get(block) ?? 0) - 1);
    }
    return new ChannelCounts([...left].map(([block, count]) => ({ block, count })));
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
