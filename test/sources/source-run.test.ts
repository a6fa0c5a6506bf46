import { expect, test } from "vitest";
import type { SourceStatus } from "../../src/control/channels/source.ts";
import { DomainError } from "../../src/control/ports/errors.ts";
import type { FlvTag } from "../../src/protocol/flv/flv-tag.ts";
import type { PublisherArrival } from "../../src/relay/publish-gateway.ts";
import type { PlayedClip } from "../../src/sources/clip.ts";
import { SourceRun } from "../../src/sources/source-run.ts";
import type { ChannelSpec } from "../../src/thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../../src/thread-protocol/facts.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const quiet = () => undefined;
/** FFmpeg that has written nothing yet. */
const CLIP: PlayedClip = {
  ...{ next: undefined, isRead: false, isOver: false, takenTotal: 0, failure: undefined },
  ...{ take: quiet, kill: quiet, gone: Promise.resolve() },
};

test("files play since a time that follows the wall clock, whichever of them plays", async () => {
  const STEP_MS = 86_400_000;
  const clock = new VirtualClock();
  const files: { isOver: boolean; isRead: boolean }[] = [];
  const statuses: SourceStatus[] = [];
  const start = { channelId: "c", position: 0, read: async () => ({}) as ChannelSpec };
  const source = { kind: "files", fileIds: ["mf-a", "mf-b"], isLooped: true } as const;
  const run = new SourceRun(start, source, {
    ...{ clock, random: () => 1, mayReturn: () => false },
    ...{ onSkipped: quiet, onStatus: (status: SourceStatus) => void statuses.push(status) },
    openFile: () => {
      const file = { ...CLIP, takenTotal: 1, isOver: false, isRead: false };
      files.push(file);
      return file;
    },
    publish: async () => ({
      ...{ channelId: "c", latency: "efficient", isFull: false, flush: quiet, leave: quiet },
      tryAdmit: async () => "admitted",
      open: () => ({ push: quiet, end: quiet }),
    }),
  });
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  const sinceTime = clock.wallNow();
  expect(run.status).toMatchObject({ state: "playing", sinceTime, fileId: "mf-a" });
  clock.advance(1_000);
  clock.setWall(-STEP_MS);
  Object.assign(files[0] ?? {}, { isOver: true });
  clock.advance(1_000);
  expect(run.status).toMatchObject({ state: "playing", sinceTime: sinceTime - STEP_MS, fileId: "mf-b" });
  // Another list begins by the present clock.
  clock.setWall(-STEP_MS);
  run.switchTo(start, source);
  await run.stop("stopped-by-person");
  expect(statuses.at(-1)).toMatchObject({ state: "stopped", sinceTime: clock.wallNow() });
});

test.each([
  { name: "another server has the channel", isElsewhere: async () => true, reason: "elsewhere" },
  { name: "no other server has it", isElsewhere: async () => false, reason: "replaced" },
  { name: "that cannot be asked", isElsewhere: () => Promise.reject(new Error("no database")), reason: "replaced" },
  { name: "there is no other server", isElsewhere: undefined, reason: "replaced" },
])("files that their channel drops say why: $name", async ({ isElsewhere, reason }) => {
  const arrivals: PublisherArrival[] = [];
  const over = Promise.withResolvers<SourceStatus>();
  const start = { channelId: "c", position: 0, read: async () => ({}) as ChannelSpec };
  const source = { kind: "files", fileIds: ["mf-a"], isLooped: true } as const;
  const run = new SourceRun(start, source, {
    ...{ clock: new VirtualClock(), random: () => 1, mayReturn: () => false },
    ...{ openFile: () => CLIP, onSkipped: quiet, isElsewhere },
    publish: async () => ({
      ...{ channelId: "c", latency: "efficient", isFull: false, flush: quiet, leave: quiet },
      tryAdmit: async () => "admitted",
      open: (arrival) => {
        arrivals.push(arrival);
        return { push: quiet, end: quiet };
      },
    }),
    onStatus: (status) => {
      if (status.state === "stopped") over.resolve(status);
    },
  });
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  expect(run.status.state).toBe("playing");
  arrivals[0]?.onDismissed();
  expect(await over.promise).toMatchObject({ state: "stopped", reason });
});

const TAG: FlvTag = { type: 9, timestamp: 0, payload: Buffer.from([0x17, 1]) };

/** A loop of files in a folder that comes and goes. */
function awayStage(fileIds: readonly string[] = ["mf-a"], isLooped = true) {
  const clock = new VirtualClock();
  const state = {
    readable: new Set<string>(),
    known: new Set(fileIds),
    rejection: undefined as Error | undefined,
    isTaken: true,
  };
  const told: string[] = [];
  const ends: IngestEnd[] = [];
  const opened: { fileId: string; isKilled: boolean }[] = [];
  const start = {
    ...{ channelId: "c", position: 0 },
    read: async () => {
      if (state.rejection !== undefined) throw state.rejection;
      return {} as ChannelSpec;
    },
  };
  const run = new SourceRun(
    start,
    { kind: "files", fileIds, isLooped },
    {
      ...{ clock, random: () => 1, onSkipped: quiet },
      mayReturn: (fileId) => state.known.has(fileId),
      openFile: (fileId) => {
        const file = { fileId, isKilled: false };
        opened.push(file);
        const isReadable = state.readable.has(fileId);
        const kill = () => void Object.assign(file, { isKilled: true });
        if (isReadable) return { ...CLIP, next: TAG, kill };
        return { ...CLIP, isRead: true, isOver: true, failure: "away", kill };
      },
      publish: async (_channelId, read) => {
        await read();
        return {
          ...{ channelId: "c", latency: "efficient", isFull: false, flush: quiet, leave: quiet },
          tryAdmit: async () => (state.isTaken ? "admitted" : "overloaded"),
          open: () => {
            told.push("published");
            return { push: quiet, end: (end) => void ends.push(end) };
          },
        };
      },
      onStatus: (status) => {
        const words = [status.state, "reason" in status ? status.reason : "", "fileId" in status ? status.fileId : ""];
        told.push(words.filter((word) => word !== undefined && word !== "").join(" "));
      },
    },
  );
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  const pass = async (ms: number) => {
    for (let at = 0; at < ms; at += 100) {
      clock.advance(100);
      await settle();
    }
  };
  const tries = () => opened.splice(0).map(({ fileId }) => fileId);
  return { clock, run, state, told, ends, opened, tries, settle, pass };
}

