import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Contact, ContactResult } from "../../../src/control/contacts/contact.ts";
import type { NewEvent } from "../../../src/control/events/events.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { SqlContactStore } from "../../../src/store/deliveries/contact-store.ts";
import { SqlEventStore } from "../../../src/store/events/event-store.ts";
import { ContactSender } from "../../../src/webhooks/contacts/contact-sender.ts";
import type { Message } from "../../../src/webhooks/http-post.ts";
import { openEmptyDatabase } from "../../support/stages/made-database.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const CHANNEL = "ls-20260101000000-00001";
const CONTACT: Contact = {
  contactId: "ct-1",
  name: "Room",
  address: { kind: "slack", url: "https://chat.example/hook" },
  isEnabled: true,
  events: "problems",
  channelIds: [],
  language: "en",
  createdTime: 1,
  updateTime: 1,
};
const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

let folder: string;
let database: Database;
let clock: VirtualClock;
let sender: ContactSender;
let posted: Message[];
let result: ContactResult;
/** Whether messages get no answer before they are cancelled. */
let isHanging: boolean;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fanfare-contacts-"));
  database = await openEmptyDatabase(join(folder, "fanfare.db"));
  clock = new VirtualClock();
  posted = [];
  isHanging = false;
  result = { status: 200 };
  start();
  await new SqlContactStore(database).addContact(CONTACT);
});
afterEach(async () => {
  await sender.pause();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(): void {
  sender = new ContactSender({
    ...{ store: new SqlContactStore(database), clock, random: () => 0.5, log: LOG },
    post: async (message, signal) => {
      posted.push(message);
      if (isHanging)
        return new Promise((resolve) => signal.addEventListener("abort", () => resolve(undefined), { once: true }));
      return result.problem === undefined ? { status: result.status } : { problem: "TIMEOUT" };
    },
  });
}

async function happens(to: "FAIL" | "PUBLISHING", targetId = 1): Promise<void> {
  const event: NewEvent = {
    ...{ channelId: CHANNEL, code: "SIMULCAST_STATUS_CHANGE", level: to === "FAIL" ? "WARN" : "INFO" },
    ...{ time: clock.wallNow(), description: "d", isForWebhook: false, targetId, targetName: `P${targetId}` },
    ...{ from: to === "FAIL" ? "PUBLISHING" : "FAIL", to, ...(to === "FAIL" ? { reason: "TCP_RESET" } : {}) },
  };
  await new SqlEventStore(database).appendEvents([event]);
  sender.eventStored();
}

/** Advances so many seconds; after each, what the sender began is over. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1_000);
    await idle();
  }
}

/** Every step of the sender ends with the database, which answers in the order of the questions. */
async function idle(): Promise<void> {
  for (let step = 0; step < 8; step += 1) {
    await database.write(async () => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const texts = (): string[] => posted.map(({ body }) => JSON.parse(String(body)).text);

test("a platform that fails 30 times in ten minutes costs a few messages, and its recovery is told", async () => {
  sender.wake();
  await idle();
  for (let round = 0; round < 30; round += 1) {
    await happens("FAIL");
    await pass(10);
    await happens("PUBLISHING");
    await pass(10);
  }
  await pass(700);
  expect(posted.length).toBeLessThanOrEqual(5);
  expect(posted.length).toBeGreaterThanOrEqual(3);
  expect(texts()[0]).toBe("Fanfare: ls-20260101000000-00001\nP1 failed (connection lost)");
  expect(texts().at(-1)).toMatch(/^Fanfare: .*\n\d+ events, the last: P1/);
  expect(texts().at(-1)).not.toContain("failed");
});

test("a platform that fails is told after ten seconds, and its recovery half a minute later", async () => {
  sender.wake();
  await idle();
  await happens("FAIL");
  await pass(9);
  expect(posted).toEqual([]);
  await pass(3);
  expect(posted.length).toBe(1);
  await happens("PUBLISHING");
  await pass(20);
  expect(posted.length).toBe(1);
  await pass(15);
  expect(posted.length).toBe(2);
  // Another platform is told without that pause.
  await happens("FAIL", 2);
  await pass(12);
  expect(texts()[2]).toContain("P2 failed");
});

test("a room that cannot be reached gets everything in one message once it can, also after a restart", async () => {
  result = { problem: "TIMEOUT" };
  sender.wake();
  await idle();
  await happens("FAIL");
  await pass(12);
  expect(posted.length).toBe(1);
  expect(await new SqlContactStore(database).findContact("ct-1")).toMatchObject({
    ...{ lastProblem: "TIMEOUT", waitingCount: 1 },
  });
  await happens("FAIL", 2);
  await sender.pause();
  result = { status: 200 };
  start();
  sender.wake();
  await pass(60);
  expect(texts().slice(1)).toEqual([
    "Fanfare: ls-20260101000000-00001\nP1 failed (connection lost)\nP2 failed (connection lost)",
  ]);
  const state = await new SqlContactStore(database).findContact("ct-1");
  expect(state).toMatchObject({ waitingCount: 0 });
  expect(state).not.toHaveProperty("lastProblem");
  expect(state).not.toHaveProperty("nextTime");
});

test("mail without a mail server says so", async () => {
  const mail: Contact = { ...CONTACT, address: { kind: "email", to: ["a@example.com"] } };
  expect(await sender.sendTest(mail)).toEqual({ problem: "NO_MAIL_SERVER" });
  expect(await sender.sendTest(CONTACT)).toEqual({ status: 200 });
  expect(texts()).toEqual(["Fanfare: test message\nThis is a test: nothing happened."]);
});

test("a message that the end of a process cancelled is sent by the next one at once", async () => {
  isHanging = true;
  sender.wake();
  await idle();
  await happens("FAIL");
  await pass(12);
  expect(posted).toHaveLength(1);
  await sender.pause();
  isHanging = false;
  start();
  sender.wake();
  await idle();
  expect(posted).toHaveLength(2);
});
