import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nextStart } from "../../../src/base/calendar/timing.ts";
import type { AuditScope } from "../../../src/control/audit/audit.ts";
import type { ChannelSource } from "../../../src/control/channels/source.ts";
import type { Contact } from "../../../src/control/contacts/contact.ts";
import type { NewEvent } from "../../../src/control/events/events.ts";
import type { Schedule } from "../../../src/control/schedules/schedule.ts";
import { isPlayable } from "../../../src/control/sources/playable.ts";
import { auditAnswer, auditCsv } from "../../../src/http/audit/audit-answer.ts";
import { SqlDashboardStore } from "../../../src/store/access/dashboard-store.ts";
import { SqlPushStore } from "../../../src/store/access/push-store.ts";
import { keepAudit } from "../../../src/store/audit/audit-store.ts";
import { SqlStore } from "../../../src/store/channels/sql-store.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { SqlContactStore } from "../../../src/store/deliveries/contact-store.ts";
import { SqlDeliveryStore } from "../../../src/store/deliveries/delivery-store.ts";
import { SqlEventStore } from "../../../src/store/events/event-store.ts";
import { SqlRefusedEncoderStore } from "../../../src/store/events/refused-encoder-store.ts";
import { SqlReportStore } from "../../../src/store/reports/report-store.ts";
import { SqlScheduleStore } from "../../../src/store/sources/schedule-store.ts";
import { SqlSourceStore } from "../../../src/store/sources/source-store.ts";
import { digestOf } from "../../../src/webhooks/contacts/digest.ts";
import { newChannel } from "./store-suite-data.ts";
import { newTestDatabase, type TestDatabase } from "./test-databases.ts";

// What a server of the next version stores beside this one: docs/compatibility.md, "Servers of one cluster".

const PAGE = { number: 1, size: 10 };
const LIMITS = { inFlightMax: 10, perHostMax: 10, retriesMax: 10 };

let place: TestDatabase;
let database: Database;
let channelId: string;
let events: SqlEventStore;

beforeEach(async () => {
  place = await newTestDatabase();
  database = await place.open();
  events = new SqlEventStore(database);
  ({ channelId } = await new SqlStore(database).createChannel(newChannel(1)));
});
afterEach(async () => {
  await database.close();
  await place.remove();
});

/** Stores this word in place of every one of a column. */
const put = (table: string, column: string, word: string) =>
  database.write((trx) => sql`update ${sql.table(table)} set ${sql.ref(column)} = ${word}`.execute(trx));

const event = (change: Partial<NewEvent> = {}): NewEvent => ({
  ...{ channelId, code: "INGEST_HELD", level: "WARN", description: "what it says", time: 1_000, isForWebhook: true },
  ...change,
});

test("an event with a code and a reason that only the next version knows is listed, delivered and told", async () => {
  const deliveries = new SqlDeliveryStore(database);
  const contacts = new SqlContactStore(database);
  await contacts.addContact(CONTACT);
  await deliveries.setEndpoint("default", { url: "https://example.com", secret: "whsec_a", updateTime: 1 });
  await events.appendEvents([event({ reason: "TCP_RESET" })]);
  await put("event", "code", "NEWER_CODE");
  await put("event", "reason", "NEWER_REASON");
  await put("delivery", "last_problem", "NEWER_PROBLEM");
  const newer = { code: "NEWER_CODE", description: "what it says" };
  expect((await events.listEvents({}, PAGE)).events).toMatchObject([{ ...newer, reason: "NEWER_REASON" }]);
  expect((await deliveries.listDeliveries({}, PAGE)).deliveries).toMatchObject([
    { code: "NEWER_CODE", lastProblem: "NEWER_PROBLEM" },
  ]);
  expect(await deliveries.claimDueDeliveries(2_000, LIMITS, [])).toMatchObject([newer]);
  const [due] = await contacts.claimDueContacts(100_000, 8);
  expect(digestOf(due?.events ?? [], 0, "en").lines).toEqual(["what it says (NEWER_REASON)"]);
});

