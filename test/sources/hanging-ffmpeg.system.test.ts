import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { ChannelSource, SourceStatus } from "../../src/control/channels/source.ts";
import type { MediaFile } from "../../src/control/ports/media-files.ts";
import { type Ffmpeg, findFfmpeg } from "../../src/ffmpeg/find-ffmpeg.ts";
import { MediaLibrary } from "../../src/media-files/media-library.ts";
import type { PublishGateway } from "../../src/relay/publish-gateway.ts";
import { TcpRelay } from "../../src/sources/pull-links/tcp-relay.ts";
import { SlateMaking } from "../../src/sources/slates/slate-making.ts";
import { SourcePlayers } from "../../src/sources/source-players.ts";
import type { ChannelSpec } from "../../src/thread-protocol/channel-spec.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { fakePullLink } from "../support/sources/fake-ffmpeg.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";
import { makeFile } from "../support/streams/made-files.ts";

const DEADLINE_MS = 60_000;
const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const folder = mkdtempSync(join(tmpdir(), "fanfare-hanging-"));
/** A program in FFmpeg's place that does nothing, and has a child that does nothing. */
const program = join(folder, "hangs");
/** It may write no file: the name of an empty folder in here says which processes it and its child are. */
const pidsIn = join(folder, "pids");
let clip = "";

