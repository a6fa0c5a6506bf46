import { expect, test } from "vitest";
import { type Disk, SYSTEM_DISK } from "../../src/recording/files/disk.ts";
import { KnownDisk } from "../../src/recording/files/known-disk.ts";
import type { RecordingFile } from "../../src/thread-protocol/recordings/recordings.ts";

const fileOf = (number: number): RecordingFile => ({
  ...{ channelId: "ls-20260102030405-aB3dE", recordingId: `20260102030405-${String(number).padStart(3, "0")}` },
  ...{
    container: "mp4",
    startTime: number,
    bytes: 1,
    durationMs: 1,
    tracks: [],
    end: { time: 2, reason: "BROADCAST_ENDED" },
  },
});

/** A disk with a number, on which these recordings are. */
function stage() {
  const state: { dev: number; there: readonly RecordingFile[] } = { dev: 1, there: [] };
  const disk = {
    ...SYSTEM_DISK,
    statSync: () => ({ dev: state.dev }),
    lstatSync: (path: string) => {
      if (!state.there.some(({ recordingId }) => path.includes(recordingId))) throw new Error("ENOENT");
      return { isFile: () => true };
    },
  } as unknown as Disk;
  return { state, known: new KnownDisk(disk, "/recordings") };
}

test("a disk that has another number is known by any of the newest files that were on it", () => {
  const { state, known } = stage();
  const files = Array.from({ length: 30 }, (_, index) => fileOf(index + 1));
  expect([known.isKnown, known.isThere(files)]).toEqual([false, true]);
  known.note(files);
  state.dev = 2;
  expect(known.isThere(files)).toBe(false);
  state.there = files.slice(29);
  expect(known.isThere(files)).toBe(true);
  state.there = files.slice(10, 11);
  expect(known.isThere(files)).toBe(true);
  // Twenty files tell: to look at all of a full disk of the network would take long.
  state.there = files.slice(9, 10);
  expect(known.isThere(files)).toBe(false);
  state.dev = 1;
  expect(known.isThere(files)).toBe(true);
});

test("a folder without a file that could be missed is taken as it is", () => {
  const { state, known } = stage();
  known.note([]);
  state.dev = 2;
  expect(known.isThere([])).toBe(true);
});

/** One that is being written. */
function growing(number: number): RecordingFile {
  const { end: _, ...file } = fileOf(number);
  return file;
}

test("files that are being written tell a disk from another one too", () => {
  const { state, known } = stage();
  known.note([], [growing(1)]);
  state.dev = 2;
  expect(known.isThere([fileOf(2)])).toBe(false);
  state.there = [growing(1)];
  expect(known.isThere([fileOf(2)])).toBe(true);
});

test("of files that were begun since the last look forty are remembered, the latest", () => {
  const { state, known } = stage();
  known.note([]);
  for (let number = 1; number <= 41; number += 1) known.begun(fileOf(number));
  state.dev = 2;
  state.there = [fileOf(1)];
  expect(known.isThere([fileOf(1)])).toBe(false);
  state.there = [fileOf(2)];
  expect(known.isThere([fileOf(2)])).toBe(true);
});
