import { DatabaseSync } from "node:sqlite";
import { fastify } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  AUDIT_ACTIONS,
  type AuditAction,
  DASHBOARD_ACTIONS,
  NOT_AUDITED,
  WITHOUT_WEBHOOK,
} from "../../../src/api-contract/audit/audit-actions.ts";
import { OPERATIONS } from "../../../src/api-contract/operations.ts";
import { resetPassword } from "../../../src/app/commands/reset-password.ts";
import type { AuditRecord } from "../../../src/control/audit/audit.ts";
import type { NodeRecord } from "../../../src/control/ports/nodes.ts";
import { addAuditRoutes } from "../../../src/http/audit/audit-routes.ts";
import { routesOf } from "../../support/checks/routes-of.ts";
import { batch, frames, heads } from "../../support/recordings/batches.ts";
import { Api, CHANNELS, MANAGER, PLATFORM, VIEWER } from "../api.ts";

const AUDIT = "/api/v2/audit";
const HOST = "localhost:8080";
const NODE: NodeRecord = { incarnation: 7, nodeId: "a", version: "1", state: "SERVING", isSelf: true };
const SECRETS = {
  key: "secretkey-aaaaaaaaaaaa",
  newKey: "secretkey-bbbbbbbbbbbb",
  login: "secretlogin-aaaaaaa",
  password: "secretword-aaaaaaaa",
  path: "secretpath-aaaaaaa",
  dashboard: "secret dashboard word",
  next: "secret dashboard next",
};

let api: Api;
beforeEach(async () => {
  const nodes = { list: async () => [NODE], drain: async () => NODE, moveChannels: async () => ({ node: NODE }) };
  api = await Api.open({ nodes });
});
afterEach(() => api.close());

type Row = Readonly<Record<string, ReturnType<typeof JSON.parse>>>;
const records = async (query = ""): Promise<readonly Row[]> =>
  (await api.get(`${AUDIT}?pageSizeNo=100${query}`)).body.content;

