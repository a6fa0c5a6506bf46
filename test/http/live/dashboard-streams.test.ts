import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SqlDashboardStore } from "../../../src/store/access/dashboard-store.ts";
import { Api, CHANNELS } from "../api.ts";
import { EventReader } from "./event-reader.ts";

const PASSWORD = "correct horse";
const HOST = "fanfare.example";
/** How soon streams of a session end after it. */
const ENDS_WITHIN_MS = 1_000;

let api: Api;
beforeEach(async () => {
  api = await Api.open();
  await api.server.listen({ host: "127.0.0.1", port: 0 });
});
afterEach(() => api.close());

/** The sessions of two browsers. */
async function signInTwice(): Promise<readonly [string, string]> {
  const first = await api.dashboard.setUp((await api.dashboard.offerSetup()) ?? "", PASSWORD);
  const second = await api.dashboard.signIn(PASSWORD);
  if (first === undefined || second === undefined) throw new Error("not signed in");
  return [first, second];
}

/** Sends a request as the page of this session does. */
function ask(method: "GET" | "POST" | "PUT" | "DELETE", url: string, session: string, body?: object) {
  const headers = {
    ...{ host: HOST, origin: `http://${HOST}`, cookie: `fanfare_session=${session}` },
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  return api.server.inject({ method, url, headers, ...(body === undefined ? {} : { payload: JSON.stringify(body) }) });
}

/** The address of a preview that this session requested. */
async function previewOf(session: string): Promise<string> {
  const { channelId } = await api.create();
  return (await ask("POST", `${CHANNELS}/${channelId}/preview-token`, session)).json().content.url;
}

/** A stream that has got its snapshot. */
async function openStream(session: string): Promise<EventReader> {
  const reader = await EventReader.open(api, { session });
  expect((await reader.next()).name).toBe("snapshot");
  return reader;
}

/** Changes something, and waits until all of these streams have sent it. */
async function expectSent(...readers: readonly EventReader[]): Promise<void> {
  const { channelId } = await api.create();
  api.clock.advance(100);
  for (const reader of readers) {
    let event = await reader.next();
    while (event.name !== "channel" || event.data.channelId !== channelId) event = await reader.next();
  }
}

test("a stream ends soon after its session was ended elsewhere, and another browser's goes on", async () => {
  const [ended, kept] = await signInTwice();
  const endedStream = await openStream(ended);
  const keptStream = await openStream(kept);
  // As a command in another process does it: this server gets no message.
  await api.dashboard.signOut((await api.dashboard.sessionOf(ended)) ?? "");
  await expectSent(endedStream, keptStream);
  api.clock.advance(ENDS_WITHIN_MS);
  await endedStream.closed();
  await expectSent(keptStream);
  keptStream.close();
});

test("a stream ends at once when its browser signs out, and another browser's goes on", async () => {
  const [ended, kept] = await signInTwice();
  const endedStream = await openStream(ended);
  const keptStream = await openStream(kept);
  const host = "fanfare.example";
  const headers = { host, origin: `http://${host}`, cookie: `fanfare_session_test=${ended}` };
  const answer = await api.server.inject({ method: "DELETE", url: "/dashboard/session", headers });
  expect(answer.statusCode).toBe(200);
  await endedStream.closed();
  await expectSent(keptStream);
  keptStream.close();
});

test("a new password ends every session with its streams and previews, and the browser that chose it goes on with a new token", async () => {
  const [changing, other] = await signInTwice();
  const streams = [await openStream(changing), await openStream(other)];
  const byKey = await EventReader.open(api);
  const previews = [await previewOf(changing), await previewOf(other)];
  const body = { old: PASSWORD, new: "another horse" };
  const answer = await ask("PUT", "/dashboard/password", changing, body);
  expect([answer.statusCode, answer.json()]).toEqual([200, { signedIn: true, needsSetup: false }]);
  for (const stream of streams) await stream.closed();
  expect(byKey.isClosed).toBe(false);
  for (const url of previews) expect((await api.server.inject({ url })).statusCode).toBe(401);
  for (const session of [changing, other]) expect((await ask("GET", CHANNELS, session)).statusCode).toBe(401);
  const renewed = answer.cookies.find(({ name }) => name.startsWith("fanfare_session"))?.value ?? "";
  expect((await ask("GET", CHANNELS, renewed)).statusCode).toBe(200);
  const stream = await openStream(renewed);
  api.clock.advance(ENDS_WITHIN_MS);
  await expectSent(stream);
  stream.close();
});

test("previews and their tokens end within a second of a reset in another process", async () => {
  const [session] = await signInTwice();
  const url = await previewOf(session);
  const stream = await openStream(session);
  await new SqlDashboardStore(api.database).resetPassword({ tokenHash: "x", expiresTime: 0 });
  api.clock.advance(ENDS_WITHIN_MS);
  await stream.closed();
  expect((await api.server.inject({ url })).statusCode).toBe(401);
});

test("a session's streams stay while the sessions cannot be looked up", async () => {
  const [session] = await signInTwice();
  const stream = await openStream(session);
  const url = await previewOf(session);
  const listSessions = vi.spyOn(SqlDashboardStore.prototype, "listSessions");
  listSessions.mockRejectedValue(new Error("locked"));
  api.clock.advance(ENDS_WITHIN_MS);
  await expect.poll(() => listSessions.mock.calls.length).toBeGreaterThan(0);
  listSessions.mockRestore();
  await expectSent(stream);
  expect((await api.server.inject({ url: url.replace(/=.*/, "=x") })).statusCode).toBe(401);
  stream.close();
});
