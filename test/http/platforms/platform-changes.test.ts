import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { certificate, fingerprintOf } from "../../support/stages/certificates.ts";
import { Api, CHANNELS, PLATFORM, service, VIEWER } from "../api.ts";

let api: Api;
let channelId = "";
beforeEach(async () => {
  api = await Api.open();
  channelId = (await api.create()).channelId;
});
afterEach(() => api.close());

const NEW = { targetName: "TWITCH", rtmpUrl: "rtmp://live.twitch.tv/app", streamKey: "live_123" };
const COUNTERS = {
  bytesPerSecond: 0,
  bytesTotalTrans: 0,
  totalBytesPerSecond: 0,
  totalPlaySecond: 0,
  totalRetryCount: 0,
};
const LAST_ERROR = {
  code: "TCP_REFUSED",
  severity: "transient",
  message: "Refused.",
  messageKo: "오류",
  time: 3,
} as const;

const url = (path: string) => `${CHANNELS}/${channelId}/platforms${path}`;
const post = (path: string, body?: unknown) => api.post(url(path), body);
const put = (path: string, body?: unknown) => api.put(url(path), body);
const remove = (path: string) => api.delete(url(path));
const platforms = () => api.platforms(channelId);

describe("call 16", () => {
  test("adds a platform, which is the last one from then on", async () => {
    const { status, body } = await post("", { ...NEW, id: "me", password: "hunter2", enabled: false, label: "Two" });
    expect(status).toBe(200);
    const added = {
      ...NEW,
      platId: 2,
      id: "me",
      password: "h******",
      enabled: false,
      bufferPolicy: "drop",
      label: "Two",
    };
    expect(body).toEqual({ content: { ...added, connectStatus: "READY", ...COUNTERS } });
    expect((await platforms()).map((each: { platId: number }) => each.platId)).toEqual([1, 2]);
    expect(api.runtime.applied).toMatchObject([{ revision: 2, targets: [{}, { targetId: 2, isEnabled: false }] }]);
  });

  test("its trusted certificate is kept in one form, returned, changed and cleared field by field", async () => {
    const authority = certificate("An authority", { isAuthority: true });
    const fingerprint = fingerprintOf(authority);
    const pin = fingerprint.replaceAll(":", "").toLowerCase();
    const added = await post("", { ...NEW, tls: { ca: authority.cert, fingerprint } });
    expect(added.body.content.tls).toEqual({ ca: authority.cert, fingerprint: pin });
    expect(api.runtime.applied.at(-1)).toMatchObject({
      targets: [{}, { tls: { ca: authority.cert, fingerprint: pin } }],
    });
    const address = { rtmpUrl: NEW.rtmpUrl, streamKey: NEW.streamKey };
    expect((await put("/2", address)).body.content.tls).toEqual({ ca: authority.cert, fingerprint: pin });
    expect((await put("/2", { ...address, tls: { ca: "" } })).body.content.tls).toEqual({ fingerprint: pin });
    expect((await put("/2", { ...address, tls: { fingerprint: "" } })).body.content).not.toHaveProperty("tls");
  });

  test("on air it reaches the media thread at once", async () => {
    api.runtime.start(channelId, 5);
    expect((await post("", NEW)).body.content).toMatchObject({ platId: 2, connectStatus: "CONNECTING" });
  });

  test("over the plan's limit is 250014, also where several come at once", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => post("", NEW)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 400, 400, 400]);
    const refused = answers.find(({ status }) => status === 400);
    expect(refused?.body.error).toEqual({
      ...service(250014, "FORMVALIDATION_FAILED", "Form validation failed").error,
      details: "restream: the plan STANDARD allows 3 platforms, got 4.",
    });
    expect(await platforms()).toHaveLength(3);
  });

  test("beyond 100 platforms is 250014 on the plan without a limit too", async () => {
    const restream = Array.from({ length: 100 }, () => PLATFORM);
    channelId = (await api.create({ planType: "UNLIMITED", restream })).channelId;
    const { status, body } = await post("", NEW);
    expect(status).toBe(400);
    expect(body.error).toEqual({
      ...service(250014, "FORMVALIDATION_FAILED", "Form validation failed").error,
      details: "restream: the plan UNLIMITED allows 100 platforms, got 101.",
    });
  });

  test.each([
    [{}, 250011, "NEED_VALUE", "targetName must has a valid value"],
    [{ ...NEW, streamKey: "" }, 250011, "NEED_VALUE", "streamKey must has a valid value"],
    [{ ...NEW, rtmpUrl: "rtmp://host:0935/app" }, 250002, "INVALID_FORMAT", "rtmpUrl: invalid value."],
    [{ ...NEW, tls: { ca: "x" } }, 250002, "INVALID_FORMAT", "tls.ca: invalid value."],
    [[], 250012, "JSON_PARSE_GENERAL_ERROR", "Invalid request data,please check"],
  ])("with %j it is %d", async (body, code, name, message) => {
    const answer = await post("", body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject(service(code, name, message));
    expect(await platforms()).toHaveLength(1);
  });
});

