import { expect, test } from "vitest";
import type { Channel } from "../../../src/control/channels/channel.ts";
import type { ChannelSource, SourceStatus, StoredSource } from "../../../src/control/channels/source.ts";
import { newerSource } from "../../../src/control/channels/source.ts";
import { channelHealth } from "../../../src/control/health/channel-health.ts";
import { LiveState } from "../../../src/control/live/live-state.ts";
import { type DomainError, OwnerUnavailableError } from "../../../src/control/ports/errors.ts";
import type { SourceStore } from "../../../src/control/ports/source-store.ts";
import { SharedSources } from "../../../src/control/sources/shared-sources.ts";
import { Slates } from "../../../src/control/sources/slates.ts";
import { SourceTakeover } from "../../../src/control/sources/source-takeover.ts";
import { Sources } from "../../../src/control/sources/sources.ts";
import { targetError } from "../../../src/thread-protocol/targets/target-errors.ts";
import { newChannel } from "../../store/suites/store-suite-data.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";
import { FakeRuntime } from "../fake-runtime.ts";
import { FakeMediaFiles, FakeSourcePlayer } from "../fake-sources.ts";

const PULL = { kind: "pull", url: "rtmp://media.example.com/live/key" } as const;
const FILES = { kind: "files", fileIds: ["mf-a"], isLooped: true } as const;
const CHANNEL: Channel = {
  ...newChannel(1),
  instanceNo: 1,
  state: "live",
  revision: 1,
  publishMs: 0,
  targetCount: 0,
  targets: [],
};
const ID = CHANNEL.channelId;
const FAILED: SourceStatus = {
  ...{ state: "failed", sinceTime: 5 },
  link: {
    ...{ status: "FAIL", sinceTime: 5, retryAttempt: 2, isUnstable: false },
    lastError: { ...targetError("connection-refused"), time: 5 },
  },
};
const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** What two processes store. */
class MemoryStore implements SourceStore {
  row: StoredSource = { channelId: ID, isWanted: false, position: 0, node: 0 };

  async listSources(): Promise<readonly StoredSource[]> {
    return [this.row];
  }

  async findSource(): Promise<StoredSource> {
    return this.row;
  }

  async putSource(_channelId: string, source: ChannelSource | undefined): Promise<void> {
    const { source: _before, ...others } = this.row;
    this.row = { ...others, ...(source === undefined ? {} : { source }) };
  }

  async putSlate(_channelId: string, slateFileId: string | undefined): Promise<void> {
    const { slateFileId: _before, ...others } = this.row;
    this.row = { ...others, ...(slateFileId === undefined ? {} : { slateFileId }) };
  }

  async putProgress(progress: Omit<StoredSource, "source" | "slateFileId">): Promise<boolean> {
    const { source, slateFileId, isWanted, node } = this.row;
    if (node !== progress.node && isWanted) return false;
    this.row = {
      ...progress,
      ...(source === undefined ? {} : { source }),
      ...(slateFileId === undefined ? {} : { slateFileId }),
    };
    return true;
  }

  async claimSource(): Promise<boolean> {
    return false;
  }
}

