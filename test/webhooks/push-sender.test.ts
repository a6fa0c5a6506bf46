import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { ALERT_SEVERITIES, type AlertRules } from "../../src/api-contract/alerts/alert-rules.ts";
import type { ServerAlert } from "../../src/control/alerts/alert-text.ts";
import type { PushStore, StoredPush } from "../../src/control/alerts/push.ts";
import type { AttemptResult } from "../../src/control/events/deliveries.ts";
import { StoreUnavailableError } from "../../src/control/ports/errors.ts";
import type { Message } from "../../src/webhooks/http-post.ts";
import { PushSender } from "../../src/webhooks/push/push-sender.ts";
import { newVapidKey } from "../../src/webhooks/push/vapid.ts";
import { PushBrowser } from "../support/dashboard/push-browser.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const ALL: AlertRules = { scope: "all", channelIds: [], labels: [], severities: ALERT_SEVERITIES };
const TARGET = { targetId: 7, targetName: "YOUTUBE", label: "Main" } as const;

type Posted = { readonly message: Message; readonly answer: (result: AttemptResult) => Promise<void> };

/** A sender on virtual time with these browsers; the test decides the push services' answers. */
function stage(rules: readonly AlertRules[]) {
  const clock = new VirtualClock();
  const browsers = rules.map((_, index) => new PushBrowser(`https://push.example/${index}`));
  const stored = new Map<string, StoredPush>();
  for (const [index, { endpoint, keys }] of browsers.entries()) {
    stored.set(endpoint, {
      ...{ id: `push-${index}`, endpoint, ...keys, language: index % 2 === 0 ? "en" : "ko" },
      ...{ contact: "https://fanfare.example", rules: rules[index] ?? ALL, isQuietInFocus: false },
    });
  }
  const key = newVapidKey();
  /** What the database does not answer now. */
  const away = { key: false, list: false, channels: false };
  const answered = <Value>(isAway: boolean, value: Value): Promise<Value> =>
    isAway ? Promise.reject(new StoreUnavailableError("locked")) : Promise.resolve(value);
  const store: PushStore = {
    vapidKey: () => answered(away.key, key),
    put: async () => true,
    list: () => answered(away.list, [...stored.values()]),
    find: async (endpoint) => stored.get(endpoint),
    delete: async (endpoint) => void stored.delete(endpoint),
  };
  const posted: Posted[] = [];
  const lines: string[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    error: () => undefined,
    warn: (line: string) => void lines.push(line),
  };
  const sender = new PushSender({
    ...{ store, clock, randomBytes, log, sessionIdleMs: 1 },
    post: (message, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve(undefined));
        posted.push({
          message,
          answer: (result) => {
            resolve(result);
            return settle();
          },
        });
      }),
    readChannel: async (channelId) => {
      if (channelId === "gone") throw new Error("not found");
      await answered(away.channels, undefined);
      return { channelId, name: `show ${channelId}`, labels: ["Studio"], targets: [TARGET] as never };
    },
  });
  const read = ({ message }: Posted) => {
    const browser = browsers.find(({ endpoint }) => endpoint === message.url);
    return JSON.parse(browser?.decrypt(Buffer.from(message.body)) ?? "null");
  };
  return { clock, sender, posted, stored, lines, read, away };
}

