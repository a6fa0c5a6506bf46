import type { Selectable } from "kysely";
import { z } from "zod";
import {
  CONTACT_EVENTS,
  CONTACT_LANGUAGES,
  type ContactAddress,
  type ContactProblem,
} from "../../api-contract/contacts/contact-words.ts";
import { EVENT_LEVELS, type EventCode, type EventReason } from "../../api-contract/event-words.ts";
import type { Contact, ContactState, NoticeEvent, Told } from "../../control/contacts/contact.ts";
import { oneOf, settingOf, wordOf } from "../database/one-of.ts";
import type { ContactRow } from "../schema/contact-schema.ts";
import type { EventRow } from "../schema/event-schema.ts";
import type { Secrets } from "../secrets/secrets.ts";

/** Separates ids in one column. */
const SEPARATOR = "\n";
const STATUSES = ["READY", "CONNECTING", "PUBLISHING", "FAIL"] as const;

const place = (contactId: string) => ({ table: "contact", column: "address", row: contactId });

const storedAddress: z.ZodType<ContactAddress> = z.union([
  z.object({ kind: z.enum(["slack", "discord", "kakaowork"]), url: z.string() }),
  z.object({ kind: z.literal("telegram"), botToken: z.string(), chatId: z.string(), apiUrl: z.string() }),
  z.object({ kind: z.literal("email"), to: z.array(z.string()) }),
]);

const storedTold = z.record(z.string(), z.object({ time: z.number(), count: z.number() }));

/** What a setting of a contact changes in its row. */
export function contactColumns(contact: Contact, secrets: Secrets) {
  return {
    name: contact.name,
    address: secrets.seal(JSON.stringify(contact.address), place(contact.contactId)),
    is_enabled: contact.isEnabled ? 1 : 0,
    events: contact.events,
    channel_ids: contact.channelIds.join(SEPARATOR),
    language: contact.language,
    update_time: contact.updateTime,
  };
}

export function readContactRules(row: Pick<ContactRow, "is_enabled" | "events" | "channel_ids">) {
  return {
    isEnabled: row.is_enabled === 1,
    events: settingOf(CONTACT_EVENTS, row.events, "problems"),
    channelIds: row.channel_ids === "" ? [] : row.channel_ids.split(SEPARATOR),
  };
}

export function readTold(text: string): Told {
  return storedTold.parse(JSON.parse(text));
}

/** Undefined for a contact of a kind that only the next version knows: its servers tell it, show it and change it. */
export function readContact(row: Selectable<ContactRow>, secrets: Secrets): Contact | undefined {
  const address = storedAddress.safeParse(JSON.parse(secrets.openAgain(row.address, place(row.contact_id))));
  if (!address.success) return undefined;
  return {
    contactId: row.contact_id,
    name: row.name,
    address: address.data,
    ...readContactRules(row),
    language: settingOf(CONTACT_LANGUAGES, row.language, "en"),
    createdTime: Number(row.created_time),
    updateTime: Number(row.update_time),
  };
}

export function readContactState(
  row: Selectable<ContactRow>,
  waitingCount: number,
  secrets: Secrets,
): ContactState | undefined {
  const contact = readContact(row, secrets);
  if (contact === undefined) return undefined;
  return {
    ...contact,
    ...(row.last_sent_time === null ? {} : { lastSentTime: Number(row.last_sent_time) }),
    ...(row.last_status === null ? {} : { lastStatus: row.last_status }),
    ...(row.last_problem === null ? {} : { lastProblem: wordOf<ContactProblem>(row.last_problem) }),
    ...(row.next_time === null ? {} : { nextTime: Number(row.next_time) }),
    waitingCount,
  };
}

/** An event with the present name of its channel. */
export function readNotice(row: EventRow & { readonly name: string | null }): NoticeEvent {
  return {
    eventId: Number(row.event_id),
    channelId: row.channel_id,
    code: wordOf<EventCode>(row.code),
    level: oneOf(EVENT_LEVELS, row.level),
    time: Number(row.time),
    description: row.description,
    ...(row.name === null ? {} : { channelName: row.name }),
    ...(row.reason === null ? {} : { reason: wordOf<EventReason>(row.reason) }),
    ...(row.from_status === null ? {} : { from: oneOf(STATUSES, row.from_status) }),
    ...(row.to_status === null ? {} : { to: oneOf(STATUSES, row.to_status) }),
    ...(row.target_id === null ? {} : { targetId: Number(row.target_id) }),
    ...(row.target_name === null ? {} : { targetName: row.target_name }),
    ...(row.target_label === null ? {} : { targetLabel: row.target_label }),
    ...(row.changed_by === null ? {} : { by: row.changed_by }),
    ...(row.remote_address === null ? {} : { remoteAddress: row.remote_address }),
  };
}