/** Two nodes of one cluster that hear each other at once. */
function twoNodes() {
  const clock = new VirtualClock();
  const store = new MemoryStore();
  const state = { owner: undefined as number | undefined, draining: new Set<number>(), isSilent: false };
  const changes: (readonly [number, string])[] = [];
  const nodes = [1, 2].map((self) => {
    const other = () => nodes[2 - self];
    const files = new FakeMediaFiles();
    const player = new FakeSourcePlayer();
    const view = new LiveState(clock);
    const runtime = new FakeRuntime(view);
    const slates = new Slates({
      ...{ runtime, clock, log, publish: () => undefined },
      maker: { make: async () => ({ flv: Buffer.from("x") }) },
    });
    const own: Sources = new Sources({
      ...{ clock, log, files, player, runtime, slates, node: self, sourceStore: store },
      store: { findChannel: async (channelId) => (channelId === ID ? CHANNEL : undefined) },
      isOverloaded: () => false,
      isScheduled: () => false,
      until: async () => undefined,
      publish: (fact) => {
        if (fact.kind === "channel-changed") changes.push([self, fact.change]);
      },
    });
    player.onStatus = (channelId, status) => own.changed(channelId, status);
    const peers = {
      self,
      isDraining: false,
      isAlive: async () => true,
      isElsewhere: async () => state.owner !== undefined && state.owner !== self,
    };
    const takeover = new SourceTakeover({ clock, log, store, sources: own, files, peers });
    const all = { live: (id: string) => (state.owner === 3 - self ? other()?.runtime.live(id) : runtime.live(id)) };
    const shared: SharedSources = new SharedSources({
      ...{ own, log, runtime: all, until: async () => undefined, refresh: (channelId) => takeover.refresh(channelId) },
      peers: {
        get isDraining() {
          return state.draining.has(self);
        },
        source: (channelId) => {
          const status = other()?.own.status(channelId);
          return status === undefined ? undefined : { node: 3 - self, status };
        },
        slate: () => ({ at: "ready" }),
        owner: () => (state.owner === 3 - self ? state.owner : undefined),
        takers: () => [3 - self],
        freshen: async () => undefined,
        ask: async (node, channelId, command) => {
          if (state.isSilent) throw new OwnerUnavailableError("silent");
          return (await nodes[node - 1]?.shared.run(channelId, command)) ?? false;
        },
      },
    });
    return { self, own, shared, player, files, runtime, slates, takeover };
  });
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error("no nodes");
  return { clock, store, state, changes, first, second };
}

const refused = (kind: DomainError["fault"]["kind"]) => expect.objectContaining({ fault: { kind } });

test("a source starts at the node that owns the channel, shows at every node, and stops from any", async () => {
  const { state, changes, first, second } = twoNodes();
  state.owner = 1;
  await second.shared.set(ID, PULL);
  expect((await second.shared.start(ID)).status.state).toBe("starting");
  expect([first.player.starts.length, second.player.starts.length]).toEqual([1, 0]);
  first.player.become(ID, { state: "playing", sinceTime: 3 });
  expect((await second.shared.get(ID)).status).toEqual({ state: "playing", sinceTime: 3 });
  for (const { shared } of [first, second]) await expect(shared.start(ID)).rejects.toEqual(refused("source-running"));
  await expect(second.shared.set(ID, FILES)).rejects.toEqual(refused("source-running"));
  expect((await second.shared.stop(ID)).status).toMatchObject({ state: "stopped", reason: "stopped-by-person" });
  await expect(second.shared.stop(ID)).rejects.toEqual(refused("source-not-running"));
  // Each change is told once, by the node at which a person made it.
  expect(changes).toEqual([
    [2, "source-changed"],
    [2, "source-started"],
    [2, "source-stopped"],
  ]);
});

test("a channel whose source fails is broken at every node, until its source is set anew anywhere", async () => {
  const { first, second } = twoNodes();
  await first.shared.set(ID, PULL);
  await first.shared.start(ID);
  first.player.become(ID, FAILED);
  const verdict = (node: typeof first) =>
    channelHealth({ state: "live", live: undefined, warnings: [], source: node.shared.status(ID) });
  expect(verdict(first)).toMatchObject({ state: "broken", reason: { code: "TCP_REFUSED", nextStep: "CHECK_SOURCE" } });
  expect(verdict(second)).toEqual(verdict(first));
  expect((await second.shared.get(ID)).status).toEqual(FAILED);
  first.player.become(ID, { state: "stopped", sinceTime: 6, reason: "internal" });
  expect(verdict(second)).toMatchObject({ state: "broken", reason: { code: "SOURCE_FAILED" } });
  await second.shared.set(ID, { ...PULL, url: "rtmp://media.example.com/live/other" });
  await first.takeover.refresh(ID);
  expect([verdict(first).state, verdict(second).state]).toEqual(["waiting", "waiting"]);
});

