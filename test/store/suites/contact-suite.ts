import { afterEach, beforeEach, expect, test } from "vitest";
import {
  CONTACTS_MAX,
  type Contact,
  dueTime,
  isEventWanted,
  NOTICE_LIFE_MS,
  NOTICES_MAX,
  toldAfter,
} from "../../../src/control/contacts/contact.ts";
import type { NewEvent } from "../../../src/control/events/events.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { SqlContactStore } from "../../../src/store/deliveries/contact-store.ts";
import { SqlEventStore } from "../../../src/store/events/event-store.ts";
import { newTestDatabase, type TestDatabase } from "./test-databases.ts";

const A = "ls-20260101000000-00001";
const B = "ls-20260101000000-00002";
const CONTACT: Contact = {
  contactId: "ct-1",
  name: "Room",
  address: { kind: "telegram", botToken: "1:secret", chatId: "-7", apiUrl: "https://api.telegram.org" },
  isEnabled: true,
  events: "problems",
  channelIds: [],
  language: "ko",
  createdTime: 1,
  updateTime: 2,
};

let place: TestDatabase;
let database: Database;
let contacts: SqlContactStore;
let events: SqlEventStore;

beforeEach(async () => {
  place = await newTestDatabase();
  database = await place.open();
  contacts = new SqlContactStore(database);
  events = new SqlEventStore(database);
});
afterEach(async () => {
  await database.close();
  await place.remove();
});

function event(time: number, change: Partial<NewEvent> = {}): NewEvent {
  const body = { channelId: A, code: "INGEST_HELD", level: "WARN", description: "d" } as const;
  return { ...body, time, isForWebhook: false, ...change };
}

test("contacts are kept as they are, in the order of their names, up to the limit", async () => {
  expect(await contacts.addContact(CONTACT)).toBe(true);
  const mail: Contact = {
    ...CONTACT,
    contactId: "ct-2",
    name: "A",
    address: { kind: "email", to: ["a@b.c", "d@e.f"] },
  };
  expect(await contacts.addContact({ ...mail, channelIds: [A, B] })).toBe(true);
  expect(await contacts.listContacts()).toEqual([
    { ...mail, channelIds: [A, B], waitingCount: 0 },
    { ...CONTACT, waitingCount: 0 },
  ]);
  for (let n = 3; n <= CONTACTS_MAX; n += 1) await contacts.addContact({ ...CONTACT, contactId: `ct-${n}` });
  expect(await contacts.addContact({ ...CONTACT, contactId: "more" })).toBe(false);
  expect(await contacts.deleteContact("ct-2")).toBe(true);
  expect(await contacts.deleteContact("ct-2")).toBe(false);
  expect(await contacts.changeContact(mail.contactId, () => mail)).toBe(false);
  expect(await contacts.findContact("ct-2")).toBeUndefined();
});

test("events wait for the contacts that want them; one caller gets them, until they are sent", async () => {
  await contacts.addContact(CONTACT);
  await contacts.addContact({ ...CONTACT, contactId: "ct-b", name: "S", channelIds: [B], events: "all" });
  const stored = await events.appendEvents([
    event(1_000),
    event(1_001, { code: "STREAM_UPDATE", level: "INFO" }),
    event(1_002, { channelId: B, code: "STREAM_UPDATE", level: "INFO" }),
  ]);
  const ids = stored.map(({ eventId }) => eventId);
  expect(await contacts.findNextContactTime()).toBe(11_000);
  expect(await contacts.claimDueContacts(10_999, 8)).toEqual([]);
  const due = await contacts.claimDueContacts(12_000, 8);
  expect(due.map(({ contact, events: waiting }) => [contact, waiting.map(({ eventId }) => eventId)])).toEqual([
    [CONTACT, [ids[0]]],
    [expect.objectContaining({ contactId: "ct-b" }), [ids[2]]],
  ]);
  expect(await contacts.claimDueContacts(12_000, 8)).toEqual([]);
  for (const each of due) await contacts.release(each);
  expect((await contacts.claimDueContacts(12_000, 8)).length).toBe(2);
  // The other one has crashed, and its minute is over.
  await database.write((trx) =>
    trx
      .updateTable("contact")
      .set((is) => ({ claim_until: is("claim_until", "-", 61_000) }))
      .execute(),
  );
  expect((await contacts.claimDueContacts(73_000, 8)).length).toBe(2);
  await events.appendEvents([event(74_000)]);
  for (const each of due) await contacts.markSent(each, 74_500);
  // What came meanwhile waits for the pause after a told subject.
  expect(await contacts.findNextContactTime()).toBe(104_500);
  expect(await contacts.findContact("ct-1")).toMatchObject({ waitingCount: 1, lastSentTime: 74_500 });
});

