import { type ExpressionBuilder, type Kysely, type RawBuilder, sql, type Transaction } from "kysely";
import { changesBetween, hiddenSettings, plainSettings, type Settings } from "../../control/audit/field-changes.ts";
import {
  CONTACTS_MAX,
  type Contact,
  type ContactResult,
  type ContactState,
  type ContactStore,
  type DueContact,
  NOTICE_LIFE_MS,
  NOTICES_MAX,
  subjectOf,
  toldAfter,
} from "../../control/contacts/contact.ts";
import type { Database } from "../database/database.ts";
import { DATABASE_NOW } from "../database/database-time.ts";
import { lockContact, lockName } from "../database/locks.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { nextNoticeTime } from "./contact-notices.ts";
import { contactColumns, readContact, readContactState, readNotice, readTold } from "./contact-rows.ts";

/** How long one process alone sends a contact's message, in milliseconds: an attempt takes 20 s at most. */
const CLAIM_MS = 60_000;

/** Contacts, and the events that wait for them. */
export class SqlContactStore implements ContactStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  listContacts(): Promise<readonly ContactState[]> {
    return this.#database.read(async (db) => {
      const rows = await db.selectFrom("contact").orderBy("name").orderBy("contact_id").selectAll().execute();
      const states: ContactState[] = [];
      for (const row of rows) {
        const state = readContactState(row, await countWaiting(db, row.contact_id), this.#secrets);
        if (state !== undefined) states.push(state);
      }
      return states;
    });
  }

  findContact(contactId: string): Promise<ContactState | undefined> {
    return this.#database.read(async (db) => {
      const row = await db.selectFrom("contact").where("contact_id", "=", contactId).selectAll().executeTakeFirst();
      return row === undefined ? undefined : readContactState(row, await countWaiting(db, contactId), this.#secrets);
    });
  }

  addContact(contact: Contact): Promise<boolean> {
    return this.#database.write(async (trx) => {
      await lockName(trx, "contacts");
      const { count } = await trx
        .selectFrom("contact")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow();
      if (Number(count) >= CONTACTS_MAX) return false;
      const fresh = { told: "{}", dropped_count: 0, attempts: 0 };
      const none = { last_sent_time: null, last_status: null, last_problem: null, next_time: null, claim_until: null };
      await trx
        .insertInto("contact")
        .values({
          ...{ contact_id: contact.contactId, created_time: contact.createdTime },
          ...contactColumns(contact, this.#secrets),
          ...fresh,
          ...none,
        })
        .execute();
      await this.#note(trx, undefined, contact);
      return true;
    });
  }

  changeContact(contactId: string, decide: (present: Contact) => Contact): Promise<boolean> {
    return this.#database.write(async (trx) => {
      await lockContact(trx, contactId);
      const before = await this.#read(trx, contactId);
      if (before === undefined) return false;
      const contact = decide(before);
      const { isEnabled, updateTime } = contact;
      const { events, language, ...columns } = contactColumns(contact, this.#secrets);
      if (!isEnabled) await trx.deleteFrom("contact_notice").where("contact_id", "=", contactId).execute();
      const waiting = await countWaiting(trx, contactId);
      await trx
        .updateTable("contact")
        .set({
          ...columns,
          // A word that only the next version knows stays as it is.
          ...(contact.events === before.events ? {} : { events }),
          ...(contact.language === before.language ? {} : { language }),
          ...{ attempts: 0, last_status: null, last_problem: null },
          next_time: waiting === 0 ? null : updateTime,
        })
        .where("contact_id", "=", contactId)
        .execute();
      await this.#note(trx, before, contact);
      return true;
    });
  }

  deleteContact(contactId: string): Promise<boolean> {
    return this.#database.write(async (trx) => {
      await lockContact(trx, contactId);
      const before = await this.#read(trx, contactId);
      if (before === undefined) return false;
      await trx.deleteFrom("contact_notice").where("contact_id", "=", contactId).execute();
      await trx.deleteFrom("contact").where("contact_id", "=", contactId).execute();
      await this.#note(trx, before, undefined);
      return true;
    });
  }

  async claimDueContacts(nowMs: number, limit: number): Promise<readonly DueContact[]> {
    const due = await this.#database.read((db) =>
      db.selectFrom("contact").where("next_time", "<=", nowMs).limit(1).select("contact_id").executeTakeFirst(),
    );
    if (due === undefined) return [];
    return this.#database.write(async (trx) => {
      const rows = await trx
        .selectFrom("contact")
        .where("next_time", "<=", nowMs)
        .where(isFree(this.#claimClock(nowMs)))
        .orderBy("next_time")
        .selectAll()
        .execute();
      const known = rows.filter((row) => readContact(row, this.#secrets) !== undefined).slice(0, limit);
      const claimed: DueContact[] = [];
      for (const { contact_id: contactId } of known) {
        const one = await this.#claim(trx, contactId, nowMs);
        if (one !== undefined) claimed.push(one);
      }
      return claimed;
    });
  }

  findNextContactTime(): Promise<number | undefined> {
    return this.#database.read(async (db) => {
      const { next } = await db
        .selectFrom("contact")
        .select(({ fn }) => fn.min("next_time").as("next"))
        .executeTakeFirstOrThrow();
      return next === null ? undefined : Number(next);
    });
  }

  async release({ contact: { contactId } }: DueContact): Promise<void> {
    await this.#database.write((trx) =>
      trx.updateTable("contact").set({ claim_until: null }).where("contact_id", "=", contactId).execute(),
    );
  }

  markSent({ contact: { contactId }, events, droppedCount }: DueContact, nowMs: number): Promise<void> {
    return this.#database.write(async (trx) => {
      const eventIds = events.map(({ eventId }) => eventId);
      await trx
        .deleteFrom("contact_notice")
        .where("contact_id", "=", contactId)
        .where("event_id", "in", eventIds)
        .execute();
      const row = await trx.selectFrom("contact").where("contact_id", "=", contactId).selectAll().executeTakeFirst();
      if (row === undefined) return;
      const told = toldAfter(readTold(row.told), events.map(subjectOf), nowMs);
      await trx
        .updateTable("contact")
        .set({
          ...{ told: JSON.stringify(told), attempts: 0, last_status: null, last_problem: null, claim_until: null },
          last_sent_time: nowMs,
          dropped_count: Math.max(0, row.dropped_count - droppedCount),
          next_time: await nextNoticeTime(trx, contactId, told, nowMs),
        })
        .where("contact_id", "=", contactId)
        .execute();
    });
  }

  async markFailed(due: DueContact, { status, problem }: ContactResult, nextTime: number): Promise<void> {
    const { contact } = due;
    const noted = await this.#database.write((trx) =>
      trx
        .updateTable("contact")
        .set((is) => ({
          attempts: is("attempts", "+", 1),
          last_status: status ?? null,
          last_problem: problem ?? null,
          next_time: nextTime,
          claim_until: null,
        }))
        // A contact that was changed meanwhile is tried again at once.
        .where("contact_id", "=", contact.contactId)
        .where("update_time", "=", contact.updateTime)
        .executeTakeFirst(),
    );
    if (noted.numUpdatedRows === 0n) await this.release(due);
  }

  async #claim(trx: Transaction<Schema>, contactId: string, nowMs: number): Promise<DueContact | undefined> {
    const clock = this.#claimClock(nowMs);
    const claim = await trx
      .updateTable("contact")
      .set({ claim_until: later(clock) })
      .where("contact_id", "=", contactId)
      .where("next_time", "<=", nowMs)
      .where(isFree(clock))
      .executeTakeFirst();
    // Another node was quicker.
    if (claim.numUpdatedRows === 0n) return undefined;
    await dropOld(trx, contactId, nowMs - NOTICE_LIFE_MS);
    const events = await trx
      .selectFrom("contact_notice")
      .innerJoin("event", "event.event_id", "contact_notice.event_id")
      .leftJoin("channel", "channel.channel_id", "event.channel_id")
      .where("contact_notice.contact_id", "=", contactId)
      .orderBy("event.event_id")
      .limit(NOTICES_MAX)
      .selectAll("event")
      .select("channel.name")
      .execute();
    const row = await trx.selectFrom("contact").where("contact_id", "=", contactId).selectAll().executeTakeFirst();
    const contact = row === undefined ? undefined : readContact(row, this.#secrets);
    if (row === undefined || contact === undefined) return undefined;
    if (events.length === 0) {
      const over = { next_time: null, claim_until: null, attempts: 0, dropped_count: 0 };
      await trx.updateTable("contact").set(over).where("contact_id", "=", contactId).execute();
      return undefined;
    }
    return {
      contact,
      attempts: row.attempts,
      events: events.map(readNotice),
      droppedCount: row.dropped_count,
    };
  }

  /** The clock that claims are measured by: of several nodes the database's, because their own clocks may differ. */
  #claimClock(nowMs: number): RawBuilder<number> {
    return this.#database.isShared ? DATABASE_NOW : sql<number>`${nowMs}`;
  }

  async #read(trx: Transaction<Schema>, contactId: string): Promise<Contact | undefined> {
    const row = await trx.selectFrom("contact").where("contact_id", "=", contactId).selectAll().executeTakeFirst();
    return row === undefined ? undefined : readContact(row, this.#secrets);
  }

  async #note(trx: Transaction<Schema>, before: Contact | undefined, after: Contact | undefined): Promise<void> {
    const subject = (after ?? before)?.contactId ?? "";
    await this.#database.note(trx, { subject, changes: changesBetween(settingsOf(before), settingsOf(after)) });
  }

  get #secrets(): Secrets {
    return this.#database.secrets;
  }
}

