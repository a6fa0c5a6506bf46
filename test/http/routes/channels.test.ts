import { afterEach, beforeEach, expect, test } from "vitest";
import { Api, CHANNEL, CHANNELS, PLATFORM, VIEWER } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const PLATFORM_ANSWER = { ...PLATFORM, platId: 1, enabled: true, bufferPolicy: "drop" };

const WAITS = {
  state: "waiting",
  reason: {
    code: "WAITS_FOR_ENCODER",
    message: "The channel is waiting for an encoder.",
    messageKo: "인코더를 기다리고 있습니다.",
  },
  nextStep: {
    code: "START_ENCODER",
    message: "Start streaming in the encoder.",
    messageKo: "인코더에서 송출을 시작해 주세요.",
  },
  reasonCount: 1,
};

function channelAnswer(channelId: string, streamKey: string) {
  return {
    channelId,
    channelName: "channel001",
    envType: "REAL",
    planType: "STANDARD",
    instanceNo: 1,
    channelStatus: "READY",
    isPublishing: false,
    health: WAITS,
    createdTime: 1_700_000_000_000,
    publishUrl: "rtmp://live.example.com:1935/relay",
    globalPublishUrl: "rtmp://live.example.com:1935/relay",
    streamKey,
    hold: { seconds: 120 },
    latency: "efficient",
    freeze: { mediaSeconds: 5, videoSeconds: 10 },
    recording: { enabled: false, status: "OFF" },
    backup: { enabled: false },
    platformCount: 1,
    totalPublishSeconds: 0,
    alertOn: false,
  };
}

test.each(["/api/v2", "/api/fin-v2"])("under %s a channel is created, read, listed and deleted", async (prefix) => {
  const url = `${prefix}/re-stream/channels`;
  const created = await api.post(url, CHANNEL);
  expect(created.status).toBe(200);
  expect(Object.keys(created.body)).toEqual(["content"]);
  const { channelId, streamKey } = created.body.content;
  expect(channelId).toMatch(/^ls-20231115071320-[A-Za-z0-9]{5}$/);
  expect(streamKey).toMatch(/^[a-z0-9]{32}$/);
  const settings = channelAnswer(channelId, streamKey);
  expect(created.body.content).toEqual({ ...settings, restream: [PLATFORM_ANSWER] });

  const read = await api.get(`${url}/${channelId}`);
  expect(read.status).toBe(200);
  expect(read.body).toEqual(created.body);

  const list = await api.get(url);
  expect(list.status).toBe(200);
  expect(list.body).toEqual({ content: [settings], total: 1 });

  const deleted = await api.delete(`${url}/${channelId}`);
  expect(deleted.status).toBe(200);
  expect(deleted.body).toEqual({
    content: {
      ...settings,
      channelStatus: "DELETED",
      health: expect.objectContaining({ state: "off", reasonCount: 1 }),
    },
  });
  expect((await api.get(`${url}/${channelId}`)).status).toBe(404);
  expect((await api.get(url)).body).toEqual({ content: [], total: 0 });
});

test("every answer has the original's headers, exactly", async () => {
  const { headers } = await api.get(CHANNELS);
  expect(headers["content-type"]).toBe("application/json;charset=utf-8");
  expect(headers["access-control-allow-origin"]).toBe("*");
  expect(headers["x-ncp-trace-id"]).toMatch(/^[a-z0-9]{26}$/);
  expect(headers).not.toHaveProperty("access-control-allow-credentials");
  expect(headers).not.toHaveProperty("x-ncp-apigw-response-origin");
});

test("every field of the create body is kept, and passwords are masked", async () => {
  const twitch = { targetName: "TWITCH", streamKey: "live_1" };
  const restream = [
    { ...PLATFORM, id: "user", password: "hunter2", enabled: false, label: "메인" },
    { ...PLATFORM, ...twitch, streamId: "alias", streamPassword: "p", bufferPolicy: "disconnect" },
    { ...PLATFORM, targetName: "CUSTOM", rtmpUrl: "rtmp://notworking-just-testcase.only", streamKey: "?a=b&c=d" },
  ];
  const channel = await api.create({ channelName: "나의채널_1", planType: "PROFESSIONAL", envType: "STAGE", restream });
  expect(channel).toMatchObject({
    channelName: "나의채널_1",
    planType: "PROFESSIONAL",
    envType: "STAGE",
    platformCount: 3,
  });
  expect(channel.restream).toEqual([
    { ...PLATFORM_ANSWER, id: "user", password: "h******", enabled: false, label: "메인" },
    { ...PLATFORM_ANSWER, ...twitch, platId: 2, id: "alias", password: "*", bufferPolicy: "disconnect" },
    {
      ...PLATFORM_ANSWER,
      platId: 3,
      targetName: "CUSTOM",
      rtmpUrl: "rtmp://notworking-just-testcase.only",
      streamKey: "?a=b&c=d",
    },
  ]);
});