test("files whose folder is away are tried again after 1, 2, 4 … 30 s, and play on once one can be read", async () => {
  const { run, state, told, ends, tries, settle, pass } = awayStage();
  await settle();
  await pass(100);
  expect(told).toEqual(["published", "playing mf-a", "failed files-away"]);
  expect(run.status).toMatchObject({ state: "failed", reason: "files-away", detail: "away" });
  expect([ends, tries()]).toEqual([["connection-lost"], ["mf-a"]]);
  const counts: number[] = [];
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    await pass(seconds * 1_000);
    counts.push(tries().length);
  }
  expect(counts).toEqual([1, 1, 1, 1, 1, 1, 1]);
  // Nothing is published, and nothing is told, as long as nothing can be played.
  expect(told.splice(0)).toHaveLength(3);
  state.readable.add("mf-a");
  await pass(30_000);
  expect([told, tries(), run.status.state]).toEqual([["published", "playing mf-a"], ["mf-a", "mf-a"], "playing"]);
  await run.stop("stopped-by-person");
  expect(ends).toEqual(["connection-lost", "clean"]);
});

test("one file that does not come back keeps no other one waiting, and the lost one comes first", async () => {
  const { run, state, told, settle, pass } = awayStage(["mf-a", "mf-b", "mf-c"]);
  await settle();
  await pass(1_000);
  expect(run.status).toMatchObject({ state: "failed" });
  state.readable.add("mf-c");
  await pass(60_000);
  expect(told.at(-1)).toBe("playing mf-c");
  await run.stop("stopped-by-person");
});

test("a list that plays once goes on with the file that was lost, not with those before it", async () => {
  const { run, state, told, tries, settle, pass } = awayStage(["mf-a", "mf-b"], false);
  await settle();
  await pass(100);
  state.known.delete("mf-a");
  tries();
  await pass(1_000);
  expect(tries()).toEqual(["mf-b"]);
  state.readable.add("mf-b");
  await pass(2_000);
  expect([run.status.state, told.at(-1)]).toEqual(["playing", "playing mf-b"]);
  await run.stop("stopped-by-person");
});

test("files that are not in the folder any more are not waited for", async () => {
  const { run, state, settle, pass } = awayStage();
  await settle();
  await pass(100);
  state.known.clear();
  await pass(1_000);
  expect(run.status).toMatchObject({ state: "stopped", reason: "not-playable", detail: "away" });
});

test.each([
  ["an encoder on air", new DomainError({ kind: "source-encoder-on-air" }), "stopped encoder-on-air"],
  ["a channel that is off", new DomainError({ kind: "channel-off" }), "stopped channel-off"],
  ["a channel that is gone", new DomainError({ kind: "channel-not-found" }), "stopped internal"],
  ["an overloaded server", new DomainError({ kind: "server-overloaded" }), "failed files-away"],
  ["a database that is away", new Error("no database"), "failed files-away"],
])("files that wait and %s", async (_what, rejection, verdict) => {
  const { run, state, told, settle, pass } = awayStage();
  await settle();
  await pass(100);
  Object.assign(state, { rejection });
  state.readable.add("mf-a");
  await pass(1_000);
  expect(told.at(-1)).toBe(verdict);
  Object.assign(state, { rejection: undefined });
  await pass(2_000);
  expect(run.status.state).toBe(verdict.startsWith("failed") ? "playing" : "stopped");
  await run.stop("stopped-by-person");
});

test("a media thread that does not take the stream is asked again", async () => {
  const { run, state, settle, pass } = awayStage();
  await settle();
  await pass(100);
  state.readable.add("mf-a");
  state.isTaken = false;
  await pass(1_000);
  expect(run.status.state).toBe("failed");
  state.isTaken = true;
  await pass(2_000);
  expect(run.status.state).toBe("playing");
  await run.stop("stopped-by-person");
});

test("a list that is changed while it waits is tried at once; one that is stopped tries nothing more", async () => {
  const { run, state, told, opened, tries, settle, pass } = awayStage();
  await settle();
  await pass(100);
  tries();
  state.readable.add("mf-b");
  run.update({ kind: "files", fileIds: ["mf-b"], isLooped: true });
  await settle();
  expect([told.at(-1), tries()]).toEqual(["playing mf-b", ["mf-b"]]);
  await pass(60_000);
  expect(tries()).toEqual([]);
  state.readable.clear();
  run.update({ kind: "files", fileIds: ["mf-a"], isLooped: true });
  await run.stop("stopped-by-person");
  opened.length = 0;
  await pass(60_000);
  expect([told.at(-1), opened]).toEqual(["stopped stopped-by-person", []]);
});

test("files that another server may play by now leave like a lost encoder: a clean end would end the stream of that server", async () => {
  const { run, state, ends, settle, pass } = awayStage();
  state.readable.add("mf-a");
  await settle();
  await pass(100);
  await run.stop("elsewhere");
  expect([ends, run.status]).toMatchObject([["connection-lost"], { state: "stopped", reason: "elsewhere" }]);
});
