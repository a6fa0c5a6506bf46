import { expect, test } from "vitest";
import { flattened, type ProfileNode } from "../../bench/server-probe/allocation-sites.ts";
import { countingBuffers } from "../../bench/server-probe/buffer-count.ts";

function node(
  functionName: string,
  selfSize: number,
  children: readonly ProfileNode[] = [],
  url = "a.ts",
): ProfileNode {
  return { callFrame: { functionName, url, lineNumber: 6 }, selfSize, children };
}

test("a function's allocations are added up over all its callers, and the greatest come first", () => {
  const tree = node("(root)", 0, [
    node("read", 10, [node("cut", 30), node("", 5)]),
    node("write", 0, [node("cut", 40), node("splice", 8, [], "")]),
  ]);
  expect(flattened(tree)).toEqual([
    { name: "cut", place: "a.ts:7", bytes: 70 },
    { name: "read", place: "a.ts:7", bytes: 10 },
    { name: "splice", place: "", bytes: 8 },
    { name: "(anonymous)", place: "a.ts:7", bytes: 5 },
  ]);
});

test("bytes requested of Buffer are counted until the count ends, and Buffer is then restored", () => {
  const before = Buffer.allocUnsafe;
  const count = countingBuffers();
  expect(Buffer.allocUnsafe(100)).toHaveLength(100);
  expect(Buffer.alloc(3, 0x61).toString()).toBe("aaa");
  expect(count.stop()).toEqual({ alloc: 3, allocUnsafe: 100, allocUnsafeSlow: 0 });
  Buffer.alloc(7);
  expect(Buffer.allocUnsafe).toBe(before);
});
