import type {
  ContactAddress,
  ContactEvents,
  ContactLanguage,
  ContactProblem,
} from "../../api-contract/contacts/contact-words.ts";
import type { EventCode } from "../../api-contract/event-words.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelEvent } from "../events/events.ts";

/** The most contacts of one server or cluster. */
export const CONTACTS_MAX = 50;
/** A message that could not be sent for so long is dropped, in milliseconds: an old one has no value. */
export const NOTICE_LIFE_MS = 24 * 60 * 60 * 1_000;
/** Events of one contact that wait; the oldest are dropped first. */
export const NOTICES_MAX = 500;

/** Where people read messages about channels: a chat room or mailboxes. Its address holds secrets: never log it. */
export type Contact = {
  readonly contactId: string;
  readonly name: string;
  readonly address: ContactAddress;
  readonly isEnabled: boolean;
  readonly events: ContactEvents;
  /** Empty: all channels. */
  readonly channelIds: readonly ChannelId[];
  readonly language: ContactLanguage;
  /** Milliseconds since the Unix epoch, as all times here. */
  readonly createdTime: number;
  readonly updateTime: number;
};

/** The result of one attempt: the HTTP status, or SMTP's, or why there was none. */
export type ContactResult =
  | { readonly status: number; readonly problem?: undefined }
  | { readonly problem: ContactProblem; readonly status?: number };

/** A contact and how its messages fare. */
export type ContactState = Contact & {
  readonly lastSentTime?: number;
  /** Of the last attempt, where it failed. */
  readonly lastStatus?: number;
  readonly lastProblem?: ContactProblem;
  readonly waitingCount: number;
  /** When the next message is due, where something waits. */
  readonly nextTime?: number;
};

/** What a message says an event is about. Events of one subject are one line. */
export type NoticeEvent = Pick<
  ChannelEvent,
  | "eventId"
  | "channelId"
  | "code"
  | "level"
  | "time"
  | "description"
  | "reason"
  | "from"
  | "to"
  | "by"
  | "remoteAddress"
  | "targetId"
  | "targetName"
  | "targetLabel"
> & { readonly channelName?: string };

/** A contact whose message is due, with what it is about, oldest first. */
export type DueContact = {
  readonly contact: Contact;
  readonly attempts: number;
  readonly events: readonly NoticeEvent[];
  /** Events that were dropped because too many waited. */
  readonly droppedCount: number;
};

/** Told subjects, and how often lately: a subject that keeps changing is told ever more rarely. */
export type Told = { readonly [subject: string]: { readonly time: number; readonly count: number } };

/** The store of contacts. Every call may reject with StoreUnavailableError. */
export interface ContactStore {
  /** In the order of their names. */
  listContacts(): Promise<readonly ContactState[]>;
  findContact(contactId: string): Promise<ContactState | undefined>;
  /** Returns false where there are `CONTACTS_MAX` already. */
  addContact(contact: Contact): Promise<boolean>;
  /**
   * Changes it by `decide`, which gets it as it is while nobody else changes it. What waits is due at once, as if it had never
   * been tried. Returns false where it is gone.
   */
  changeContact(contactId: string, decide: (present: Contact) => Contact): Promise<boolean>;
  /** With what waits. Returns false where it is gone. */
  deleteContact(contactId: string): Promise<boolean>;
  /**
   * The contacts whose messages are due, each for the caller alone for a minute. Drops what has waited for
   * `NOTICE_LIFE_MS`.
   */
  claimDueContacts(nowMs: number, limit: number): Promise<readonly DueContact[]>;
  /** When the next message is due; undefined where nothing waits. */
  findNextContactTime(): Promise<number | undefined>;
  /** The message was not tried: anybody may send it. */
  release(due: DueContact): Promise<void>;
  /** The message with these events was sent. */
  markSent(due: DueContact, nowMs: number): Promise<void>;
  /** It was not: it is tried again, together with what comes until then. */
  markFailed(due: DueContact, result: ContactResult, nextTime: number): Promise<void>;
}

/** What is told again soon: the good end of something bad. */
const RECOVERIES: readonly EventCode[] = ["INGEST_RESUMED", "VIDEO_RESUMED", "AUDIO_RETURNED", "RECORDING_START"];

/** Whether this contact gets this event. */
export function isEventWanted(
  { isEnabled, events, channelIds }: Pick<Contact, "isEnabled" | "events" | "channelIds">,
  { channelId, code, level, from }: Pick<ChannelEvent, "channelId" | "code" | "level" | "from">,
): boolean {
  if (!isEnabled || (channelIds.length > 0 && !channelIds.includes(channelId))) return false;
  if (events === "all" || level !== "INFO") return true;
  return RECOVERIES.includes(code) || (code === "SIMULCAST_STATUS_CHANGE" && from === "FAIL");
}

/** Names what an event is about: a platform of a channel, or the channel itself. */
export function subjectOf({ channelId, targetId }: { readonly channelId: ChannelId; readonly targetId?: TargetId }) {
  return targetId === undefined ? channelId : `${channelId}/${targetId}`;
}

/** What happens together is told together, in milliseconds. */
const GATHER_MS = 10_000;
/** The pauses between messages about one subject, in milliseconds: after the first, the second, and later ones. */
const PAUSES_MS = [30_000, 120_000, 600_000] as const;
/** A subject that was quiet for so long is told at once again, in milliseconds. */
const FORGET_MS = 30 * 60_000;
/** So many told subjects are remembered for one contact. */
const TOLD_MAX = 200;

/** When an event about this subject is due. */
export function dueTime(told: Told, subject: string, nowMs: number): number {
  const last = told[subject];
  // A clock that was set back must not silence anybody.
  if (last === undefined || last.time > nowMs || nowMs - last.time >= FORGET_MS) return nowMs + GATHER_MS;
  const pauseMs = PAUSES_MS[Math.min(last.count, PAUSES_MS.length) - 1] ?? GATHER_MS;
  return Math.max(nowMs + GATHER_MS, last.time + pauseMs);
}

/** What is remembered after a message about these subjects. */
export function toldAfter(told: Told, subjects: readonly string[], nowMs: number): Told {
  const recent = Object.entries(told).filter(([, { time }]) => time <= nowMs && nowMs - time < FORGET_MS);
  const before = new Map(recent);
  for (const subject of new Set(subjects)) {
    const count = (before.get(subject)?.count ?? 0) + 1;
    before.delete(subject);
    before.set(subject, { time: nowMs, count });
  }
  return Object.fromEntries([...before].slice(-TOLD_MAX));
}
