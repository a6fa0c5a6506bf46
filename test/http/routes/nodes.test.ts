import { afterEach, expect, test } from "vitest";
import { DomainError, OwnerUnavailableError } from "../../../src/control/ports/errors.ts";
import type { NodeMove, NodeRecord } from "../../../src/control/ports/nodes.ts";
import { Api } from "../api.ts";

const NODES = "/api/v2/nodes";
const NODE: NodeRecord = {
  ...{ incarnation: 7, nodeId: "a", version: "1", state: "SERVING", isSelf: true, heardAgoMs: 1_900 },
  load: {
    channels: 1,
    egressBitsPerSecond: 2.4,
    capacityBitsPerSecond: 9,
    loopDelayMs: 3.6,
    relayed: 4,
    drainEndTime: 5,
  },
};

let api: Api;
afterEach(() => api.close());

test("a single server has no nodes", async () => {
  api = await Api.open();
  expect((await api.get(NODES)).body).toMatchObject({ content: [] });
  for (const what of ["drain", "move"]) expect((await api.post(`${NODES}/1/${what}`)).status, what).toBe(404);
});

test("nodes are listed with their load, one is drained, and the broadcasts of one are moved", async () => {
  const drained: number[] = [];
  const moved: unknown[] = [];
  const silent: NodeRecord = { incarnation: 8, nodeId: "b", version: "1", state: "SILENT", isSelf: false };
  const nodes = {
    list: async () => [NODE, silent],
    drain: async (incarnation: number): Promise<NodeRecord | undefined> => {
      drained.push(incarnation);
      if (incarnation === 8) throw new OwnerUnavailableError("it is silent");
      return incarnation === 7 ? { ...NODE, state: "DRAINING" } : undefined;
    },
    moveChannels: async (incarnation: number, to?: number): Promise<NodeMove | undefined> => {
      moved.push(to === undefined ? incarnation : [incarnation, to]);
      if (to === 8) throw new DomainError({ kind: "move-to-silent" });
      if (to === 9) throw new DomainError({ kind: "move-to-unknown" });
      if (to === 7) throw new DomainError({ kind: "move-to-itself" });
      if (incarnation !== 7) return undefined;
      const staying = [
        { channelId: "ls-1", why: "test-pattern" },
        { channelId: "ls-2", why: "encoder-lost" },
      ] as const;
      return to === undefined ? { node: NODE } : { node: NODE, begun: { moving: 3, staying } };
    },
  };
  api = await Api.open({ nodes });
  const figures = { channelCount: 1, egressBitsPerSecond: 2, capacityBitsPerSecond: 9, loopDelayMilliseconds: 4 };
  const shown = { incarnation: 7, nodeId: "a", version: "1", isSelf: true, heardSecondsAgo: 1, ...figures };
  expect((await api.get(NODES)).body.content).toEqual([
    { ...shown, nodeState: "SERVING", relayedCount: 4, drainEndTime: 5 },
    { incarnation: 8, nodeId: "b", version: "1", nodeState: "SILENT", isSelf: false },
  ]);
  expect((await api.post(`${NODES}/7/drain`)).body.content).toMatchObject({ nodeState: "DRAINING" });
  expect(await api.post(`${NODES}/8/drain`)).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
  for (const wrong of ["9", "0", "x", "7x", "9".repeat(20)]) {
    expect((await api.post(`${NODES}/${wrong}/drain`)).status, wrong).toBe(404);
  }
  expect(drained).toEqual([7, 8, 9]);
  expect((await api.post(`${NODES}/7/move`)).body.content).toMatchObject({ incarnation: 7, channelCount: 1 });
  for (const wrong of ["9", "x"]) expect((await api.post(`${NODES}/${wrong}/move`)).status, wrong).toBe(404);
  expect(moved.splice(0)).toEqual([7, 9]);
  const chosen = (await api.post(`${NODES}/7/move`, { to: 2 })).body.content;
  expect(chosen).toMatchObject({ incarnation: 7, movingCount: 3 });
  expect(chosen.staying.map((each: { stayReason: string }) => each.stayReason)).toEqual([
    "TEST_PATTERN",
    "ENCODER_LOST",
  ]);
  const refused = [7, 8, 9, 0, "2"].map(async (to) => {
    const { status, body } = await api.post(`${NODES}/7/move`, { to });
    return [to, status, body.error.details];
  });
  expect(await Promise.all(refused)).toEqual([
    [7, 400, "to: expected another server than the one whose broadcasts move."],
    [8, 409, "to: the server has not been heard for 6 s."],
    [9, 404, "to: no server of this database has that number."],
    [0, 400, "to: expected the incarnation of another server."],
    ["2", 400, "to: expected the incarnation of another server."],
  ]);
});
