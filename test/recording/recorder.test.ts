import fs, {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Disk, SYSTEM_DISK } from "../../src/recording/files/disk.ts";
import type { RecorderSettings } from "../../src/recording/recorder.ts";
import type { FromRecorder } from "../../src/thread-protocol/recordings/recorder-messages.ts";
import type { RecordingFile } from "../../src/thread-protocol/recordings/recordings.ts";
import { audioTag, batch, frames, heads, videoTag } from "../support/recordings/batches.ts";
import { InProcessRecorder, ROOMY } from "../support/recordings/in-process-recorder.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";
import { AVC_CONFIG, avcFrame } from "../support/streams/media-messages.ts";

const CHANNEL = "ls-20260102030405-aB3dE";
const OTHER = "ls-20260102030405-other";
/** 2026-01-02 03:04:05 UTC. */
const START = 1_767_323_045_000;

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-recordings-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

class Stage {
  readonly clock = new VirtualClock();
  readonly folder: string;
  readonly recorder: InProcessRecorder;
  #lastNumber = 0;

  /** `aheadMs`: of the wall clock, at the start. */
  constructor(settings: Partial<RecorderSettings> = {}, disk: Disk = SYSTEM_DISK, folder = newFolder(), aheadMs = 0) {
    this.folder = folder;
    this.clock.setWall(aheadMs);
    this.recorder = new InProcessRecorder({ ...ROOMY, ...settings, folder }, this.clock, disk);
    this.recorder.recorder.start();
  }

