import { expect, test } from "vitest";
import { NodeRpc } from "../../src/cluster/node-rpc.ts";
import { ToldHistory } from "../../src/cluster/state/told-history.ts";
import type { HistoryBlock, HistoryStep } from "../../src/control/history/history.ts";
import type { BusMessage } from "../../src/control/ports/bus.ts";
import { MemoryNetwork } from "../support/stages/memory-bus.ts";

const ID = "ls-20260102030405-aB3dE";
const START = 1_767_323_045_000;

/** A block of 60 values with so many targets. */
function block(step: HistoryStep, index: number, targetCount = 1, channelId = ID): HistoryBlock {
  const values = Array.from({ length: 60 }, (_, at) => at * 1_000);
  return {
    ...{ channelId, step, times: values.map((each) => START + index * 60_000 + each), ingestRates: values },
    targets: Array.from({ length: targetCount }, (_, targetId) => ({
      ...{ targetId, rates: values, queueMs: values, drops: values, retries: values },
    })),
  };
}

/** Node 1 has `blocks` of the channel, which are not stored yet; node 2 asks. */
function cluster(blocks: readonly HistoryBlock[]) {
  const network = new MemoryNetwork();
  const node = (self: number, has: readonly HistoryBlock[], owner: number | undefined) => {
    const bus = network.newBus();
    const own = {
      startOf: (channelId: string) => (has.length > 0 && channelId === ID ? START : undefined),
      unstored: (_channelId: string, step: HistoryStep) => has.filter((each) => each.step === step),
    };
    return new ToldHistory({ bus, rpc: new NodeRpc(bus, self), own: () => own, ownerOf: () => owner });
  };
  return { network, owner: node(1, blocks, undefined), other: node(2, [], 1) };
}

test("the owner tells when the broadcast began, and what it has not stored", async () => {
  const blocks = [block("minute", 0), block("second", 59), block("second", 60)];
  const { owner, other } = cluster(blocks);
  expect(await other.ask(ID)).toEqual({ startTime: START, blocks });
  expect(await other.ask("ls-unknown")).toBeUndefined();
  expect(await owner.ask(ID)).toBeUndefined();
});

test("what does not fit into one reply is left out, the oldest first", async () => {
  const blocks = Array.from({ length: 30 }, (_, index) => block("second", index, 50));
  const told = (await cluster(blocks).other.ask(ID))?.blocks ?? [];
  expect(told.length).toBeGreaterThan(3);
  expect(told).toEqual(blocks.slice(-told.length));
});

test("a minute of a hundred targets is told whole", async () => {
  const blocks = [block("minute", 0, 100), block("second", 59, 100), block("second", 60, 100)];
  expect(await cluster(blocks).other.ask(ID)).toEqual({ startTime: START, blocks });
});

test.each<{ name: string; said: BusMessage; bytesMax: number }>([
  { name: "of the version before, which takes 64 KiB", said: {}, bytesMax: 65_536 },
  { name: "that takes less", said: { bytesMax: 20_000 }, bytesMax: 20_000 },
])("a node $name is told as much as it takes", async ({ said, bytesMax }) => {
  const blocks = Array.from({ length: 30 }, (_, index) => block("second", index, 5));
  const { network } = cluster(blocks);
  const told = await network.servers.get("node.1.rpc")?.answer({ op: "history", channelId: ID, ...said });
  const { length } = JSON.stringify(told);
  expect([length <= bytesMax, length > bytesMax - 10_000]).toEqual([true, true]);
});

test.each<{ name: string; answer: Record<string, unknown> }>([
  { name: "that it does not know the question", answer: { isUnknown: true } },
  { name: "without a beginning", answer: { blocks: [] } },
  { name: "with an empty block", answer: { startTime: START, blocks: [{ ...block("second", 0), times: [] }] } },
  { name: "with texts for numbers", answer: { startTime: START, blocks: [{ ...block("second", 0), times: ["1"] }] } },
])("an answer $name counts as none", async ({ answer }) => {
  const { network, other } = cluster([block("second", 0)]);
  network.servers.set("node.1.rpc", { bus: network.newBus(), answer: async () => answer });
  expect(await other.ask(ID)).toBeUndefined();
});

test("blocks of other channels, and with lists of unequal length, are left out", async () => {
  const { network, other } = cluster([block("second", 0)]);
  const good = block("second", 1);
  const blocks = [block("second", 0, 1, "ls-other"), { ...good, ingestRates: [1] }, good];
  network.servers.set("node.1.rpc", { bus: network.newBus(), answer: async () => ({ startTime: START, blocks }) });
  expect(await other.ask(ID)).toEqual({ startTime: START, blocks: [good] });
});