const CONTACT: Contact = {
  ...{ contactId: "ct-1", name: "Room", address: { kind: "slack", url: "https://example.com/hook" } },
  ...{ isEnabled: true, events: "all", channelIds: [], language: "ko", createdTime: 1, updateTime: 2 },
};

test("a contact's scope and language of the next version lose no event, and stay where something else is changed", async () => {
  const contacts = new SqlContactStore(database);
  await contacts.addContact(CONTACT);
  await put("contact", "events", "newer-scope");
  await put("contact", "language", "newer-language");
  await put("contact", "last_problem", "NEWER_PROBLEM");
  const read = { ...CONTACT, events: "problems", language: "en", lastProblem: "NEWER_PROBLEM", waitingCount: 0 };
  expect(await contacts.listContacts()).toEqual([read]);
  expect(await events.appendEvents([event(), event({ code: "STREAM_UPDATE", level: "INFO" })])).toHaveLength(2);
  expect((await contacts.claimDueContacts(100_000, 8)).map(({ events: each }) => each.length)).toEqual([1]);
  await contacts.changeContact("ct-1", (present) => ({ ...present, name: "Hall" }));
  const row = await database.read((db) => db.selectFrom("contact").selectAll().executeTakeFirstOrThrow());
  expect([row.name, row.events, row.language]).toEqual(["Hall", "newer-scope", "newer-language"]);
  await contacts.changeContact("ct-1", (present) => ({ ...present, events: "all", language: "ko" }));
  expect(await contacts.findContact("ct-1")).toMatchObject({ events: "all", language: "ko" });
});

test("a contact of a kind that only the next version knows is left to that, and holds up no other", async () => {
  const contacts = new SqlContactStore(database);
  const newer = { kind: "pager", number: 7 } as unknown as Contact["address"];
  await contacts.addContact({ ...CONTACT, address: newer });
  await contacts.addContact({ ...CONTACT, contactId: "ct-2", name: "S" });
  await events.appendEvents([event()]);
  expect((await contacts.claimDueContacts(100_000, 1)).map(({ contact }) => contact.contactId)).toEqual(["ct-2"]);
  const claims = await database.read((db) =>
    db.selectFrom("contact").where("contact_id", "=", "ct-1").select(["claim_until", "next_time"]).execute(),
  );
  expect(claims).toEqual([{ claim_until: null, next_time: expect.anything() }]);
  expect((await contacts.listContacts()).map(({ contactId }) => contactId)).toEqual(["ct-2"]);
  expect(await contacts.findContact("ct-1")).toBeUndefined();
  expect(await contacts.changeContact("ct-1", (present) => present)).toBe(false);
  expect(await contacts.deleteContact("ct-1")).toBe(false);
});

test("settings of a channel that only the next version knows have no effect, and stay where something else is changed", async () => {
  const store = new SqlStore(database);
  await put("channel", "latency", "newer-latency");
  await put("target", "buffer_policy", "newer-policy");
  await put("target", "silent_audio", "newer-silence");
  const channel = await store.changeChannel(channelId, () => ({ name: "renamed" }));
  expect(channel).toMatchObject({ name: "renamed", latency: "efficient" });
  const [target] = channel?.targets ?? [];
  expect([target?.bufferPolicy, target?.silentAudio]).toEqual(["drop", undefined]);
  await store.changeTarget(channelId, target?.targetId ?? 0, () => ({ label: "l" }));
  const rows = await database.read((db) => db.selectFrom("target").select(["buffer_policy", "silent_audio"]).execute());
  expect(rows[0]).toEqual({ buffer_policy: "newer-policy", silent_audio: "newer-silence" });
  const { latency } = await database.read((db) => db.selectFrom("channel").select("latency").executeTakeFirstOrThrow());
  expect(latency).toBe("newer-latency");
});

test("records of the audit with words of the next version are listed and exported", async () => {
  const origin = { actor: "access-key", actorId: "AK1", client: "api" } as const;
  const scope: AuditScope = { action: "updateChannel", traceId: "a", time: 10, origin, about: {}, state: "open" };
  const audit = keepAudit(database, () => scope);
  await audit.appendAudit(scope);
  for (const column of ["action", "actor", "client"]) await put("audit", column, `newer-${column}`);
  const { records } = await audit.listAudit({}, PAGE);
  expect(records.map(auditAnswer)).toMatchObject([
    { action: "newer-action", actor: "newer-actor", client: "newer-client", description: "newer-action: newer-actor." },
  ]);
  expect(auditCsv(records, "UTC").split("\n")[1]).toContain("newer-action");
});

