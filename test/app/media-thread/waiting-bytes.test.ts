import { totalmem } from "node:os";
import { afterEach, expect, test, vi } from "vitest";
import { waitingBytesMax } from "../../../src/app/media-thread/waiting-bytes.ts";

const MIB = 1024 * 1024;

afterEach(() => void vi.restoreAllMocks());

test.each([
  ["a container with little memory: a quarter of it", 1_024 * MIB, 256 * MIB],
  ["a container with no limit of its own: as on the machine", 0, Math.min(512 * MIB, totalmem() / 4)],
  ["a limit far beyond the machine: as on the machine", 2 ** 63, Math.min(512 * MIB, totalmem() / 4)],
])("%s, divided among the threads", (_, limit, all) => {
  vi.spyOn(process, "constrainedMemory").mockReturnValue(limit);
  expect([waitingBytesMax(1), waitingBytesMax(4)]).toEqual([all, all / 4]);
});