beforeAll(async () => {
  writeFileSync(program, `#!/bin/sh\nsleep 1000 &\nmkdir "${pidsIn}/$$ $!"\nwait\n`, { mode: 0o755 });
  clip = await makeFile(folder, "clip.mp4", { seconds: 1, size: "160x90" });
});
beforeEach(() => void mkdirSync(pidsIn));
afterEach(() => {
  vi.useRealTimers();
  rmSync(pidsIn, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Both process ids, once the program hangs. */
function hung(): Promise<readonly number[]> {
  return waitFor("the program", DEADLINE_MS, () => readdirSync(pidsIn)[0]?.split(" ").map(Number));
}

/** A process whose parent has not asked how it ended is gone too. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

const areGone = (pids: readonly number[]) =>
  waitFor("the program and its child to be gone", DEADLINE_MS, () => (pids.some(isAlive) ? undefined : true));

/** Children are real, and their limit of time is virtual. */
const useVirtualTimeouts = () => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });

test.each([
  { what: "reads a header", ffprobe: "hangs", reason: "The file cannot be read: it took longer than 60 s." },
  { what: "makes a frame", ffprobe: "real", reason: "No frame of the file could be made: it took longer than 60 s." },
])(
  "FFmpeg that hangs while it $what is killed with its child, and the file is refused with that reason",
  async ({ ffprobe, reason }) => {
    useVirtualTimeouts();
    const found: Ffmpeg = { ffmpeg: program, ffprobe: ffprobe === "hangs" ? program : (findFfmpeg()?.ffprobe ?? "") };
    const place = join(folder, `library-${ffprobe}`);
    const library = new MediaLibrary({
      folder: place,
      quotaBytes: 1e9,
      clock: systemClock,
      log,
      findFfmpeg: () => found,
    });
    library.load();
    const content = readFileSync(clip);
    const { fileId } = await library.create("clip.mp4", content.length);
    await library.append(fileId, 0, content);
    const pids = await hung();
    vi.advanceTimersByTime(59_000);
    expect([library.get(fileId).state, ...pids.map(isAlive)]).toEqual(["checking", true, true]);
    vi.advanceTimersByTime(1_000);
    const file = await waitFor("the verdict", DEADLINE_MS, () => {
      const present = library.get(fileId);
      return present.state === "checking" ? undefined : present;
    });
    expect(file).toMatchObject({ state: "refused", reason });
    await areGone(pids);
    await library.close();
  },
);

test("FFmpeg that hangs while it makes a slate is killed with its child after 300 s", async () => {
  useVirtualTimeouts();
  const picture = { kind: "picture", videoCodec: "png", pixelFormat: "rgb24", width: 64, height: 36 } as const;
  const file = { state: "ready", format: picture } as MediaFile;
  const files = {
    get: () => file,
    path: () => clip,
    problem: async () => undefined,
    kept: async () => undefined,
    keep: async () => undefined,
  };
  const findHanging = () => ({ ffmpeg: program, ffprobe: program });
  const making = new SlateMaking({ files, findFfmpeg: findHanging, stopping: new AbortController().signal });
  const made = making.make("mf-0", { videoCodec: "avc", width: 64, height: 36, frameRate: 10 });
  const pids = await hung();
  vi.advanceTimersByTime(300_000);
  expect(await made).toEqual({ reason: "it took longer than 300 s" });
  await areGone(pids);
});

test("the slate that was asked for last comes first, and one that is not needed any more is ended", async () => {
  const picture = { kind: "picture", videoCodec: "png", pixelFormat: "rgb24", width: 64, height: 36 } as const;
  const file = { state: "ready", format: picture } as MediaFile;
  const begun: string[] = [];
  const kept = async (_fileId: string, name: string) => {
    begun.push(name);
    // The first one's program hangs; the others are there.
    return begun.length === 1 ? undefined : Buffer.from(name);
  };
  const files = {
    get: () => file,
    path: () => clip,
    problem: async () => undefined,
    kept,
    keep: async () => undefined,
  };
  const found = () => ({ ffmpeg: program, ffprobe: program });
  const making = new SlateMaking({ files, findFfmpeg: found, stopping: new AbortController().signal });
  const form = { videoCodec: "avc", width: 64, height: 36 } as const;
  const ask = (frameRate: number) => {
    const unwanted = new AbortController();
    return { unwanted, made: making.make("mf-0", { ...form, frameRate }, unwanted.signal) };
  };
  const [first, same, second, third, last] = [ask(10), ask(10), ask(11), ask(12), ask(13)];
  const pids = await hung();
  third.unwanted.abort();
  expect(await third.made).toEqual({ reason: "it is not needed any more" });
  first.unwanted.abort();
  expect(pids.map(isAlive)).toEqual([true, true]);
  same.unwanted.abort();
  await areGone(pids);
  expect(await second.made).toMatchObject({ flv: expect.any(Buffer) });
  expect(await last.made).toMatchObject({ flv: expect.any(Buffer) });
  expect(begun.map((name) => /-(\d+\.\d+)-/.exec(name)?.[1])).toEqual(["10.000", "13.000", "11.000"]);
});

const FILES: ChannelSource = { kind: "files", fileIds: ["mf-0"], isLooped: false };
const PULL: ChannelSource = { kind: "pull", url: "rtmp://a/live/key" };

test.each([
  {
    ...{ what: "plays a file", source: FILES, state: "stopped" },
    reason: "nothing came from it for 15 s",
  },
  {
    ...{ what: "reads a pulled stream", source: PULL, state: "failed" },
    reason: "FFmpeg, which reads the source, was ended (it read nothing for 15 s)",
  },
])("FFmpeg that hangs while it $what is killed with its child after 15 s", async ({ source, state, reason }) => {
  const clock = new VirtualClock();
  const gateway: PublishGateway = {
    ...{ channelId: "c", latency: "efficient", isFull: false, flush: quiet, leave: quiet },
    tryAdmit: async () => "admitted",
    open: () => ({ push: quiet, end: quiet }),
  };
  const format = { kind: "video", durationMs: 1_000, videoCodec: "h264", width: 160, height: 90, frameRate: 30 };
  const file = { fileId: "mf-0", state: "ready", format } as MediaFile;
  const said: SourceStatus[] = [];
  const players = new SourcePlayers({
    ...{ clock, random: Math.random, log, findFfmpeg: () => ({ ffmpeg: program, ffprobe: program }) },
    files: { list: () => [file], get: () => file, path: () => clip, problem: async () => undefined },
    openLink: async () => fakePullLink({ isUnread: () => true }),
    publish: async () => gateway,
    onStatus: (_channelId, status) => void said.push(status),
  });
  players.start({ channelId: "c", source, position: 0, read: async () => ({}) as ChannelSpec });
  const pids = await hung();
  clock.advance(14_000);
  expect(pids.map(isAlive)).toEqual([true, true]);
  clock.advance(2_000);
  const last = await waitFor("the status", DEADLINE_MS, () => {
    clock.advance(100);
    return said.find((status) => status.state === state);
  });
  expect(JSON.stringify(last)).toContain(reason);
  await areGone(pids);
  await players.close();
});

test("a relay to FFmpeg knows whether FFmpeg reads", async () => {
  const source = createServer((socket) => {
    socket.on("error", quiet);
    socket.write(Buffer.alloc(64 * 1024 * 1024));
  }).listen(0, "127.0.0.1");
  await once(source, "listening");
  const dial = async (): Promise<Socket> => {
    const socket = connect((source.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  };
  const relay = await TcpRelay.listen({ first: await dial(), dial });
  expect(relay.isUnread).toBe(true);
  const reader = connect(relay.port, "127.0.0.1").on("error", quiet);
  // What fits the kernel's buffers does not count.
  await waitFor("bytes that wait", DEADLINE_MS, () => (reader.bytesRead === 0 && relay.isUnread ? true : undefined));
  reader.resume();
  await waitFor("all to be read", DEADLINE_MS, () => (relay.isUnread ? undefined : true));
  reader.destroy();
  relay.close();
  source.close();
});
