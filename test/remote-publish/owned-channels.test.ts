import { expect, test } from "vitest";
import { OwnedChannels } from "../../src/remote-publish/owned-channels.ts";
import { RelayStage, target } from "../support/stages/relay-stage.ts";

/** One thread, and what it reports about channels that it releases. */
function open() {
  const thread = new RelayStage();
  const released: [string, number][] = [];
  const owned = new OwnedChannels({
    ...{ clock: thread.clock, engine: thread.engine },
    onReleased: (channelId, admissions) => released.push([channelId, admissions]),
  });
  return { thread, owned, released };
}

test("a channel is released two minutes after its broadcast, or after an admitted encoder that never came", () => {
  const { thread, owned, released } = open();
  owned.admitted(thread.spec([target(1)], "ls-1"));
  owned.admitted(thread.spec([target(2)], "ls-2"));
  const publisher = thread.open("ls-1");
  thread.clock.advance(130_000);
  expect(released).toEqual([["ls-2", 1]]);
  publisher.end("clean");
  thread.clock.advance(60_000);
  owned.admitted(thread.spec([target(1)], "ls-1"));
  thread.clock.advance(119_000);
  expect(released).toHaveLength(1);
  thread.clock.advance(10_000);
  expect(released).toEqual([
    ["ls-2", 1],
    ["ls-1", 2],
  ]);
  expect(thread.engine.admits("ls-1", "main")).toBe(false);
});

test("a removed channel is not reported as released", () => {
  const { thread, owned, released } = open();
  owned.admitted(thread.spec([target(1)]));
  owned.removed("ls-1");
  thread.engine.remove("ls-1");
  thread.clock.advance(300_000);
  expect(released).toEqual([]);
});

test("once another process accepts the encoders, a channel off air is released within three seconds, one on air is not", () => {
  const thread = new RelayStage();
  const released: string[] = [];
  const owned = new OwnedChannels({
    ...{ clock: thread.clock, engine: thread.engine, keptMs: Number.POSITIVE_INFINITY },
    onReleased: (channelId) => released.push(channelId),
  });
  owned.admitted(thread.spec([target(1)], "ls-1"));
  owned.admitted(thread.spec([target(2)], "ls-2"));
  const publisher = thread.open("ls-1");
  thread.clock.advance(600_000);
  expect(released).toEqual([]);
  owned.handOver();
  owned.handOver();
  thread.clock.advance(3_000);
  expect(released).toEqual(["ls-2"]);
  publisher.end("clean");
  thread.clock.advance(3_000);
  expect(released).toEqual(["ls-2", "ls-1"]);
});
