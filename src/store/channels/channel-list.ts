import type { ExpressionBuilder, Kysely, SelectQueryBuilder } from "kysely";
import { sql } from "kysely";
import type { ChannelRecord } from "../../control/channels/channel.ts";
import type { ChannelFilter, Page } from "../../control/ports/store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { writesSideBySide } from "../database/locks.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { ChannelCounts } from "./channel-counts.ts";
import { readChannel } from "./rows.ts";

type Listed = { readonly channels: readonly ChannelRecord[]; readonly total: number };

/** The channels of a page by their numbers: numbers, or a query for them. */
type Numbers = readonly number[] | SelectQueryBuilder<Schema, "channel", { instance_no: number }>;

/** A page of the channels that the filter selects, newest first, and how many it selects in total. */
export async function selectChannels(
  db: Kysely<Schema>,
  secrets: Secrets,
  filter: ChannelFilter,
  page: Page,
): Promise<Listed> {
  const read = async (numbers: Numbers) =>
    (await selectRows(db, numbers)).map((row) => readChannel(row, Number(row.target_count ?? 0), secrets));
  const offset = (page.number - 1) * page.size;
  if (filter.among?.isInside === true) {
    // They are few: those on air.
    const all = await selectNumbers(db, filter);
    return { channels: await read(all.slice(offset, offset + page.size)), total: all.length };
  }
  const numbers = filtered(db, filter).select("instance_no").orderBy("instance_no", "desc").limit(page.size);
  if (filter.namePart === undefined && filter.channelId === undefined) {
    const counts = await countBlocks(db, filter);
    const place = counts.placeAfter(offset);
    if (place === undefined) return { channels: [], total: counts.total };
    const { below, skip } = place;
    return { channels: await read(numbers.where("instance_no", "<", below).offset(skip)), total: counts.total };
  }
  // A search looks at every name. A page that it does not fill says how many there are, without a second look.
  const channels = await read(numbers.offset(offset));
  return { channels, total: totalByLastPage(page, channels.length) ?? (await countChannels(db, filter)) };
}

/** The rows of these channels, newest first. A database would also read, and count for, every row before the page. */
async function selectRows(db: Kysely<Schema>, numbers: Numbers) {
  if ("length" in numbers && numbers.length === 0) return [];
  const rows = db
    .selectFrom("channel")
    .selectAll("channel")
    .select(({ selectFrom, fn }) =>
      selectFrom("target")
        .whereRef("target.channel_id", "=", "channel.channel_id")
        .select(fn.countAll<number>().as("count"))
        .as("target_count"),
    )
    .select(callbackUrl)
    .orderBy("channel.instance_no", "desc");
  if ("length" in numbers) return await rows.where("channel.instance_no", "in", numbers).execute();
  return await rows.innerJoin(numbers.as("page"), "channel.instance_no", "page.instance_no").execute();
}

/** How many channels there are of each block of numbers, but for those that are left out. */
async function countBlocks(db: Kysely<Schema>, { state, among }: ChannelFilter): Promise<ChannelCounts> {
  const ofState = state === undefined ? {} : { state };
  const counts = await ChannelCounts.read(db, ofState);
  if (among === undefined || among.channelIds.length === 0) return counts;
  return counts.without(await selectNumbers(db, { ...ofState, among: { ...among, isInside: true } }));
}

/** The numbers of all channels that the filter selects, newest first. */
async function selectNumbers(db: Kysely<Schema>, filter: ChannelFilter): Promise<readonly number[]> {
  const rows = await filtered(db, filter).select("instance_no").orderBy("instance_no", "desc").execute();
  return rows.map((row) => Number(row.instance_no));
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