/** Runs everything that was resolved. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  await new Promise<void>((resolve) => setImmediate(resolve));
}

async function pass(clock: VirtualClock, ms: number): Promise<void> {
  clock.advance(ms);
  await settle();
}

function alert(channelId: string, severity: "broken" | "attention" | "healthy" = "broken"): ServerAlert {
  const message = { en: "The key is wrong.", ko: "키가 올바르지 않습니다." };
  const reason = { code: "PUBLISH_REJECTED", message, targetId: 7, nextStep: "CHECK_KEY" } as const;
  const health =
    severity === "healthy" ? { state: severity, reasonCount: 0 } : { state: severity, reason, reasonCount: 1 };
  return { channelId, severity, verdict: { state: severity, health }, troubleCount: 0 };
}

test("each browser gets, in its language, the alerts that its rules let through", async () => {
  const { clock, sender, posted, read } = stage([
    ALL,
    ALL,
    { ...ALL, severities: ["attention"] },
    { ...ALL, scope: "labels", labels: ["STUDIO"] },
  ]);
  sender.alert(alert("ls-1"));
  await pass(clock, 999);
  expect(posted).toEqual([]);
  await pass(clock, 1);
  expect(posted.map(({ message }) => message.url)).toEqual([0, 1, 3].map((index) => `https://push.example/${index}`));
  expect(posted.slice(0, 2).map(read)).toEqual([
    {
      ...{ title: "show ls-1: Broken", channelId: "ls-1", isQuietInFocus: false },
      body: "Main: The key is wrong. Copy the stream key again from the platform, and check there that the broadcast is open.",
    },
    {
      ...{ title: "show ls-1: 문제 발생", channelId: "ls-1", isQuietInFocus: false },
      body: "Main: 키가 올바르지 않습니다. 플랫폼에서 스트림 키를 다시 복사하고, 방송이 열려 있는지 확인해 주세요.",
    },
  ]);
});

test("a loss and an unstable channel have their own sentence, and a channel that is gone is left out", async () => {
  const { clock, sender, posted, read } = stage([ALL]);
  const verdict = { state: "broken", lostBy: "encoder" } as const;
  sender.alert({ channelId: "ls-1", severity: "broken", verdict, troubleCount: 0 });
  sender.alert({ ...alert("ls-2", "healthy"), severity: "broken", troubleCount: 4 });
  sender.alert(alert("gone"));
  await pass(clock, 1_000);
  await posted[0]?.answer({ status: 201 });
  await posted[1]?.answer({ status: 201 });
  expect(posted.map(read)).toMatchObject([
    { title: "show ls-1: Broadcast ended" },
    { title: "show ls-2: Unstable", body: "In trouble 4 times within a minute. Now: Healthy." },
  ]);
});

test("the newest alert of a channel in a second is sent, and many channels share one message", async () => {
  const { clock, sender, posted, read } = stage([ALL]);
  for (let index = 0; index < 300; index += 1)
    sender.alert(alert(`ls-${index % 4}`, index < 150 ? "attention" : "broken"));
  await pass(clock, 1_000);
  expect(posted.map(read)).toEqual([
    { title: "4 channels have changed", body: "Look at the dashboard.", isQuietInFocus: false },
  ]);
});

test("a browser gets one message after another, eight browsers at a time, and none waits for another", async () => {
  const { clock, sender, posted } = stage(Array.from({ length: 10 }, () => ALL));
  sender.alert(alert("ls-1"));
  sender.alert(alert("ls-2"));
  await pass(clock, 1_000);
  expect(posted.map(({ message }) => message.url.at(-1))).toEqual([..."01234567"]);
  await posted[0]?.answer({ status: 201 });
  expect(posted.length).toBe(9);
  for (let index = 1; index < 20; index += 1) await posted[index]?.answer({ status: 201 });
  expect(
    posted
      .map(({ message }) => message.url.at(-1))
      .toSorted()
      .join(""),
  ).toBe("00112233445566778899");
});

test("a failure is tried again after 5 and after 30 seconds, and then given up; a refusal is not tried again", async () => {
  const { clock, sender, posted, lines } = stage([ALL]);
  sender.alert(alert("ls-1"));
  await pass(clock, 1_000);
  await posted[0]?.answer({ status: 503 });
  await pass(clock, 4_999);
  expect(posted.length).toBe(1);
  await pass(clock, 1);
  await posted[1]?.answer({ problem: "TIMEOUT" });
  await pass(clock, 30_000);
  await posted[2]?.answer({ status: 429 });
  await pass(clock, 300_000);
  expect([posted.length, lines]).toEqual([3, ["push not delivered", "push not delivered", "push not delivered"]]);
  sender.alert(alert("ls-2"));
  await pass(clock, 1_000);
  await posted[3]?.answer({ status: 403 });
  await pass(clock, 300_000);
  expect(posted.length).toBe(4);
});

test("until the browsers were counted one may be subscribed", async () => {
  const { sender } = stage([]);
  expect(sender.hasReaders).toBe(true);
  sender.start();
  await settle();
  expect(sender.hasReaders).toBe(false);
  sender.close();
});

test.each([404, 410])("an answer of %i removes the subscription and its waiting messages", async (status) => {
  const { clock, sender, posted, stored } = stage([ALL]);
  sender.start();
  await settle();
  expect(sender.hasReaders).toBe(true);
  sender.alert(alert("ls-1"));
  sender.alert(alert("ls-2"));
  await pass(clock, 1_000);
  await posted[0]?.answer({ status });
  expect([posted.length, stored.size, sender.hasReaders]).toEqual([1, 0, false]);
  sender.close();
});

test("an endless reason is cut, so that a message has at most 2 kB before it is encrypted", async () => {
  const { clock, sender, posted, read } = stage([ALL]);
  const { verdict, ...rest } = alert("ls-1");
  const reason = { code: "STALLED", message: { en: "끝".repeat(3_000), ko: "" }, nextStep: "WAIT" } as const;
  sender.alert({ ...rest, verdict: { ...verdict, health: { state: "broken", reason, reasonCount: 1 } } });
  await pass(clock, 1_000);
  const [only] = posted;
  expect(only?.message.body.length).toBeLessThan(2_048);
  expect(only === undefined ? "" : read(only).body).toMatch(/^끝+…$/);
});

test("a sender that was ended sends nothing any more", async () => {
  const { clock, sender, posted } = stage([ALL]);
  sender.alert(alert("ls-1"));
  sender.close();
  sender.alert(alert("ls-2"));
  await pass(clock, 60_000);
  expect(posted).toEqual([]);
});

test.each(["list", "channels"] as const)(
  "while the database does not give the %s, of each channel the newest alert waits",
  async (what) => {
    const { clock, sender, posted, read, away } = stage([ALL]);
    away[what] = true;
    sender.alert(alert("ls-1"));
    sender.alert(alert("ls-2"));
    await pass(clock, 1_000);
    sender.alert(alert("ls-1", "healthy"));
    for (let times = 0; times < 100; times += 1) await pass(clock, 5_000);
    expect(posted).toEqual([]);
    away[what] = false;
    await pass(clock, 5_000);
    await posted[0]?.answer({ status: 201 });
    expect(posted.map(read).map(({ title }) => title)).toEqual(["show ls-2: Broken", "show ls-1: Healthy"]);
    sender.close();
  },
);

test("a browser whose message could not be signed gets it when the database is back, and all later ones", async () => {
  const { clock, sender, posted, read, away } = stage([ALL]);
  away.key = true;
  sender.alert(alert("ls-1"));
  await pass(clock, 1_000);
  expect(posted).toEqual([]);
  away.key = false;
  await pass(clock, 5_000);
  await posted[0]?.answer({ status: 201 });
  sender.alert(alert("ls-2"));
  await pass(clock, 1_000);
  expect(posted.map(read).map(({ title }) => title)).toEqual(["show ls-1: Broken", "show ls-2: Broken"]);
});
