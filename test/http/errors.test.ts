import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StoreUnavailableError } from "../../src/control/errors.ts";
import { Api, CHANNEL, CHANNELS, gateway, MANAGER, type Method, PLATFORM, service, VIEWER } from "./api.ts";

const MISSING = gateway("200", "Authentication Failed", "Authentication information are missing.");
const INVALID = gateway("200", "Authentication Failed", "Invalid authentication information.");
const NO_CHANNEL = service(250004, "NOT_FOUND", "Channel not found.");
const NO_PLATFORM = service(250004, "NOT_FOUND", "Platform not found.");
const NOT_JSON = service(250012, "JSON_PARSE_GENERAL_ERROR", "Invalid request data,please check");

const EDIT = { rtmpUrl: PLATFORM.rtmpUrl, streamKey: "key" };

let api: Api;
let channelId = "";
beforeEach(async () => {
  api = await Api.open();
  channelId = (await api.create()).channelId;
});
afterEach(() => api.close());

/** Calls 1–6; `{id}` is the test's channel. */
const CALLS: readonly {
  readonly name: string;
  readonly method: Method;
  readonly path: string;
  readonly body?: object;
}[] = [
  { name: "1 create", method: "POST", path: "", body: CHANNEL },
  { name: "2 list", method: "GET", path: "?pageNo=1" },
  { name: "3 read", method: "GET", path: "/{id}" },
  { name: "4 delete", method: "DELETE", path: "/{id}" },
  { name: "5 platforms", method: "GET", path: "/{id}/platforms" },
  { name: "6 edit", method: "PUT", path: "/{id}/platforms/1", body: EDIT },
];

function urlOf(path: string, prefix = "/api/v2"): string {
  return `${prefix}/re-stream/channels${path.replace("{id}", channelId)}`;
}

function expectGateway(answer: Awaited<ReturnType<Api["call"]>>, status: number, body: object): void {
  expect(answer.status).toBe(status);
  expect(answer.body).toEqual(body);
  expect(answer.headers["content-type"]).toBe("application/json;charset=utf-8");
  expect(answer.headers["access-control-allow-origin"]).toBe("*");
  expect(answer.headers["x-ncp-trace-id"]).toMatch(/^[a-z0-9]{26}$/);
  expect(answer.headers["x-ncp-apigw-response-origin"]).toBe("APIGW");
}

function expectService(answer: Awaited<ReturnType<Api["call"]>>, status: number, body: object): void {
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject(body);
  expect(answer.headers["content-type"]).toBe("application/json;charset=utf-8");
  expect(answer.headers["access-control-allow-origin"]).toBe("*");
  expect(answer.headers["x-ncp-trace-id"]).toMatch(/^[a-z0-9]{26}$/);
  expect(answer.headers).not.toHaveProperty("x-ncp-apigw-response-origin");
}