test("the body is JSON with any content type", async () => {
  const types = [
    "application/json; charset=UTF-8",
    "text/plain",
    "nonsense",
    "multipart/form-data; boundary=x",
    undefined,
  ];
  for (const type of types) {
    const { status } = await api.call({
      method: "POST",
      url: CHANNELS,
      body: CHANNEL,
      headers: { "content-type": type },
    });
    expect(status, String(type)).toBe(200);
  }
});

test("a body may begin with a byte order mark", async () => {
  const body = `\ufeff${JSON.stringify(CHANNEL)}`;
  expect((await api.post(CHANNELS, body)).status).toBe(200);
});

test("GET and DELETE need no content type and no region, and ignore a body", async () => {
  const { channelId } = await api.create();
  const headers = { "content-type": undefined, "x-ncp-region_code": undefined };
  expect((await api.call({ method: "GET", url: `${CHANNELS}/${channelId}`, headers })).status).toBe(200);
  const deleted = await api.call({ method: "DELETE", url: `${CHANNELS}/${channelId}`, headers, body: "not JSON" });
  expect(deleted.status).toBe(200);
});

test("unknown query parameters are ignored, and signed", async () => {
  const url = `${CHANNELS}?responseFormatType=json&regionCode=KR`;
  expect((await api.get(url)).status).toBe(200);
  expect((await api.call({ method: "GET", url, signed: { url: CHANNELS } })).status).toBe(401);
});

test("a program that passes on what people called a channel says so", async () => {
  const channelName = " 일요일 예배 (live) 🎥 ";
  expect((await api.post(CHANNELS, { ...CHANNEL, channelName })).status).toBe(400);
  const { channelId } = await api.content("POST", `${CHANNELS}?anyName=true`, { ...CHANNEL, channelName });
  expect((await api.content("GET", `${CHANNELS}/${channelId}`)).channelName).toBe(channelName.trim());
  expect((await api.put(`${CHANNELS}/${channelId}?anyName=false`, { channelName: "a b c" })).status).toBe(400);
  const renamed = await api.content("PUT", `${CHANNELS}/${channelId}?anyName=true`, { channelName: "a b c" });
  expect(renamed.channelName).toBe("a b c");
  expect((await api.put(`${CHANNELS}/${channelId}?anyName=true`, { channelName: "a\nb" })).status).toBe(400);
});

test("a channel on air is PUBLISHING, counts its time, and returns its start under both names", async () => {
  const { channelId } = await api.create();
  api.runtime.start(channelId, 1_700_000_000_500);
  api.clock.advance(61_900);
  const { body } = await api.get(`${CHANNELS}/${channelId}`);
  expect(body.content).toMatchObject({
    channelStatus: "PUBLISHING",
    isPublishing: true,
    totalPublishSeconds: 61,
    recentPublishStartTime: 1_700_000_000_500,
    recentPublishTime: 1_700_000_000_500,
  });
  api.runtime.leave(channelId, 1_700_000_062_400);
  api.clock.advance(5_000);
  expect((await api.get(CHANNELS)).body.content).toEqual([
    expect.objectContaining({
      channelStatus: "READY",
      isPublishing: false,
      totalPublishSeconds: 61,
      recentPublishTime: 1_700_000_000_500,
    }),
  ]);
});

test("a channel on air can be called PUBLISH, as it was until 2024", async () => {
  const old = await Api.open({ publishStatusName: "PUBLISH" });
  const { channelId } = await old.create();
  old.runtime.start(channelId, 1);
  const { body } = await old.call({ method: "GET", url: `${CHANNELS}/${channelId}` });
  expect(body.content.channelStatus).toBe("PUBLISH");
  await old.close();
});

