import { expect, test } from "vitest";
import { claimBoard } from "../../../src/app/control-thread/cluster/claim-news.ts";
import { MemoryNetwork } from "../../support/stages/memory-bus.ts";

test.each([
  ["released", true],
  ["refused", true],
  ["silent", false],
  ["broken", false],
] as const)("a former owner whose link says %s stops, or has ended: %s", async (kind, isOver) => {
  const told: unknown[] = [];
  const dialer = {
    release: async (...words: unknown[]) => {
      told.push(words);
      return { kind };
    },
  };
  const board = claimBoard(new MemoryNetwork().newBus(), dialer);
  const former = { channelId: "ls-1", epoch: 7, incarnation: 2, home: 0, address: "10.0.0.2:7400" };
  expect(await board.release(former)).toBe(isOver);
  expect(told).toEqual([[{ host: "10.0.0.2", port: 7_400 }, { channelId: "ls-1", epoch: 7 }, 2_000]]);
});
