import { afterEach, beforeEach, expect, test } from "vitest";
import { Api } from "./api.ts";
import { EventReader } from "./event-reader.ts";

const PASSWORD = "correct horse";
/** How soon after its session a browser's stream ends. */
const SESSION_LOOK_MS = 15_000;

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

/** A stream that has got its snapshot. */
async function openStream(session: string): Promise<EventReader> {
  const reader = await EventReader.open(api, { session });
  expect((await reader.next()).name).toBe("snapshot");
  return reader;
}

/** Changes something, and waits until all of these streams have told it. */
async function expectTold(...readers: readonly EventReader[]): Promise<void> {
  const { channelId } = await api.create();
  api.clock.advance(100);
  for (const reader of readers) {
    let event = await reader.next();
    while (event.name !== "channel" || event.data.channelId !== channelId) event = await reader.next();
  }
}

test("a stream ends soon after its session was ended elsewhere; another browser's goes on", async () => {
  const [ended, kept] = await signInTwice();
  const endedStream = await openStream(ended);
  const keptStream = await openStream(kept);
  // As a command in another process does it: nobody tells this server.
  await api.dashboard.signOut((await api.dashboard.sessionOf(ended)) ?? "");
  await expectTold(endedStream, keptStream);
  api.clock.advance(SESSION_LOOK_MS);
  await endedStream.closed();
  await expectTold(keptStream);
  keptStream.close();
});

test("a stream ends at once when its browser signs out; another browser's goes on", async () => {
  const [ended, kept] = await signInTwice();
  const endedStream = await openStream(ended);
  const keptStream = await openStream(kept);
  const host = "fanfare.example";
  const headers = { host, origin: `http://${host}`, cookie: `fanfare_session_test=${ended}` };
  const answer = await api.server.inject({ method: "DELETE", url: "/dashboard/session", headers });
  expect(answer.statusCode).toBe(200);
  await endedStream.closed();
  await expectTold(keptStream);
  keptStream.close();
});
