import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SESSION_IDLE_MS } from "../../../src/control/access/dashboard-access.ts";
import { PUSH_SUBSCRIPTIONS_MAX } from "../../../src/control/alerts/push.ts";
import { SqlPushStore } from "../../../src/store/access/push-store.ts";
import { PushBrowser } from "../../support/dashboard/push-browser.ts";
import { Api } from "../api.ts";

const HOST = "fanfare.example:8080";
const ORIGIN = `https://${HOST}`;
const PASSWORD = "correct horse";

let api: Api;
let store: SqlPushStore;
beforeEach(async () => {
  api = await Api.open();
  store = new SqlPushStore(api.database);
});
afterEach(() => api.close());

type Method = "GET" | "POST" | "PUT" | "DELETE";

async function send(method: Method, url: string, cookie: string, body?: unknown, origin = ORIGIN) {
  const answer = await api.server.inject({
    ...{ method, url },
    headers: {
      ...{ host: HOST, cookie: `fanfare_session_test=${cookie}` },
      ...(method === "GET" ? {} : { origin }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  const [, set] = /fanfare_session_test=([^;]*)/.exec(String(answer.headers["set-cookie"] ?? "")) ?? [];
  return { status: answer.statusCode, body: answer.json(), cookie: set ?? "" };
}

async function setUp(): Promise<string> {
  const token = await api.dashboard.offerSetup();
  return (await send("POST", "/dashboard/setup", "", { token, password: PASSWORD })).cookie;
}

const signIn = async () => (await send("POST", "/dashboard/session", "", { password: PASSWORD })).cookie;

const browser = () => new PushBrowser(`https://push.example/${randomBytes(8).toString("hex")}`);
const endpoints = async () => (await store.list(0)).map(({ endpoint }) => endpoint);

test("a browser subscribes with its rules, changes them, gets a test message and unsubscribes", async () => {
  const cookie = await setUp();
  const { publicKey } = (await send("GET", "/dashboard/push", cookie)).body;
  expect(Buffer.from(publicKey, "base64url").length).toBe(65);
  expect((await send("GET", "/dashboard/push", cookie)).body).toEqual({ publicKey });

  const mine = browser();
  expect(await send("PUT", "/dashboard/push", cookie, mine.subscription())).toMatchObject({
    ...{ status: 200, body: { subscribed: true } },
  });
  const rules = { scope: "labels", channelIds: ["ls-1"], labels: ["studio 2", "스포츠"], severities: ["healthy"] };
  await send("PUT", "/dashboard/push", cookie, mine.subscription({ ...rules, language: "ko", isQuietInFocus: false }));
  expect(await store.list(0)).toEqual([
    {
      ...{ id: expect.stringMatching(/^[0-9a-f]{64}$/), endpoint: mine.endpoint, ...mine.keys, language: "ko" },
      ...{ contact: ORIGIN, rules, isQuietInFocus: false },
    },
  ]);
  const stored = await api.database.read((db) => db.selectFrom("push_subscription").selectAll().execute());
  expect(JSON.stringify(stored)).not.toContain(mine.endpoint);
  expect(JSON.stringify(stored)).not.toContain(mine.keys.auth);

  const tested = await send("POST", "/dashboard/push/test", cookie, { endpoint: mine.endpoint });
  expect(tested).toMatchObject({ status: 200, body: { status: 201 } });
  const [message] = api.pushed;
  expect(message).toMatchObject({
    url: mine.endpoint,
    headers: { "content-encoding": "aes128gcm", ttl: "3600", urgency: "high" },
  });
  expect(message?.headers["authorization"]).toContain(`, k=${publicKey}`);
  expect(JSON.parse(mine.decrypt(Buffer.from(message?.body ?? "")))).toEqual({
    ...{ title: "테스트 알림", body: "Fanfare의 알림은 이렇게 표시됩니다.", isQuietInFocus: false },
  });

  await send("DELETE", "/dashboard/push", cookie, { endpoint: mine.endpoint });
  expect(await endpoints()).toEqual([]);
  const gone = await send("POST", "/dashboard/push/test", cookie, { endpoint: mine.endpoint });
  expect([gone.status, gone.body.error.errorCode]).toEqual([404, 250_004]);
});

test("a push service that no longer knows the browser ends the subscription", async () => {
  const cookie = await setUp();
  const mine = browser();
  await send("PUT", "/dashboard/push", cookie, mine.subscription());
  api.pushResult = { status: 410 };
  const tested = await send("POST", "/dashboard/push/test", cookie, { endpoint: mine.endpoint });
  expect(tested.body).toEqual({ status: 410 });
  expect(await endpoints()).toEqual([]);
});

test("a request without a session, or from another page, is refused", async () => {
  const cookie = await setUp();
  const mine = browser();
  for (const [method, url] of [
    ["GET", "/dashboard/push"],
    ["PUT", "/dashboard/push"],
    ["DELETE", "/dashboard/push"],
    ["POST", "/dashboard/push/test"],
  ] as const) {
    const refused = await send(method, url, "nosession", method === "GET" ? undefined : mine.subscription());
    expect([refused.status, refused.body.error.errorCode], `${method} ${url}`).toEqual([401, "200"]);
  }
  const foreign = await send("PUT", "/dashboard/push", cookie, mine.subscription(), "https://evil.example");
  expect(foreign.status).toBe(401);
  expect(await endpoints()).toEqual([]);
});

test.each([
  ["endpoint", { endpoint: "http://push.example/1" }],
  ["endpoint", { endpoint: "https://user:pass@push.example/1" }],
  ["endpoint", { endpoint: `https://push.example/${"x".repeat(1_024)}` }],
  ["keys", { keys: { p256dh: "AAAA", auth: "AAAA" } }],
  ["keys.auth", { keys: { p256dh: "AAAA", auth: "a b" } }],
  ["keys", { keys: 5 }],
  ["language", { language: "fr" }],
  ["scope", { scope: "some" }],
  ["channelIds", { channelIds: Array.from({ length: 501 }, () => "x") }],
  ["labels[0]", { labels: ["a\nb"] }],
  ["severities[0]", { severities: ["off"] }],
  ["isQuietInFocus", { isQuietInFocus: "yes" }],
])("a subscription with a wrong %s is refused in the contract's form", async (field, change) => {
  const refused = await send("PUT", "/dashboard/push", await setUp(), browser().subscription(change));
  expect([refused.status, refused.body.error.errorCode]).toEqual([400, 250_002]);
  expect(refused.body.error.details).toContain(`${field}: expected`);
  expect(await endpoints()).toEqual([]);
});

test("a subscription ends with the session that made it: sign-out, another password, 30 days without use", async () => {
  const first = await setUp();
  const [mine, others] = [browser(), browser()];
  await send("PUT", "/dashboard/push", first, mine.subscription());
  const second = await signIn();
  await send("PUT", "/dashboard/push", second, others.subscription());
  expect((await endpoints()).length).toBe(2);
  await send("DELETE", "/dashboard/session", first);
  expect(await endpoints()).toEqual([others.endpoint]);

  const changed = await send("PUT", "/dashboard/password", second, { old: PASSWORD, new: "another password" });
  expect(await endpoints()).toEqual([]);
  await send("PUT", "/dashboard/push", changed.cookie, others.subscription());
  expect(await endpoints()).toEqual([others.endpoint]);
  expect(await store.list(api.clock.wallMs - SESSION_IDLE_MS)).toHaveLength(1);
  api.clock.advance(SESSION_IDLE_MS + 1);
  expect(await store.list(api.clock.wallMs - SESSION_IDLE_MS)).toEqual([]);
});

test("the number of subscriptions is bounded, and an existing one may still be changed", async () => {
  const cookie = await setUp();
  const sessionHash = (await api.dashboard.sessionOf(cookie)) ?? "";
  const push = (index: number) => ({
    ...({ endpoint: `https://push.example/${index}`, ...browser().keys, language: "en", contact: ORIGIN } as const),
    rules: { scope: "all", channelIds: [], labels: [], severities: [] } as const,
    isQuietInFocus: false,
  });
  for (let index = 0; index < PUSH_SUBSCRIPTIONS_MAX; index += 1) {
    expect(await store.put(push(index), sessionHash, 1)).toBe(true);
  }
  const refused = await send("PUT", "/dashboard/push", cookie, browser().subscription());
  expect([refused.status, refused.body.error.errorCode]).toEqual([409, 250_005]);
  expect(await store.put(push(0), sessionHash, 2)).toBe(true);
  expect(await store.put(push(0), "no-session", 2)).toBe(false);
});

test("the key is made once, also where two ask at the same time", async () => {
  const other = new SqlPushStore(api.database);
  const made = (x: string) => ({ x, y: "y", d: "d" });
  const [one, two] = await Promise.all([store.vapidKey(() => made("1")), other.vapidKey(() => made("2"))]);
  expect(one).toEqual(two);
  expect(await store.vapidKey(() => made("3"))).toEqual(one);
});
