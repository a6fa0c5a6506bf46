import { totalmem } from "node:os";
import { afterEach, expect, test, vi } from "vitest";
import { waitingBytesMax } from "../../../src/app/media-thread/waiting-bytes.ts";

const MIB = 1024 * 1024;

afterEach(() => void vi.restoreAllMocks());

test.each([
  ["a container with little memory: a part of it", 1_024 * MIB, 1_024 * MIB],
  ["a container with no limit of its own: as on the machine", 0, totalmem()],
  ["a limit far beyond the machine: as on the machine", 2 ** 63, totalmem()],
])("%s, divided among the threads", (_, limit, usable) => {
  vi.spyOn(process, "constrainedMemory").mockReturnValue(limit);
  const [targets, disk] = [Math.min(512 * MIB, usable / 4), Math.min(512 * MIB, usable / 8)];
  expect(waitingBytesMax(1)).toEqual({ targets, recordings: disk, delayed: disk });
  expect(waitingBytesMax(4)).toEqual({ targets: targets / 4, recordings: disk / 4, delayed: disk / 4 });
});