describe("call 17", () => {
  test("removes one, on air too, and returns it", async () => {
    await post("", NEW);
    api.runtime.start(channelId, 5);
    api.runtime.status(channelId, 1, { status: "PUBLISHING", sinceTime: 6 });
    api.runtime.sample(channelId, 1, { bytesPerSecond: 9, bytesTotal: 500, playMs: 4_000, retryCount: 2 });
    const { status, body } = await remove("/1");
    expect(status).toBe(200);
    expect(body.content).toEqual({
      ...PLATFORM,
      platId: 1,
      enabled: true,
      bufferPolicy: "drop",
      connectStatus: "READY",
      bytesPerSecond: 0,
      bytesTotalTrans: 500,
      totalBytesPerSecond: 500,
      totalPlaySecond: 4,
      totalRetryCount: 2,
    });
    expect((await platforms()).map((each: { platId: number }) => each.platId)).toEqual([2]);
    expect(api.runtime.applied.at(-1)).toMatchObject({ revision: 3, targets: [{ targetId: 2 }] });
    expect((await remove("/1")).body.error.message).toBe("Platform not found.");
    expect(api.view.live(channelId)?.targets.has(1)).toBe(false);
    // The media thread's last fact about it comes later, and does not matter.
    api.runtime.status(channelId, 1, { status: "READY", sinceTime: 7 });
    expect(api.view.live(channelId)?.targets.has(1)).toBe(false);
  });

  test("makes room under the plan, and its number is not given out again", async () => {
    await post("", NEW);
    await post("", NEW);
    expect((await post("", NEW)).status).toBe(400);
    await remove("/3");
    expect((await post("", NEW)).body.content.platId).toBe(4);
  });

  test("of the last platform leaves a channel without any", async () => {
    await remove("/1");
    const { body } = await api.get(`${CHANNELS}/${channelId}`);
    expect(body.content).toMatchObject({ platformCount: 0, restream: [] });
  });
});

