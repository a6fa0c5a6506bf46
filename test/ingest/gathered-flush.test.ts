import { expect, test } from "vitest";
import { GatheredFlush } from "../../src/ingest/rtmp/gathered-flush.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

test("what came within 3 ms is sent on together, once for each, and the next after its own 3 ms", () => {
  const clock = new VirtualClock();
  const gathered = new GatheredFlush(clock);
  const sent: string[] = [];
  const [a, b] = ["a", "b"].map((name) => ({ flush: () => void sent.push(`${name} at ${clock.now()}`) }));
  if (a === undefined || b === undefined) throw new Error("two are needed");
  gathered.add(a);
  clock.advance(2);
  gathered.add(b);
  gathered.add(a);
  expect(sent).toEqual([]);
  clock.advance(1);
  expect(sent.splice(0)).toEqual(["a at 3", "b at 3"]);
  clock.advance(10);
  gathered.add(b);
  clock.advance(10);
  expect(sent).toEqual(["b at 16"]);
});
