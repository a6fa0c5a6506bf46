import { once } from "node:events";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Ffmpeg } from "../../src/ffmpeg/find-ffmpeg.ts";
import { MediaLibrary } from "../../src/media-files/media-library.ts";
import { WatchedFolder } from "../../src/media-files/watched-folder.ts";
import { testedFfmpeg } from "../support/checks/tested-image.ts";
import { runToEnd } from "../support/processes/children.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";
import { makeFile } from "../support/streams/made-files.ts";

const DEADLINE_MS = 60_000;
const folder = mkdtempSync(join(tmpdir(), "fanfare-watched-"));
let video: Buffer;

beforeAll(async () => {
  video = readFileSync(await makeFile(folder, "clip.mp4", { seconds: 1 }));
});
afterAll(() => rmSync(folder, { recursive: true }));

function stageOf(name: string, isWatched = true, findFfmpeg: () => Ffmpeg | undefined = testedFfmpeg) {
  // A setting may be relative.
  const [media, watchFolder] = [join(folder, name, "media"), relative(process.cwd(), join(folder, name, "watched"))];
  mkdirSync(watchFolder, { recursive: true });
  const warnings: string[] = [];
  const warn = (event: string) => void warnings.push(event);
  const clock = new VirtualClock();
  const around = { clock, log: { debug: warn, info: warn, warn, error: warn } };
  const options = { ...around, folder: media, quotaBytes: 10, findFfmpeg };
  const library = new MediaLibrary({ ...options, ...(isWatched ? { watchFolder } : {}) });
  library.load();
  const watched = new WatchedFolder({ ...around, folder: watchFolder, library });
  const settle = () =>
    waitFor("the files to be checked", DEADLINE_MS, () =>
      library.list().some(({ state }) => state === "checking") ? undefined : true,
    );
  /** Why a file cannot be read once the folder was waited for. */
  const problem = (fileId: string) => {
    const found = library.problem(fileId);
    clock.advance(10_000);
    return found;
  };
  return {
    library,
    clock,
    watched,
    watchFolder,
    warnings,
    settle,
    problem,
    at: (file: string) => join(watchFolder, file),
  };
}

