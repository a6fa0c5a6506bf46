import { expect, test } from "vitest";
import type { StoredSource } from "../../../src/control/channels/source.ts";
import { LiveState } from "../../../src/control/live/live-state.ts";
import { type DomainError, StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import { Slates } from "../../../src/control/sources/slates.ts";
import { Sources } from "../../../src/control/sources/sources.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";
import { FakeRuntime } from "../fake-runtime.ts";
import { FakeMediaFiles, FakeSourcePlayer } from "../fake-sources.ts";

const FILES = { kind: "files", fileIds: ["mf-a"], isLooped: true } as const;
const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** What a server that starts now makes of these rows. `canWrite`: whether the database takes writes. */
function stageOf(rows: readonly StoredSource[], state: { canWrite: boolean }) {
  const clock = new VirtualClock(1_000_000);
  const player = new FakeSourcePlayer();
  const files = new FakeMediaFiles();
  files.add("mf-a");
  const runtime = new FakeRuntime(new LiveState(clock));
  const written: string[] = [];
  const progress = new Map<string, Pick<StoredSource, "isWanted" | "position">>();
  const sources = new Sources({
    ...{ clock, log, files, player, runtime },
    slates: new Slates({
      ...{ runtime, clock, log, publish: quiet },
      maker: { make: async () => ({ flv: Buffer.from("x") }) },
    }),
    sourceStore: {
      listSources: async () => rows,
      findSource: async () => undefined,
      putSource: async () => undefined,
      putSlate: async () => undefined,
      claimSource: async () => true,
      putProgress: async ({ channelId, isWanted, position }) => {
        if (!state.canWrite) throw new StoreUnavailableError("full");
        written.push(channelId);
        progress.set(channelId, { isWanted, position });
        return true;
      },
    },
    store: { findChannel: async () => undefined },
    isOverloaded: () => false,
    isScheduled: () => false,
    until: async () => undefined,
    publish: quiet,
  });
  player.onStatus = (channelId, status) => sources.changed(channelId, status);
  return { clock, sources, player, written, progress };
}

test("a database that takes no writes at the start of the server keeps no source from playing on", async () => {
  const scheduled = { scheduleId: "sc-1", source: FILES, endTime: 5 };
  const row = { isWanted: false, position: 0, node: 0 };
  const rows: readonly StoredSource[] = [
    { ...row, channelId: "ls-over", scheduled },
    { ...row, channelId: "ls-plays", source: { ...FILES, fileIds: ["mf-b"] }, isWanted: true, position: 3 },
  ];
  const state = { canWrite: false };
  const { sources, player, written } = stageOf(rows, state);
  await sources.resume();
  expect(player.starts.map(({ channelId, position }) => [channelId, position])).toEqual([["ls-plays", 3]]);
  // Its files are known to be in use, and the run that is over is ended once the database takes it.
  await expect(sources.removeFile("mf-b")).rejects.toMatchObject({
    fault: { kind: "media-file-in-use" },
  } satisfies Partial<DomainError>);
  expect(sources.scheduledRuns).toEqual([["ls-over", scheduled]]);
  state.canWrite = true;
  await sources.endScheduled("ls-over", scheduled);
  expect([written, sources.scheduledRuns]).toEqual([["ls-over"], []]);
});

test("what became of a source while the database took no writes is stored once it takes them", async () => {
  const row = { isWanted: true, position: 3, node: 0, source: FILES };
  const rows = ["ls-over", "ls-plays", "ls-again"].map((channelId) => ({ ...row, channelId }));
  const state = { canWrite: true };
  const { clock, sources, player, written, progress } = stageOf(rows, state);
  const settled = () => new Promise(setImmediate);
  await sources.resume();
  state.canWrite = false;
  const sinceTime = clock.wallNow();
  sources.changed("ls-over", { state: "stopped", sinceTime, reason: "finished" });
  sources.changed("ls-again", { state: "stopped", sinceTime, reason: "finished" });
  sources.changed("ls-plays", { state: "playing", sinceTime, position: 4, fileId: "mf-a" });
  await settled();
  sources.changed("ls-plays", { state: "playing", sinceTime, position: 5, fileId: "mf-a" });
  clock.advance(10_000);
  await settled();
  expect(written).toEqual([]);
  // It plays anew: that it is over says nothing any more.
  await sources.adopt({ ...row, channelId: "ls-again" });
  state.canWrite = true;
  clock.advance(2_000);
  await settled();
  expect(new Map(progress)).toEqual(
    new Map([
      ["ls-over", { isWanted: false, position: 3 }],
      ["ls-plays", { isWanted: true, position: 5 }],
    ]),
  );
  clock.advance(60_000);
  await settled();
  expect(written.toSorted()).toEqual(["ls-over", "ls-plays"]);
  expect(player.starts).toHaveLength(4);
  // One that is closed stores nothing more by itself.
  state.canWrite = false;
  sources.changed("ls-plays", { state: "stopped", sinceTime, reason: "finished" });
  await settled();
  sources.progress.stop();
  state.canWrite = true;
  clock.advance(60_000);
  await settled();
  expect(written).toHaveLength(2);
});
