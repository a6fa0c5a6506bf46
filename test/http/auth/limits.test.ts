import { afterEach, describe, expect, test } from "vitest";
import { clientOf, FAILED_LOGINS_PER_MINUTE, RequestRate } from "../../../src/http/auth/limits.ts";
import { ManualClock } from "../../control/manual-clock.ts";
import { Api, CHANNEL, CHANNELS, gateway, MANAGER, VIEWER } from "../api.ts";

let api: Api | undefined;
afterEach(() => api?.close());

async function open(limits: { requestsPerSecond?: number; failedLoginsPerMinute?: number; trustedProxies?: string }) {
  api = await Api.open({ limits });
  return api;
}

const TOO_MANY = gateway("420", "Rate Limited", "Too many requests with this access key.");
const TOO_MANY_FAILED = gateway("420", "Rate Limited", "Too many failed authentications from this address.");
const WRONG = { ...MANAGER, secretKey: "wrong" };

describe("requests of one access key", () => {
  test("are answered up to the limit, then 420 with Retry-After, and again after a second", async () => {
    const { call, clock } = bound(await open({ requestsPerSecond: 5 }));
    for (let count = 0; count < 5; count += 1) expect((await call({ method: "GET", url: CHANNELS })).status).toBe(200);
    const answer = await call({ method: "GET", url: CHANNELS });
    expect([answer.status, answer.body]).toEqual([429, TOO_MANY]);
    expect(answer.headers).toMatchObject({ "retry-after": "1", "x-ncp-apigw-response-origin": "APIGW" });
    clock.advance(1_000);
    for (let count = 0; count < 5; count += 1) expect((await call({ method: "GET", url: CHANNELS })).status).toBe(200);
    expect((await call({ method: "GET", url: CHANNELS })).status).toBe(429);
  });

  test("do not count for another key, and both prefixes count as one", async () => {
    const { call } = bound(await open({ requestsPerSecond: 1 }));
    expect((await call({ method: "GET", url: CHANNELS })).status).toBe(200);
    expect((await call({ method: "GET", url: CHANNELS, key: VIEWER })).status).toBe(200);
    expect((await call({ method: "GET", url: "/api/fin-v2/re-stream/channels" })).status).toBe(429);
  });

  test("are refused after the role and before the region", async () => {
    const { call } = bound(await open({ requestsPerSecond: 1 }));
    await call({ method: "GET", url: CHANNELS, key: VIEWER });
    const write = { method: "POST", url: CHANNELS, body: CHANNEL } as const;
    expect((await call({ ...write, key: VIEWER })).body.error.errorCode).toBe("210");
    await call({ method: "GET", url: CHANNELS });
    expect((await call({ ...write, headers: { "x-ncp-region_code": "XX" } })).body).toEqual(TOO_MANY);
  });
});

describe("failed authentications of one address", () => {
  test("are 401 thirty times a minute, then everything from there is 420 until the minute is over", async () => {
    const { call, clock } = bound(await open({ failedLoginsPerMinute: FAILED_LOGINS_PER_MINUTE }));
    for (let count = 0; count < 30; count += 1) {
      expect((await call({ method: "GET", url: CHANNELS, key: WRONG })).status).toBe(401);
    }
    clock.advance(20_000);
    for (const key of [WRONG, MANAGER]) {
      const answer = await call({ method: "GET", url: CHANNELS, key });
      expect([answer.status, answer.body]).toEqual([429, TOO_MANY_FAILED]);
      expect(answer.headers["retry-after"]).toBe("40");
    }
    clock.advance(40_000);
    expect((await call({ method: "GET", url: CHANNELS })).status).toBe(200);
  });

  test("are in a metric, and in the log with their address", async () => {
    api = await Api.open();
    await api.get(CHANNELS, WRONG);
    expect(await api.metrics.text()).toContain('fanfare_failed_logins_total{where="api"} 1');
    expect(api.lines).toContainEqual({ event: "login failed", fields: { where: "api", remoteAddress: "127.0.0.1" } });
  });

  test("are counted before anything is looked up", async () => {
    let lookUps = 0;
    api = await Api.open({
      limits: { failedLoginsPerMinute: 1 },
      over: (store) =>
        new Proxy(store, {
          get: (target, name) => {
            if (name === "findAccessKey") lookUps += 1;
            const value: unknown = Reflect.get(target, name);
            return typeof value === "function" ? value.bind(target) : value;
          },
        }),
    });
    await api.get(CHANNELS, WRONG);
    await api.get(CHANNELS, WRONG);
    expect(lookUps).toBe(1);
  });

  test("a request that a viewer may not make is no failed authentication", async () => {
    const { call } = bound(await open({ failedLoginsPerMinute: 1 }));
    for (let count = 0; count < 3; count += 1) {
      const answer = await call({ method: "POST", url: CHANNELS, body: CHANNEL, key: VIEWER });
      expect(answer.body.error.errorCode).toBe("210");
    }
  });
});

describe("behind a reverse proxy", () => {
  const from = (forwarded: string) => ({ "x-forwarded-for": forwarded });

  test("a trusted one names the client's address: the last one it did not add itself", async () => {
    const { call } = bound(await open({ failedLoginsPerMinute: 1, trustedProxies: "10.0.0.0/8, 127.0.0.1" }));
    const get = { method: "GET", url: CHANNELS } as const;
    await call({ ...get, key: WRONG, headers: from("198.51.100.9, 203.0.113.1, 10.1.1.1") });
    expect((await call({ ...get, headers: from("203.0.113.1") })).status).toBe(429);
    // What the client wrote there itself is not trusted.
    expect((await call({ ...get, headers: from("198.51.100.9") })).status).toBe(200);
    expect((await call({ ...get, headers: from("203.0.113.1, 203.0.113.2") })).status).toBe(200);
  });

  test("the header of any other client is ignored", async () => {
    const { call } = bound(await open({ failedLoginsPerMinute: 1, trustedProxies: "10.0.0.0/8" }));
    await call({ method: "GET", url: CHANNELS, key: WRONG, headers: from("203.0.113.1") });
    expect((await call({ method: "GET", url: CHANNELS, headers: from("203.0.113.2") })).status).toBe(429);
  });
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  // Of a socket for both families; the second is no address of IPv4 in dots.
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:192.0.2.1", "192.0.2.1"],
  ["::ffff:c000:201", "::ffff:c000:201"],
  ["fe80::1%eth0", "fe80::1%eth0"],
  ["unknown", "10.0.0.1"],
  ["192.0.2.1:1234", "10.0.0.1"],
])("%s is the client %s", (address, client) => {
  expect(clientOf(address, "10.0.0.1")).toBe(client);
});

test("a bounded number of keys is remembered, and the one unseen for longest is forgotten", () => {
  const rate = new RequestRate(1, new ManualClock());
  rate.take("first");
  rate.take("second");
  // Seen again: it stays.
  rate.take("first");
  for (let count = 0; count < 9_999; count += 1) rate.take(`key-${count}`);
  expect([rate.take("first"), rate.take("second")]).toEqual([1, undefined]);
});

test("a rate is refilled evenly, and never above one second's worth", () => {
  const clock = new ManualClock();
  const rate = new RequestRate(10, clock);
  const taken = () => {
    let count = 0;
    while (rate.take("key") === undefined) count += 1;
    return count;
  };
  expect(taken()).toBe(10);
  clock.advance(250);
  expect(taken()).toBe(2);
  clock.advance(60_000);
  expect(taken()).toBe(10);
});

function bound(open: Api) {
  return { call: open.call.bind(open), clock: open.clock };
}
