import { expect, test } from "vitest";
import { FinishLost } from "../../../src/app/control-thread/cluster/finish-lost.ts";
import { NO_ALERTS } from "../../../src/control/channels/channel.ts";
import type { ChannelEvent } from "../../../src/control/events/events.ts";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import type { UnfinishedOwnership } from "../../../src/control/ports/ownership-store.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const MINUTE_MS = 60_000;
const quiet = () => undefined;
const BEGUN: ChannelEvent = {
  ...{ eventId: 9, channelId: "ls-0", code: "PUBLISH_START", level: "INFO", time: 1, description: "d" },
};

/** A database with these ownerships, of which it lists so many at once. */
function stageOf(count: number, listedMax = 200) {
  const clock = new VirtualClock();
  const left = new Map<string, number>(
    Array.from({ length: count }, (_, index) => [`ls-${index}`, index + 1] as [string, number]),
  );
  const state = { isAway: false, listings: 0 };
  const finished: string[] = [];
  const wentOn: [string, number, number][] = [];
  const told: ChannelEvent[] = [];
  const finish = new FinishLost({
    ...{ clock, onEvent: (event) => told.push(event), log: { debug: quiet, info: quiet, warn: quiet, error: quiet } },
    store: {
      listUnfinished: async () => {
        state.listings += 1;
        if (state.isAway) throw new StoreUnavailableError("unreachable");
        return [...left].slice(0, listedMax).map(([channelId, epoch]): UnfinishedOwnership => ({ channelId, epoch }));
      },
    },
    events: {
      findEventSubjects: async ([channelId = ""]) => [{ channelId, name: "c", alerts: NO_ALERTS, targets: new Map() }],
      finishBroadcasts: async (channelId, epoch) => {
        if (state.isAway) throw new StoreUnavailableError("unreachable");
        if (left.get(channelId) === epoch) finished.push(channelId);
        left.delete(channelId);
        return undefined;
      },
      goOnWithBroadcast: async (...which) => {
        if (state.isAway) throw new StoreUnavailableError("unreachable");
        wentOn.push(which);
        return BEGUN;
      },
    },
  });
  const settled = async () => {
    for (let turn = 0; turn < 500; turn += 1) await Promise.resolve();
  };
  return { clock, finish, finished, wentOn, told, left, state, settled };
}

test("all that a lost node left is finished, however much one list has", async () => {
  const { finish, finished, state } = stageOf(7, 3);
  await finish.all();
  expect([finished.length, state.listings]).toEqual([7, 4]);
});

test("what the database did not take, or another node left in the middle, is finished within a minute", async () => {
  const { clock, finish, finished, left, state, settled } = stageOf(3);
  finish.start();
  state.isAway = true;
  await finish.all();
  await finish.channel("ls-0", 1);
  clock.advance(MINUTE_MS);
  await settled();
  expect(finished).toEqual([]);
  state.isAway = false;
  clock.advance(MINUTE_MS);
  await settled();
  expect(finished).toEqual(["ls-0", "ls-1", "ls-2"]);
  left.set("ls-7", 5);
  clock.advance(MINUTE_MS);
  await settled();
  expect(finished.at(-1)).toBe("ls-7");
  finish.stop();
  const { listings } = state;
  clock.advance(10 * MINUTE_MS);
  await settled();
  expect(state.listings).toBe(listings);
});

test("an ownership that stays in the list, whatever is done, is tried once in a look", async () => {
  const { finish, left, state } = stageOf(2);
  left.delete = () => false;
  await finish.all();
  expect(state.listings).toBe(2);
});

test("a broadcast that others had given up is told to go on, as of now", async () => {
  const { clock, finish, wentOn, told, state } = stageOf(1);
  state.isAway = true;
  await finish.goOn("ls-0", 1);
  expect(told).toEqual([]);
  state.isAway = false;
  await finish.goOn("ls-0", 1);
  expect(wentOn).toEqual([["ls-0", 1, clock.wallNow()]]);
  expect(told).toEqual([BEGUN]);
});
