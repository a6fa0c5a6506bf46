import { expect, test } from "vitest";
import { Drain } from "../../src/cluster/drain.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function open(channels: number, drainMs = 60_000, isHeldOnCut = false) {
  const clock = new VirtualClock();
  const onAir = new Set(Array.from({ length: channels }, (_, index) => `ls-${index}`));
  const cut: string[] = [];
  let begun = 0;
  const state = { relayed: 0 };
  const drain = new Drain({
    ...{ clock, log, drainMs },
    begin: async () => {
      begun += 1;
    },
    onAir: () => [...onAir],
    relayed: () => state.relayed,
    cut: (channelId) => {
      cut.push(channelId);
      if (!isHeldOnCut) onAir.delete(channelId);
    },
  });
  let isEmpty = false;
  const empty = async () => {
    await drain.empty();
    isEmpty = true;
  };
  return { clock, onAir, cut, state, drain, empty, begun: () => begun, isEmpty: () => isEmpty };
}
const settled = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

test("broadcasts go on until they end, and then the node is empty", async () => {
  const { clock, onAir, cut, drain, empty, begun, isEmpty } = open(2);
  void empty();
  drain.start();
  // Not ready from now on; encoders that a load balancer still sends are taken.
  expect(drain.isDraining).toBe(true);
  clock.advance(3_999);
  await settled();
  expect(begun()).toBe(0);
  clock.advance(1);
  await settled();
  expect(begun()).toBe(1);
  expect(drain.endTime).toBe(clock.wallNow() + 56_000);
  clock.advance(30_000);
  onAir.clear();
  await settled();
  expect(isEmpty()).toBe(false);
  clock.advance(1_000);
  await settled();
  expect(isEmpty()).toBe(true);
  expect(cut).toEqual([]);
});

test("what is left when the time is over is cut, 5 % of it a second", async () => {
  const { clock, cut, empty, isEmpty } = open(40);
  void empty();
  clock.advance(4_000);
  await settled();
  clock.advance(55_000);
  expect(cut).toEqual([]);
  clock.advance(1_000);
  expect(cut).toEqual(["ls-0", "ls-1"]);
  clock.advance(18_000);
  expect(cut).toHaveLength(38);
  clock.advance(2_000);
  await settled();
  expect(cut).toHaveLength(40);
  expect(isEmpty()).toBe(true);
});

test("a node without broadcasts is empty once no encoder is sent to it any more, or at once where it has no time", async () => {
  const { clock, empty, isEmpty, drain } = open(0);
  expect(drain.isDraining).toBe(false);
  void empty();
  await settled();
  expect(isEmpty()).toBe(false);
  clock.advance(4_000);
  await settled();
  expect(isEmpty()).toBe(true);
  const hurried = open(0, 0);
  void hurried.empty();
  hurried.clock.advance(0);
  await settled();
  expect(hurried.isEmpty()).toBe(true);
  expect(drain.isDraining).toBe(true);
});

test("a node waits for the encoders that it passes on to other nodes, as long as it has time", async () => {
  const { clock, state, cut, empty, isEmpty } = open(0);
  state.relayed = 1;
  void empty();
  clock.advance(4_000);
  await settled();
  clock.advance(30_000);
  await settled();
  expect(isEmpty()).toBe(false);
  state.relayed = 0;
  clock.advance(1_000);
  await settled();
  expect(isEmpty()).toBe(true);

  const late = open(0);
  late.state.relayed = 1;
  void late.empty();
  late.clock.advance(4_000);
  await settled();
  late.clock.advance(55_000);
  await settled();
  expect(late.isEmpty()).toBe(false);
  late.clock.advance(1_000);
  await settled();
  expect(late.isEmpty()).toBe(true);
  expect([...cut, ...late.cut]).toEqual([]);
});

test("a channel that is cut and still held does not keep the others waiting, and is cut again after them", async () => {
  const { clock, cut, onAir, empty, isEmpty } = open(3, 60_000, true);
  void empty();
  clock.advance(4_000);
  await settled();
  clock.advance(60_000);
  expect(cut).toEqual(["ls-0", "ls-1", "ls-2", "ls-0", "ls-1"]);
  expect(isEmpty()).toBe(false);
  onAir.clear();
  clock.advance(1_000);
  await settled();
  expect(isEmpty()).toBe(true);
});
