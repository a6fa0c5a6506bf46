import { afterEach, expect, test, vi } from "vitest";
import { ReplayGuard } from "../../../src/http/auth/replay.ts";
import { Api, CHANNEL, CHANNELS, gateway, MANAGER } from "../api.ts";

const apis: Api[] = [];
afterEach(async () => {
  for (const api of apis.splice(0)) await api.close();
});

async function openApi(replayProtection?: "off" | "writes"): Promise<Api> {
  const api = await Api.open(replayProtection === undefined ? {} : { limits: { replayProtection } });
  apis.push(api);
  return api;
}

const create = { method: "POST", url: CHANNELS, body: CHANNEL } as const;
const REPLAYED = gateway(
  "200",
  "Authentication Failed",
  "Invalid authentication information. A request with this signature was accepted already; sign the next one with a new timestamp.",
);

async function channelCount(api: Api): Promise<number> {
  return (await api.get(CHANNELS)).body.total;
}

test("of ten identical signed writes at once exactly one is accepted, and an eleventh is not", async () => {
  const api = await openApi("writes");
  const answers = await Promise.all(Array.from({ length: 10 }, () => api.call(create)));
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 401)]);
  const late = await api.call(create);
  expect(late).toMatchObject({ status: 401, body: REPLAYED, headers: { "x-ncp-apigw-response-origin": "APIGW" } });
  expect(await channelCount(api)).toBe(1);
});

test("a write with another timestamp is another write, and reads may be repeated", async () => {
  const api = await openApi("writes");
  expect((await api.call(create)).status).toBe(200);
  const timestamp = String(api.clock.wallMs + 1);
  expect((await api.call({ ...create, signed: { timestamp } })).status).toBe(200);
  expect(await channelCount(api)).toBe(2);
  expect(await channelCount(api)).toBe(2);
});

test("a signature from the future is remembered until it is stale itself", async () => {
  const api = await openApi("writes");
  const signed = { timestamp: String(api.clock.wallMs + 299_000) };
  expect((await api.call({ ...create, signed })).status).toBe(200);
  api.clock.advance(598_000);
  expect(await api.call({ ...create, signed })).toMatchObject({ status: 401, body: REPLAYED });
  api.clock.advance(3_000);
  const stale = await api.call({ ...create, signed });
  expect(stale.body.error.details).toBe(
    "Invalid authentication information. The timestamp is 302 s behind this server's clock; 300 s are allowed.",
  );
});

test("a write that failed authentication may be sent again: a wrong signature uses nothing up", async () => {
  const api = await openApi("writes");
  const wrong = { "x-ncp-apigw-signature-v2": "wrong" };
  expect((await api.call({ ...create, headers: wrong })).status).toBe(401);
  expect((await api.call(create)).status).toBe(200);
});

test("requests with the secret itself are not counted", async () => {
  const api = await openApi("writes");
  const headers = {
    authorization: `Bearer ${MANAGER.secretKey}`,
    "x-ncp-apigw-signature-v2": undefined,
    "x-ncp-apigw-timestamp": undefined,
    "x-ncp-iam-access-key": undefined,
  };
  for (let n = 0; n < 3; n += 1) expect((await api.call({ ...create, headers })).status).toBe(200);
});

test("without the setting a request is accepted as often as it comes", async () => {
  for (const api of [await openApi(), await openApi("off")]) {
    for (let n = 0; n < 3; n += 1) expect((await api.call(create)).status).toBe(200);
  }
});

test("remembered signatures are bounded: beyond that writes are refused, until signatures have become stale", () => {
  const guard = new ReplayGuard(2);
  expect(guard.take("a", 0)).toBe("first");
  expect(guard.take("b", 300_000)).toBe("first");
  expect(guard.take("c", 300_000)).toBe("full");
  expect(guard.take("a", 600_000)).toBe("again");
  expect(guard.take("c", 659_999)).toBe("full");
  expect(guard.take("c", 660_000)).toBe("first");
  expect(guard.take("b", 900_000)).toBe("again");
});

test("where no signature can be remembered a write has to wait for a minute, and a read has not", async () => {
  const api = await openApi("writes");
  const take = vi.spyOn(ReplayGuard.prototype, "take").mockReturnValue("full");
  const refused = await api.call(create);
  expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "60"]);
  expect(await channelCount(api)).toBe(0);
  take.mockRestore();
  expect((await api.call(create)).status).toBe(200);
});

test("a clock that is set forward for a while forgets no signature", async () => {
  const api = await openApi("writes");
  expect((await api.call(create)).status).toBe(200);
  const YEAR_MS = 365 * 24 * 60 * 60 * 1_000;
  const headers = api.signedHeaders("POST", CHANNELS);
  const same = { ...create, headers };
  api.clock.wallMs += YEAR_MS;
  await api.call(create);
  api.clock.wallMs -= YEAR_MS;
  expect((await api.call(same)).status).toBe(401);
});

test("a write that another node of the cluster accepted is refused here too", async () => {
  const asked: string[] = [];
  const useOnce = async (kind: string) => {
    asked.push(kind);
    return false;
  };
  const sharedGuards = { useOnce, waitMs: async () => 0, failed: async () => undefined };
  const api = await Api.open({ limits: { replayProtection: "writes", sharedGuards } });
  apis.push(api);
  expect(await api.call(create)).toMatchObject({ status: 401, body: REPLAYED });
  expect(asked).toEqual(["signature"]);
  expect(await channelCount(api)).toBe(0);
});