/** As a browser on the dashboard's own page. */
async function browser(method: "POST" | "PUT" | "DELETE", url: string, body: object | undefined, cookie = "") {
  const { statusCode, headers } = await api.server.inject({
    ...{ method, url },
    headers: {
      ...{ host: HOST, origin: `http://${HOST}`, cookie: `fanfare_session_test=${cookie}`, "user-agent": "Firefox" },
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  const set = [headers["set-cookie"] ?? []].flat().join();
  return { status: statusCode, cookie: /fanfare_session_test=([^;,]*)/.exec(set)?.[1] ?? "" };
}

test("every route that writes is kept by the audit, or named with a reason why not", async () => {
  await api.server.ready();
  const writing = routesOf(api.server.printRoutes({ commonPrefix: false })).filter((route) =>
    /^(?:POST|PUT|DELETE|PATCH) /.test(route),
  );
  const names = new Map([
    ...OPERATIONS.map(({ method, path, name }) => [`${method} ${path}`, name] as const),
    ...Object.entries(DASHBOARD_ACTIONS),
  ]);
  const known: readonly string[] = [...AUDIT_ACTIONS, ...Object.keys(NOT_AUDITED)];
  const nameOf = (route: string) => names.get(route.replace(/ \/api\/(?:fin-)?v2/, " "));
  expect(writing.length).toBeGreaterThan(2 * 35);
  expect(writing.filter((route) => !known.includes(nameOf(route) ?? ""))).toEqual([]);
  // And nothing is listed that no route, command or start does.
  const own = ["resetPassword", "storeManagerKey"];
  expect(known.filter((name) => !own.includes(name) && !writing.some((route) => nameOf(route) === name))).toEqual([]);
});

test("each action leaves exactly one record, and no secret is in the database's audit or in a webhook", async () => {
  const { channelId, restream } = await api.create({
    restream: [{ ...PLATFORM, streamKey: SECRETS.key, rtmpUrl: `rtmp://live.example.com/${SECRETS.path}` }],
    backup: { enabled: true },
    ingestAuth: { id: SECRETS.login, password: SECRETS.password },
  });
  const platId = restream[0].platId;
  const channel = `${CHANNELS}/${channelId}`;
  const platform = `${channel}/platforms/${platId}`;
  let added = 0;
  let session = "";
  let schedule = "";
  const other = { added: "", file: "", key: "", contact: "" };
  const done: string[] = ["createChannel"];

  /** Runs the action, and expects one record more, of this name. */
  const step = async (action: AuditAction, run: () => Promise<{ readonly status: number }>) => {
    const before = (await api.get(AUDIT)).body.total;
    expect([action, (await run()).status]).toEqual([action, 200]);
    const { total, content } = (await api.get(AUDIT)).body;
    expect([action, total, content[0].action]).toEqual([action, before + 1, action]);
    done.push(action);
  };
  const post = (url: string, body?: unknown) => () => api.post(url, body);
  const put = (url: string, body?: unknown) => () => api.put(url, body);
  const remove = (url: string) => () => api.delete(url);
  const keep = async <Value extends { body: Row }>(answer: Promise<Value>, take: (content: Row) => void) => {
    const value = await answer;
    take(value.body["content"]);
    return value as Value & { status: number };
  };

  await step("updateChannel", put(channel, { hold: { seconds: 5 }, ingestAuth: { password: SECRETS.next } }));
  await step("renewStreamKey", post(`${channel}/stream-key`));
  await step(
    "setChannelCallback",
    post(`${channel}/callbackEndpoint`, { callbackEndpoint: `https://h.example/${SECRETS.path}` }),
  );
  await step("testChannelCallback", post(`${channel}/callbackEndpoint/test`));
  await step(
    "setDefaultCallback",
    post("/api/v2/events/callbackEndpoint", { callbackEndpoint: `https://d.example/${SECRETS.path}` }),
  );
  await step("testDefaultCallback", post("/api/v2/events/callbackEndpoint/test"));
  await step("addPlatform", () =>
    keep(api.post(`${channel}/platforms`, { ...PLATFORM, streamKey: SECRETS.newKey }), ({ platId: id }) => {
      added = id;
    }),
  );
  await step("editPlatform", put(platform, { rtmpUrl: PLATFORM.rtmpUrl, streamKey: SECRETS.newKey, label: "mine" }));
  await step("offPlatform", put(`${platform}/off`));
  await step("onPlatform", put(`${platform}/on`));
  await step("retryPlatform", put(`${platform}/retry`));
  await step("cutPlatformDelay", put(`${platform}/cut-delay`));
  await step("testPlatform", post(`${platform}/test`));
  await step("removePlatform", remove(`${channel}/platforms/${added}`));
  await step("switchChannelOff", put(`${channel}/off`));
  await step("switchChannelOn", put(`${channel}/on`));
  await step("startTestPattern", post(`${channel}/test-pattern`));
  await step("stopTestPattern", remove(`${channel}/test-pattern`));
  api.runtime.start(channelId, 1);
  api.view.fact({ kind: "publisher-active", time: 1, channelId, ingestId: 1, slot: "main", heldMs: 0 });
  api.runtime.hold(channelId, 120_000);
  await step("extendHold", post(`${channel}/hold/extend`));
  await step("endHold", post(`${channel}/hold/end`));
  await step("endChannel", post(`${channel}/end`));
  await step("createMediaFile", () =>
    keep(api.post("/api/v2/media-files", { fileName: "a.mp4", bytes: 3 }), ({ fileId }) => {
      other.file = fileId;
    }),
  );
  const uploaded = [
    { field: "fileName", after: "a.mp4" },
    { field: "bytes", after: 3 },
  ];
  expect((await records())[0]).toMatchObject({ subject: other.file, changes: uploaded });
  api.files.add("mf-a");
  await step("setSource", put(`${channel}/source`, { fileIds: ["mf-a"], loop: true }));
  await step("startSource", post(`${channel}/source/start`));
  await step("stopSource", post(`${channel}/source/stop`));
  await step("clearSource", remove(`${channel}/source`));
  const timing = { timeZone: "Europe/Berlin", repeat: "daily", startAt: "20:00" };
  await step("createSchedule", () =>
    keep(api.post(`${channel}/schedules`, { fileIds: ["mf-a"], ...timing }), ({ scheduleId }) => {
      schedule = scheduleId;
    }),
  );
  await step("updateSchedule", put(`${channel}/schedules/${schedule}`, { scheduleName: "evening" }));
  expect((await records())[0]).toMatchObject({
    subject: schedule,
    changes: [{ field: "scheduleName", after: "evening" }],
  });
  await step("deleteSchedule", remove(`${channel}/schedules/${schedule}`));
  await step("setSlate", put(`${channel}/slate`, { fileId: "mf-a" }));
  api.runtime.start(channelId, 2);
  await step("closeCurtain", post(`${channel}/curtain`));
  await step("openCurtain", remove(`${channel}/curtain`));
  await step("clearSlate", remove(`${channel}/slate`));
  await step("deleteMediaFile", remove(`/api/v2/media-files/${other.file}`));
  // Nobody can ask for the name of what is gone.
  const deleted = uploaded.map(({ field, after }) => ({ field, before: after }));
  expect((await records())[0]).toMatchObject({ subject: other.file, changes: deleted });
  await step("createAccessKey", () =>
    keep(api.post("/api/v2/access-keys", { role: "viewer", name: "screen" }), ({ accessKey, secretKey }) => {
      other.key = accessKey;
      other.added = secretKey;
    }),
  );
  await step("deleteAccessKey", remove(`/api/v2/access-keys/${other.key}`));
  await step("drainNode", post("/api/v2/nodes/7/drain"));
  await step("moveNodeChannels", post("/api/v2/nodes/7/move"));
  const delivery = (await api.get("/api/v2/events/deliveries")).body.content[0];
  await step("resendDelivery", post(`/api/v2/events/deliveries/${delivery.id}/resend`));
  const contacts = "/api/v2/events/contacts";
  const webhookUrl = `https://chat.example.com/${SECRETS.path}`;
  await step("createContact", () =>
    keep(api.post(contacts, { contactName: "Room", contactKind: "slack", webhookUrl }), ({ contactId }) => {
      other.contact = contactId;
    }),
  );
  await step("updateContact", put(`${contacts}/${other.contact}`, { webhookUrl: `${webhookUrl}/next` }));
  await step("testContact", post(`${contacts}/${other.contact}/test`));
  await step("deleteContact", remove(`${contacts}/${other.contact}`));
  api.recorder.recorder.start();
  api.recorder.send({ kind: "begin", number: 0, channelId, startTime: 1_767_323_045_000 });
  api.recorder.send({ kind: "media", number: 0, bytes: batch(...heads(), ...frames(0, 1_000)) });
  api.recorder.send({ kind: "end", number: 0, reason: "BROADCAST_ENDED" });
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  await step("deleteRecording", remove(`/api/v2/re-stream/recordings/${channelId}/20260102030405-001`));
  const token = await api.dashboard.offerSetup();
  await step("setUpDashboard", () => browser("POST", "/dashboard/setup", { token, password: SECRETS.dashboard }));
  await step("signIn", async () => {
    const answer = await browser("POST", "/dashboard/session", { password: SECRETS.dashboard });
    session = answer.cookie;
    return answer;
  });
  await step("changePassword", async () => {
    const body = { old: SECRETS.dashboard, new: SECRETS.next };
    const answer = await browser("PUT", "/dashboard/password", body, session);
    session = answer.cookie;
    return answer;
  });
  await step("signOut", () => browser("DELETE", "/dashboard/session", undefined, session));
  await api.post(`${channel}/end`);
  await step("deleteChannel", remove(channel));
  const own = ["resetPassword", "storeManagerKey"];
  expect(done.toSorted()).toEqual(AUDIT_ACTIONS.filter((action) => !own.includes(action)).toSorted());

  const stored = new DatabaseSync(api.database.path, { readOnly: true });
  const audit = stored.prepare("SELECT * FROM audit").all();
  const events = stored.prepare("SELECT * FROM event WHERE channel_id = ''").all();
  stored.close();
  // Changes without a channel are events for webhooks, but for those about webhooks themselves.
  const quiet: readonly string[] = WITHOUT_WEBHOOK;
  const told = audit.filter((row) => row["channel_id"] === null && !quiet.includes(String(row["action"])));
  expect(told.length).toBeGreaterThan(5);
  expect(events.map((row) => row["time"])).toEqual(told.map((row) => row["time"]));
  const texts = JSON.stringify([audit, events]);
  for (const secret of [...Object.values(SECRETS), other.added, session]) expect(texts).not.toContain(secret);
  expect(texts).not.toContain("whsec_");
  expect(
    (await api.get("/api/v2/events?pageSizeNo=100")).body.content.some(({ channelId: of }: Row) => of === ""),
  ).toBe(false);
});

test("a record says who, from where and with what, and what was before and after", async () => {
  const { channelId, restream } = await api.create();
  const platId = restream[0].platId;
  const call = { method: "PUT", url: `${CHANNELS}/${channelId}/platforms/${platId}` } as const;
  const headers = { "user-agent": "fanfare-cli/0.1.0" };
  const windows = { open: [{ days: ["MON", "FRI"], startAt: "20:00", endAt: "22:00" }], timeZone: "Asia/Seoul" };
  const changed = { streamKey: "a-new-key", label: "mine", enabled: false, windows };
  await api.call({ ...call, body: { rtmpUrl: `${PLATFORM.rtmpUrl}/other`, ...changed }, headers });
  const [edited, created] = await records();
  expect(edited).toEqual({
    ...{ id: edited?.["id"], timestamp: api.clock.wallMs, action: "editPlatform", traceId: edited?.["traceId"] },
    ...{ actor: "access-key", actorId: MANAGER.accessKeyId, actorName: "m", client: "cli", remoteAddress: "127.0.0.1" },
    userAgent: "fanfare-cli/0.1.0",
    description: `Platform changed: access key "m" ${MANAGER.accessKeyId}, from 127.0.0.1.`,
    ...{ channelId, channelName: "channel001", platId },
    changes: [
      {
        field: `platforms[${platId}].rtmpUrl`,
        before: "rtmp://a.rtmp.youtube.com/…",
        after: "rtmp://a.rtmp.youtube.com/…",
      },
      { field: `platforms[${platId}].streamKey`, before: "***", after: "***" },
      { field: `platforms[${platId}].label`, after: "mine" },
      { field: `platforms[${platId}].enabled`, before: true, after: false },
      { field: `platforms[${platId}].windows`, after: "MON FRI 20:00-22:00 (Asia/Seoul)" },
    ],
  });
  expect(created?.["changes"]).toContainEqual({ field: "channelName", after: "channel001" });
  expect(created?.["changes"]).toContainEqual({ field: "streamKey", after: "***" });
});

test("what changes nothing has an empty record, and what is rejected has none", async () => {
  const { channelId } = await api.create();
  await api.put(`${CHANNELS}/${channelId}`, { hold: { seconds: 120 } });
  expect((await records())[0]).toMatchObject({ action: "updateChannel", changes: [] });
  await api.put(`${CHANNELS}/${channelId}`, { hold: { seconds: -1 } });
  await api.put(`${CHANNELS}/${channelId}`, { hold: { seconds: 1 } }, VIEWER);
  await api.delete(`${CHANNELS}/ls-none`);
  await browser("POST", "/dashboard/session", { password: "wrong password" });
  // Not signed in: there is nothing to sign out of.
  expect((await browser("DELETE", "/dashboard/session", undefined)).status).toBe(200);
  expect(await records()).toHaveLength(2);
});

test("records are filtered by channel, actor, action and time, in pages", async () => {
  const one = await api.create();
  api.clock.advance(1_000);
  const time = api.clock.wallMs;
  const two = await api.create();
  await api.put(`${CHANNELS}/${two.channelId}/off`);
  const token = await api.dashboard.offerSetup();
  const { cookie } = await browser("POST", "/dashboard/setup", { token, password: SECRETS.dashboard });
  await browser("PUT", `${CHANNELS}/${one.channelId}/off`, undefined, cookie);
  const actions = async (query: string) => (await records(query)).map(({ action, channelId }) => [action, channelId]);
  const off = (channelId: string) => ["switchChannelOff", channelId];
  expect(await actions(`&channelId=${two.channelId}`)).toEqual([off(two.channelId), ["createChannel", two.channelId]]);
  expect(await actions("&actor=dashboard")).toEqual([off(one.channelId)]);
  expect(await actions("&action=switchChannelOff")).toEqual([off(one.channelId), off(two.channelId)]);
  expect(await actions(`&actor=${MANAGER.accessKeyId}&toTime=${time - 1}`)).toEqual([["createChannel", one.channelId]]);
  expect(await actions(`&fromTime=${time}&action=createChannel`)).toEqual([["createChannel", two.channelId]]);
  const { body } = await api.get(`${AUDIT}?pageSizeNo=2&pageNo=2`);
  expect([body.total, body.content.length]).toEqual([5, 2]);
  expect((await api.get(`${AUDIT}?action=nothing`)).status).toBe(400);
  // A form sends every condition, and empty those that are not set.
  expect(await actions(`&channelId=&actor=&fromTime=&toTime=&action=switchChannelOff`)).toHaveLength(2);
  expect((await api.get(`${AUDIT}?action=`)).body.total).toBe(5);
  expect((await api.get(AUDIT, VIEWER)).body.error.errorCode).toBe("210");
});

test("as CSV it has one line for each record, in the reader's time zone, and no cell is a formula", async () => {
  await api.post("/api/v2/access-keys", { role: "viewer", name: "=1+1" });
  const url = `${AUDIT}?format=csv&timeZone=Asia%2FSeoul`;
  const { body, headers } = await api.server.inject({ url, headers: api.signedHeaders("GET", url) });
  expect(headers["content-type"]).toBe("text/csv;charset=utf-8");
  const [head, line, end] = body.split("\r\n");
  expect(head).toMatch(/^\uFEFFtime \(Asia\/Seoul\),action,what,/);
  expect(line).toMatch(/^2023-11-15 07:13:20,createAccessKey,Access key created,/);
  expect(line).toContain('"role: – → ""viewer""; name: – → ""=1+1""; secretKey: – → ""***"""');
  expect(end).toBe("");
});

test("a record that comes while a long CSV is read puts no other into it twice", async () => {
  const record = (auditId: number): AuditRecord => ({
    ...{
      auditId,
      time: auditId,
      action: "createChannel",
      traceId: `trace${auditId}`,
      actor: "server",
      client: "server",
    },
    changes: [],
  });
  const stored = Array.from({ length: 700 }, (_, index) => record(700 - index));
  const routes = fastify();
  addAuditRoutes(routes, {
    listAudit: async (_filter, { number, size }) => {
      const page = stored.slice((number - 1) * size, number * size);
      stored.unshift(record(stored.length + 1));
      return { records: page, total: stored.length };
    },
  });
  const { body } = await routes.inject({ url: "/audit?format=csv" });
  const traces = body.split("\r\n").flatMap((line) => /trace(\d+)$/.exec(line)?.[1] ?? []);
  expect(traces).toEqual(Array.from({ length: 700 }, (_, index) => `${700 - index}`));
});

test("a record has the client's plain address", async () => {
  for (const [remoteAddress, shown] of [
    ["::ffff:192.0.2.9", "192.0.2.9"],
    ["2001:db8::9", "2001:db8::9"],
  ] as const) {
    await api.server.inject({
      ...{ method: "POST", url: "/api/v2/access-keys", remoteAddress, payload: '{"role":"viewer"}' },
      headers: { host: HOST, authorization: `Bearer ${MANAGER.secretKey}` },
    });
    expect((await records())[0]).toMatchObject({ action: "createAccessKey", remoteAddress: shown });
  }
});

test("a database that takes no writes does not keep a person from ending a broadcast; its record follows", async () => {
  const { channelId } = await api.create();
  api.runtime.start(channelId, 1);
  const writer = new DatabaseSync(api.database.path);
  writer.exec("BEGIN IMMEDIATE");
  expect((await api.post(`${CHANNELS}/${channelId}/end`)).status).toBe(200);
  writer.exec("ROLLBACK");
  writer.close();
  expect((await records()).map(({ action }) => action)).toEqual(["createChannel"]);
  api.clock.advance(5_000);
  while ((await records()).length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect((await records())[0]).toMatchObject({ action: "endChannel", channelId });
});

test("a password that is reset on the machine itself is in the audit", async () => {
  const token = await api.dashboard.offerSetup();
  await browser("POST", "/dashboard/setup", { token, password: SECRETS.dashboard });
  const dataDir = api.database.path.replace(/\/fanfare\.db$/, "");
  await resetPassword({ dataDir });
  expect((await records())[0]).toMatchObject({
    ...{ action: "resetPassword", actor: "command", client: "server" },
    changes: [{ field: "password", before: "***" }],
  });
});