describe.each(CALLS)("call $name", ({ method, path, body }) => {
  test.each(["x-ncp-apigw-timestamp", "x-ncp-iam-access-key", "x-ncp-apigw-signature-v2"])(
    "without %s it is 200, information missing",
    async (header) => {
      for (const value of [undefined, ""]) {
        expectGateway(await api.call({ method, url: urlOf(path), body, headers: { [header]: value } }), 401, MISSING);
      }
    },
  );

  test("an unknown key is 200, invalid", async () => {
    const key = { ...MANAGER, accessKeyId: "NOBODY" };
    expectGateway(await api.call({ method, url: urlOf(path), body, key }), 401, INVALID);
  });

  test("another key's signature is 200, invalid", async () => {
    const key = { ...MANAGER, secretKey: VIEWER.secretKey };
    expectGateway(await api.call({ method, url: urlOf(path), body, key }), 401, INVALID);
  });

  test("a signature for another method, path, query or time is 200, invalid", async () => {
    const url = urlOf(path);
    const others = [
      { method: method === "GET" ? "POST" : "GET" },
      { method: method.toLowerCase() },
      { url: `${url}x` },
      { url: url.includes("?") ? CHANNELS : `${url}?` },
      { url: urlOf(path, "/api/fin-v2") },
    ];
    for (const signed of others) expectGateway(await api.call({ method, url, body, signed }), 401, INVALID);
    const later = { "x-ncp-apigw-timestamp": String(api.clock.wallMs + 1) };
    expectGateway(await api.call({ method, url, body, headers: later }), 401, INVALID);
  });

  test("a timestamp 299 s off either way is taken, 301 s off is 200, invalid", async () => {
    const at = (offsetMs: number) =>
      api.call({
        method: "GET",
        url: urlOf("?pageNo=1"),
        signed: { timestamp: String(api.clock.wallMs + offsetMs) },
      });
    expect((await at(-299_000)).status).toBe(200);
    expect((await at(299_000)).status).toBe(200);
    for (const [offsetMs, apart] of [
      [-301_000, "behind"],
      [301_000, "ahead of"],
    ] as const) {
      const signed = { timestamp: String(api.clock.wallMs + offsetMs) };
      const told = `The timestamp is 301 s ${apart} this server's clock; 300 s are allowed.`;
      const stale = gateway("200", "Authentication Failed", `Invalid authentication information. ${told}`);
      expectGateway(await api.call({ method, url: urlOf(path), body, signed }), 401, stale);
    }
  });

  test("a region of the other prefix is 250019, an unknown one 250020", async () => {
    const call = (prefix: string, region: string) =>
      api.call({ method, url: urlOf(path, prefix), body, headers: { "x-ncp-region_code": region } });
    const elsewhere = "OPEN_API_UNSUPPORTED_REGION";
    const unknown = "OPEN_API_INVALID_REGION_CODE";
    expectService(await call("/api/v2", "FKR"), 400, service(250019, elsewhere, "The Region FKR not support now."));
    expectService(await call("/api/fin-v2", "KR"), 400, service(250019, elsewhere, "The Region KR not support now."));
    expectService(await call("/api/v2", "JP"), 400, service(250020, unknown, "Invalid region code JP."));
    expectService(await call("/api/v2", "kr"), 400, service(250020, unknown, "Invalid region code kr."));
  });

  test("a missing region is right", async () => {
    const { status } = await api.call({ method, url: urlOf(path), body, headers: { "x-ncp-region_code": undefined } });
    expect(status).toBe(200);
  });

  test("a viewer is let in to read only", async () => {
    const answer = await api.call({ method, url: urlOf(path), body, key: VIEWER });
    if (method === "GET") expect(answer.status).toBe(200);
    else expectGateway(answer, 401, gateway("210", "Permission Denied", "This access key may only read."));
    expect(await api.store.findChannel(channelId)).toMatchObject({ revision: 1 });
  });

  test("a body over 1 MiB is 430", async () => {
    if (method === "GET") return expect(body).toBeUndefined();
    const large = Buffer.alloc(1024 * 1024 + 1, " ");
    const tooLarge = gateway("430", "Request Entity Too Large", "The body of a request may have 1 MiB.");
    expectGateway(await api.call({ method, url: urlOf(path), body: large }), 413, tooLarge);
  });

  test("a channel that is not there is 250004", async () => {
    if (!path.includes("{id}")) return expect(path.startsWith("/")).toBe(false);
    for (const id of ["ls-20200324144322-qfphX", "x", "%20", "%00", "a".repeat(2_000), "..%2F..%2F"]) {
      const url = urlOf(path.replace("{id}", id));
      expectService(await api.call({ method, url, body }), 404, NO_CHANNEL);
    }
  });

  test("a body that is no JSON is 250012 where one is wanted", async () => {
    for (const wrong of [
      undefined,
      "",
      "{",
      "{'a':1}",
      "\u0000",
      Buffer.from([0x22, 0xff, 0x22]),
      "[".repeat(100_000),
    ]) {
      const answer = await api.call({ method, url: urlOf(path), body: wrong });
      if (body === undefined) return expect(answer.status).toBe(200);
      expectService(answer, 400, NOT_JSON);
    }
  });

  test("an unexpected error is 250000, logged with its trace id, and tells nothing", async () => {
    const failing = await Api.open({
      over: (store) => ({ ...broken(new Error("canary")), findAccessKey: (id) => store.findAccessKey(id) }),
    });
    const answer = await failing.call({ method, url: urlOf(path), body });
    expectService(answer, 500, service(250000, "EXCEPTION", "Unexpected error occurred."));
    expect(answer.text).not.toContain("canary");
    const line = failing.lines.find(({ event }) => event === "http-unexpected-error");
    expect(line?.fields["traceId"]).toBe(answer.headers["x-ncp-trace-id"]);
    await failing.close();
  });

  test("a database that cannot be written now is 500 with Retry-After", async () => {
    const troubles = { locked: "locked by another process", full: "full", unwritable: "cannot be written" } as const;
    for (const [trouble, words] of Object.entries(troubles)) {
      const error = new StoreUnavailableError(trouble === "locked" || trouble === "full" ? trouble : "unwritable");
      const failing = await Api.open({
        over: (store) => ({ ...broken(error), findAccessKey: (id) => store.findAccessKey(id) }),
      });
      const answer = await failing.call({ method, url: urlOf(path), body });
      expectGateway(answer, 503, gateway("500", "Endpoint Error", expect.stringContaining(words)));
      expect(answer.headers["retry-after"]).toBe("5");
      expect(failing.lines.some(({ event }) => event === "http-unexpected-error")).toBe(false);
      await failing.close();
    }
  });
});

