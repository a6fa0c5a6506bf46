import { once } from "node:events";
import { getHeapStatistics } from "node:v8";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { collectGarbage, collectStartGarbage } from "../../../src/app/threads/start-garbage.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const MB = 1_000_000;
const used = () => getHeapStatistics().used_heap_size;

/** Leaves 40 MB behind that nothing refers to. */
function leaveGarbage(): void {
  const kept: number[][] = [];
  for (let index = 0; index < 50; index += 1) kept.push(Array.from({ length: 100_000 }, (_, at) => at + index / 3));
  expect(kept).toHaveLength(50);
}

test("a thread gives back what its start left behind, once, at its time", () => {
  const clock = new VirtualClock();
  collectGarbage();
  const before = used();
  leaveGarbage();
  collectStartGarbage(clock, 3_000);
  clock.advance(2_999);
  expect(used() - before).toBeGreaterThan(20 * MB);
  clock.advance(1);
  expect(used() - before).toBeLessThan(10 * MB);
});

test("threads that collect at the same time are never in each other's way for good, and none of them ends by it", async () => {
  const source = new URL("../../../src/app/threads/start-garbage.ts", import.meta.url).href;
  const collect = `import(${JSON.stringify(source)}).then(({ collectGarbage }) => {
    let collected = 0;
    for (let count = 0; count < 30; count += 1) if (collectGarbage()) collected += 1;
    require("node:worker_threads").parentPort.postMessage(collected);
  });`;
  const collected = await Promise.all(
    [1, 2].map(async () => Number(((await once(new Worker(collect, { eval: true }), "message")) as [number])[0])),
  );
  for (const count of collected) expect(count).toBeGreaterThan(0);
});