/** A contact's settings as the audit shows them, by the API's names. */
function settingsOf(contact: Contact | undefined): Settings {
  if (contact === undefined) return new Map();
  const { name, address, events, channelIds, language, isEnabled } = contact;
  const [url, apiUrl] = [
    address.kind === "email" || address.kind === "telegram" ? undefined : address.url,
    address.kind === "telegram" ? address.apiUrl : undefined,
  ];
  return new Map([
    ...plainSettings({
      ...{ contactName: name, contactKind: address.kind, eventScope: events, channelIds, language, enabled: isEnabled },
      ...(address.kind === "telegram" ? { chatId: address.chatId } : {}),
      ...(address.kind === "email" ? { mailTo: address.to } : {}),
    }),
    ...hiddenSettings(
      { webhookUrl: url, apiUrl },
      { botToken: address.kind === "telegram" ? address.botToken : undefined },
    ),
  ]);
}

/** Drops what has waited too long, and what was pruned with its event. */
/** When a claim that is made now ends. */
function later(clock: RawBuilder<number>): RawBuilder<number> {
  return sql<number>`${clock} + ${CLAIM_MS}`;
}

/** No process has the contact. A claim that ends later than any could was made before the clock was set back. */
function isFree(clock: RawBuilder<number>) {
  return ({ or, eb }: ExpressionBuilder<Schema, "contact">) =>
    or([eb("claim_until", "is", null), eb("claim_until", "<=", clock), eb("claim_until", ">", later(clock))]);
}

async function dropOld(trx: Transaction<Schema>, contactId: string, since: number): Promise<void> {
  await trx
    .deleteFrom("contact_notice")
    .where("contact_id", "=", contactId)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("event")
            .whereRef("event.event_id", "=", "contact_notice.event_id")
            .where("event.time", ">=", since)
            .select("event.event_id"),
        ),
      ),
    )
    .execute();
}

async function countWaiting(db: Kysely<Schema>, contactId: string): Promise<number> {
  const { count } = await db
    .selectFrom("contact_notice")
    .where("contact_id", "=", contactId)
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return Number(count);
}
