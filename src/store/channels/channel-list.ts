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
type Numbers = readonly number[] | SelectQueryBuilder<Schema, "listed_channel", { instance_no: number }>;

/** So many channels that a search finds are read as one list of numbers, beside which nothing is counted. */
const FEW = 500;

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
  if (isLookedFor(filter)) return await lookFor(db, filter, { offset, size: page.size }, read);
  const counts = await countBlocks(db, filter);
  const place = counts.placeAfter(offset);
  if (place === undefined) return { channels: [], total: counts.total };
  const numbers = numbersOf(db, filter, "desc").where("instance_no", "<", place.below);
  return { channels: await read(numbers.limit(page.size).offset(place.skip)), total: counts.total };
}

/** Whether a filter selects channels by what they have. Of all others `channel_count` says how many there are. */
function isLookedFor({ channelId, namePart, among }: ChannelFilter): boolean {
  return channelId !== undefined || namePart !== undefined || among?.isInside === true;
}

/** The same for channels that have to be looked for: once for few of them, and twice for many. */
async function lookFor(
  db: Kysely<Schema>,
  filter: ChannelFilter,
  { offset, size }: { readonly offset: number; readonly size: number },
  read: (numbers: Numbers) => Promise<readonly ChannelRecord[]>,
): Promise<Listed> {
  // A set of channels that is named is sent but once.
  const limit = filter.among?.isInside === true ? filter.among.channelIds.length : FEW;
  const rows = await numbersOf(db, filter, "desc")
    .limit(limit + 1)
    .execute();
  const first = rows.map((row) => Number(row.instance_no));
  const inFirst = () => read(first.slice(offset, offset + size));
  if (first.length <= limit) return { channels: await inFirst(), total: first.length };
  if (offset + size <= first.length) {
    const [channels, total] = await Promise.all([inFirst(), countChannels(db, filter)]);
    return { channels, total };
  }
  const total = await countChannels(db, filter);
  const count = Math.min(size, total - offset);
  if (count <= 0) return { channels: [], total };
  // Found from the nearer end.
  const isLate = offset > total / 2;
  const numbers = numbersOf(db, filter, isLate ? "asc" : "desc");
  return { channels: await read(numbers.limit(count).offset(isLate ? total - offset - count : offset)), total };
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

/** How many channels of a state, or of all, there are of each block of numbers, without those that the filter leaves out. */
async function countBlocks(db: Kysely<Schema>, { state, among }: ChannelFilter): Promise<ChannelCounts> {
  const ofState = state === undefined ? {} : { state };
  const counts = await ChannelCounts.read(db, ofState);
  if (among === undefined || among.channelIds.length === 0) return counts;
  return counts.without(await ChannelCounts.count(filtered(db, { ...ofState, among: { ...among, isInside: true } })));
}

/** The numbers of the channels that the filter selects. */
function numbersOf(db: Kysely<Schema>, filter: ChannelFilter, order: "asc" | "desc") {
  return filtered(db, filter).select("instance_no").orderBy("instance_no", order);
}

async function countChannels(db: Kysely<Schema>, filter: ChannelFilter): Promise<number> {
  const counted = await filtered(db, filter)
    .select(({ fn }) => fn.countAll<number>().as("total"))
    .executeTakeFirstOrThrow();
  return Number(counted.total);
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
  let narrowed = db.selectFrom("listed_channel");
  if (filter.channelId !== undefined) narrowed = narrowed.where("channel_id", "=", filter.channelId);
  if (filter.state !== undefined) narrowed = narrowed.where("state", "=", filter.state);
  if (filter.namePart !== undefined) {
    // As the stored names: both databases know no other capitals.
    const part = filter.namePart.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    const pattern = `%${part.replace(/[\\%_]/g, "\\$&")}%`;
    narrowed = narrowed.where(sql<boolean>`name like ${pattern} escape '\\'`);
  }
  if (filter.among !== undefined) narrowed = narrowed.where(isAmong(db, filter.among));
  return narrowed;
}
