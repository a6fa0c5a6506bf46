import { expect, test } from "vitest";
import type { SourceStatus } from "../../src/control/channels/source.ts";
import { ChannelElsewhereError, DomainError } from "../../src/control/ports/errors.ts";
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
    /** FFmpeg waits for them. */
    hanging: new Set<string>(),
    known: new Set(fileIds),
    rejection: undefined as Error | undefined,
    /** The next look at the channel waits for this. */
    gate: undefined as Promise<void> | undefined,
    /** Called once, when a file is opened. */
    onOpen: undefined as (() => void) | undefined,
    /** Called once, when the channel is asked whether it takes the stream. */
    onAdmit: undefined as (() => void) | undefined,
    /** When FFmpeg has ended. */
    gone: Promise.resolve(),
    isTaken: true,
  };
  const told: string[] = [];
  const ends: IngestEnd[] = [];
  const opened: { fileId: string; isKilled: boolean }[] = [];
  const clips: PlayedClip[] = [];
  const start = {
    ...{ channelId: "c", position: 0 },
    read: async () => {
      const { gate } = state;
      state.gate = undefined;
      await gate;
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
        const { onOpen } = state;
        state.onOpen = undefined;
        onOpen?.();
        const kill = () => void Object.assign(file, { isKilled: true });
        const clip = { ...CLIP, kill, gone: state.gone };
        if (state.readable.has(fileId)) Object.assign(clip, { next: TAG });
        else if (!state.hanging.has(fileId)) Object.assign(clip, { isRead: true, isOver: true, failure: "away" });
        clips.push(clip);
        return clip;
      },
      publish: async (_channelId, read) => {
        await read();
        return {
          ...{ channelId: "c", latency: "efficient", isFull: false, flush: quiet, leave: quiet },
          tryAdmit: async () => {
            state.onAdmit?.();
            return state.isTaken ? "admitted" : "overloaded";
          },
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
  /** The folder goes, in the middle of the file that plays. */
  const takeAway = () => {
    state.readable.clear();
    for (const clip of clips) Object.assign(clip, { next: undefined, isOver: true, failure: "away" });
  };
  return { takeAway, clock, run, state, told, ends, opened, tries, settle, pass };
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

test("of several files that are back the lost one plays, whichever was to be tried beside it", async () => {
  const { run, state, told, settle, pass } = awayStage(["mf-a", "mf-b", "mf-c"]);
  await settle();
  await pass(500);
  for (const fileId of ["mf-a", "mf-b"]) state.readable.add(fileId);
  await pass(1_000);
  expect(told.at(-1)).toBe("playing mf-a");
  await run.stop("stopped-by-person");
});

test("the delay goes on growing where files come back for less than 30 s, and begins anew behind longer ones", async () => {
  const { run, state, tries, takeAway, settle, pass } = awayStage();
  await settle();
  // The second try, 3 s after the loss, plays.
  await pass(2_000);
  state.readable.add("mf-a");
  await pass(2_000);
  expect(run.status.state).toBe("playing");
  await pass(20_000);
  takeAway();
  await pass(200);
  tries();
  await pass(3_500);
  expect([run.status.state, tries()]).toEqual(["failed", []]);
  state.readable.add("mf-a");
  await pass(500);
  expect(run.status.state).toBe("playing");
  await pass(31_000);
  takeAway();
  await pass(200);
  tries();
  await pass(1_000);
  expect(tries()).toEqual(["mf-a"]);
  await run.stop("stopped-by-person");
});

test("a list that plays once goes on with the file that was lost, not with those before it", async () => {
  const { run, state, told, tries, settle, pass } = awayStage(["mf-a", "mf-b"], false);
  // The first one was deleted, and is there again later.
  state.known.delete("mf-a");
  await settle();
  await pass(500);
  tries();
  state.known.add("mf-a");
  state.readable.add("mf-a");
  await pass(1_000);
  expect([run.status.state, tries()]).toEqual(["failed", ["mf-b"]]);
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
  ["another server that has the channel", new ChannelElsewhereError("c"), "stopped elsewhere"],
  ["an overloaded server", new DomainError({ kind: "server-overloaded" }), "failed files-away"],
  ["a database that is away", new Error("no database"), "failed files-away"],
])("files that wait and %s", async (_what, rejection, verdict) => {
  const { run, state, told, tries, settle, pass } = awayStage();
  await settle();
  await pass(100);
  tries();
  Object.assign(state, { rejection });
  state.readable.add("mf-a");
  await pass(1_000);
  // FFmpeg is not started for nothing.
  expect([told.at(-1), tries()]).toEqual([verdict, []]);
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

test("a list that is changed ends the try that is under way, and begins once", async () => {
  const { run, state, told, opened, settle, pass } = awayStage();
  await settle();
  await pass(100);
  opened.length = 0;
  state.hanging.add("mf-a");
  await pass(1_000);
  state.readable.add("mf-b");
  run.update({ kind: "files", fileIds: ["mf-b"], isLooped: true });
  expect(opened).toEqual([{ fileId: "mf-a", isKilled: true }]);
  run.update({ kind: "files", fileIds: ["mf-b", "mf-a"], isLooped: true });
  await settle();
  expect(told.slice(3)).toEqual(["published", "playing mf-b"]);
  await pass(60_000);
  expect(told.slice(5)).toEqual([]);
  await run.stop("stopped-by-person");
});

test.each([true, false])(
  "what a try finds after the list was changed begins nothing more: readable: %s",
  async (isBack) => {
    const { run, state, told, clock, settle, pass } = awayStage();
    await settle();
    await pass(100);
    state.readable.add("mf-b");
    if (isBack) state.readable.add("mf-a");
    state.onOpen = () => run.update({ kind: "files", fileIds: ["mf-b"], isLooped: true });
    await pass(1_000);
    expect(told.slice(3)).toEqual(["published", "playing mf-b"]);
    // The player's.
    expect(clock.pending).toBe(1);
    await run.stop("stopped-by-person");
  },
);

test("files that are stopped while they wait are over once FFmpeg is, and nothing is tried behind that", async () => {
  const { run, state, clock, settle, pass } = awayStage();
  await settle();
  await pass(100);
  const gone = Promise.withResolvers<void>();
  state.gone = gone.promise;
  state.hanging.add("mf-a");
  await pass(1_000);
  let isOver = false;
  const stopped = run.stop("stopped-by-person").then(() => {
    isOver = true;
  });
  await settle();
  expect([run.status.state, isOver, clock.pending]).toEqual(["stopped", false, 0]);
  gone.resolve();
  await stopped;
});

test("files that are stopped while the channel does not take them are not tried again", async () => {
  const { run, state, clock, settle, pass } = awayStage();
  await settle();
  await pass(100);
  state.readable.add("mf-a");
  state.isTaken = false;
  state.onAdmit = () => void run.stop("stopped-by-person");
  await pass(1_000);
  expect([run.status.state, clock.pending]).toEqual(["stopped", 0]);
});

test("a look at the channel that fails late stops nothing that plays by now", async () => {
  const { run, state, told, settle, pass } = awayStage();
  await settle();
  await pass(100);
  const late = Promise.withResolvers<void>();
  state.gate = late.promise;
  await pass(1_000);
  state.readable.add("mf-b");
  run.update({ kind: "files", fileIds: ["mf-b"], isLooped: true });
  await settle();
  expect(told.at(-1)).toBe("playing mf-b");
  late.reject(new DomainError({ kind: "channel-off" }));
  await pass(1_000);
  expect(run.status.state).toBe("playing");
  await run.stop("stopped-by-person");
});

test("a file that FFmpeg cannot open for 15 s is left, and tried again later", async () => {
  const { run, state, opened, settle, pass } = awayStage();
  await settle();
  await pass(100);
  opened.length = 0;
  state.hanging.add("mf-a");
  await pass(1_000 + 14_900);
  expect(opened).toEqual([{ fileId: "mf-a", isKilled: false }]);
  await pass(200);
  expect(opened).toEqual([{ fileId: "mf-a", isKilled: true }]);
  await pass(2_000);
  expect(opened.slice(1)).toEqual([{ fileId: "mf-a", isKilled: false }]);
  await run.stop("stopped-by-person");
  expect(opened.slice(1)).toEqual([{ fileId: "mf-a", isKilled: true }]);
});

test("files that another server may play by now leave like a lost encoder: a clean end would end the stream of that server", async () => {
  const { run, state, ends, settle, pass } = awayStage();
  state.readable.add("mf-a");
  await settle();
  await pass(100);
  await run.stop("elsewhere");
  expect([ends, run.status]).toMatchObject([["connection-lost"], { state: "stopped", reason: "elsewhere" }]);
});
