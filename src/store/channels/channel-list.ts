import type { ExpressionBuilder, Kysely, SelectQueryBuilder } from "kysely";
import { sql } from "kysely";
import type { ChannelRecord } from "../../control/channels/channel.ts";
import type { ChannelFilter, Page } from "../../control/ports/store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { writesSideBySide } from "../database/locks.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { readChannel } from "./rows.ts";

type Listed = { readonly channels: readonly ChannelRecord[]; readonly total: number };
type Numbers = SelectQueryBuilder<Schema, "channel", { instance_no: number }>;

/** A page of the channels that the filter selects, newest first, and how many it selects in total. */
export async function selectChannels(
  db: Kysely<Schema>,
  secrets: Secrets,
  filter: ChannelFilter,
  page: Page,
): Promise<Listed> {
  // A search looks at every name. A page that it does not fill says how many there are, without a second look.
  const known = filter.namePart === undefined ? await countChannels(db, filter) : undefined;
  const numbers = numbersOfPage(filtered(db, filter).select("instance_no"), page, known);
  if (numbers === undefined) return { channels: [], total: known ?? 0 };
  // First the page's numbers, which the index has, then the rows: a database would also read, and count for, every row before the
  // page.
  const rows = await db
    .selectFrom(numbers.as("page"))
    .innerJoin("channel", "channel.instance_no", "page.instance_no")
    .selectAll("channel")
    .select(({ selectFrom, fn }) =>
      selectFrom("target")
        .whereRef("target.channel_id", "=", "channel.channel_id")
        .select(fn.countAll<number>().as("count"))
        .as("target_count"),
    )
    .select(callbackUrl)
    .orderBy("channel.instance_no", "desc")
    .execute();
  return {
    channels: rows.map((row) => readChannel(row, Number(row.target_count ?? 0), secrets)),
    total: known ?? totalByLastPage(page, rows.length) ?? (await countChannels(db, filter)),
  };
}

/** The ids of all channels, newest first. */
export async function selectChannelIds(db: Kysely<Schema>): Promise<readonly ChannelId[]> {
  const rows = await filtered(db, {}).select("channel_id").orderBy("instance_no", "desc").execute();
  return rows.map((row) => row.channel_id);
}

/** The sealed address of a channel's own webhook, as a column in a query for channels. */
export function callbackUrl({ selectFrom }: ExpressionBuilder<Schema, "channel">) {
  return selectFrom("webhook_endpoint")
    .whereRef("webhook_endpoint.scope", "=", "channel.channel_id")
    .select("webhook_endpoint.url")
    .as("callback_url");
}

async function countChannels(db: Kysely<Schema>, filter: ChannelFilter): Promise<number> {
  const counted = await filtered(db, filter)
    .select(({ fn }) => fn.countAll<number>().as("total"))
    .executeTakeFirstOrThrow();
  return Number(counted.total);
}

/** How many rows there are in all, where a page with so many of them is the last one; undefined where it may not be. */
function totalByLastPage({ number, size }: Page, count: number): number | undefined {
  const isLast = count < size && (count > 0 || number === 1);
  return isLast ? (number - 1) * size + count : undefined;
}

/**
 * A page near the end is counted from there, since a database looks at every number before a page. `total`: how many there are,
 * where that is known. Undefined: the page is behind the end.
 */
function numbersOfPage(numbers: Numbers, page: Page, total: number | undefined): Numbers | undefined {
  const offset = (page.number - 1) * page.size;
  if (total === undefined) return numbers.orderBy("instance_no", "desc").limit(page.size).offset(offset);
  const count = Math.min(page.size, total - offset);
  if (count <= 0) return undefined;
  const behind = total - offset - count;
  if (behind < offset) return numbers.orderBy("instance_no", "asc").limit(count).offset(behind);
  return numbers.orderBy("instance_no", "desc").limit(count).offset(offset);
}

/** PostgreSQL takes an array of any length as one parameter; its lists of parameters end at 65,535, and none is empty. */
function isAmong(db: Kysely<Schema>, { channelIds, isInside }: NonNullable<ChannelFilter["among"]>) {
  if (writesSideBySide(db)) {
    const ids = [...channelIds];
    return isInside ? sql<boolean>`channel_id = any(${ids})` : sql<boolean>`channel_id <> all(${ids})`;
  }
  const list = sql.join(channelIds);
  return isInside ? sql<boolean>`channel_id in (${list})` : sql<boolean>`channel_id not in (${list})`;
}

function filtered(db: Kysely<Schema>, filter: ChannelFilter) {
  // Word for word the condition of the index `channel_list`: with a parameter the database could not see that the index applies.
  // All columns of these conditions are in it, so that no row is read for them.
  let narrowed = db.selectFrom("channel").where(sql<boolean>`state != 'deleted'`);
  if (filter.channelId !== undefined) narrowed = narrowed.where("channel_id", "=", filter.channelId);
  if (filter.state !== undefined) narrowed = narrowed.where("state", "=", filter.state);
  if (filter.namePart !== undefined) {
    // Both databases know no other capitals: text is compared by its bytes.
    const part = filter.namePart.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    const pattern = `%${part.replace(/[\\%_]/g, "\\$&")}%`;
    narrowed = narrowed.where(sql<boolean>`lower(name) like ${pattern} escape '\\'`);
  }
  if (filter.among !== undefined) narrowed = narrowed.where(isAmong(db, filter.among));
  return narrowed;
}
