import { expect, test } from "vitest";
import { ClusterNodes } from "../../src/cluster/cluster-nodes.ts";
import { NodeRpc } from "../../src/cluster/node-rpc.ts";
import { DomainError, OwnerUnavailableError } from "../../src/control/ports/errors.ts";
import type { MoveBegun } from "../../src/control/ports/nodes.ts";
import type { ClusterNode } from "../../src/control/ports/ownership-store.ts";
import { MemoryNetwork } from "../support/stages/memory-bus.ts";

const LOAD = { channels: 2, egressBitsPerSecond: 3, loopDelayMs: 4, relayed: 5 };
const REPORT = { nodeId: "n", state: "serving", version: "1", load: LOAD } as const;

const BEGUN: MoveBegun = { moving: 3, staying: [{ channelId: "ls-1", why: "test-pattern" }] };

function row(incarnation: number, state: ClusterNode["state"] = "serving"): ClusterNode {
  const rest = { advertise: [], version: "1", schemaStep: "", keyIds: [], leaseLeftMs: 1 };
  return { incarnation, nodeId: `n${incarnation}`, state, ...rest };
}

function open(rows: readonly ClusterNode[]) {
  const network = new MemoryNetwork();
  const drained: number[] = [];
  const moved: unknown[] = [];
  const nodes = [1, 2].map((self) => {
    const bus = network.newBus();
    return new ClusterNodes({
      ...{ self, bus, rpc: new NodeRpc(bus, self), store: { listNodes: async () => rows } },
      seen: () => [
        { incarnation: 2, report: { ...REPORT, no: 1 }, heardAgoMs: 500 },
        { incarnation: 3, report: { ...REPORT, state: "draining", no: 1 }, heardAgoMs: 500 },
        { incarnation: 4, report: { ...REPORT, no: 1 }, heardAgoMs: 6_000 },
      ],
      ownReport: () => REPORT,
      drain: async () => void drained.push(self),
      moveAll: (to) => {
        moved.push(to === undefined ? self : [self, to]);
        return BEGUN;
      },
    });
  });
  return { network, drained, moved, first: nodes[0] };
}

test("nodes are listed by the database, and told how they are by what they say", async () => {
  const longLost = { ...row(8, "lost"), leaseLeftMs: -86_400_001 };
  const { first } = open([row(1), row(2), row(3), row(4), row(5), row(6, "lost"), row(7, "left"), longLost]);
  const listed = (await first?.list()) ?? [];
  expect(listed.map(({ incarnation, state }) => [incarnation, state])).toEqual([
    [1, "SERVING"],
    [2, "SERVING"],
    [3, "DRAINING"],
    [4, "SILENT"],
    [5, "SILENT"],
    [6, "LOST"],
  ]);
  const names = { nodeId: "n1", version: "1" };
  expect(listed[0]).toEqual({ incarnation: 1, ...names, isSelf: true, state: "SERVING", heardAgoMs: 0, load: LOAD });
  expect(listed[4]).toEqual({ incarnation: 5, nodeId: "n5", version: "1", isSelf: false, state: "SILENT" });
});

test("this node and another one are drained; a lost or unknown one is not there, a silent one does not respond", async () => {
  const { first, drained } = open([row(1), row(2), row(5), row(6, "lost")]);
  expect(await first?.drain(1)).toMatchObject({ incarnation: 1, state: "DRAINING" });
  expect(await first?.drain(2)).toMatchObject({ incarnation: 2, state: "DRAINING" });
  expect(drained).toEqual([1, 2]);
  expect(await first?.drain(6)).toBeUndefined();
  expect(await first?.drain(9)).toBeUndefined();
  await expect(first?.drain(5)).rejects.toThrow(OwnerUnavailableError);
});

test("the broadcasts of this node and of another one are moved; a lost or silent node moves none", async () => {
  const { first, moved } = open([row(1), row(2), row(4), row(6, "lost")]);
  for (const incarnation of [1, 2])
    expect(await first?.moveChannels(incarnation)).toMatchObject({ node: { incarnation }, begun: BEGUN });
  expect(moved).toEqual([1, 2]);
  for (const incarnation of [6, 9]) expect(await first?.moveChannels(incarnation)).toBeUndefined();
  await expect(first?.moveChannels(4)).rejects.toThrow(OwnerUnavailableError);
});

test("a person chooses where broadcasts go; a server that takes none is refused with the reason", async () => {
  const rows = [row(1), row(2), row(3), row(4), row(6, "lost"), row(7, "left")];
  const { first, moved } = open(rows);
  expect(await first?.moveChannels(1, 2)).toMatchObject({ node: { incarnation: 1 }, begun: BEGUN });
  expect(await first?.moveChannels(2, 1)).toMatchObject({ node: { incarnation: 2 }, begun: BEGUN });
  expect(moved.splice(0)).toEqual([
    [1, 2],
    [2, 1],
  ]);
  for (const [to, kind] of [
    [1, "move-to-itself"],
    [3, "move-to-draining"],
    [4, "move-to-silent"],
    [6, "move-to-lost"],
    [7, "move-to-unknown"],
    [9, "move-to-unknown"],
  ] as const) {
    await expect(first?.moveChannels(1, to), kind).rejects.toEqual(new DomainError({ kind }));
  }
  expect(moved).toEqual([]);
  const alone = open([row(1), row(3), row(4)]);
  await expect(alone.first?.moveChannels(1)).rejects.toEqual(new DomainError({ kind: "no-other-node" }));
});

test("an older program moves broadcasts as it likes, and does not say how many; it does not know of a destination", async () => {
  const { network, first } = open([row(1), row(2), row(5)]);
  const older = network.newBus();
  older.serve("node.5.rpc", async ({ op }) => (op === "move" ? {} : undefined));
  expect(await first?.moveChannels(5)).toEqual({ node: expect.objectContaining({ incarnation: 5 }) });
  await expect(first?.moveChannels(5, 1)).rejects.toThrow(OwnerUnavailableError);
});
