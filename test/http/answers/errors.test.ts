import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import { Api, CHANNEL, CHANNELS, gateway, MANAGER, type Method, PLATFORM, service } from "../api.ts";

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

function urlOf(path: string): string {
  return `${CHANNELS}${path.replace("{id}", channelId)}`;
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
  test("a missing region is accepted", async () => {
    const { status } = await api.call({ method, url: urlOf(path), body, headers: { "x-ncp-region_code": undefined } });
    expect(status).toBe(200);
  });

  test("a body that is no JSON does not matter where none is needed", async () => {
    if (body !== undefined) return expect(["POST", "PUT"]).toContain(method);
    for (const wrong of ["{", "", Buffer.from([0x22, 0xff, 0x22])]) {
      expect((await api.call({ method, url: urlOf(path), body: wrong })).status).toBe(200);
      if (method === "DELETE") return;
    }
  });

  test("an unexpected error is 250000, logged with its trace id, and reveals nothing", async () => {
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
    const troubles = [
      ["locked", "locked by another process"],
      ["full", "full"],
      ["unwritable", "cannot be written"],
      ["crowded", "no connection or memory left"],
      ["refused", "does not let this server in"],
      ["slow", "takes too long"],
    ] as const;
    for (const [trouble, words] of troubles) {
      const error = new StoreUnavailableError(trouble);
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
  test("a damaged database is 500 with its file and what to do, and no Retry-After", async () => {
    const error = new StoreUnavailableError("damaged", { path: "/srv/fanfare/fanfare.db" });
    const failing = await Api.open({
      over: (store) => ({ ...broken(error), findAccessKey: (id) => store.findAccessKey(id) }),
    });
    const answer = await failing.call({ method, url: urlOf(path), body });
    const details = expect.stringMatching(
      /^The database \/srv\/fanfare\/fanfare\.db is damaged.*fanfare restore.*\.recover/,
    );
    expectGateway(answer, 503, gateway("500", "Endpoint Error", details));
    expect(answer.headers["retry-after"]).toBeUndefined();
    await failing.close();
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
    findIngestUser: fail,
    deleteChannel: fail,
    changeTarget: fail,
    addTotals: fail,
    putAccessKey: fail,
    findAccessKey: fail,
    findAccessKeyBySecret: fail,
    hasManagerKey: fail,
    putFirstManagerKey: fail,
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
  ["GET", "/api/v2/re-stream/channels//platforms"],
  ["GET", "/API/v2/re-stream/channels"],
  ["PATCH", "/api/v2/re-stream/channels"],
  ["HEAD", "/api/v2/re-stream/channels"],
  ["OPTIONS", "/api/v2/re-stream/channels"],
] as const)("%s %s is 300, before any other check", async (method, url) => {
  const answer = await api.server.inject({
    method,
    url,
    headers: { "content-type": "nonsense" },
    payload: "x".repeat(1_100_000),
  });
  expect(answer.statusCode).toBe(404);
  expect(answer.headers["x-ncp-apigw-response-origin"]).toBe("APIGW");
  expect(answer.headers).toMatchObject({
    "content-type": "application/json;charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  if (method !== "HEAD") expect(answer.json()).toEqual(URL_NOT_FOUND);
});

test("the message of a wrong platform has its place in the list", async () => {
  const restream = [PLATFORM, { ...PLATFORM, streamKey: "" }];
  const answer = await api.post(CHANNELS, { ...CHANNEL, restream });
  const message = "restream[1].streamKey must has a valid value";
  expectService(answer, 400, service(250011, "NEED_VALUE", message));
});

test("on air a wrong body is reported before the state that refuses any", async () => {
  api.runtime.start(channelId, 1);
  const put = (body: object) => api.put(urlOf("/{id}/platforms/1"), body);
  expect((await put({})).body.error.errorCode).toBe(250011);
  expect((await put(EDIT)).body.error.errorCode).toBe(250005);
});

test("a request's log line has its trace id, its route and its caller, and nothing of what was sent", async () => {
  const canary = "CANARY0000";
  const url = urlOf(`/{id}/platforms/1?token=${canary}`);
  const answer = await api.put(url, { rtmpUrl: "rtmp://host/app", streamKey: canary });
  expect(answer.status).toBe(200);
  await api.get(`/${canary}`);
  await api.post(CHANNELS, { ...CHANNEL, channelName: canary.repeat(9) });
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