/** A folder on another disk than those of the tests. */
function otherDisk(): string {
  const found = ["/dev/shm", "/var/tmp", homedir(), process.cwd()].find(
    (each) => statSync(each).dev !== statSync(folder).dev,
  );
  if (found === undefined) throw new Error("this machine has one disk only");
  const made = mkdtempSync(join(found, "fanfare-watched-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

test("a file appears once it is complete, is checked, is found after a restart, and goes when it is removed", async () => {
  const { library, watched, at, settle } = stageOf("whole");
  writeFileSync(at("film.mp4"), video.subarray(0, 1_000));
  writeFileSync(at(".film.mp4.part"), video);
  writeFileSync(at("empty.mp4"), "");
  mkdirSync(at("folder"));
  await watched.scan();
  expect(library.list()).toEqual([]);
  appendFileSync(at("film.mp4"), video.subarray(1_000));
  await watched.scan();
  expect(library.list()).toEqual([]);
  await watched.scan();
  await settle();
  const [film, ...others] = library.list();
  expect(others).toEqual([]);
  expect(film).toMatchObject({ name: "film.mp4", state: "ready", bytes: video.length, format: { width: 640 } });
  const fileId = film?.fileId ?? "";
  const read = realpathSync(library.path(fileId));
  expect([read, await library.problem(fileId), library.space.usedBytes]).toEqual([
    realpathSync(at("film.mp4")),
    undefined,
    0,
  ]);
  await expect(library.remove(fileId)).rejects.toThrow("media-file-watched");
  const next = stageOf("whole").library;
  expect([next.list(), realpathSync(next.path(fileId))]).toEqual([[film], read]);
  expect(stageOf("whole", false).library.list()).toEqual([]);
  rmSync(at("film.mp4"));
  expect(await library.problem(fileId)).toBe("it was removed from the watched folder");
  await watched.scan();
  expect([library.list(), stageOf("whole").library.list()]).toEqual([[], []]);
});

test("pictures are read whatever their names say, and their endings", async () => {
  const { library, watched, at, settle } = stageOf("names");
  for (const ending of ["png", "webp", "jpg"]) {
    const input = ["-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "1", "-update", "1"];
    await runToEnd("ffmpeg", ["-v", "error", ...input, join(folder, `made.${ending}`)]);
  }
  // What browsers save under the name of a JPEG is often WebP.
  const made = (ending: string) => join(folder, `made.${ending}`);
  const files = {
    "saved.jpg": "webp",
    "100%d.png": "png",
    "what {1}?.webp": "webp",
    "*.jpeg": "jpg",
    "방송.jpg": "jpg",
  };
  for (const [name, ending] of Object.entries(files)) copyFileSync(made(ending), at(name));
  await watched.scan();
  await watched.scan();
  await settle();
  const seen = library.list().map(({ name, state, format }) => [name, state, format?.kind, format?.width]);
  expect(seen.sort()).toEqual(
    Object.keys(files)
      .sort()
      .map((name) => [name, "ready", "picture", 64]),
  );
});

test("a file that replaces another keeps its id, and is not played before it was checked", async () => {
  const { library, watched, at, settle } = stageOf("replaced");
  writeFileSync(at("news.mp4"), video);
  await watched.scan();
  await watched.scan();
  await settle();
  const [{ fileId = "" } = {}] = library.list();
  writeFileSync(at("next"), "no video");
  renameSync(at("next"), at("news.mp4"));
  expect(await library.problem(fileId)).toBe("it was changed in the watched folder and is checked again");
  await watched.scan();
  await watched.scan();
  await settle();
  expect(library.list()).toMatchObject([{ fileId, state: "refused", bytes: 8 }]);
});

test("symbolic links and special files are refused unread, and a file that becomes one is not played", async () => {
  const { library, watched, at, settle } = stageOf("special");
  symlinkSync("/etc/passwd", at("link.mp4"));
  const socket = createServer().listen(at("socket.mp4"));
  onTestFinished(() => void socket.close());
  await once(socket, "listening");
  writeFileSync(at("film.mp4"), video);
  await watched.scan();
  await watched.scan();
  await settle();
  const byName = new Map(library.list().map((file) => [file.name, file]));
  expect(byName.get("link.mp4")).toMatchObject({ state: "refused", reason: "It is a symbolic link." });
  expect(byName.get("socket.mp4")).toMatchObject({ state: "refused", reason: "It is no regular file." });
  const fileId = byName.get("film.mp4")?.fileId ?? "";
  rmSync(at("film.mp4"));
  symlinkSync("/etc/passwd", at("film.mp4"));
  expect(await library.problem(fileId)).toBe("it is no regular file any more");
});

test("a check that is under way when another content takes the file's place says nothing of that", async () => {
  // In FFmpeg's place: it goes on once it may, and can read nothing.
  const [program, begun, mayGoOn] = ["slow-probe", "begun", "may-go-on"].map((name) => join(folder, name));
  const lines = ["#!/bin/sh", `mkdir -p "${begun}"`, `while [ ! -d "${mayGoOn}" ]; do sleep 0.05; done`, "exit 1"];
  writeFileSync(program ?? "", lines.join("\n"), { mode: 0o755 });
  const ffmpeg = { ffmpeg: program ?? "", ffprobe: program ?? "" };
  const { library, watched, at, settle } = stageOf("replaced-early", true, () => ffmpeg);
  writeFileSync(at("film.mp4"), video);
  await watched.scan();
  await watched.scan();
  await waitFor("the check to begin", DEADLINE_MS, () => (existsSync(begun ?? "") ? true : undefined));
  rmSync(at("film.mp4"));
  symlinkSync("/etc/passwd", at("film.mp4"));
  writeFileSync(at("other.mp4"), video);
  await watched.scan();
  await watched.scan();
  mkdirSync(mayGoOn ?? "");
  // Files are checked one after another.
  await settle();
  const reasons = new Map(library.list().map(({ name, reason }) => [name, reason]));
  expect(reasons.get("other.mp4")).toContain("The file cannot be read");
  expect(reasons.get("film.mp4")).toBe("It is a symbolic link.");
});

test("a folder that cannot be read is logged once, and what it had stays", async () => {
  const { library, watched, watchFolder, at, settle, warnings, clock } = stageOf("away");
  writeFileSync(at("film.mp4"), video);
  await watched.scan();
  await watched.scan();
  await settle();
  renameSync(watchFolder, `${watchFolder}-away`);
  await watched.scan();
  await watched.scan();
  expect([library.list().length, warnings]).toEqual([1, ["the watched folder cannot be read as a whole"]]);
  const [{ fileId = "" } = {}] = library.list();
  // It is waited for, for a while: once, and not with each of its files.
  const waited = library.problem(fileId);
  clock.advance(9_999);
  expect(await Promise.race([waited, Promise.resolve("waits")])).toBe("waits");
  clock.advance(1);
  expect(await waited).toBe("the watched folder cannot be read now");
  expect(await library.problem(fileId)).toBe("the watched folder cannot be read now");
  renameSync(`${watchFolder}-away`, watchFolder);
  await watched.scan();
  expect(await library.problem(fileId)).toBeUndefined();
  renameSync(watchFolder, `${watchFolder}-away`);
  await watched.scan();
  const waiting = library.problem(fileId);
  renameSync(`${watchFolder}-away`, watchFolder);
  await watched.scan();
  expect(await waiting).toBeUndefined();
  expect([library.list().length, warnings.length, existsSync(at("film.mp4"))]).toEqual([1, 2, true]);
  expect(await library.problem(fileId)).toBeUndefined();
});

test("a folder that is empty since its disk is not mounted loses no file, and one that is mounted again checks none anew", async () => {
  const { library, watched, watchFolder, warnings, settle, problem } = stageOf("unmounted");
  // Two disks of this machine stand for the one with the files, mounted again with another number, and the one below it.
  const [disk, other] = [join(folder, "unmounted-disk"), otherDisk()];
  mkdirSync(disk);
  rmdirSync(watchFolder);
  const mount = (path: string) => {
    rmSync(watchFolder, { force: true });
    symlinkSync(path, watchFolder);
  };
  const put = (path: string) => {
    writeFileSync(join(path, "film.mp4"), video);
    utimesSync(join(path, "film.mp4"), 1_700_000_000, 1_700_000_000);
  };
  put(disk);
  mount(disk);
  await watched.scan();
  await watched.scan();
  await settle();
  const [ready] = library.list();
  expect(ready?.state).toBe("ready");
  const fileId = ready?.fileId ?? "";

  mount(other);
  await watched.scan();
  await watched.scan();
  expect([library.list(), warnings]).toEqual([[ready], ["the watched folder cannot be read as a whole"]]);
  expect(await problem(fileId)).toBe("the watched folder cannot be read now");
  // A server that starts before the disk is mounted loses nothing either.
  const next = stageOf("unmounted");
  await next.watched.scan();
  expect(next.library.list()).toEqual([ready]);

  put(other);
  await watched.scan();
  expect(await library.problem(fileId)).toBeUndefined();
  await watched.scan();
  const { contentKey: _former, ...same } = ready ?? {};
  expect(library.list()).toMatchObject([same]);
  // From now on it is known on this disk: it is gone when it is gone there.
  rmSync(join(other, "film.mp4"));
  await watched.scan();
  expect(library.list()).toEqual([]);
});

test("a file whose inode changes is the same file, as on folders of the network", async () => {
  const { library, watched, at, settle } = stageOf("inodes");
  const put = (name: string) => {
    writeFileSync(at(name), video);
    utimesSync(at(name), 1_700_000_000, 1_700_000_000);
  };
  put("film.mp4");
  await watched.scan();
  await watched.scan();
  await settle();
  const before = library.list();
  const inode = statSync(at("film.mp4")).ino;
  put(".next");
  renameSync(at(".next"), at("film.mp4"));
  expect(statSync(at("film.mp4")).ino).not.toBe(inode);
  expect(await library.problem(before[0]?.fileId ?? "")).toBeUndefined();
  await watched.scan();
  await watched.scan();
  expect(library.list()).toEqual(before);
});

test("a file whose name cannot be shown is refused and says why", async () => {
  const { library, watched, watchFolder, at } = stageOf("odd-names");
  const long = `${"long ".repeat(49)}.mp4`;
  for (const name of ["two\nlines.mp4", long, "-i.mp4", "🎬.mp4"]) writeFileSync(at(name), video);
  writeFileSync(Buffer.concat([Buffer.from(`${watchFolder}/`), Buffer.from([0xb9, 0xe6]), Buffer.from(".mp4")]), video);
  await watched.scan();
  await watched.scan();
  const refused = library.list().flatMap(({ name, state, reason }) => (state === "refused" ? [[name, reason]] : []));
  expect(refused.sort()).toEqual([
    [`${long.slice(0, 199)}…`, "Its name is too long, or has characters that cannot be shown."],
    ["two?lines.mp4", "Its name is too long, or has characters that cannot be shown."],
    ["\ufffd\ufffd.mp4", "Its name is not in UTF-8."],
  ]);
  const taken = library.list().flatMap(({ name, state }) => (state === "refused" ? [] : [name]));
  expect(taken.sort()).toEqual(["-i.mp4", "🎬.mp4"]);
  await watched.scan();
  expect(library.list()).toHaveLength(5);
});

test("a library that is full checks a file anew that was replaced, and says that not all files are in it", async () => {
  const { library, clock, watched, watchFolder, at, settle } = stageOf("full");
  for (const name of ["a.mp4", "m.mp4", "z.mp4"]) writeFileSync(at(name), "of yesterday");
  await watched.scan();
  await watched.scan();
  await settle();
  const known = new Set(library.list().map(({ fileId }) => fileId));
  const details: unknown[] = [];
  const warn = (_event: string, about?: Readonly<Record<string, unknown>>) => void details.push(about?.["detail"]);
  const full = new WatchedFolder({
    ...{ folder: watchFolder, clock, log: { debug: warn, info: warn, warn, error: warn } },
    library: {
      ...{ isAvailable: true, watched: () => library.watched(), renew: library.renew.bind(library) },
      ...{ setWatchedAway: library.setWatchedAway.bind(library), dropWatched: library.dropWatched.bind(library) },
      adopt: async (found) => known.has(found.fileId) && (await library.adopt(found)),
    },
  });
  // The order of a folder is that of its disk: some of these come before each of the three.
  for (let number = 0; number < 20; number += 1) writeFileSync(at(`new-${number}.mp4`), video);
  for (const name of ["a.mp4", "m.mp4", "z.mp4"]) writeFileSync(at(name), video);
  for (let look = 0; look < 4; look += 1) await full.scan();
  await settle();
  expect(
    library
      .list()
      .map(({ name, state }) => `${name} ${state}`)
      .sort(),
  ).toEqual([...["a.mp4 ready", "m.mp4 ready", "z.mp4 ready"]]);
  expect(details).toEqual(["the library has as many files as it may: not all of its files are in it"]);
});
