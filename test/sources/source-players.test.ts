import { expect, test } from "vitest";
import type { SourceStatus } from "../../src/control/channels/source.ts";
import { DomainError } from "../../src/control/ports/errors.ts";
import { PullFailure, pullError } from "../../src/sources/pull-links/pull-errors.ts";
import { SourcePlayers } from "../../src/sources/source-players.ts";
import type { ChannelSpec } from "../../src/thread-protocol/channel-spec.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const notFound = () => {
  throw new DomainError({ kind: "media-file-not-found" });
};

test("a source that another one replaces says nothing more, and is not tried again", async () => {
  const clock = new VirtualClock();
  const told: string[] = [];
  const opened: string[] = [];
  const players = new SourcePlayers({
    ...{
      clock,
      random: () => 1,
      findFfmpeg: () => undefined,
      files: { list: () => [], get: notFound, path: () => "", problem: async () => undefined },
    },
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    openLink: (url) => {
      opened.push(url);
      return Promise.reject(new PullFailure(pullError("connection-refused")));
    },
    publish: () => Promise.reject(new Error("nothing is published")),
    onStatus: (_channelId: string, { state }: SourceStatus) => void told.push(state),
  });
  const start = (url: string) =>
    players.start({
      ...{ channelId: "c", source: { kind: "pull", url }, position: 0, offsetMs: 0 },
      read: async () => ({}) as ChannelSpec,
    });
  const settle = async () => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  start("rtmp://a/live/key");
  await settle();
  start("rtmp://b/live/key");
  await settle();
  clock.advance(1_000);
  await settle();
  expect(told).toEqual(["starting", "failed", "starting", "failed", "starting", "failed"]);
  expect(opened).toEqual(["rtmp://a/live/key", "rtmp://b/live/key", "rtmp://b/live/key"]);
  await players.close();
});

test("a playlist whose folder is gone is looked through once for each of its files", async () => {
  const clock = new VirtualClock();
  const format = { kind: "video", videoCodec: "h264", pixelFormat: "yuv420p", width: 640, height: 360 } as const;
  const file = { name: "a", bytes: 1, receivedBytes: 1, createdTime: 0, state: "ready", format } as const;
  const files = Array.from({ length: 500 }, (_, number) => ({ ...file, fileId: `mf-${number}` }));
  const statuses: SourceStatus[] = [];
  let looks = 0;
  const list = () => {
    looks += 1;
    return files;
  };
  const players = new SourcePlayers({
    ...{ clock, random: () => 1, findFfmpeg: () => ({ ffmpeg: "ffmpeg", ffprobe: "ffprobe" }) },
    files: { list, get: notFound, path: () => "", problem: async () => "it was removed from the watched folder" },
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    openLink: () => Promise.reject(new Error("nothing is opened")),
    publish: async () => ({
      ...{ channelId: "c", latency: "efficient", isFull: false, flush: () => undefined, leave: () => undefined },
      tryAdmit: async () => "admitted",
      open: () => ({ push: () => undefined, end: () => undefined }),
    }),
    onStatus: (_channelId: string, status: SourceStatus) => void statuses.push(status),
  });
  const source = { kind: "files", fileIds: files.map(({ fileId }) => fileId), isLooped: false } as const;
  players.start({ ...{ channelId: "c", source, position: 0, offsetMs: 0 }, read: async () => ({}) as ChannelSpec });
  // One is skipped in each step of 40 ms.
  for (let turn = 0; turn < 520; turn += 1) {
    clock.advance(40);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(statuses.at(-1)).toMatchObject({ state: "stopped", reason: "not-playable" });
  expect(looks).toBeGreaterThan(0);
  expect(looks).toBeLessThanOrEqual(501);
  await players.close();
});

test("a file whose disk does not answer holds up no call, and is left after 15 s; the next one plays", async () => {
  const clock = new VirtualClock();
  const format = { kind: "video", videoCodec: "h264", pixelFormat: "yuv420p", width: 640, height: 360 } as const;
  const file = { name: "a", bytes: 1, receivedBytes: 1, createdTime: 0, state: "ready", format } as const;
  const statuses: SourceStatus[] = [];
  const warned: unknown[] = [];
  const players = new SourcePlayers({
    ...{ clock, random: () => 1, findFfmpeg: () => ({ ffmpeg: "/nowhere/ffmpeg", ffprobe: "" }) },
    files: {
      list: () => ["hung", "next"].map((fileId) => ({ ...file, fileId })),
      get: (fileId) => ({ ...file, fileId }),
      path: () => "",
      problem: (fileId) => (fileId === "hung" ? new Promise(() => undefined) : Promise.resolve("it was removed")),
    },
    log: {
      ...{ debug: () => undefined, info: () => undefined, error: () => undefined },
      warn: (_event, fields) => void warned.push([fields?.["fileId"], fields?.["detail"]]),
    },
    openLink: () => Promise.reject(new Error("nothing is opened")),
    publish: async () => ({
      ...{ channelId: "c", latency: "efficient", isFull: false, flush: () => undefined, leave: () => undefined },
      tryAdmit: async () => "admitted",
      open: () => ({ push: () => undefined, end: () => undefined }),
    }),
    onStatus: (_channelId: string, status: SourceStatus) => void statuses.push(status),
  });
  const source = { kind: "files", fileIds: ["hung", "next"], isLooped: false } as const;
  players.start({ ...{ channelId: "c", source, position: 0, offsetMs: 0 }, read: async () => ({}) as ChannelSpec });
  for (let turn = 0; turn < 400; turn += 1) {
    clock.advance(40);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(warned).toEqual([
    ["hung", "nothing came from it for 15 s"],
    ["next", "it was removed"],
  ]);
  expect(statuses.at(-1)).toMatchObject({ state: "stopped", reason: "not-playable" });
  players.start({ ...{ channelId: "c", source, position: 0, offsetMs: 0 }, read: async () => ({}) as ChannelSpec });
  await new Promise((resolve) => setImmediate(resolve));
  // The look goes on, and the server ends all the same.
  await players.close();
});