/** A store whose every call fails alike. */
function broken(error: Error) {
  const fail = () => Promise.reject(error);
  return {
    createChannel: fail,
    listChannels: fail,
    listChannelIds: fail,
    findChannel: fail,
    findChannelByStreamKey: fail,
    deleteChannel: fail,
    changeTarget: fail,
    addTotals: fail,
    putAccessKey: fail,
    findAccessKey: fail,
    findAccessKeyBySecret: fail,
    hasManagerKey: fail,
    changeChannel: fail,
    addTarget: fail,
    removeTarget: fail,
    listAccessKeys: fail,
    deleteAccessKey: fail,
    markAccessKeyUsed: fail,
    close: fail,
  };
}

const URL_NOT_FOUND = gateway("300", "Not Found Exception", "URL not found.");

test.each([
  ["GET", "/"],
  ["GET", "/api/v2"],
  ["GET", "/api/v1/re-stream/channels"],
  ["GET", "/api/v2/re-stream/channel"],
  ["GET", "/api/v2/re-stream/channels/"],
  ["GET", "/api/v2/re-stream/channels//platforms"],
  ["GET", "/API/v2/re-stream/channels"],
  ["PUT", "/api/v2/re-stream/channels"],
  ["DELETE", "/api/v2/re-stream/channels"],
  ["POST", "/api/v2/re-stream/channels/ls-20200324144322-qfphX"],
  ["GET", "/api/v2/re-stream/channels/ls-20200324144322-qfphX/platforms/39"],
  ["PATCH", "/api/v2/re-stream/channels"],
  ["HEAD", "/api/v2/re-stream/channels"],
  ["OPTIONS", "/api/v2/re-stream/channels"],
] as const)("%s %s is 300, before anything else is looked at", async (method, url) => {
  const answer = await api.server.inject({
    method,
    url,
    headers: { "content-type": "nonsense" },
    payload: "x".repeat(1_100_000),
  });
  expect(answer.statusCode).toBe(404);
  expect(answer.headers["x-ncp-apigw-response-origin"]).toBe("APIGW");
  expect(answer.headers["content-type"]).toBe("application/json;charset=utf-8");
  if (method !== "HEAD") expect(answer.json()).toEqual(URL_NOT_FOUND);
});

test.each([
  [{ channelName: undefined }, 250011, "NEED_VALUE", "channelName must has a valid value"],
  [{ planType: "FREE" }, 250002, "INVALID_FORMAT", "planType: invalid value."],
  [{ restream: [] }, 250014, "FORMVALIDATION_FAILED", "Form validation failed"],
  [{ restream: [{ ...PLATFORM, rtmpUrl: "x" }] }, 250002, "INVALID_FORMAT", "restream[0].rtmpUrl: invalid value."],
  [
    { restream: [PLATFORM, { ...PLATFORM, streamKey: "" }] },
    250011,
    "NEED_VALUE",
    "restream[1].streamKey must has a valid value",
  ],
  [{ hold: { seconds: 1_801 } }, 250002, "INVALID_FORMAT", "hold.seconds: invalid value."],
  // Two wrong at once: the first in the contract's order.
  [{ channelName: "x", restream: [] }, 250002, "INVALID_FORMAT", "channelName: invalid value."],
  [{ envType: "x", planType: "" }, 250011, "NEED_VALUE", "planType must has a valid value"],
])("creating with %j is %d", async (change, code, name, message) => {
  const answer = await api.call({ method: "POST", url: CHANNELS, body: { ...CHANNEL, ...change } });
  expectService(answer, 400, service(code, name, message));
  expect(answer.body.error.details).toEqual(expect.any(String));
  expect((await api.call({ method: "GET", url: CHANNELS })).body.total).toBe(1);
});

