import { afterEach, expect, test } from "vitest";
import { OwnerUnavailableError } from "../../../src/control/ports/errors.ts";
import type { NodeRecord } from "../../../src/control/ports/nodes.ts";
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
  const moved: number[] = [];
  const silent: NodeRecord = { incarnation: 8, nodeId: "b", version: "1", state: "SILENT", isSelf: false };
  const nodes = {
    list: async () => [NODE, silent],
    drain: async (incarnation: number): Promise<NodeRecord | undefined> => {
      drained.push(incarnation);
      if (incarnation === 8) throw new OwnerUnavailableError("it is silent");
      return incarnation === 7 ? { ...NODE, state: "DRAINING" } : undefined;
    },
    moveChannels: async (incarnation: number): Promise<NodeRecord | undefined> => {
      moved.push(incarnation);
      return incarnation === 7 ? NODE : undefined;
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
  expect(moved).toEqual([7, 9]);
});
