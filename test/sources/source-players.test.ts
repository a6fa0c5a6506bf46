import { expect, test } from "vitest";
import type { SourceStatus } from "../../src/control/channels/source.ts";
import { PullFailure, pullError } from "../../src/sources/pull-links/pull-errors.ts";
import { SourcePlayers } from "../../src/sources/source-players.ts";
import type { ChannelSpec } from "../../src/thread-protocol/channel-spec.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

test("a source that another one replaces says nothing more, and is not tried again", async () => {
  const clock = new VirtualClock();
  const told: string[] = [];
  const opened: string[] = [];
  const players = new SourcePlayers({
    ...{
      clock,
      random: () => 1,
      findFfmpeg: () => undefined,
      files: { list: () => [], path: () => "", problem: () => undefined },
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