describe("call 18", () => {
  test("off ends a link and on starts one, on air, and the answer shows it", async () => {
    api.runtime.start(channelId, 5);
    api.runtime.status(channelId, 1, { status: "PUBLISHING", sinceTime: 6 });
    expect((await put("/1/off")).body.content).toMatchObject({ enabled: false, connectStatus: "READY" });
    expect(api.runtime.applied.at(-1)).toMatchObject({ targets: [{ targetId: 1, isEnabled: false }] });
    expect((await put("/1/on")).body.content).toMatchObject({ enabled: true, connectStatus: "CONNECTING" });
    expect(api.runtime.applied.at(-1)).toMatchObject({ targets: [{ targetId: 1, isEnabled: true }] });
  });

  test("off and retry wait until the media thread has done it", async () => {
    api.runtime.start(channelId, 5);
    api.runtime.status(channelId, 1, { status: "FAIL", sinceTime: 6, lastError: LAST_ERROR, nextRetryTime: 99 });
    api.runtime.isResponsive = false;
    const retry = put("/1/retry");
    await expect.poll(() => api.runtime.retried).toHaveLength(1);
    api.runtime.status(channelId, 1, { status: "PUBLISHING", sinceTime: 7 });
    expect((await retry).body.content.connectStatus).toBe("PUBLISHING");
    const off = put("/1/off");
    await expect.poll(() => api.runtime.applied).toHaveLength(1);
    api.runtime.status(channelId, 1, { status: "READY", sinceTime: 8 });
    expect((await off).body.content).toMatchObject({ enabled: false, connectStatus: "READY" });
    const on = put("/1/on");
    await expect.poll(() => api.runtime.applied).toHaveLength(2);
    api.clock.advance(2_000);
    expect((await on).body.content).toMatchObject({ enabled: true, connectStatus: "READY" });
  });

  test("a request for the present state is answered and not sent again", async () => {
    expect((await put("/1/on")).body.content.enabled).toBe(true);
    await put("/1/off");
    expect((await put("/1/off")).body.content.enabled).toBe(false);
    expect(api.runtime.applied).toHaveLength(1);
  });

  test("off air neither waits for anything", async () => {
    expect((await put("/1/off")).body.content).toMatchObject({ enabled: false, connectStatus: "READY" });
    expect((await put("/1/on")).body.content).toMatchObject({ enabled: true, connectStatus: "READY" });
  });

  test("retry makes a waiting platform try now", async () => {
    api.runtime.start(channelId, 5);
    const waiting = {
      status: "FAIL",
      sinceTime: 6,
      lastError: LAST_ERROR,
      retryAttempt: 1,
      nextRetryTime: 99,
    } as const;
    api.runtime.status(channelId, 1, waiting);
    const { status, body } = await put("/1/retry");
    expect([status, body.content.connectStatus]).toEqual([200, "CONNECTING"]);
    expect(api.runtime.retried).toEqual([[channelId, 1]]);
  });

  test("retry of a platform that waits for nothing returns its state and changes nothing", async () => {
    expect((await put("/1/retry")).body.content.connectStatus).toBe("READY");
    api.runtime.start(channelId, 5);
    for (const status of ["CONNECTING", "PUBLISHING"] as const) {
      api.runtime.status(channelId, 1, { status, sinceTime: 6 });
      expect((await put("/1/retry")).body.content.connectStatus).toBe(status);
    }
    expect(api.runtime.retried).toEqual([]);
  });

  test("retry of a platform whose connection stalls makes it anew: a person need not wait for a silent path", async () => {
    api.runtime.start(channelId, 5);
    const stalled = { status: "FAIL", sinceTime: 6, lastError: { ...LAST_ERROR, code: "STALLED" } } as const;
    api.runtime.status(channelId, 1, stalled);
    expect((await put("/1/retry")).body.content.connectStatus).toBe("CONNECTING");
    expect(api.runtime.retried).toEqual([[channelId, 1]]);
  });

  test("retry of a platform that is turned off is 250005, since it would never happen", async () => {
    await put("/1/off");
    const { status, body } = await put("/1/retry");
    expect(status).toBe(409);
    expect(body).toMatchObject(service(250005, "NOT_AVAILABLE", "Platform not available."));
    expect(api.runtime.retried).toEqual([]);
  });
});