test("a node without the files leaves the source to one that has them, and says why where none has", async () => {
  const { state, first, second } = twoNodes();
  first.files.add("mf-a");
  await first.shared.set(ID, FILES);
  await second.takeover.refresh(ID);
  await second.shared.start(ID);
  expect([first.player.starts.length, second.player.starts.length]).toEqual([1, 0]);
  await second.shared.clear(ID);
  expect(first.own.plays(ID)).toBe(false);
  expect((await first.shared.get(ID)).source).toBeUndefined();
  await expect(second.shared.start(ID)).rejects.toEqual(refused("no-source"));

  await first.shared.set(ID, PULL);
  await second.takeover.refresh(ID);
  state.draining.add(2);
  await second.shared.start(ID);
  expect(first.player.starts).toHaveLength(2);
  state.isSilent = true;
  await expect(second.shared.stop(ID)).rejects.toThrow(OwnerUnavailableError);
  state.isSilent = false;
  await second.shared.ended(ID);
  expect(first.own.status(ID)).toMatchObject({ state: "stopped", reason: "replaced" });
});

test("the owner's reasons against a source are those of the node that was asked", async () => {
  const { state, first, second } = twoNodes();
  state.owner = 1;
  first.runtime.start(ID, 5);
  await second.shared.set(ID, PULL);
  await expect(second.shared.start(ID)).rejects.toEqual(refused("source-encoder-on-air"));
  expect(first.own.status(ID)).toBeUndefined();
  // One that cannot play it leaves it to the node that was asked, where it waits for the channel.
  first.player.isAvailable = false;
  await second.shared.start(ID);
  expect(second.player.starts).toHaveLength(1);
});

test("a source that waits for its channel is stopped, and does not play later", async () => {
  const { store, second } = twoNodes();
  await second.shared.set(ID, PULL);
  await second.shared.start(ID);
  second.player.become(ID, { state: "stopped", sinceTime: 4, reason: "elsewhere" });
  await second.takeover.refresh(ID);
  expect(store.row.isWanted).toBe(true);
  expect((await second.shared.stop(ID)).status).toMatchObject({ reason: "stopped-by-person" });
  await second.takeover.refresh(ID);
  expect(store.row.isWanted).toBe(false);
  await expect(second.shared.stop(ID)).rejects.toEqual(refused("source-not-running"));
});

test("the curtain is moved at the owner, and the slate is as it is there", async () => {
  const { state, changes, first, second } = twoNodes();
  state.owner = 1;
  await expect(second.shared.slates.setCurtain(ID, true)).rejects.toEqual(refused("not-on-air"));
  first.runtime.start(ID, 5);
  await expect(second.shared.slates.setCurtain(ID, true)).rejects.toEqual(refused("no-slate"));
  second.files.add("mf-s");
  expect(await second.shared.slates.set(ID, "mf-s")).toMatchObject({ fileId: "mf-s", state: { at: "ready" } });
  await second.shared.slates.setCurtain(ID, true);
  await second.shared.slates.setCurtain(ID, false);
  expect(first.runtime.curtains).toEqual([
    [ID, true],
    [ID, false],
  ]);
  expect(second.runtime.curtains).toEqual([]);
  expect(changes).toEqual([
    [2, "slate-changed"],
    [2, "curtain-closed"],
    [2, "curtain-opened"],
  ]);
  expect(await second.shared.slates.get(ID)).toMatchObject({ state: { at: "ready" }, isCurtainClosed: false });
});

test("of what two nodes say of a source that which runs counts, else the later", () => {
  const playing: SourceStatus = { state: "playing", sinceTime: 1 };
  const [early, late]: SourceStatus[] = [
    { state: "stopped", sinceTime: 1 },
    { state: "stopped", sinceTime: 2 },
  ];
  expect([newerSource(playing, late), newerSource(late, playing)]).toEqual([playing, playing]);
  expect([newerSource(early, late), newerSource(late, early)]).toEqual([late, late]);
  expect([newerSource(undefined, early), newerSource(early, undefined)]).toEqual([early, early]);
});
