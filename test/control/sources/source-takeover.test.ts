import { expect, test } from "vitest";
import type { StoredSource } from "../../../src/control/channels/source.ts";
import { SourceTakeover } from "../../../src/control/sources/source-takeover.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";
import { FakeMediaFiles } from "../fake-sources.ts";

const CHANNEL = "ls-1";
const PULL = { kind: "pull", url: "rtmp://media.example.com/live/key" } as const;
const FILES = { kind: "files", fileIds: ["mf-a"], isLooped: true } as const;

async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
}

/** Processes that share one list of sources. */
class Cluster {
  readonly clock = new VirtualClock();
  readonly dead = new Set<number>();
  readonly draining = new Set<number>();
  /** Which process has each channel. */
  readonly owners = new Map<string, number>();
  readonly adopted: string[] = [];
  readonly playing = new Set<string>();
  readonly gaveWay = new Set<string>();
  rows: StoredSource[];
  changes = 0;

  constructor(...rows: readonly StoredSource[]) {
    this.rows = [...rows];
  }

  /** `files`: those that this process has. */
  async join(self: number, ...files: readonly string[]): Promise<SourceTakeover> {
    const media = new FakeMediaFiles();
    for (const fileId of files) media.add(fileId);
    const cluster = this;
    const quiet = () => undefined;
    const takeover = new SourceTakeover({
      clock: this.clock,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      files: media,
      store: {
        listSources: async () => [...cluster.rows],
        findSource: async (channelId) => cluster.rows.find((each) => each.channelId === channelId),
        claimSource: async (channelId, before, node) => {
          const row = cluster.rows.find((each) => each.channelId === channelId && each.node === before);
          cluster.rows = cluster.rows.map((each) => (each === row ? { ...each, node } : each));
          return row !== undefined;
        },
      },
      sources: {
        get changes() {
          return cluster.changes;
        },
        learn: () => undefined,
        channelIds: () => [],
        forget: () => undefined,
        adopt: async ({ channelId }) => {
          cluster.adopted.push(`${channelId} at ${self}`);
          cluster.playing.add(`${channelId} ${self}`);
        },
        plays: (channelId) => cluster.playing.has(`${channelId} ${self}`),
        gaveWay: (channelId) => cluster.gaveWay.has(`${channelId} ${self}`),
      },
      peers: {
        self,
        get isDraining() {
          return cluster.draining.has(self);
        },
        isAlive: async (incarnation) => incarnation > 0 && !cluster.dead.has(incarnation),
        isElsewhere: async (channelId) => {
          const owner = cluster.owners.get(channelId);
          return owner !== undefined && owner !== self && !cluster.dead.has(owner);
        },
      },
    });
    await takeover.start();
    return takeover;
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      this.clock.advance(500);
      await settled();
    }
  }
}

const row = (changes: Partial<StoredSource> = {}): StoredSource => ({
  ...{ channelId: CHANNEL, source: PULL, isWanted: true, position: 0, node: 1 },
  ...changes,
});

test("a source plays on at one of the others once its process was silent at two looks", async () => {
  const cluster = new Cluster(row());
  const [second, third] = [await cluster.join(2), await cluster.join(3)];
  await cluster.pass(10_000);
  expect(cluster.adopted).toEqual([]);
  expect([await second.isElsewhere(CHANNEL), await third.isElsewhere("ls-2")]).toEqual([true, false]);
  cluster.dead.add(1);
  await cluster.pass(2_000);
  expect(cluster.adopted).toEqual([]);
  await cluster.pass(2_000);
  expect(cluster.adopted).toHaveLength(1);
  await cluster.pass(20_000);
  expect(cluster.adopted).toHaveLength(1);
  expect(cluster.rows[0]?.node).toBeGreaterThan(1);
});

test("a process that answers again in between stays", async () => {
  const cluster = new Cluster(row());
  await cluster.join(2);
  for (let count = 0; count < 5; count += 1) {
    cluster.dead.add(1);
    await cluster.pass(2_000);
    cluster.dead.delete(1);
    await cluster.pass(2_000);
  }
  expect(cluster.adopted).toEqual([]);
});

test("what was stopped stays so; files play on only where they are, and a run of a schedule too", async () => {
  const run = { scheduleId: "sc-1", source: FILES, endTime: 9_000_000_000_000 };
  const cluster = new Cluster(
    row({ channelId: "stopped", isWanted: false }),
    row({ channelId: "files", source: FILES }),
    row({ channelId: "scheduled", isWanted: false, scheduled: run }),
    row({ channelId: "others", source: { ...FILES, fileIds: ["mf-elsewhere"] } }),
  );
  cluster.dead.add(1);
  await cluster.join(2);
  await cluster.join(3, "mf-a");
  await cluster.pass(20_000);
  expect(cluster.adopted.toSorted()).toEqual(["files at 3", "scheduled at 3"]);
});

test("a process that drains takes nothing, and what it changed meanwhile is not undone by an older list", async () => {
  const cluster = new Cluster(row());
  cluster.dead.add(1);
  cluster.draining.add(2);
  await cluster.join(2);
  await cluster.pass(10_000);
  expect(cluster.adopted).toEqual([]);
});

test("a source that gave way to another process's channel goes on once the channel is free", async () => {
  const cluster = new Cluster(row({ node: 2 }));
  cluster.owners.set(CHANNEL, 3);
  cluster.gaveWay.add(`${CHANNEL} 2`);
  await cluster.join(2);
  await cluster.pass(10_000);
  expect(cluster.adopted).toEqual([]);
  cluster.owners.delete(CHANNEL);
  await cluster.pass(2_000);
  expect(cluster.adopted).toEqual([`${CHANNEL} at 2`]);
});
