import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { SegmentFiles } from "../../src/delay/segment-files.ts";
import { SYSTEM_DISK } from "../../src/recording/files/disk.ts";
import type { FromDelay } from "../../src/thread-protocol/delays/delay-messages.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const MIB = 1024 * 1024;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function scene(changes: { readonly bytesMax?: number; readonly disk?: Partial<typeof SYSTEM_DISK> } = {}) {
  const folder = join(mkdtempSync(join(tmpdir(), "fanfare-delays-")), "delays");
  folders.push(join(folder, ".."));
  const clock = new VirtualClock();
  const posted: FromDelay[] = [];
  const files = new SegmentFiles({
    settings: { name: "1-0", folder, keepFreeBytes: 0, bytesMax: changes.bytesMax ?? 1_000 * MIB },
    disk: { ...SYSTEM_DISK, ...changes.disk },
    clock,
    post: (message) => posted.push(message),
  });
  return { folder, clock, files, posted, news: () => posted.splice(0).map(({ kind }) => kind) };
}

const bytesOf = (mark: number, length = MIB) => new Uint8Array(length).fill(mark);

test("segments come back as they were, once, in any order", () => {
  const { files, posted, news } = scene();
  for (const id of [1, 2, 3]) files.take({ kind: "put", shelf: 1, id, bytes: bytesOf(id) });
  expect(news()).toEqual(["stored", "stored", "stored"]);
  expect(files.bytes).toBe(3 * MIB);
  for (const id of [3, 1, 2, 2]) files.take({ kind: "take", shelf: 1, id });
  expect(posted.slice(0, 3)).toEqual([3, 1, 2].map((id) => ({ kind: "taken", shelf: 1, id, bytes: bytesOf(id) })));
  expect(posted[3]).toEqual({ kind: "taken", shelf: 1, id: 2 });
  expect(files.bytes).toBe(0);
});

test("nothing is left in the folder while segments lie there, and what a killed process left is removed", () => {
  const { folder, files } = scene();
  mkdirSync(folder);
  writeFileSync(join(folder, "delay-77-0-1"), "");
  writeFileSync(join(folder, "other"), "");
  files.take({ kind: "put", shelf: 1, id: 1, bytes: bytesOf(1) });
  expect(readdirSync(folder)).toEqual(["other"]);
  files.take({ kind: "take", shelf: 1, id: 1 });
  expect(readdirSync(folder)).toEqual(["other"]);
});

test("files are closed, and their room is free, once their segments are gone", () => {
  const open = new Set<number>();
  const { files } = scene({
    disk: {
      openSync: (...given: Parameters<typeof SYSTEM_DISK.openSync>) => {
        const descriptor = SYSTEM_DISK.openSync(...given);
        open.add(descriptor);
        return descriptor;
      },
      closeSync: (descriptor: number) => {
        SYSTEM_DISK.closeSync(descriptor);
        open.delete(descriptor);
      },
    },
  });
  for (let id = 1; id <= 70; id += 1) files.take({ kind: "put", shelf: 1, id, bytes: bytesOf(id) });
  expect(open.size).toBe(3);
  for (let id = 1; id <= 64; id += 1) files.take({ kind: id % 2 === 0 ? "take" : "drop", shelf: 1, id });
  expect(open.size).toBe(1);
  files.take({ kind: "put", shelf: 2, id: 1, bytes: bytesOf(1) });
  expect(open.size).toBe(2);
  files.take({ kind: "close", shelf: 1 });
  files.take({ kind: "close", shelf: 2 });
  expect(open.size).toBe(0);
  expect(files.bytes).toBe(0);
});

test("a full disk is told, nothing is lost, and it is tried again until there is room", () => {
  let isFull = true;
  const { files, clock, posted, news } = scene({
    disk: { freeBytes: () => (isFull ? 0 : 1_000 * MIB) },
  });
  files.take({ kind: "put", shelf: 1, id: 1, bytes: bytesOf(1) });
  files.take({ kind: "put", shelf: 1, id: 2, bytes: bytesOf(2) });
  expect(posted).toEqual([{ kind: "failed", shelf: 1, problem: "disk-full" }]);
  files.take({ kind: "take", shelf: 1, id: 1 });
  expect(posted[1]).toEqual({ kind: "taken", shelf: 1, id: 1, bytes: bytesOf(1) });
  posted.length = 0;
  clock.advance(1_000);
  expect(news()).toEqual(["failed"]);
  isFull = false;
  clock.advance(1_000);
  expect(news()).toEqual(["stored"]);
  files.take({ kind: "take", shelf: 1, id: 2 });
  expect(posted[0]).toEqual({ kind: "taken", shelf: 1, id: 2, bytes: bytesOf(2) });
});

test("the bytes of all segments together are bounded", () => {
  const { files, posted, news } = scene({ bytesMax: 2 * MIB });
  for (const id of [1, 2, 3]) files.take({ kind: "put", shelf: 1, id, bytes: bytesOf(id) });
  expect(posted.at(-1)).toEqual({ kind: "failed", shelf: 1, problem: "disk-full" });
  expect(news()).toEqual(["stored", "stored", "failed"]);
});

test("errors of the disk are told as such, and a segment that cannot be read is lost", () => {
  const error = (code: string) => Object.assign(new Error(code), { code });
  let code: string | undefined = "EIO";
  const { files, clock, posted } = scene({
    disk: {
      writeSync: ((...given: Parameters<typeof SYSTEM_DISK.writeSync>) => {
        if (code !== undefined) throw error(code);
        return SYSTEM_DISK.writeSync(...given);
      }) as typeof SYSTEM_DISK.writeSync,
      readSync: () => {
        throw error("EIO");
      },
    },
  });
  files.take({ kind: "put", shelf: 1, id: 1, bytes: bytesOf(1) });
  code = "ENOSPC";
  clock.advance(1_000);
  code = undefined;
  clock.advance(1_000);
  files.take({ kind: "take", shelf: 1, id: 1 });
  expect(posted).toEqual([
    { kind: "failed", shelf: 1, problem: "disk-failed" },
    { kind: "failed", shelf: 1, problem: "disk-full" },
    { kind: "stored", shelf: 1, id: 1 },
    { kind: "taken", shelf: 1, id: 1 },
  ]);
});