  begin(channelId = CHANNEL, startTime = START): number {
    this.#lastNumber += 1;
    this.recorder.send({ kind: "begin", number: this.#lastNumber, channelId, startTime });
    return this.#lastNumber;
  }

  media(number: number, ...tags: readonly Buffer[]): void {
    this.recorder.send({ kind: "media", number, bytes: batch(...tags) });
  }

  async record(seconds: number, channelId = CHANNEL, startTime = START): Promise<void> {
    const number = this.begin(channelId, startTime);
    this.media(number, ...heads(), ...frames(0, seconds * 1_000));
    await this.end(number);
  }

  async end(number: number): Promise<void> {
    this.recorder.send({ kind: "end", number, reason: "BROADCAST_ENDED" });
    await this.settled();
  }

  /** Everything that was sent is on the disk. */
  async settled(): Promise<void> {
    // The recorder waits for nothing but promises.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  of<Kind extends FromRecorder["kind"]>(kind: Kind): readonly Extract<FromRecorder, { kind: Kind }>[] {
    return this.recorder.posted.filter(
      (message): message is Extract<FromRecorder, { kind: Kind }> => message.kind === kind,
    );
  }

  get finished(): readonly RecordingFile[] {
    return this.of("file").flatMap(({ file }) => (file.end === undefined ? [] : [file]));
  }
}

test("a recording is a private file with its notes, and both survive a restart", async () => {
  const stage = new Stage();
  await stage.record(3);
  const file = stage.finished[0];
  expect(file).toMatchObject({ channelId: CHANNEL, recordingId: "20260102030405-001", durationMs: 2_960 });
  expect(file).toMatchObject({ startTime: START, end: { reason: "BROADCAST_ENDED" }, container: "mp4" });
  const folder = join(stage.folder, CHANNEL);
  expect(readdirSync(folder).sort()).toEqual(["20260102030405-001.json", "20260102030405-001.mp4"]);
  expect(fs.statSync(join(folder, "20260102030405-001.mp4"))).toMatchObject({ size: file?.bytes });
  expect(fs.statSync(join(folder, "20260102030405-001.mp4")).mode & 0o777).toBe(0o600);
  expect(new Stage({}, SYSTEM_DISK, stage.folder).of("files")).toEqual([{ kind: "files", files: [file] }]);
});

test("two recordings of one second have two names", async () => {
  const stage = new Stage();
  await stage.record(1);
  await stage.record(1);
  expect(stage.finished.map(({ recordingId }) => recordingId)).toEqual(["20260102030405-001", "20260102030405-002"]);
});

test.each(["mp4", "flv"] as const)(
  "a crash at any byte leaves an %s file that the next start finishes",
  async (kind) => {
    const stage = new Stage();
    const number = stage.begin();
    // Without AAC's header the sound has no form in MP4.
    const tags = kind === "mp4" ? [...heads(), ...frames(0, 2_000)] : [videoTag(0, AVC_CONFIG), ...frames(0, 2_000)];
    stage.media(number, ...tags);
    await stage.end(number);
    const name = `20260102030405-001.${kind}`;
    const whole = readFileSync(join(stage.folder, CHANNEL, name));
    const lengths: number[] = [];
    for (let bytes = 1; bytes < whole.length; bytes += 379) {
      const folder = newFolder();
      mkdirSync(join(folder, CHANNEL));
      writeFileSync(join(folder, CHANNEL, name), whole.subarray(0, bytes));
      const [found] = new Stage({}, SYSTEM_DISK, folder).of("files")[0]?.files ?? [];
      if (found === undefined) continue;
      expect(found).toMatchObject({ startTime: START, end: { reason: "SERVER_LOST" } });
      expect(fs.statSync(join(folder, CHANNEL, name)).size).toBe(found.bytes);
      lengths.push(found.durationMs);
    }
    expect(lengths).toEqual(lengths.toSorted((left, right) => left - right));
    expect(new Set(lengths).size).toBeGreaterThan(3);
    // At most the fragment that was being written is missing.
    expect(lengths.at(-1)).toBeGreaterThanOrEqual(1_500);
  },
);

test("a file that another server makes in the same folder by mistake is left alone while it grows", async () => {
  const one = new Stage();
  const number = one.begin();
  one.media(number, ...heads(), ...frames(0, 2_000));
  await one.settled();
  const other = new Stage({ server: "another server" }, SYSTEM_DISK, one.folder);
  expect(other.of("files")).toEqual([{ kind: "files", files: [] }]);
  one.media(number, ...frames(2_000, 4_000));
  await one.settled();
  other.clock.advance(300_000);
  one.media(number, ...frames(4_000, 6_000));
  await one.end(number);
  const [file] = one.finished;
  expect(file).toMatchObject({ end: { reason: "BROADCAST_ENDED" }, durationMs: 5_960 });
  expect(fs.statSync(join(one.folder, CHANNEL, "20260102030405-001.mp4")).size).toBe(file?.bytes);
  const again = new Stage({}, SYSTEM_DISK, one.folder);
  expect([again.of("files")[0]?.files, again.of("warning")]).toEqual([[file], []]);
  other.clock.advance(60_000);
  expect(other.finished).toEqual([file]);
  expect(other.of("warning").map(({ name }) => name)).toEqual(["recording not read"]);
});

test("a file that another server began and left is finished once it has not grown for five minutes", async () => {
  const one = new Stage();
  one.media(one.begin(), ...heads(), ...frames(0, 2_000));
  await one.settled();
  const other = new Stage({ server: "another server" }, SYSTEM_DISK, one.folder);
  other.clock.advance(240_000);
  expect(other.finished).toEqual([]);
  other.clock.advance(120_000);
  expect(other.finished).toMatchObject([{ end: { reason: "SERVER_LOST" } }]);
});

test("files that are no recordings, links and hostile names are left alone", () => {
  const folder = newFolder();
  const outside = newFolder();
  writeFileSync(join(outside, "20260102030405-001.mp4"), "secret");
  mkdirSync(join(folder, CHANNEL));
  writeFileSync(join(folder, CHANNEL, "notes.txt"), "mine");
  writeFileSync(join(folder, CHANNEL, "20260102030405-002.mp4.json"), "{}");
  writeFileSync(join(folder, CHANNEL, "20260102030405-003.json"), '{"container":"mp4"}');
  symlinkSync(join(outside, "20260102030405-001.mp4"), join(folder, CHANNEL, "20260102030405-001.mp4"));
  symlinkSync(outside, join(folder, OTHER));
  expect(new Stage({}, SYSTEM_DISK, folder).of("files")).toEqual([{ kind: "files", files: [] }]);
  expect(readdirSync(join(folder, CHANNEL))).toHaveLength(4);
  expect(readFileSync(join(outside, "20260102030405-001.mp4"), "utf8")).toBe("secret");
});

test("a file that a crash left without media is removed at the start, with its notes", async () => {
  const stage = new Stage();
  const number = stage.begin();
  stage.media(number, ...heads(), ...frames(0, 1_000));
  await stage.settled();
  const path = join(stage.folder, CHANNEL, "20260102030405-001.mp4");
  fs.truncateSync(path, 100);
  writeFileSync(path.replace("001.mp4", "002.mp4"), "");
  const next = new Stage({}, SYSTEM_DISK, stage.folder);
  expect(next.of("files")).toEqual([{ kind: "files", files: [] }]);
  expect(next.of("warning").map(({ name }) => name)).toEqual(
    Array.from({ length: 2 }, () => "recording without media removed"),
  );
  expect(readdirSync(join(stage.folder, CHANNEL))).toEqual([]);
});

test("a file that only has the name of a recording is left alone", () => {
  const folder = newFolder();
  mkdirSync(join(folder, CHANNEL));
  writeFileSync(join(folder, CHANNEL, "20260102030405-001.mp4"), "not a file of ours");
  writeFileSync(join(folder, CHANNEL, "20260102030405-001.json"), "damaged");
  const stage = new Stage({}, SYSTEM_DISK, folder);
  expect(stage.of("files")).toEqual([{ kind: "files", files: [] }]);
  expect(stage.of("warning").map(({ name }) => name)).toEqual(["file without media left alone"]);
  expect(readdirSync(join(folder, CHANNEL))).toHaveLength(2);
});

test("a finished recording that another program wrote anew stays as that program left it", async () => {
  const stage = new Stage();
  await stage.record(2);
  const path = join(stage.folder, CHANNEL, "20260102030405-001.mp4");
  const other = Buffer.concat([Buffer.from("\0\0\0\x18ftypisom\0\0\x02\0isomiso2"), Buffer.alloc(5_000, 7)]);
  writeFileSync(path, other);
  const next = new Stage({}, SYSTEM_DISK, stage.folder);
  expect(next.of("files")[0]?.files).toEqual([{ ...stage.finished[0], bytes: other.length }]);
  expect(next.of("warning").map(({ name }) => name)).toEqual(["recording was changed"]);
  expect(readFileSync(path).equals(other)).toBe(true);
});

test("a recording that somebody removed from its folder is forgotten, and counts for no quota", async () => {
  const stage = new Stage({ quotaBytes: 5_000 });
  await stage.record(2);
  const number = stage.begin(CHANNEL, START + 2_000);
  stage.media(number, ...heads(), ...frames(0, 1_000));
  await stage.settled();
  expect(stage.recorder.toRecorded).toContainEqual({ kind: "ended", number, problem: "QUOTA_REACHED" });
  rmSync(join(stage.folder, CHANNEL, "20260102030405-001.mp4"));
  stage.clock.advance(60_000);
  const key = { channelId: CHANNEL, recordingId: "20260102030405-001" };
  expect(stage.of("file-gone")).toEqual([{ kind: "file-gone", file: key, cause: "deleted" }]);
  expect(readdirSync(join(stage.folder, CHANNEL))).toEqual([]);
  await stage.record(1, CHANNEL, START + 5_000);
  expect(stage.finished).toHaveLength(2);
  // With its folder and all.
  rmSync(join(stage.folder, CHANNEL), { recursive: true });
  stage.clock.advance(60_000);
  expect(stage.of("file-gone")).toHaveLength(2);
});

test("recordings whose disk was taken away are not taken for removed ones", async () => {
  let dev = 0;
  const statSync = ((path: string) => ({ ...SYSTEM_DISK.statSync(path), dev })) as Disk["statSync"];
  const stage = new Stage({}, { ...SYSTEM_DISK, statSync });
  await stage.record(1);
  const away = `${stage.folder}-away`;
  onTestFinished(() => rmSync(away, { recursive: true, force: true }));
  fs.renameSync(stage.folder, away);
  mkdirSync(stage.folder);
  dev = 1;
  stage.clock.advance(120_000);
  expect(stage.of("file-gone")).toEqual([]);
});

test.each([
  { name: "with its first recordings on it", begunOn: 0 },
  { name: "empty, and got its first recordings then", begunOn: 1 },
])("a disk that is mounted again with another number before it was looked at, $name, is known", async ({ begunOn }) => {
  // Its number when it was empty.
  let dev = 0;
  const statSync = ((path: string) => ({ ...SYSTEM_DISK.statSync(path), dev })) as Disk["statSync"];
  const stage = new Stage({}, { ...SYSTEM_DISK, statSync });
  dev = begunOn;
  await stage.record(1);
  await stage.record(1, OTHER);
  dev = 1;
  rmSync(join(stage.folder, CHANNEL, "20260102030405-001.mp4"));
  stage.clock.advance(60_000);
  const key = { channelId: CHANNEL, recordingId: "20260102030405-001" };
  expect(stage.of("file-gone")).toEqual([{ kind: "file-gone", file: key, cause: "deleted" }]);
});

test("nor are they where it was taken away in the middle of a recording, and once it is back removed ones are", async () => {
  const state = { dev: 0, isGone: false };
  const statSync = ((path: string) => ({ ...SYSTEM_DISK.statSync(path), dev: state.dev })) as Disk["statSync"];
  const writevSync: Disk["writevSync"] = (...args) => {
    if (state.isGone) throw Object.assign(new Error("EIO"), { code: "EIO" });
    return SYSTEM_DISK.writevSync(...args);
  };
  const ftruncateSync: Disk["ftruncateSync"] = (...args) => {
    if (state.isGone) throw Object.assign(new Error("EIO"), { code: "EIO" });
    SYSTEM_DISK.ftruncateSync(...args);
  };
  const stage = new Stage({}, { ...SYSTEM_DISK, statSync, writevSync, ftruncateSync });
  await stage.record(1);
  await stage.record(1);
  stage.clock.advance(60_000);
  const number = stage.begin();
  stage.media(number, ...heads(), ...frames(0, 2_000));
  await stage.settled();
  const away = `${stage.folder}-away`;
  onTestFinished(() => rmSync(away, { recursive: true, force: true }));
  state.isGone = true;
  stage.media(number, ...frames(2_000, 4_000));
  await stage.settled();
  expect(stage.recorder.toRecorded).toContainEqual({ kind: "ended", number, problem: "DISK_FAILED" });
  fs.renameSync(stage.folder, away);
  mkdirSync(stage.folder);
  [state.dev, state.isGone] = [1, false];
  // Below it, on the other disk, the next recordings are made.
  await stage.record(1, CHANNEL, START + 9_000);
  stage.clock.advance(120_000);
  expect(stage.of("file-gone")).toEqual([]);
  // It is mounted again, with another number.
  rmSync(stage.folder, { recursive: true });
  fs.renameSync(away, stage.folder);
  state.dev = 2;
  stage.clock.advance(60_000);
  expect(stage.of("file-gone").map(({ file }) => file.recordingId)).toEqual(["20260102030414-001"]);
  rmSync(join(stage.folder, CHANNEL, "20260102030405-001.mp4"));
  stage.clock.advance(60_000);
  expect(stage.of("file-gone").map(({ file }) => file.recordingId)).toEqual([
    "20260102030414-001",
    "20260102030405-001",
  ]);
});

test("recordings that the disk does not let go are reported once", async () => {
  const disk = { ...SYSTEM_DISK };
  const stage = new Stage({ keepBytes: 1 }, disk);
  await stage.record(1);
  await stage.record(1);
  disk.unlinkSync = () => {
    throw Object.assign(new Error("EROFS"), { code: "EROFS" });
  };
  stage.clock.advance(600_000);
  expect(stage.of("warning").map(({ name }) => name)).toEqual(["recording not removed", "recording not removed"]);
  disk.unlinkSync = SYSTEM_DISK.unlinkSync;
  stage.clock.advance(60_000);
  expect(stage.of("file-gone")).toHaveLength(2);
});

test("only a name that the recorder made can be read or deleted", async () => {
  const stage = new Stage();
  await stage.record(1);
  const hostile = ["../20260102030405-001", "20260102030405-001.mp4", "", "..", `../${CHANNEL}/20260102030405-001`];
  for (const recordingId of hostile) {
    const key = { channelId: CHANNEL, recordingId };
    expect(await stage.recorder.ask({ kind: "read", ...key, from: 0, length: 9 })).toMatchObject({
      part: { found: "none" },
    });
    expect(await stage.recorder.ask({ kind: "delete", ...key })).toMatchObject({ result: "not-found" });
  }
  const number = stage.begin("../../etc");
  stage.media(number, ...heads(), ...frames(0, 1_000));
  await stage.settled();
  expect(stage.recorder.toRecorded).toContainEqual({ kind: "ended", number, problem: "DISK_FAILED" });
});

test("a recording that is being written cannot be deleted, and afterwards it can", async () => {
  const stage = new Stage();
  const number = stage.begin();
  stage.media(number, ...heads(), ...frames(0, 1_000));
  await stage.settled();
  const key = { channelId: CHANNEL, recordingId: "20260102030405-001" };
  expect(await stage.recorder.ask({ kind: "delete", ...key })).toMatchObject({ result: "in-use" });
  await stage.end(number);
  expect(await stage.recorder.ask({ kind: "delete", ...key })).toMatchObject({ result: "deleted" });
  expect(stage.of("file-gone")).toEqual([{ kind: "file-gone", file: key, cause: "deleted" }]);
  expect(readdirSync(join(stage.folder, CHANNEL))).toEqual([]);
});

/** A disk on which one call fails while `error` is set. */
function faultyDisk(call: "writevSync" | "fdatasyncSync" | "mkdirSync") {
  const fault: { error: (Error & { code?: string }) | undefined } = { error: undefined };
  const failing = (...given: readonly unknown[]): unknown => {
    if (fault.error !== undefined) throw fault.error;
    return Reflect.apply(SYSTEM_DISK[call], undefined, given);
  };
  return { fault, disk: { ...SYSTEM_DISK, [call]: failing } };
}

test.each([
  ["ENOSPC", "writevSync", "DISK_FULL"],
  ["EDQUOT", "writevSync", "DISK_FULL"],
  ["EIO", "fdatasyncSync", "DISK_FAILED"],
  ["EROFS", "mkdirSync", "DISK_FAILED"],
] as const)(
  "%s of %s ends the recording with %s; what was written stays, and a later one is taken",
  async (code, call, problem) => {
    const { fault, disk } = faultyDisk(call);
    const stage = new Stage({}, disk);
    const number = stage.begin();
    if (call !== "mkdirSync") stage.media(number, ...heads(), ...frames(0, 2_000));
    await stage.settled();
    fault.error = Object.assign(new Error(code), { code });
    stage.clock.advance(1_000);
    stage.media(number, ...(call === "mkdirSync" ? heads() : []), ...frames(2_000, 4_000));
    await stage.settled();
    expect(stage.recorder.toRecorded).toContainEqual({ kind: "ended", number, problem });
    fault.error = undefined;
    // A disk that ran out is asked for more room than before.
    stage.clock.advance(2_000);
    const next = stage.begin(CHANNEL, START + 10_000);
    stage.media(next, ...heads(), ...frames(0, 1_000));
    await stage.end(next);
    expect(stage.finished.at(-1)).toMatchObject({ recordingId: "20260102030415-001", durationMs: 960 });
  },
);

/** A disk whose calls all fail while it is gone. */
function vanishingDisk(): { readonly disk: Disk; isGone: boolean } {
  const state = { disk: SYSTEM_DISK, isGone: false };
  state.disk = disturbed(() => {
    if (state.isGone) throw Object.assign(new Error("ENOTCONN"), { code: "ENOTCONN" });
  });
  return state;
}

/** The system's disk, with this before each call. */
function disturbed(before: () => void): Disk {
  return new Proxy(SYSTEM_DISK, {
    get:
      (disk, name: keyof Disk) =>
      (...given: readonly unknown[]) => {
        before();
        return Reflect.apply(disk[name], undefined, given);
      },
  });
}

test("a recording whose disk vanished is finished once the disk is back, with its reason", async () => {
  const vanishing = vanishingDisk();
  const stage = new Stage({}, vanishing.disk);
  const number = stage.begin();
  stage.media(number, ...heads(), ...frames(0, 2_000));
  await stage.settled();
  stage.clock.advance(1_000);
  stage.media(number, ...frames(2_000, 4_000));
  await stage.settled();
  vanishing.isGone = true;
  stage.media(number, ...frames(4_000, 6_000));
  await stage.settled();
  expect(stage.recorder.toRecorded).toContainEqual({ kind: "ended", number, problem: "DISK_FAILED" });
  const path = join(stage.folder, CHANNEL, "20260102030405-001");
  const notes = () => JSON.parse(readFileSync(`${path}.json`, "utf8"));
  stage.clock.advance(60_000);
  vanishing.isGone = false;
  expect(notes()).not.toHaveProperty("end");
  stage.clock.advance(60_000);
  expect(notes()).toMatchObject({ end: { reason: "DISK_FAILED" }, durationMs: 3_600 });
  expect(stage.finished.at(-1)).toMatchObject({ end: { reason: "DISK_FAILED" }, durationMs: 3_600 });
  expect(fs.statSync(`${path}.mp4`).size).toBe(notes().bytes);
  const next = new Stage({}, SYSTEM_DISK, stage.folder);
  expect([next.of("files")[0]?.files, next.of("warning")]).toEqual([[stage.finished.at(-1)], []]);
});

test("a recording on a disk that is read-only says so", async () => {
  const mkdirSync = (path: string, options: { recursive?: boolean }) => {
    if (!path.endsWith(CHANNEL)) return fs.mkdirSync(path, options);
    // As Node does, which asks once more whether the folder is there where it makes the ones above, too.
    const reason = options.recursive === true ? "ENOENT: no such file or directory" : "EROFS: read-only file system";
    throw Object.assign(new Error(`${reason}, mkdir`), { code: reason.split(":")[0] });
  };
  const stage = new Stage({}, { ...SYSTEM_DISK, mkdirSync: mkdirSync as Disk["mkdirSync"] });
  await stage.record(1);
  const failures = stage.of("warning").filter(({ name }) => name === "recording failed");
  expect(failures).toMatchObject([{ detail: `${CHANNEL}: EROFS: read-only file system, mkdir` }]);
});

test("a folder that could not be read at the start is read once it can be", async () => {
  const before = new Stage();
  await before.record(1);
  const vanishing = vanishingDisk();
  vanishing.isGone = true;
  const stage = new Stage({}, vanishing.disk, before.folder);
  expect(stage.of("files")).toEqual([{ kind: "files", files: [] }]);
  vanishing.isGone = false;
  stage.clock.advance(60_000);
  expect(stage.finished).toEqual(before.finished);
});

test("a start that is stopped at any of its calls of the disk leaves the file to the next start", async () => {
  const crashed = new Stage();
  const number = crashed.begin();
  crashed.media(number, ...heads(), ...frames(0, 2_000));
  await crashed.settled();
  const path = join(crashed.folder, CHANNEL, "20260102030405-001.mp4");
  const cut = readFileSync(path).subarray(0, -100);
  let isWhole = false;
  for (let callsMax = 1; !isWhole; callsMax += 1) {
    const folder = newFolder();
    cpSync(crashed.folder, folder, { recursive: true });
    writeFileSync(join(folder, CHANNEL, "20260102030405-001.mp4"), cut);
    let calls = 0;
    const dying = disturbed(() => {
      calls += 1;
      if (calls > callsMax) throw new Error("the process is gone");
    });
    const stopped = new Stage({}, dying, folder);
    isWhole = calls <= callsMax;
    const next = new Stage({}, SYSTEM_DISK, folder);
    const [file] = next.of("files")[0]?.files ?? [];
    expect(file).toMatchObject({ end: { reason: "SERVER_LOST" } });
    const notes = JSON.parse(readFileSync(join(folder, CHANNEL, "20260102030405-001.json"), "utf8"));
    expect([notes.end, notes.bytes]).toEqual([
      file?.end,
      fs.statSync(join(folder, CHANNEL, `${file?.recordingId}.mp4`)).size,
    ]);
    if (isWhole) expect(stopped.of("files")[0]?.files).toEqual([file]);
  }
});

test("a disk below its reserve ends every recording, and takes them again when there is more room", async () => {
  let freeBytes = 500_000_000;
  const stage = new Stage({ keepFreeBytes: 200_000_000 }, { ...SYSTEM_DISK, freeBytes: () => freeBytes });
  const problems = () => stage.recorder.toRecorded.filter(({ kind }) => kind === "ended");
  const number = stage.begin();
  stage.media(number, ...heads(), ...frames(0, 1_000));
  await stage.settled();
  expect(problems()).toEqual([]);
  freeBytes = 199_000_000;
  stage.clock.advance(1_000);
  stage.media(number, ...frames(1_000, 2_000));
  await stage.settled();
  expect(problems()).toEqual([{ kind: "ended", number, problem: "DISK_FULL" }]);
  expect(stage.finished).toMatchObject([{ end: { reason: "DISK_FULL" }, durationMs: 960 }]);
  // A little more is not enough, so that it does not begin and end all the time.
  freeBytes = 210_000_000;
  stage.clock.advance(1_000);
  const second = stage.begin();
  stage.media(second, ...heads(), ...frames(0, 1_000));
  await stage.settled();
  expect(problems()).toHaveLength(2);
  freeBytes = 300_000_000;
  stage.clock.advance(1_000);
  await stage.record(1);
  expect(problems()).toHaveLength(2);
});

test("a channel's quota ends its recording and no other's", async () => {
  const stage = new Stage({ quotaBytes: 5_000 });
  await stage.record(2);
  const number = stage.begin();
  stage.media(number, ...heads(), ...frames(0, 1_000));
  await stage.settled();
  expect(stage.recorder.toRecorded).toContainEqual({ kind: "ended", number, problem: "QUOTA_REACHED" });
  await stage.record(1, OTHER);
  expect(stage.finished.map(({ channelId }) => channelId)).toEqual([CHANNEL, OTHER]);
  await stage.recorder.ask({ kind: "delete", channelId: CHANNEL, recordingId: "20260102030405-001" });
  await stage.record(1, CHANNEL, START + 5_000);
  expect(stage.finished).toHaveLength(3);
});

test("recordings are removed by age, not by a clock that was set by mistake, and the oldest first by size", async () => {
  const old = new Stage({ keepMs: 86_400_000 });
  await old.record(1);
  old.clock.advance(86_400_000 - 61_000);
  expect(old.of("file-gone")).toEqual([]);
  old.clock.advance(121_000);
  expect(old.of("file-gone")).toMatchObject([{ cause: "too-old" }]);

  const misled = new Stage({ keepMs: 86_400_000 });
  await misled.record(1);
  misled.clock.setWall(10 * 365 * 86_400_000);
  misled.clock.advance(121_000);
  misled.clock.setWall(-10 * 365 * 86_400_000);
  misled.clock.advance(121_000);
  expect(misled.of("file-gone")).toEqual([]);

  const large = new Stage({ keepBytes: 15_000 });
  for (const second of [0, 1, 2]) await large.record(2, CHANNEL, START + second * 1_000);
  large.clock.advance(61_000);
  const gone = large.of("file-gone").map(({ cause, file }) => [cause, file.recordingId]);
  expect(gone).toEqual([
    ["too-many", "20260102030405-001"],
    ["too-many", "20260102030406-001"],
  ]);
});

test("a machine that starts with a wrong clock removes nothing before it may have been set right", async () => {
  const before = new Stage();
  await before.record(1);
  const tenYearsMs = 10 * 365 * 86_400_000;
  const stage = new Stage({ keepMs: 86_400_000 }, SYSTEM_DISK, before.folder, tenYearsMs);
  stage.clock.advance(9 * 60_000);
  stage.clock.setWall(-tenYearsMs);
  stage.clock.advance(60 * 60_000);
  expect(stage.of("file-gone")).toEqual([]);
  stage.clock.advance(86_400_000);
  expect(stage.of("file-gone")).toMatchObject([{ cause: "too-old" }]);
});

test("bytes count as taken when they are on the disk, also those of a recording that ended", async () => {
  const stage = new Stage({ quotaBytes: 1 });
  await stage.record(1);
  const number = stage.begin();
  const sent = batch(...frames(0, 1_000)).length;
  stage.media(number, ...frames(0, 1_000));
  stage.media(number, audioTag(1_000, Buffer.from([0xaf, 1, 2])));
  await stage.settled();
  const taken = stage.recorder.toRecorded.filter((message) => message.number === number);
  expect(taken).toEqual([
    { kind: "ended", number, problem: "QUOTA_REACHED" },
    { kind: "taken", number, bytes: sent },
    { kind: "taken", number, bytes: 18 },
  ]);
});

test("a media thread that dies leaves finished files", async () => {
  const stage = new Stage();
  const number = stage.begin();
  stage.media(number, ...heads(), ...frames(0, 1_000), videoTag(1_000, avcFrame(true, 9)));
  stage.recorder.loseLink();
  await stage.settled();
  expect(stage.finished).toMatchObject([{ end: { reason: "BROADCAST_ENDED" }, durationMs: 1_000 }]);
});

test("a recorder that leaves the folder to another process finishes the files, and says why to those whose broadcasts go on", async () => {
  const stage = new Stage();
  const numbers = [stage.begin(), stage.begin(OTHER)];
  for (const number of numbers) stage.media(number, ...heads(), ...frames(0, 2_000));
  await stage.recorder.recorder.stop("SERVER_UPGRADED");
  expect(stage.finished.map(({ channelId, end }) => [channelId, end?.reason])).toEqual([
    [CHANNEL, "SERVER_UPGRADED"],
    [OTHER, "SERVER_UPGRADED"],
  ]);
  expect(stage.recorder.toRecorded.filter(({ kind }) => kind === "ended")).toEqual(
    numbers.map((number) => ({ kind: "ended", number, problem: "SERVER_UPGRADED" })),
  );
});