test("a list is paged and filtered", async () => {
  const ids: string[] = [];
  for (const channelName of ["alpha", "beta_1", "beta_2"]) ids.push((await api.create({ channelName })).channelId);
  api.runtime.start(ids[1] ?? "", 1);
  const list = async (query: string) => {
    const { status, body } = await api.get(`${CHANNELS}${query === "" ? "" : `?${query}`}`);
    expect(status).toBe(200);
    const names = body.content.map((channel: { channelName: string }) => channel.channelName);
    return [names.join(" "), body.total];
  };
  expect(await list("")).toEqual(["beta_2 beta_1 alpha", 3]);
  expect(await list("pageNo=1&pageSizeNo=2")).toEqual(["beta_2 beta_1", 3]);
  expect(await list("pageNo=2&pageSizeNo=2")).toEqual(["alpha", 3]);
  expect(await list("pageNo=3&pageSizeNo=2")).toEqual(["", 3]);
  expect(await list("channelStatus=PUBLISHING")).toEqual(["beta_1", 1]);
  expect(await list("channelStatus=PUBLISH")).toEqual(["beta_1", 1]);
  expect(await list("channelStatus=READY")).toEqual(["beta_2 alpha", 2]);
  expect(await list("channelStatus=DELETED")).toEqual(["", 0]);
  expect(await list("channelStatus=BLOCK")).toEqual(["", 0]);
  expect(await list("channelName=beta")).toEqual(["beta_2 beta_1", 2]);
  expect(await list("channelName=BETA&channelStatus=READY")).toEqual(["beta_2", 1]);
  expect(await list(`channelId=${ids[0]}`)).toEqual(["alpha", 1]);
});

test("deleting a channel on air is refused and changes nothing", async () => {
  const { channelId } = await api.create();
  api.runtime.start(channelId, 1);
  const { status, body } = await api.delete(`${CHANNELS}/${channelId}`);
  expect(status).toBe(409);
  expect(body.error).toMatchObject({
    errorCode: 250005,
    errorName: "NOT_AVAILABLE",
    message: "Channel not available.",
  });
  expect(api.runtime.removed).toEqual([]);
  expect((await api.get(`${CHANNELS}/${channelId}`)).status).toBe(200);
});

test("plans have limits, which are a setting", async () => {
  const restream = (count: number) => Array.from({ length: count }, () => PLATFORM);
  const tooMany = await api.post(CHANNELS, { ...CHANNEL, restream: restream(4) });
  expect(tooMany.status).toBe(400);
  expect(tooMany.body.error).toEqual({
    errorCode: 250014,
    errorName: "FORMVALIDATION_FAILED",
    message: "Form validation failed",
    details: "restream: the plan STANDARD allows 3 platforms, got 4.",
  });
  await api.create({ planType: "PROFESSIONAL", restream: restream(5) });
  await api.create({ planType: "UNLIMITED", restream: restream(30) });

  const other = await Api.open({ planLimits: { STANDARD: 4, PROFESSIONAL: 5, UNLIMITED: 0 } });
  await other.create({ restream: restream(4) });
  await other.close();
});

test("a viewer reads everything except the keys", async () => {
  const { channelId, streamKey } = await api.create({ restream: [{ ...PLATFORM, id: "u", password: "hunter2" }] });
  const masked = `${streamKey.slice(0, 4)}${"*".repeat(28)}`;
  const urls = [`${CHANNELS}/${channelId}`, CHANNELS, `${CHANNELS}/${channelId}/platforms`];
  const answers = await Promise.all(urls.map((url) => api.get(url, VIEWER)));
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
  for (const { text } of answers) {
    expect(text).not.toContain(streamKey);
    expect(text).not.toContain(PLATFORM.streamKey);
  }
  expect(answers[0]?.body.content).toMatchObject({ streamKey: masked, restream: [{ streamKey: "abcd*****" }] });
  expect(answers[1]?.body.content[0]).toMatchObject({ streamKey: masked });
  expect(answers[2]?.body.content[0]).toMatchObject({ streamKey: "abcd*****", id: "*", password: "h******" });
});

test("a secret key alone is enough as a bearer token", async () => {
  const call = (authorization: string) =>
    api.server.inject({ method: "GET", url: CHANNELS, headers: { authorization } }).then((answer) => answer.statusCode);
  expect(await call("Bearer manager-secret-000000000000000000000001")).toBe(200);
  expect(await call("bearer viewer-secret-0000000000000000000000001")).toBe(200);
  expect(await call("Bearer wrong-secret")).toBe(401);
  expect(await call("Bearer MANAGER0000000000001")).toBe(401);
  expect(await call("Bearer ")).toBe(401);
  expect(await call("Basic bWFuYWdlcg==")).toBe(401);
});
