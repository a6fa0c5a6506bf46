import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Api, CHANNEL, CHANNELS } from "../api.ts";

const HOST = "fanfare.example:8080";
const ORIGIN = `http://${HOST}`;
const PASSWORD = "correct horse";

const folder = mkdtempSync(join(tmpdir(), "fanfare-web-"));
mkdirSync(join(folder, "assets"));
writeFileSync(join(folder, "index.html"), "<!doctype html><title>page</title>");
writeFileSync(join(folder, "icon.svg"), "<svg/>");
writeFileSync(join(folder, "assets", "main-abc123.js"), "export {};");

let api: Api;
beforeEach(async () => {
  api = await Api.open({ applicationFolder: folder });
});
afterEach(() => api.close());

type Sent = {
  readonly headers?: Record<string, string | undefined>;
  readonly body?: unknown;
  readonly cookie?: string;
  /** The cookie that this browser got when it signed in before. */
  readonly device?: string;
  /** Where the browser is; 127.0.0.1 by default. */
  readonly remoteAddress?: string;
};

/** Sends a request as a browser on our own page does. */
async function browser(method: "GET" | "POST" | "PUT" | "DELETE", url: string, sent: Sent = {}) {
  const cookies = [
    "other=1",
    ...(sent.cookie === undefined ? [] : [`fanfare_session_test=${sent.cookie}`]),
    ...(sent.device === undefined ? [] : [`fanfare_device_test=${sent.device}`]),
  ];
  const headers = {
    host: HOST,
    ...(method === "GET" ? {} : { origin: ORIGIN }),
    ...(sent.body === undefined ? {} : { "content-type": "application/json" }),
    cookie: cookies.join("; "),
    ...sent.headers,
  };
  const answer = await api.server.inject({
    method,
    url,
    ...(sent.remoteAddress === undefined ? {} : { remoteAddress: sent.remoteAddress }),
    headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
    ...(sent.body === undefined ? {} : { payload: JSON.stringify(sent.body) }),
  });
  const all = [answer.headers["set-cookie"] ?? []].flat();
  const setCookie = all.find((each) => each.startsWith("fanfare_session_test=")) ?? "";
  const cookie = /^fanfare_session_test=([^;]*)/.exec(setCookie)?.[1];
  const setDevice = all.find((each) => each.startsWith("fanfare_device_test=")) ?? "";
  const device = /=([^;]*)/.exec(setDevice)?.[1];
  return {
    status: answer.statusCode,
    body: answer.json(),
    setCookie,
    cookie,
    setDevice,
    device,
    headers: answer.headers,
  };
}

/** A cookie of a browser that has just set the password. */
async function setUp(): Promise<string> {
  const token = await api.dashboard.offerSetup();
  const { cookie } = await browser("POST", "/dashboard/setup", { body: { token, password: PASSWORD } });
  return cookie ?? "";
}

describe("set-up", () => {
  test("the link's token sets the password once and signs this browser in", async () => {
    expect((await browser("GET", "/dashboard/session")).body).toEqual({ signedIn: false, needsSetup: true });
    const token = await api.dashboard.offerSetup();
    const set = await browser("POST", "/dashboard/setup", { body: { token, password: PASSWORD } });
    expect([set.status, set.body]).toEqual([200, { signedIn: true, needsSetup: false }]);
    expect(set.setCookie).toMatch(
      /^fanfare_session_test=[a-z0-9]{32}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/,
    );
    const session = await browser("GET", "/dashboard/session", { cookie: set.cookie ?? "" });
    expect(session.body).toEqual({ signedIn: true, needsSetup: false });
    const again = await browser("POST", "/dashboard/setup", { body: { token, password: "another password" } });
    expect([again.status, again.body.error.errorCode, again.cookie]).toEqual([401, "200", undefined]);
    expect(await api.dashboard.offerSetup()).toBeUndefined();
  });

  test("a token is good for an hour, and until a newer one is made", async () => {
    const first = await api.dashboard.offerSetup();
    const second = await api.dashboard.offerSetup();
    const send = (token: string | undefined) =>
      browser("POST", "/dashboard/setup", { body: { token, password: PASSWORD } });
    expect((await send(first)).status).toBe(401);
    api.clock.advance(60 * 60 * 1000);
    expect((await send(second)).status).toBe(401);
    expect((await send(await api.dashboard.offerSetup())).status).toBe(200);
  });

  test("a password that is too short is refused and not repeated", async () => {
    const token = await api.dashboard.offerSetup();
    const { status, body } = await browser("POST", "/dashboard/setup", { body: { token, password: "abcdefg" } });
    expect([status, body.error.errorCode]).toEqual([400, 250002]);
    expect(JSON.stringify(body)).not.toContain("abcdefg");
    expect((await browser("POST", "/dashboard/setup", { body: { token, password: PASSWORD } })).status).toBe(200);
  });
});