describe("call 19", () => {
  test("answers that all went well, with the stage it came to", async () => {
    const { status, body } = await post("/1/test");
    expect([status, body]).toEqual([200, { content: { ok: true, stage: "publish", milliseconds: 12 } }]);
    expect(api.runtime.tested).toMatchObject([
      { targetId: 1, url: PLATFORM.rtmpUrl, streamKey: PLATFORM.streamKey, isEnabled: true },
    ]);
  });

  test("answers why it failed, as lastError does", async () => {
    const { time: _later, ...error } = LAST_ERROR;
    api.runtime.testResult = { isOk: false, stage: "connect", error, durationMs: 3 };
    const { status, body } = await post("/1/test");
    const lastError = { ...error, time: api.clock.wallMs };
    expect([status, body]).toEqual([200, { content: { ok: false, stage: "connect", lastError, milliseconds: 3 } }]);
  });

  test.each([
    ["CONNECTING", { status: "CONNECTING", sinceTime: 6 }],
    ["PUBLISHING", { status: "PUBLISHING", sinceTime: 6 }],
    ["stalled", { status: "FAIL", sinceTime: 6, lastError: { ...LAST_ERROR, code: "STALLED" } }],
  ] as const)("while the platform is %s is 250005, and nothing is sent", async (_name, status) => {
    api.runtime.start(channelId, 5);
    api.runtime.status(channelId, 1, status);
    const answer = await post("/1/test");
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject(service(250005, "NOT_AVAILABLE", "Platform not available."));
    expect(api.runtime.tested).toEqual([]);
  });

  test("is possible while the platform waits for its next attempt, is turned off, or is READY on air", async () => {
    api.runtime.start(channelId, 5);
    expect((await post("/1/test")).status).toBe(200);
    const waiting = { status: "FAIL", sinceTime: 6, lastError: LAST_ERROR, nextRetryTime: 99 } as const;
    api.runtime.status(channelId, 1, waiting);
    expect((await post("/1/test")).status).toBe(200);
    await put("/1/off");
    expect((await post("/1/test")).status).toBe(200);
  });

  test("that failed since a broadcast began meanwhile is 250005: the platform had two publishers", async () => {
    const { time: _later, ...error } = LAST_ERROR;
    const { runtime } = api;
    runtime.start(channelId, 5);
    runtime.testTarget = async () => {
      runtime.status(channelId, 1, { status: "CONNECTING", sinceTime: 6 });
      return { isOk: false, stage: "publish", error, durationMs: 3 };
    };
    const { status, body } = await post("/1/test");
    expect([status, body.error.errorCode]).toEqual([409, 250005]);
  });

  test("runs once at a time for a platform, and again after one that failed to answer", async () => {
    let fail: (error: Error) => void = () => undefined;
    const { runtime } = api;
    const testTarget = runtime.testTarget.bind(runtime);
    runtime.testTarget = () => new Promise((_resolve, reject) => (fail = reject));
    const first = post("/1/test");
    await expect.poll(async () => (await post("/1/test")).status).toBe(409);
    await post("", NEW);
    fail(new Error("the media thread did not answer"));
    expect((await first).body.error.errorCode).toBe(250000);
    runtime.testTarget = testTarget;
    expect((await post("/1/test")).status).toBe(200);
  });
});

test("none of these is allowed to a viewer, and missing platforms and channels are reported apart", async () => {
  const calls = [
    ["DELETE", ""],
    ["PUT", "/on"],
    ["PUT", "/off"],
    ["PUT", "/retry"],
    ["POST", "/test"],
  ] as const;
  const other = await api.create();
  for (const [method, action] of calls) {
    const call = async (id: string, platId: string, key?: typeof VIEWER) => {
      const target = `/api/fin-v2/re-stream/channels/${id}/platforms/${platId}${action}`;
      const { body } = await api.call({ method, url: target, ...(key === undefined ? {} : { key }) });
      return body.error.errorCode === 250004 ? body.error.message : body.error.errorCode;
    };
    expect(await call(channelId, "1", VIEWER)).toBe("210");
    expect(await call("ls-20200101000000-aaaaa", "x")).toBe(250021);
    expect(await call("ls-20200101000000-aaaaa", "1")).toBe("Channel not found.");
    expect(await call(channelId, String(other.restream[0].platId))).toBe("Platform not found.");
  }
  expect((await api.post(url(""), NEW, VIEWER)).body.error.errorCode).toBe("210");
  expect(api.runtime.applied).toEqual([]);
});

test("tracks are chosen when a platform is made, kept and changed by an edit, and cleared by {}", async () => {
  const made = await api.post(url(""), { ...NEW, tracks: { audio: 1 } });
  expect(made.body.content.tracks).toEqual({ video: 0, audio: 1 });
  const edit = async (tracks: unknown) => {
    const body = { rtmpUrl: NEW.rtmpUrl, streamKey: NEW.streamKey, ...(tracks === undefined ? {} : { tracks }) };
    await api.put(url(`/${made.body.content.platId}`), body);
    const { targets = [] } = api.runtime.applied.at(-1) ?? {};
    return targets.find(({ targetId }) => targetId === made.body.content.platId)?.tracks;
  };
  expect(await edit(undefined)).toEqual({ video: 0, audio: 1 });
  expect(await edit({ video: 2, audio: 3 })).toEqual({ video: 2, audio: 3 });
  expect(await edit({})).toBe(undefined);
});