test("a failed message waits, unless the contact was changed meanwhile; old events are dropped", async () => {
  await contacts.addContact(CONTACT);
  await events.appendEvents([event(1_000)]);
  const [due] = await contacts.claimDueContacts(20_000, 8);
  if (due === undefined) throw new Error("nothing is due");
  await contacts.markFailed(due, { problem: "MAIL_REJECTED", status: 550 }, 30_000);
  expect(await contacts.findContact("ct-1")).toMatchObject({
    ...{ lastProblem: "MAIL_REJECTED", lastStatus: 550, nextTime: 30_000, waitingCount: 1 },
  });
  const [again] = await contacts.claimDueContacts(30_000, 8);
  expect(again).toMatchObject({ attempts: 1 });
  await contacts.changeContact("ct-1", (present) => ({ ...present, updateTime: 31_000 }));
  await contacts.markFailed(due, { problem: "TIMEOUT" }, 90_000);
  expect(await contacts.findContact("ct-1")).toMatchObject({ nextTime: 31_000 });
  const [changed] = await contacts.claimDueContacts(31_000, 8);
  expect(changed).toMatchObject({ contact: { updateTime: 31_000 }, attempts: 0 });
  if (changed !== undefined) await contacts.release(changed);
  const late = 1_001 + NOTICE_LIFE_MS;
  expect(await contacts.claimDueContacts(late + 100_000, 8)).toEqual([]);
  expect(await contacts.findContact("ct-1")).toMatchObject({ waitingCount: 0 });
  expect(await contacts.findNextContactTime()).toBeUndefined();
});

test("a contact that is switched off gets nothing, and too many events are counted", async () => {
  await contacts.addContact(CONTACT);
  await events.appendEvents(Array.from({ length: NOTICES_MAX + 3 }, (_, index) => event(index)));
  const [due] = await contacts.claimDueContacts(100_000, 8);
  expect([due?.events.length, due?.droppedCount]).toEqual([NOTICES_MAX, 3]);
  expect(due?.events[0]?.time).toBe(3);
  await contacts.changeContact("ct-1", (present) => ({ ...present, isEnabled: false, updateTime: 100_001 }));
  await events.appendEvents([event(100_002)]);
  expect(await contacts.findContact("ct-1")).toMatchObject({ waitingCount: 0 });
  expect(await contacts.findNextContactTime()).toBeUndefined();
});

test("problems and what ends them are wanted, other news by those who want all", () => {
  const problems = { isEnabled: true, events: "problems", channelIds: [] } as const;
  const of = (change: Partial<NewEvent>) => isEventWanted(problems, event(1, change));
  expect(of({})).toBe(true);
  expect(of({ level: "INFO", code: "INGEST_RESUMED" })).toBe(true);
  expect(of({ level: "INFO", code: "SIMULCAST_STATUS_CHANGE", from: "FAIL", to: "PUBLISHING" })).toBe(true);
  expect(of({ level: "INFO", code: "SIMULCAST_STATUS_CHANGE", from: "READY", to: "PUBLISHING" })).toBe(false);
  expect(of({ level: "INFO", code: "STREAM_UPDATE" })).toBe(false);
  expect(isEventWanted({ ...problems, channelIds: [B] }, event(1))).toBe(false);
});

test("a subject that keeps changing is told ever more rarely, and at once again after half an hour", () => {
  const once = toldAfter({}, ["a", "a"], 0);
  expect(dueTime(once, "a", 1_000)).toBe(30_000);
  expect(dueTime(once, "b", 1_000)).toBe(11_000);
  const twice = toldAfter(once, ["a"], 30_000);
  expect(dueTime(twice, "a", 31_000)).toBe(150_000);
  const often = toldAfter(twice, ["a"], 150_000);
  expect(dueTime(often, "a", 151_000)).toBe(750_000);
  expect(dueTime(toldAfter(often, ["a"], 750_000), "a", 751_000)).toBe(1_350_000);
  expect(dueTime(often, "a", 150_000 + 30 * 60_000)).toBe(150_000 + 30 * 60_000 + 10_000);
  // The clock was set back.
  expect(dueTime(often, "a", 100)).toBe(10_100);
  expect(
    Object.keys(
      toldAfter(
        {},
        Array.from({ length: 300 }, (_, n) => `s${n}`),
        1,
      ),
    ).length,
  ).toBe(200);
});