describe("a session", () => {
  test("stands in for a manager's signature", async () => {
    const cookie = await setUp();
    const made = await browser("POST", `${CHANNELS}`, { cookie, body: CHANNEL });
    expect(made.status).toBe(200);
    const list = await browser("GET", CHANNELS, { cookie });
    expect(list.body.content[0].streamKey).toBe(made.body.content.streamKey);
    expect((await browser("GET", "/api/v2/access-keys", { cookie })).status).toBe(200);
  });

  test("names a channel freely, and its changes are the dashboard's", async () => {
    const cookie = await setUp();
    const channelName = "Sunday service – 예배 📺 (main hall)";
    const made = await browser("POST", CHANNELS, { cookie, body: { ...CHANNEL, channelName } });
    expect(made.body.content.channelName).toBe(channelName);
    const url = `${CHANNELS}/${made.body.content.channelId}`;
    expect((await browser("PUT", url, { cookie, body: { channelName: "x" } })).body.content.channelName).toBe("x");
    const longest = "가".repeat(80);
    expect((await browser("PUT", url, { cookie, body: { channelName: longest } })).status).toBe(200);
    for (const refused of ["", "  ", "가".repeat(81), "a\nb", "a\u0000b", "\ud800", 5]) {
      expect((await browser("PUT", url, { cookie, body: { channelName: refused } })).status).toBe(400);
    }
    // The contract's rule holds for its own calls.
    expect((await api.put(url, { channelName })).status).toBe(400);
    await api.events.written(3);
    const events = await browser("GET", `${url}/events`, { cookie });
    expect(events.body.content.map(({ by }: { by: string }) => by)).toEqual(["dashboard", "dashboard", "dashboard"]);
  });

  test("changes nothing from another page, nor by what a form can send", async () => {
    const cookie = await setUp();
    const send = (headers: Record<string, string | undefined>) =>
      browser("POST", CHANNELS, { cookie, body: CHANNEL, headers });
    for (const origin of [undefined, "null", "http://evil.example", "http://fanfare.example"]) {
      const { status, body } = await send({ origin });
      expect([origin, status, body.error.errorCode]).toEqual([origin, 401, "210"]);
    }
    // The message tells a person who has set a proxy up wrongly what to set.
    const { body } = await send({ origin: "http://fanfare.example" });
    expect(body.error.details).toContain("The page is of fanfare.example, the request came for fanfare.example:8080.");
    expect(body.error.details).toContain("proxy_set_header Host $http_host");
    expect((await send({ "content-type": "text/plain" })).body.error.errorCode).toBe("210");
    expect((await send({ "content-type": undefined })).body.error.errorCode).toBe("210");
    expect((await send({ "content-type": "multipart/form-data; boundary=a" })).body.error.errorCode).toBe("210");
    expect((await browser("GET", CHANNELS, { cookie })).body.total).toBe(0);
    // A host is the same in any case, and browsers write an origin in small letters.
    expect((await send({ host: "FanFare.Example:8080" })).status).toBe(200);
    // The parts of an uploaded file come as this, which no form can send.
    expect((await send({ "content-type": "application/octet-stream" })).status).toBe(200);
    const signIn = await browser("POST", "/dashboard/session", {
      body: { password: PASSWORD },
      headers: { origin: "http://evil.example" },
    });
    expect([signIn.status, signIn.cookie]).toEqual([401, undefined]);
  });

  test("is ignored where a request authenticates in another way", async () => {
    const cookie = await setUp();
    const wrong = await browser("GET", CHANNELS, { cookie, headers: { authorization: "Bearer unknown" } });
    expect([wrong.status, wrong.body.error.errorCode]).toEqual([401, "200"]);
    const half = await browser("GET", CHANNELS, {
      cookie,
      headers: { "x-ncp-iam-access-key": "MANAGER0000000000001" },
    });
    expect(half.status).toBe(401);
  });

  test("ends by signing out, after 30 days without use, and not before", async () => {
    const cookie = await setUp();
    const signedIn = async () => (await browser("GET", "/dashboard/session", { cookie })).body.signedIn;
    api.clock.advance(29 * 24 * 60 * 60 * 1000);
    expect(await signedIn()).toBe(true);
    // The use is written in the background; the write before the next one is done first.
    await api.dashboard.signOut("unknown");
    api.clock.advance(29 * 24 * 60 * 60 * 1000);
    expect(await signedIn()).toBe(true);
    const second = (await browser("POST", "/dashboard/session", { body: { password: PASSWORD } })).cookie ?? "";
    const out = await browser("DELETE", "/dashboard/session", { cookie: second });
    expect(out.setCookie).toMatch(/^fanfare_session_test=; Path=\/; Max-Age=0;/);
    expect((await browser("GET", CHANNELS, { cookie: second })).status).toBe(401);
    api.clock.advance(31 * 24 * 60 * 60 * 1000);
    expect(await signedIn()).toBe(false);
  });

  test("does not end because the clock is set, forward or back, and a set-up link has its hour", async () => {
    const STEP_MS = 400 * 24 * 60 * 60 * 1000;
    const token = await api.dashboard.offerSetup();
    api.clock.wallMs += STEP_MS;
    const { cookie = "" } = await browser("POST", "/dashboard/setup", { body: { token, password: PASSWORD } });
    const signedIn = async () => (await browser("GET", "/dashboard/session", { cookie })).body.signedIn;
    for (const step of [STEP_MS, -2 * STEP_MS, STEP_MS]) {
      api.clock.wallMs += step;
      expect(await signedIn()).toBe(true);
      api.clock.advance(2 * 60 * 60 * 1000);
    }
    // Thirty days without use are thirty days, whatever the clock shows.
    api.clock.advance(31 * 24 * 60 * 60 * 1000);
    api.clock.wallMs -= STEP_MS;
    expect(await signedIn()).toBe(false);
  });

  test("ends with a new password, and the browser that chose it gets another", async () => {
    const cookie = await setUp();
    const other = (await browser("POST", "/dashboard/session", { body: { password: PASSWORD } })).cookie ?? "";
    const change = (old: string) =>
      browser("PUT", "/dashboard/password", { cookie, body: { old, new: "new password" } });
    expect((await change("wrong password")).status).toBe(401);
    const changed = await change(PASSWORD);
    expect(changed.status).toBe(200);
    expect((await browser("GET", CHANNELS, { cookie: changed.cookie ?? "" })).status).toBe(200);
    expect((await browser("GET", CHANNELS, { cookie })).status).toBe(401);
    expect((await browser("GET", CHANNELS, { cookie: other })).status).toBe(401);
    expect((await browser("POST", "/dashboard/session", { body: { password: PASSWORD } })).status).toBe(401);
  });

  test("is Secure where a trusted proxy says HTTPS", async () => {
    await setUp();
    await api.close();
    api = await Api.open({ limits: { trustedProxies: "127.0.0.0/8" } });
    const token = await api.dashboard.offerSetup();
    const headers = { "x-forwarded-proto": "https" };
    const set = await browser("POST", "/dashboard/setup", { headers, body: { token, password: PASSWORD } });
    expect(set.setCookie).toMatch(/; Secure$/);
  });
});

