import { expect, onTestFinished, test, vi } from "vitest";
import type { HubMessage } from "../../web/src/live/changes.ts";

/** Code of pages, with types that only browsers have. */
const STORE: string = "../../web/src/live/store.ts";
const CLOCK: string = "../../web/src/base/clock.ts";
type Value = { readonly value: number };
type Platform = { readonly platId: number; readonly connectStatus: string };
type Shown = { readonly channelId: string; readonly platforms: readonly Platform[]; readonly hold?: object };
type Store = {
  readonly returns: Value;
  readonly startLive: () => () => void;
  readonly liveChannel: (channelId: string) => { readonly channel: { readonly value: Shown } } | undefined;
  readonly showPlatform: (channelId: string, call: Promise<Platform>) => Promise<Platform>;
  readonly showParts: (channelId: string, call: Promise<object>, ...names: string[]) => Promise<object>;
};

/** Each page has a store of its own. */
let pages = 0;

/** A page's store without a page, and what its worker says. */
async function openStore() {
  const workers: { onmessage?: (event: { readonly data: HubMessage }) => void }[] = [];
  vi.stubGlobal("document", { hidden: false });
  // The page's tick of a second would go on in this process, behind the end of the test.
  vi.stubGlobal("setInterval", () => 0);
  vi.stubGlobal(
    "Worker",
    class {
      onmessage?: (event: { readonly data: HubMessage }) => void;
      constructor() {
        workers.push(this);
      }
      terminate(): void {}
    },
  );
  onTestFinished(() => void vi.unstubAllGlobals());
  pages += 1;
  const store = (await import(`${STORE}?page=${pages}`)) as Store;
  const { now } = (await import(CLOCK)) as { readonly now: Value };
  const hear = (data: object) => workers.at(-1)?.onmessage?.({ data: data as HubMessage });
  return { ...store, now, hear };
}

const READY = { platId: 1, connectStatus: "READY" };
const OTHER = { platId: 2, connectStatus: "READY" };
const CHANNEL = { channelId: "ls-1", platforms: [READY], hold: { seconds: 5 } };

/** A store that was told of one channel. */
async function openWithChannel() {
  const store = await openStore();
  onTestFinished(store.startLive());
  store.hear({ kind: "state", state: "connected" });
  store.hear({ kind: "snapshot", time: Date.now(), channels: [CHANNEL], samples: [] });
  const tell = (name: string, data: object) =>
    store.hear({ kind: "changes", time: Date.now(), changes: [{ name, data }] });
  const shown = () => store.liveChannel("ls-1")?.channel.value;
  return { ...store, tell, shown };
}

test("an answer is shown where the stream told nothing of the channel since it was asked for", async () => {
  const { showPlatform, showParts, shown } = await openWithChannel();
  await showPlatform("ls-1", Promise.resolve({ platId: 1, connectStatus: "CONNECTING" }));
  await showPlatform("ls-1", Promise.resolve(OTHER));
  await showParts("ls-1", Promise.resolve({ hold: { seconds: 9 }, platforms: [] }), "hold");
  expect(shown()).toEqual({
    ...{ channelId: "ls-1", platforms: [{ platId: 1, connectStatus: "CONNECTING" }, OTHER], platformCount: 2 },
    hold: { seconds: 9 },
  });
});

test("an answer that comes behind what the stream told of the channel since changes nothing", async () => {
  const { showPlatform, showParts, shown, tell } = await openWithChannel();
  const [answer, parts] = [Promise.withResolvers<Platform>(), Promise.withResolvers<object>()];
  const answered = showPlatform("ls-1", answer.promise);
  const saved = showParts("ls-1", parts.promise, "hold");
  tell("platform", { channelId: "ls-1", platId: 1, connectStatus: "PUBLISHING" });
  answer.resolve({ platId: 1, connectStatus: "CONNECTING" });
  expect(await answered).toEqual({ platId: 1, connectStatus: "CONNECTING" });
  expect(shown()?.platforms).toEqual([{ platId: 1, connectStatus: "PUBLISHING" }]);

  tell("channel", { ...CHANNEL, hold: { seconds: 20 } });
  parts.resolve({ hold: { seconds: 9 } });
  await saved;
  expect(shown()?.hold).toEqual({ seconds: 20 });
});

test("lists are read again where the server begins anew with a snapshot, on the same connection too", async () => {
  const { returns, hear } = await openWithChannel();
  const snapshot = { kind: "snapshot", time: Date.now(), channels: [CHANNEL], samples: [] };
  expect(returns.value).toBe(0);
  hear(snapshot);
  expect(returns.value).toBe(1);
  // The snapshot of a new connection is of the same return.
  hear({ kind: "state", state: "lost", heardTime: 1_000 });
  hear({ kind: "state", state: "connected" });
  hear(snapshot);
  expect(returns.value).toBe(2);
});

test("where the server was lost before the session ended, the clock goes on and lists are read again after a new sign-in", async () => {
  const { now, hear, returns, startLive } = await openStore();
  const serverTime = Date.now() + 3_600_000;
  const leave = startLive();
  hear({ kind: "state", state: "connected" });
  hear({ kind: "snapshot", time: serverTime, channels: [], samples: [] });
  expect(returns.value).toBe(0);
  hear({ kind: "state", state: "lost", heardTime: 1_000 });
  expect(now.value).toBe(1_000);
  hear({ kind: "state", state: "refused" });
  leave();
  onTestFinished(startLive());
  hear({ kind: "state", state: "connected" });
  expect(now.value).toBeGreaterThanOrEqual(serverTime);
  expect(returns.value).toBe(1);
});
