import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { appendContent } from "../../src/media-files/file-record.ts";
import { MediaLibrary } from "../../src/media-files/media-library.ts";
import { testedFfmpeg } from "../support/checks/tested-image.ts";
import { SmallDisk } from "../support/processes/small-disk.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { makeFile } from "../support/streams/made-files.ts";

const DEADLINE_MS = 60_000;
const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const folder = mkdtempSync(join(tmpdir(), "fanfare-media-"));
let video: Buffer;

beforeAll(async () => {
  video = readFileSync(await makeFile(folder, "clip.mp4", { seconds: 2 }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const open = (more: Partial<ConstructorParameters<typeof MediaLibrary>[0]> = {}) => {
  const options = { folder: join(folder, "media"), quotaBytes: 1e9, clock: systemClock, log, findFfmpeg: testedFfmpeg };
  const library = new MediaLibrary({ ...options, ...more });
  library.load();
  return library;
};

async function checked(library: MediaLibrary, name: string, bytes: Buffer) {
  const { fileId } = await library.create(name, bytes.length);
  await library.append(fileId, 0, bytes);
  return waitFor("the file to be checked", DEADLINE_MS, () => {
    const file = library.get(fileId);
    return file.state === "checking" ? undefined : file;
  });
}

test("a file is read, a frame is made of it, and all of it is there again after a restart", async () => {
  const library = open();
  const file = await checked(library, "clip.mp4", video);
  expect(file).toMatchObject({
    state: "ready",
    format: { kind: "video", durationMs: 2_000, videoCodec: "h264", width: 640, height: 360, sampleRate: 48_000 },
  });
  const frame = await library.frame(file.fileId);
  expect(frame?.subarray(0, 2).toString("hex")).toBe("ffd8");
  await library.close();
  const again = open();
  expect(again.get(file.fileId)).toEqual(file);
  expect(await again.frame(file.fileId)).toEqual(frame);
  await again.remove(file.fileId);
  expect(open().list()).toEqual([]);
});

test("a file that was being checked when the server ended is checked at the next start", async () => {
  const stopping = open();
  const { fileId } = await stopping.create("clip.mp4", video.length);
  await stopping.append(fileId, 0, video);
  await stopping.close();
  const next = open();
  const file = await waitFor("the check", DEADLINE_MS, () =>
    next.get(fileId).state === "ready" ? next.get(fileId) : undefined,
  );
  expect(file.format?.height).toBe(360);
  await next.remove(fileId);
});

test("an upload whose server ended between the last byte and its record is checked at the next start", async () => {
  const library = open();
  const { fileId } = await library.create("clip.mp4", video.length, "5-abc");
  await library.append(fileId, 0, video.subarray(0, 9));
  await appendContent(library.path(fileId), 9, video.subarray(9), true);
  const next = open();
  expect(next.get(fileId)).toMatchObject({ state: "checking", receivedBytes: video.length });
  const file = await waitFor("the check", DEADLINE_MS, () =>
    next.get(fileId).state === "ready" ? next.get(fileId) : undefined,
  );
  expect(file).not.toHaveProperty("fingerprint");
  await next.close();
  expect(open().get(fileId)).toEqual(file);
  await open().remove(fileId);
});

test("an upload keeps its fingerprint over a restart, and loses it with its last byte", async () => {
  const library = open();
  const { fileId } = await library.create("cut.mp4", video.length, "5-abc");
  await library.append(fileId, 0, video.subarray(0, 9));
  await library.close();
  const again = open();
  expect(again.get(fileId)).toMatchObject({ state: "uploading", receivedBytes: 9, fingerprint: "5-abc" });
  expect(await again.append(fileId, 9, video.subarray(9))).not.toHaveProperty("fingerprint");
  await again.close();
  expect(open().get(fileId)).not.toHaveProperty("fingerprint");
  await open().remove(fileId);
});

test("a file that is removed while it is uploaded is gone", async () => {
  const library = open();
  const { fileId } = await library.create("clip.mp4", 2_000_000);
  const appended = expect(library.append(fileId, 0, Buffer.alloc(1_000_000))).rejects.toThrow("media-file-not-found");
  await library.remove(fileId);
  await appended;
  expect([library.list(), library.space.usedBytes]).toEqual([[], 0]);
});

test("uploads that began together leave the room on the disk that each of them was promised to leave", async () => {
  let freeBytes = 512 * 1024 * 1024 + 1_000_000;
  const library = open({ freeBytes: async () => freeBytes });
  const files = [await library.create("a.mp4", 900_000), await library.create("b.mp4", 900_000)];
  const [first = "", second = ""] = files.map(({ fileId }) => fileId);
  await library.append(first, 0, Buffer.alloc(800_000));
  freeBytes -= 800_000;
  await expect(library.append(second, 0, Buffer.alloc(800_000))).rejects.toThrow("media-disk-full");
  expect(library.get(second)).toMatchObject({ state: "uploading", receivedBytes: 0 });
  freeBytes += 1_000_000;
  expect(await library.append(second, 0, Buffer.alloc(800_000))).toMatchObject({ receivedBytes: 800_000 });
  for (const { fileId } of files) await library.remove(fileId);
});

test("a disk that takes only a part of what was sent has not taken it", async () => {
  const disk = await SmallDisk.mount(join(folder, "small"));
  const [path, reserve] = [join(disk.folder, "content"), join(disk.folder, "reserve")];
  writeFileSync(path, "");
  writeFileSync(reserve, Buffer.alloc(8_192));
  disk.fill();
  unlinkSync(reserve);
  const bytes = Buffer.alloc(20_000, 7);
  await expect(appendContent(path, 0, bytes, false)).rejects.toThrow("ENOSPC");
  disk.free();
  await appendContent(path, 0, bytes, false);
  expect(readFileSync(path).equals(bytes)).toBe(true);
});

const HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n";
const CONCAT = "ffconcat version 1.0\nfile '/etc/passwd'\n";
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>';
test.each([
  { name: "nothing that is media", bytes: () => Buffer.from("not a video, really") },
  { name: "a playlist that names a file of this machine", bytes: () => Buffer.from(HLS) },
  { name: "a list that names a file of this machine", bytes: () => Buffer.from(CONCAT) },
  { name: "a drawing that names a file of this machine", bytes: () => Buffer.from(SVG) },
  { name: "a video without its index", bytes: () => video.subarray(0, Math.floor(video.length * 0.6)) },
  {
    name: "a header that claims what is not there",
    bytes: () => Buffer.concat([video.subarray(0, 64), Buffer.alloc(4_096, 255)]),
  },
  {
    name: "an FLV header and noise",
    bytes: () => Buffer.concat([Buffer.from("FLV\x01\x05\0\0\0\x09", "latin1"), Buffer.alloc(9_999, 0x5a)]),
  },
])("a hostile file is refused with a reason: $name", async ({ bytes }) => {
  const library = open();
  const file = await checked(library, "odd.mp4", bytes());
  expect(file).toMatchObject({ state: "refused", reason: expect.stringMatching(/^The file .{5,}\.$/) });
  expect(JSON.stringify(file)).not.toContain("root:");
  expect(JSON.stringify(file)).not.toContain(folder);
  await library.remove(file.fileId);
});

test("the quota counts what is announced, and FFmpeg must be there", async () => {
  const library = open({ quotaBytes: 100 });
  await library.create("a", 60);
  await expect(library.create("b", 60)).rejects.toMatchObject({ fault: { kind: "media-quota" } });
  const without = open({ findFfmpeg: () => undefined });
  expect(without.isAvailable).toBe(false);
  await expect(without.create("c", 1)).rejects.toMatchObject({ fault: { kind: "ffmpeg-missing" } });
  for (const { fileId } of library.list()) await library.remove(fileId);
});

test("a folder that is not whole is left out, and stays where it is", async () => {
  const library = open();
  const { fileId } = await library.create("a.mp4", 10);
  writeFileSync(join(folder, "media", fileId, "info.json"), "{");
  expect(open().list()).toEqual([]);
  await library.remove(fileId);
});