test("after ten failures of an address within a minute it is refused, whatever the password, and others are not", async () => {
  await setUp();
  const attempt = (password: string, remoteAddress = "192.0.2.1") =>
    browser("POST", "/dashboard/session", { body: { password }, remoteAddress });
  // Right ones do not count.
  expect((await attempt(PASSWORD)).status).toBe(200);
  for (let count = 0; count < 10; count += 1) expect((await attempt(`wrong-${count}`)).status).toBe(401);
  const refused = await attempt(PASSWORD);
  expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "60"]);
  expect((await attempt(PASSWORD, "192.0.2.2")).status).toBe(200);
  api.clock.advance(60_000);
  expect((await attempt(PASSWORD)).status).toBe(200);
});

test("wrong set-up tokens and wrong old passwords are failures too, each counted by itself", async () => {
  const cookie = await setUp();
  const setUpBy = () => browser("POST", "/dashboard/setup", { body: { token: "wrong", password: PASSWORD } });
  const change = () =>
    browser("PUT", "/dashboard/password", { cookie, body: { old: "wrong password", new: "new password" } });
  for (const send of [setUpBy, change]) {
    for (let count = 0; count < 10; count += 1) expect((await send()).status).toBe(401);
    expect((await send()).status).toBe(429);
  }
  expect(await api.metrics.text()).toContain('fanfare_failed_logins_total{where="dashboard"} 20');
  expect(
    api.lines.filter(({ event, fields }) => event === "login failed" && fields["where"] === "dashboard"),
  ).toHaveLength(20);
  // And guesses do not keep this browser's owner out.
  expect((await browser("POST", "/dashboard/session", { body: { password: PASSWORD } })).status).toBe(200);
});

