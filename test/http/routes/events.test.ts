import { afterEach, beforeEach, expect, test } from "vitest";
import type { Fact } from "../../../src/thread-protocol/facts.ts";
import { Api, CHANNELS, gateway, MANAGER, PLATFORM, service, VIEWER } from "../api.ts";

const EVENTS = "/api/v2/events";
const URL = "https://hooks.example.com/fanfare?token=x";
const LIMITS = { inFlightMax: 9, perHostMax: 9, retriesMax: 9 };
const UNKNOWN = "ls-20260101000000-00000";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const content: Api["content"] = (...of) => api.content(...of);

/** The media thread reports a broadcast of a second on one platform that fails. */
function broadcast(channelId: string): void {
  const ingest = { channelId, ingestId: 1, slot: "main" } as const;
  const error = { code: "TCP_REFUSED", severity: "transient", message: "m", messageKo: "오류", time: 1 } as const;
  const facts: Fact[] = [
    { kind: "ingest-started", ...ingest, time: 1_000, remoteAddress: "192.0.2.1", encoder: "e", isBroadcastNew: true },
    {
      kind: "target-status",
      channelId,
      targetId: 1,
      time: 1_500,
      from: "CONNECTING",
      status: { status: "FAIL", sinceTime: 1_500, lastError: error },
    },
    { kind: "ingest-ended", ...ingest, time: 2_000, end: "clean", isBroadcastOver: true },
  ];
  for (const fact of facts) api.events.writer.fact(fact);
}

test("an empty channelId is none: what changed the server itself is in the audit, for managers", async () => {
  const { channelId } = await api.create();
  await content("POST", "/api/v2/access-keys", { role: "viewer", name: "of a secret project" });
  await api.events.written(1);
  const lists = [EVENTS, `${EVENTS}/deliveries`, CHANNELS, "/api/v2/audit"];
  for (const list of lists)
    expect((await api.get(`${list}?channelId=`)).body, list).toEqual((await api.get(list)).body);
  const { body } = await api.get(`${EVENTS}?channelId=`, VIEWER);
  expect(body).toMatchObject({ total: 1, content: [{ channelId, eventCode: "STREAM_RESERVE" }] });
});

test("a channel's events are listed newest first, with their total, and page by page", async () => {
  const { channelId } = await api.create();
  broadcast(channelId);
  await api.events.written(4);
  const { status, body } = await api.get(`${CHANNELS}/${channelId}/events`);
  expect(status).toBe(200);
  expect(Object.keys(body)).toEqual(["content", "total"]);
  expect(body.total).toBe(4);
  expect(body.content).toEqual([
    {
      logLevel: "INFO",
      eventCode: "PUBLISH_END",
      description: "channel001 channel publishing has ended.",
      timestamp: 2_000,
      channelId,
      id: 4,
      reason: "clean",
    },
    {
      logLevel: "WARN",
      eventCode: "SIMULCAST_STATUS_CHANGE",
      description: "channel001 channel platform YOUTUBE (1) status has been changed from READY to FAIL: TCP_REFUSED.",
      timestamp: 1_500,
      channelId,
      id: 3,
      platId: 1,
      targetName: "YOUTUBE",
      from: "READY",
      to: "FAIL",
      reason: "TCP_REFUSED",
    },
    {
      logLevel: "INFO",
      eventCode: "PUBLISH_START",
      description: "channel001 channel publishing has started.",
      timestamp: 1_000,
      channelId,
      id: 2,
    },
    {
      logLevel: "INFO",
      eventCode: "STREAM_RESERVE",
      description: "channel001 channel has been created.",
      timestamp: api.clock.wallMs,
      channelId,
      id: 1,
      by: MANAGER.accessKeyId,
    },
  ]);
  const page = await api.get(`${CHANNELS}/${channelId}/events?pageNo=2&pageSizeNo=3`);
  expect(page.body).toEqual({ content: [body.content[3]], total: 4 });
});

