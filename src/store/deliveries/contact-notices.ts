import { type Kysely, sql, type Transaction } from "kysely";
import {
  type Contact,
  dueTime,
  isEventWanted,
  NOTICES_MAX,
  subjectOf,
  type Told,
} from "../../control/contacts/contact.ts";
import type { ChannelEvent } from "../../control/events/events.ts";
import type { Schema } from "../schema/schema.ts";
import { readContactRules, readTold } from "./contact-rows.ts";

/**
 * Makes events wait for the contacts that want them. `events` were stored in this transaction. `present`: by which clock what happened
 * at a time is due.
 */
export async function addNotices(
  trx: Transaction<Schema>,
  events: readonly ChannelEvent[],
  present: (time: number) => number,
): Promise<void> {
  if (events.length === 0) return;
  // In one order, and locked where several nodes write, so that two of them do not wait for each other.
  const rows = await trx
    .selectFrom("contact")
    .where("is_enabled", "=", 1)
    .orderBy("contact_id")
    .select(["contact_id", "is_enabled", "events", "channel_ids", "told"])
    .execute();
  for (const row of rows) {
    const rules: Pick<Contact, "isEnabled" | "events" | "channelIds"> = readContactRules(row);
    const wanted = events.filter((event) => isEventWanted(rules, event));
    if (wanted.length === 0) continue;
    const told = readTold(row.told);
    const due = wanted.map((event) => dueTime(told, subjectOf(event), present(event.time)));
    const nextTime = Math.min(...due);
    for (const { eventId } of wanted) {
      await trx.insertInto("contact_notice").values({ contact_id: row.contact_id, event_id: eventId }).execute();
    }
    const dropped = await dropOldest(trx, row.contact_id);
    await trx
      .updateTable("contact")
      // Another node may have stored an event meanwhile.
      .set((is) => ({
        next_time: sql<number>`case when next_time < ${nextTime} then next_time else ${nextTime} end`,
        dropped_count: is("dropped_count", "+", dropped),
      }))
      .where("contact_id", "=", row.contact_id)
      .execute();
  }
}

/** When the next message about what waits is due; null where nothing waits. */
export async function nextNoticeTime(
  db: Kysely<Schema>,
  contactId: string,
  told: Told,
  nowMs: number,
): Promise<number | null> {
  const subjects = await db
    .selectFrom("contact_notice")
    .innerJoin("event", "event.event_id", "contact_notice.event_id")
    .where("contact_notice.contact_id", "=", contactId)
    .limit(NOTICES_MAX)
    .select(["event.channel_id", "event.target_id"])
    .execute();
  if (subjects.length === 0) return null;
  const due = subjects.map(({ channel_id: channelId, target_id: targetId }) =>
    dueTime(told, subjectOf({ channelId, ...(targetId === null ? {} : { targetId: Number(targetId) }) }), nowMs),
  );
  return Math.min(...due);
}

async function dropOldest(trx: Transaction<Schema>, contactId: string): Promise<number> {
  const surplus = await trx
    .selectFrom("contact_notice")
    .where("contact_id", "=", contactId)
    .orderBy("event_id", "desc")
    .offset(NOTICES_MAX)
    .limit(1_000)
    .select("event_id")
    .execute();
  if (surplus.length === 0) return 0;
  const eventIds = surplus.map(({ event_id: eventId }) => eventId);
  await trx
    .deleteFrom("contact_notice")
    .where("contact_id", "=", contactId)
    .where("event_id", "in", eventIds)
    .execute();
  return surplus.length;
}