describe("a browser that signed in before", () => {
  const signIn = (password: string, sent: Sent = {}) =>
    browser("POST", "/dashboard/session", { body: { password }, ...sent });

  test("gets a cookie that gives no access by itself, and with it signs in while others guess, from its address too", async () => {
    await setUp();
    const before = await signIn(PASSWORD);
    expect(before.setDevice).toMatch(
      /^fanfare_device_test=[a-z0-9]{16}\.[0-9a-f]{64}; Path=\/dashboard; Max-Age=34560000; HttpOnly; SameSite=Strict$/,
    );
    const device = before.device ?? "";
    expect((await browser("GET", "/dashboard/session", { device })).body.signedIn).toBe(false);
    expect((await browser("GET", CHANNELS, { device })).status).toBe(401);
    for (let count = 0; count < 10; count += 1) expect((await signIn("wrong")).status).toBe(401);
    expect((await signIn(PASSWORD)).status).toBe(429);
    expect((await signIn(PASSWORD, { device: `${device.slice(0, -1)}g` })).status).toBe(429);
    expect((await signIn(PASSWORD, { device: `${device.startsWith("b") ? "c" : "b"}${device.slice(1)}` })).status).toBe(
      429,
    );
    expect((await signIn(PASSWORD, { device })).status).toBe(200);
    // Nor do they keep a person from a new set-up link.
    expect((await browser("POST", "/dashboard/setup", { body: { token: "old", password: PASSWORD } })).status).toBe(
      401,
    );
  });

  test("counts as unknown again once the password is another, except the one that changed it", async () => {
    await setUp();
    const [first, second] = [await signIn(PASSWORD), await signIn(PASSWORD)];
    const body = { old: PASSWORD, new: "new password" };
    const changed = await browser("PUT", "/dashboard/password", { cookie: first.cookie ?? "", body });
    expect(await api.dashboard.deviceOf(second.device ?? "")).toBeUndefined();
    expect(await api.dashboard.deviceOf(first.device ?? "")).toBeUndefined();
    expect(await api.dashboard.deviceOf(changed.device ?? "")).toMatch(/^[a-z0-9]{16}$/);
  });
});

describe("two servers on one host", () => {
  test("have cookies of their own, and one from before they had is accepted once more", async () => {
    const cookie = await setUp();
    const send = (text: string) =>
      browser("GET", "/dashboard/session", { headers: { cookie: text } }).then(({ body }) => body.signedIn);
    const other = "a".repeat(32);
    expect(await send(`fanfare_session_other=${other}; fanfare_session_test=${cookie}`)).toBe(true);
    expect(await send(`fanfare_session=${other}; fanfare_session_test=${cookie}`)).toBe(true);
    expect(await send(`fanfare_session_other=${cookie}`)).toBe(false);
    expect(await send(`fanfare_session=${cookie}`)).toBe(true);
  });
});

test("a password is the same however its letters are composed", async () => {
  const token = await api.dashboard.offerSetup();
  await browser("POST", "/dashboard/setup", { body: { token, password: "비밀번호입니다요" } });
  const decomposed = "비밀번호입니다요".normalize("NFD");
  expect((await browser("POST", "/dashboard/session", { body: { password: decomposed } })).status).toBe(200);
});

describe("the application", () => {
  const get = (url: string, headers: Record<string, string> = {}) => api.server.inject({ method: "GET", url, headers });
  const html = { accept: "text/html,*/*;q=0.8" };

  test("hashed files are cached for good, the page never, and neither may load from elsewhere", async () => {
    const script = await get("/assets/main-abc123.js");
    expect([script.statusCode, script.body]).toEqual([200, "export {};"]);
    expect(script.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    const page = await get("/channels/ls-1", html);
    expect([page.statusCode, page.headers["cache-control"]]).toEqual([200, "no-cache"]);
    expect(page.body).toContain("<title>page</title>");
    for (const { headers } of [script, page]) {
      expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
      expect(headers["x-content-type-options"]).toBe("nosniff");
    }
    expect((await get("/icon.svg")).headers["content-type"]).toMatch(/^image\/svg\+xml/);
  });

  test("other paths keep their answers", async () => {
    for (const url of ["/api/v2/nothing", "/api", "/dashboard/nothing", "/preview/x/y", "/docs/x"]) {
      expect([url, (await get(url, html)).statusCode]).toEqual([url, 404]);
    }
    for (const url of ["/nothing", "/assets/%2e%2e/%2e%2e/etc/passwd", "/assets/nothing.js"]) {
      const answer = await get(url);
      expect([url, answer.statusCode, answer.json().error.errorCode]).toEqual([url, 404, "300"]);
    }
    const posted = await api.server.inject({ method: "POST", url: "/", headers: html });
    expect(posted.statusCode).toBe(404);
  });

  test("says how to build it where it is not built", async () => {
    await api.close();
    api = await Api.open();
    const answer = await get("/", html);
    expect([answer.statusCode, answer.body]).toEqual([404, expect.stringContaining("npm run build")]);
  });
});

process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