test("reports, rejected encoders and browsers with words of the next version are read", async () => {
  const reports = new SqlReportStore(database);
  const report = { channelId, startTime: 1, endTime: 2, interruptions: { list: [], count: 0 }, targets: [] };
  await reports.putReports([{ ...report, end: "clean" }]);
  await put("report", "end_reason", "newer-end");
  expect((await reports.listReports(channelId, PAGE)).reports).toMatchObject([{ end: "newer-end" }]);

  const refused = new SqlRefusedEncoderStore(database);
  const attempt = { reason: "unknown-key", firstTime: 1, lastTime: 2, count: 1 } as const;
  const limits = { max: 10, since: 0 };
  await refused.addRefusals([{ ...attempt, remoteAddress: "192.0.2.1" }], limits);
  await put("refused_encoder", "reason", "newer-reason");
  await refused.addRefusals([{ ...attempt, remoteAddress: "192.0.2.2" }], limits);
  expect((await refused.listRefusals(limits)).map(({ remoteAddress }) => remoteAddress)).toEqual(["192.0.2.2"]);

  const sessions = new SqlDashboardStore(database);
  await sessions.putSetupToken({ tokenHash: "token", expiresTime: 10 }, 1);
  await sessions.completeSetup("token", 9, "hash", { tokenHash: "session", lastUsedTime: 5 });
  const pushes = new SqlPushStore(database);
  const rules = { severities: ["broken"], scope: "labels", channelIds: [], labels: [] } as const;
  const keys = { endpoint: "https://push.example", p256dh: "key", auth: "secret", contact: "c" };
  await pushes.put({ ...keys, language: "ko", isQuietInFocus: true, rules }, "session", 1);
  for (const column of ["scope", "language"]) await put("push_subscription", column, "newer");
  await put("push_subscription", "severities", "newer\nbroken");
  expect(await pushes.list(0)).toMatchObject([{ language: "en", rules: { scope: "all", severities: ["broken"] } }]);
});

test("a source of a kind that only the next version knows is played by that alone", async () => {
  const sources = new SqlSourceStore(database);
  const pull = { kind: "pull", url: "rtmp://example.com/live/key" } as const;
  await sources.putSource(channelId, pull);
  const playable = async () => (await sources.listSources()).map(({ source }) => isPlayable(source, []));
  expect(await playable()).toEqual([true]);
  await sources.putSource(channelId, { ...pull, kind: "camera" } as unknown as ChannelSource);
  expect(await playable()).toEqual([false]);
});

test("a schedule that only the next version knows when to start is started by that alone, and holds up no other", async () => {
  const schedules = new SqlScheduleStore(database);
  const usual: Schedule = {
    ...{ scheduleId: "sc-1", channelId, name: "show", source: { kind: "files", fileIds: ["mf-a"], isLooped: false } },
    timing: { timeZone: "Europe/Berlin", atSeconds: 3_600, repeat: { kind: "daily" } },
    ...{ catchUp: "none", isPaused: false, createdTime: 1, doneTime: 1 },
  };
  const repeat = { kind: "monthly", day: 1 } as unknown as Schedule["timing"]["repeat"];
  await schedules.editSchedule(channelId, () => usual);
  await schedules.editSchedule(channelId, () => ({
    ...{ ...usual, scheduleId: "sc-2", timing: { ...usual.timing, repeat } },
  }));
  await schedules.claimStart("sc-1", 5);
  await schedules.putResult("sc-1", { time: 5, result: "STARTED" });
  await put("channel_schedule", "last_result", "NEWER");
  const listed = await schedules.listSchedules();
  expect(listed.map(({ lastRun }) => lastRun?.result)).toEqual(["STARTED", undefined]);
  expect(listed.map(({ timing }) => nextStart(timing, 0) !== undefined)).toEqual([true, false]);
});
