import { expect, test } from "vitest";
import { ChannelPlacement } from "../../src/control/channel-placement.ts";
import { OwnedChannels } from "../../src/remote-publish/owned-channels.ts";
import { RelayStage, target } from "../support/relay-stage.ts";

/** One thread, and what the control side is told when a channel has left it. */
function open() {
  const home = new RelayStage();
  const left: [string, number][] = [];
  const residents = new OwnedChannels({
    ...{ clock: home.clock, engine: home.engine },
    onLeft: (channelId, grants) => left.push([channelId, grants]),
  });
  return { home, residents, left };
}

test("a channel leaves two minutes after its broadcast, or after an encoder was expected that never came", () => {
  const { home, residents, left } = open();
  residents.granted(home.spec([target(1)], "ls-1"));
  residents.granted(home.spec([target(2)], "ls-2"));
  const publisher = home.open("ls-1");
  home.clock.advance(130_000);
  expect(left).toEqual([["ls-2", 1]]);
  publisher.end("clean");
  home.clock.advance(60_000);
  residents.granted(home.spec([target(1)], "ls-1"));
  home.clock.advance(119_000);
  expect(left).toHaveLength(1);
  home.clock.advance(10_000);
  expect(left).toEqual([
    ["ls-2", 1],
    ["ls-1", 2],
  ]);
  expect(home.engine.admits("ls-1", "main")).toBe(false);
});

test("a removed channel is not told to have left", () => {
  const { home, residents, left } = open();
  residents.granted(home.spec([target(1)]));
  residents.removed("ls-1");
  home.engine.remove("ls-1");
  home.clock.advance(300_000);
  expect(left).toEqual([]);
});

test("a channel's first encoder says where it lives; it moves once its thread has let go of it, and of nobody on the way", () => {
  const homes = new ChannelPlacement<string>();
  expect([homes.of("ls-1"), homes.grant("ls-1", "a"), homes.grant("ls-1", "b"), homes.of("ls-1")]).toEqual([
    ...[undefined, "a"],
    ...["a", "a"],
  ]);
  // A third one was admitted while the thread let go: it will hear of it.
  homes.grant("ls-1", "b");
  homes.left("ls-1", "a", 2);
  expect(homes.of("ls-1")).toBe("a");
  homes.left("ls-1", "b", 1);
  expect(homes.of("ls-1")).toBe("a");
  homes.left("ls-1", "a", 1);
  expect(homes.grant("ls-1", "b")).toBe("b");
});

test("what a dead thread had lives nowhere; what is removed neither", () => {
  const homes = new ChannelPlacement<string>();
  homes.grant("ls-1", "a");
  homes.grant("ls-2", "a");
  homes.grant("ls-3", "b");
  homes.removed("ls-2");
  expect(homes.died("a")).toEqual(["ls-1"]);
  expect(["ls-1", "ls-2", "ls-3"].map((channelId) => homes.of(channelId))).toEqual([undefined, undefined, "b"]);
});