test("the publish log has the starts and ends of its broadcasts alone", async () => {
  const { channelId } = await api.create();
  broadcast(channelId);
  await api.events.written(4);
  const { body } = await api.get(`${CHANNELS}/${channelId}/publish-log?pageSizeNo=1`);
  expect(body.total).toBe(2);
  expect(body.content.map((event: { eventCode: string }) => event.eventCode)).toEqual(["PUBLISH_END"]);
});

test("events of all channels are listed together, narrowed to one, and outlive their channel there", async () => {
  const first = await api.create();
  const second = await api.create();
  await content("DELETE", `${CHANNELS}/${first.channelId}`);
  await api.events.written(3);
  const codes = (events: { eventCode: string; channelId: string }[]) =>
    events.map(({ eventCode, channelId }) => [eventCode, channelId]);
  expect(codes(await content("GET", EVENTS))).toEqual([
    ["STREAM_UPDATE", first.channelId],
    ["STREAM_RESERVE", second.channelId],
    ["STREAM_RESERVE", first.channelId],
  ]);
  const ofFirst = await api.get(`${EVENTS}?channelId=${first.channelId}`);
  expect(ofFirst.body.total).toBe(2);
  expect(codes(ofFirst.body.content)[0]).toEqual(["STREAM_UPDATE", first.channelId]);
  expect(await content("GET", `${EVENTS}?channelId=${UNKNOWN}`)).toEqual([]);
  for (const list of ["events", "publish-log"]) {
    for (const channelId of [first.channelId, UNKNOWN]) {
      const { status, body } = await api.get(`${CHANNELS}/${channelId}/${list}`);
      expect([status, body]).toEqual([404, service(250004, "NOT_FOUND", "Channel not found.")]);
    }
  }
});

test("an edit of a platform is an event that names it, and no event holds a key or an address", async () => {
  const { channelId } = await api.create();
  await content("PUT", `${CHANNELS}/${channelId}/platforms/1`, { ...PLATFORM, streamKey: "new-key-0815" });
  await api.events.written(2);
  const events = await content("GET", `${CHANNELS}/${channelId}/events`);
  expect(events[0]).toMatchObject({
    eventCode: "STREAM_UPDATE",
    description: "channel001 channel platform YOUTUBE (1) has been changed.",
    platId: 1,
  });
  expect(JSON.stringify(events)).not.toMatch(/new-key-0815|abcd-efgh|rtmp:/);
});

test("a page that is no number is refused as everywhere", async () => {
  const { channelId } = await api.create();
  for (const url of [EVENTS, `${EVENTS}/deliveries`, `${CHANNELS}/${channelId}/events`]) {
    const { status, body } = await api.get(`${url}?pageNo=x`);
    expect(status).toBe(400);
    expect(body).toMatchObject(service(250021, "OPEN_API_PARAM_TYPE_ERROR", "Invalid parameter type pageNo."));
  }
});