test.each([
  [{ rtmpUrl: undefined }, 250011, "NEED_VALUE", "rtmpUrl must has a valid value"],
  [{ rtmpUrl: "http://x", streamKey: "" }, 250002, "INVALID_FORMAT", "rtmpUrl: invalid value."],
  [{ streamKey: "" }, 250011, "NEED_VALUE", "streamKey must has a valid value"],
  [{ streamPassword: "p".repeat(129) }, 250002, "INVALID_FORMAT", "streamPassword: invalid value."],
  [{ bufferPolicy: "wait" }, 250002, "INVALID_FORMAT", "bufferPolicy: invalid value."],
])("editing with %j is %d", async (change, code, name, message) => {
  const answer = await api.call({ method: "PUT", url: urlOf("/{id}/platforms/1"), body: { ...EDIT, ...change } });
  expectService(answer, 400, service(code, name, message));
  expect(api.runtime.applied).toEqual([]);
});

test.each([
  ["pageNo=x", 250021, "OPEN_API_PARAM_TYPE_ERROR", "Invalid parameter type pageNo."],
  ["pageSizeNo=x&pageNo=0", 250002, "INVALID_FORMAT", "pageNo: invalid value."],
  ["pageSizeNo=101", 250002, "INVALID_FORMAT", "pageSizeNo: invalid value."],
  ["channelStatus=ON", 250002, "INVALID_FORMAT", "channelStatus: invalid value."],
])("listing with %s is %d", async (query, code, name, message) => {
  expectService(await api.call({ method: "GET", url: `${CHANNELS}?${query}` }), 400, service(code, name, message));
});

test("another channel's platform is not found, and neither is one too large to exist", async () => {
  const other = await api.create();
  for (const platId of [other.restream[0].platId, 99, -1, "9".repeat(40)]) {
    const url = `${CHANNELS}/${channelId}/platforms/${platId}`;
    expectService(await api.call({ method: "PUT", url, body: EDIT }), 404, NO_PLATFORM);
  }
  expect(await api.store.findChannel(other.channelId)).toMatchObject({ revision: 1 });
});

test("of several things wrong the first in the order of checks is told", async () => {
  api.runtime.start(channelId, 1);
  const wrongType = service(250021, "OPEN_API_PARAM_TYPE_ERROR", "Invalid parameter type platformId.");
  const put = (path: string, body: unknown, more: object = {}) =>
    api.call({ method: "PUT", url: urlOf(path), body, ...more });
  const large = Buffer.alloc(1024 * 1024 + 1, "x");
  const headers = { "x-ncp-region_code": "XX" };
  const wrongKey = { ...VIEWER, secretKey: "wrong" };
  // Size, authentication, role, region, JSON, path types, existence, body, state: each with all that follow wrong too.
  expect((await put("/none/platforms/x", large, { key: wrongKey, headers })).status).toBe(413);
  expectGateway(await put("/none/platforms/x", "{", { key: wrongKey, headers }), 401, INVALID);
  expect((await put("/none/platforms/x", "{", { key: VIEWER, headers })).body.error.errorCode).toBe("210");
  expect((await put("/none/platforms/x", "{", { headers })).body.error.errorCode).toBe(250020);
  expectService(await put("/none/platforms/x", "{"), 400, NOT_JSON);
  expectService(await put("/none/platforms/x", {}), 400, wrongType);
  expectService(await put("/none/platforms/99", {}), 404, NO_CHANNEL);
  expectService(await put("/{id}/platforms/99", {}), 404, NO_PLATFORM);
  expect((await put("/{id}/platforms/1", {})).body.error.errorCode).toBe(250011);
  expect((await put("/{id}/platforms/1", EDIT)).body.error.errorCode).toBe(250005);
});

test("a request's log line has its trace id, its route and its caller, and nothing of what was sent", async () => {
  const canary = "CANARY0000";
  const url = urlOf(`/{id}/platforms/1?token=${canary}`);
  const answer = await api.call({ method: "PUT", url, body: { rtmpUrl: "rtmp://host/app", streamKey: canary } });
  expect(answer.status).toBe(200);
  await api.call({ method: "GET", url: `/${canary}` });
  await api.call({ method: "POST", url: CHANNELS, body: { ...CHANNEL, channelName: canary.repeat(9) } });
  const [line] = api.lines.filter(({ fields }) => fields["traceId"] === answer.headers["x-ncp-trace-id"]);
  expect(line).toEqual({
    event: "http-request",
    fields: {
      traceId: answer.headers["x-ncp-trace-id"],
      method: "PUT",
      route: "/api/v2/re-stream/channels/:channelId/platforms/:platformId",
      status: 200,
      durationMs: expect.any(Number),
      accessKeyId: MANAGER.accessKeyId,
    },
  });
  const written = JSON.stringify(api.lines);
  expect(written).not.toContain(canary);
  expect(written).not.toContain(MANAGER.secretKey);
  expect(new Set(api.lines.map(({ fields }) => fields["traceId"])).size).toBe(api.lines.length);
});