test.each(["callbackEndpoint", "callbackUrl"])(
  "a channel's webhook is set as %s, shown, and its secret once",
  async (field) => {
    const { channelId, restream: _, ...channel } = await api.create();
    const url = `${CHANNELS}/${channelId}/callbackEndpoint`;
    const { webhookSecret, ...set } = await content("POST", url, { [field]: URL });
    expect(set).toEqual({ channelId, ...channel, callbackEndpoint: URL });
    expect(webhookSecret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
    const read = await content("GET", `${CHANNELS}/${channelId}`);
    expect(read).toMatchObject({ callbackEndpoint: URL });
    expect(JSON.stringify(read)).not.toContain(webhookSecret);
    expect((await content("GET", CHANNELS))[0]).toMatchObject({ callbackEndpoint: URL });
    // Setting it again is how a lost secret is replaced.
    expect((await content("POST", url, { [field]: URL })).webhookSecret).not.toBe(webhookSecret);
    const cleared = await content("POST", url, { [field]: "" });
    expect(cleared).toEqual({ channelId, ...channel });
    const written = await api.events.written(4);
    expect(written.slice(1).map(({ description }) => description)).toEqual(
      written.slice(1).map(() => "channel001 channel callback endpoint has been changed."),
    );
  },
);

test.each(["callbackEndpoint", "callbackUrl"])("the default webhook is set as %s, read and removed", async (field) => {
  const url = `${EVENTS}/callbackEndpoint`;
  expect(await content("GET", url)).toEqual({});
  const { webhookSecret, ...set } = await content("POST", url, { [field]: URL });
  expect(set).toEqual({ callbackUrl: URL, updateTime: api.clock.wallMs });
  expect(webhookSecret).toMatch(/^whsec_/);
  expect(await content("GET", url)).toEqual(set);
  expect(await content("POST", url, { [field]: "" })).toEqual({});
  expect(await content("GET", url)).toEqual({});
});

test("an endpoint that answered 410 shows since when it is gone", async () => {
  await content("POST", `${EVENTS}/callbackEndpoint`, { callbackUrl: URL });
  await api.create();
  await api.events.written(1);
  const [due] = await api.events.store.claimDueDeliveries(api.clock.wallMs, LIMITS, []);
  if (due?.endpoint === undefined) throw new Error("nothing is due");
  const gone = { state: "FAILED", attempts: 1, lastStatus: 410, goneRevision: due.endpoint.revision } as const;
  await api.events.store.updateDelivery(due, gone, 77);
  expect(await content("GET", `${EVENTS}/callbackEndpoint`)).toMatchObject({ callbackUrl: URL, goneTime: 77 });
});

const WRONG: readonly (readonly [string, unknown])[] = [
  ["another scheme", "ftp://hooks.example.com/"],
  ["no scheme", "hooks.example.com"],
  ["user and password", "https://user:pass@hooks.example.com/"],
  ["no host", "https:///path"],
  ["a host in numbers that are no address", "http://2130706433/"],
  ["a port that is none", "http://hooks.example.com:0/"],
  ["a blank", "http://hooks.example.com/a b"],
  ["a backslash", "http://hooks.example.com\\@127.0.0.1/"],
  ["1025 characters", `https://hooks.example.com/${"x".repeat(1_025 - 26)}`],
  ["a number", 5],
  ["an object", {}],
];

test.each(WRONG)("%s is refused as the address of a webhook", async (_name, callbackEndpoint) => {
  const { channelId } = await api.create();
  for (const url of [`${CHANNELS}/${channelId}/callbackEndpoint`, `${EVENTS}/callbackEndpoint`]) {
    const { status, body, text } = await api.post(url, { callbackEndpoint });
    expect(status).toBe(400);
    expect(body).toMatchObject(service(250002, "INVALID_FORMAT", "callbackEndpoint: invalid value."));
    expect(text).not.toContain("pass@");
  }
});

test("an address of 1024 characters is accepted", async () => {
  const callbackUrl = `https://hooks.example.com/${"x".repeat(1_024 - 26)}`;
  expect(callbackUrl).toHaveLength(1_024);
  expect(await content("POST", `${EVENTS}/callbackEndpoint`, { callbackUrl })).toMatchObject({ callbackUrl });
});

test("a missing address, a missing channel and a viewer are refused as everywhere", async () => {
  const { channelId } = await api.create();
  const ask = async (url: string, body: unknown, key?: typeof VIEWER) => {
    const answer = await api.call({ method: "POST", url, body, ...(key === undefined ? {} : { key }) });
    const { details: _, hint: _hint, hintKo: _hintKo, ...error } = answer.body.error;
    return [answer.status, { error }];
  };
  const missing = service(250011, "NEED_VALUE", "callbackEndpoint must has a valid value");
  for (const url of [`${CHANNELS}/${channelId}/callbackEndpoint`, `${EVENTS}/callbackEndpoint`]) {
    expect(await ask(url, {})).toEqual([400, missing]);
    expect(await ask(url, { callbackUrl: null })).toEqual([400, missing]);
    expect(await ask(url, "no json")).toEqual([
      400,
      service(250012, "JSON_PARSE_GENERAL_ERROR", "Invalid request data,please check"),
    ]);
    const denied = gateway("210", "Permission Denied", "");
    expect(await ask(url, { callbackUrl: URL }, VIEWER)).toMatchObject([
      401,
      { error: { errorCode: denied.error.errorCode } },
    ]);
  }
  // A missing channel is reported before the body.
  expect(await ask(`${CHANNELS}/${UNKNOWN}/callbackEndpoint`, {})).toEqual([
    404,
    service(250004, "NOT_FOUND", "Channel not found."),
  ]);
});

test("a delivery names the platform that its event is about, as it was named then", async () => {
  await content("POST", `${EVENTS}/callbackEndpoint`, { callbackUrl: URL });
  const { channelId, restream } = await api.create();
  const path = `${CHANNELS}/${channelId}/platforms/${restream[0].platId}`;
  await content("PUT", path, { ...PLATFORM, label: "second room" });
  await content("DELETE", path);
  await api.events.written(3);
  const { body } = await api.get(`${EVENTS}/deliveries`);
  const about = { platId: restream[0].platId, targetName: "YOUTUBE", label: "second room" };
  expect(body.content.map((each: Readonly<Record<string, unknown>>) => [each["id"], each["platId"]])).toEqual([
    [3, about.platId],
    [2, about.platId],
    [1, undefined],
  ]);
  expect(body.content[0]).toMatchObject({ event: "STREAM_UPDATE", channelId, ...about });
});

test("deliveries are listed, of all channels or one, and sent again on request", async () => {
  await content("POST", `${EVENTS}/callbackEndpoint`, { callbackUrl: URL });
  const first = await api.create();
  const second = await api.create();
  await api.events.written(2);
  const delivery = (id: number, channelId: string) => ({
    id,
    channelId,
    event: "STREAM_RESERVE",
    timestamp: api.clock.wallMs,
    url: URL,
    attempts: 0,
    state: "WAITING",
    nextTime: api.clock.wallMs,
  });
  const list = await api.get(`${EVENTS}/deliveries`);
  expect(list.body).toEqual({ content: [delivery(2, second.channelId), delivery(1, first.channelId)], total: 2 });
  const both = await api.events.store.claimDueDeliveries(api.clock.wallMs, LIMITS, []);
  const due = both.find(({ eventId }) => eventId === 1);
  if (due === undefined) throw new Error("nothing is due");
  await api.events.store.updateDelivery(due, { state: "FAILED", attempts: 30, lastStatus: 500 }, api.clock.wallMs);
  const ofFirst = await api.get(`${EVENTS}/deliveries?channelId=${first.channelId}`);
  const { nextTime: _, ...failed } = {
    ...delivery(1, first.channelId),
    state: "FAILED",
    attempts: 30,
    lastStatus: 500,
  };
  expect(ofFirst.body).toEqual({ content: [failed], total: 1 });

  api.clock.advance(1_000);
  const wakes = api.events.wakeCount;
  const resent = await content("POST", `${EVENTS}/deliveries/1/resend`);
  expect(resent).toEqual({ ...failed, state: "WAITING", attempts: 0, nextTime: api.clock.wallMs });
  expect(api.events.wakeCount).toBeGreaterThan(wakes);

  const resend = async (id: string, key?: typeof VIEWER) => {
    const url = `${EVENTS}/deliveries/${id}/resend`;
    const { status, body } = await api.call({ method: "POST", url, ...(key === undefined ? {} : { key }) });
    return [status, body.error.errorCode];
  };
  expect(await resend("99")).toEqual([404, 250004]);
  expect(await resend("1e30")).toEqual([400, 250021]);
  expect(await resend("x")).toEqual([400, 250021]);
  expect(await resend("99999999999999999999")).toEqual([404, 250004]);
  expect(await resend("1", VIEWER)).toEqual([401, "210"]);
});
