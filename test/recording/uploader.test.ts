import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Disk, SYSTEM_DISK } from "../../src/recording/files/disk.ts";
import { type ObjectStore, ObjectStoreError, type StoreFailure } from "../../src/recording/upload/object-store.ts";
import { batch, frames, heads } from "../support/recordings/batches.ts";
import { InProcessRecorder, ROOMY } from "../support/recordings/in-process-recorder.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const CHANNEL = "ls-20260102030405-aB3dE";
const KEY = { channelId: CHANNEL, recordingId: "20260102030405-001" };

/** That recordings are uploaded; where to is the store's business. */
const UPLOAD = { ...{ endpoint: "", region: "", bucket: "", accessKey: "", secretKey: "" }, prefix: "" };

/** A store that fails as the test says, and notes each call with the time of it. */
class FakeStore implements ObjectStore {
  readonly calls: string[] = [];
  failure: StoreFailure | undefined;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  async begin(name: string): Promise<string> {
    return this.#call(`begin ${name}`, `upload ${this.calls.length}`);
  }
  async send(_name: string, uploadId: string, part: number, bytes: Uint8Array): Promise<string> {
    return this.#call(`${uploadId}: part ${part}, ${bytes.length > 0 ? "bytes" : "nothing"}`, `tag ${part}`);
  }
  async complete(_name: string, uploadId: string, tags: readonly string[]): Promise<void> {
    this.#call(`${uploadId}: complete ${tags.join()}`, "");
  }
  async abort(_name: string, uploadId: string): Promise<void> {
    this.#call(`${uploadId}: abort`, "");
  }
  #call(what: string, answer: string): string {
    this.calls.push(`${Math.round(this.#clock.now() / 1_000)} s ${what}`);
    if (this.failure !== undefined) throw new ObjectStoreError(this.failure, "the store's words");
    return answer;
  }
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

async function staged(count = 1, disk: Disk = SYSTEM_DISK) {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-uploader-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new VirtualClock();
  const recorder = new InProcessRecorder({ ...ROOMY, keepBytes: 1, folder, upload: UPLOAD }, clock, disk);
  const store = new FakeStore(clock);
  recorder.recorder.start();
  for (let number = 0; number < count; number += 1) {
    recorder.send({ kind: "begin", number, channelId: CHANNEL, startTime: 1_767_323_045_000 + number });
    recorder.send({ kind: "media", number, bytes: batch(...heads(), ...frames(0, 1_000)) });
    recorder.send({ kind: "end", number, reason: "BROADCAST_ENDED" });
  }
  await settled();
  const results = () =>
    recorder.posted.flatMap((message) =>
      message.kind === "upload" ? [`${Math.round(clock.now() / 1_000)} s ${message.upload.state}`] : [],
    );
  const start = async () => {
    recorder.recorder.uploadTo(store, "", () => 0.5);
    await settled();
  };
  const pass = async (seconds: number) => {
    for (let left = seconds; left > 0; left -= 1) {
      clock.advance(1_000);
      await settled();
    }
  };
  const path = (ending: string) => join(folder, CHANNEL, `${KEY.recordingId}.${ending}`);
  return { clock, folder, recorder, store, results, start, pass, path };
}

test("a store that is away is tried after 5, 10, 20 … seconds, and reported once at the fifth attempt", async () => {
  const { store, results, start, pass, recorder } = await staged();
  store.failure = "unreachable";
  await start();
  await pass(160);
  const times = store.calls.map((call) => call.split(" s ")[0]);
  expect(times).toEqual(["0", "5", "15", "35", "75", "155"]);
  expect(results()).toHaveLength(1);
  // Retention waits for it.
  expect(recorder.posted.filter(({ kind }) => kind === "file-gone")).toEqual([]);
  store.failure = undefined;
  await pass(160);
  expect(results()).toHaveLength(2);
  expect(store.calls.slice(-3).map((call) => call.replace(/^\d+ s /, ""))).toEqual([
    `begin ${CHANNEL}/20260102030405-001.mp4`,
    "upload 6: part 1, bytes",
    "upload 6: complete tag 1",
  ]);
});

test("a refusal is reported at once, and tried again all the same", async () => {
  const { store, results, start, pass } = await staged();
  store.failure = "refused";
  await start();
  expect(results()).toEqual(["0 s FAILED"]);
  store.failure = undefined;
  await pass(5);
  expect(results()).toHaveLength(2);
});

test("an upload that the store forgot begins again", async () => {
  const { store, start, pass, results } = await staged();
  const send = store.send.bind(store);
  store.send = () => Promise.reject(new ObjectStoreError("forgotten", "no such upload"));
  await start();
  store.send = send;
  await pass(5);
  expect(store.calls.map((call) => call.replace(/^\d+ s /, ""))).toEqual([
    `begin ${CHANNEL}/20260102030405-001.mp4`,
    `begin ${CHANNEL}/20260102030405-001.mp4`,
    "upload 1: part 1, bytes",
    "upload 1: complete tag 1",
  ]);
  expect(results()).toHaveLength(1);
});

test("one file that fails does not hold up the next, and a deleted one takes its upload with it", async () => {
  const { store, start, recorder, pass } = await staged(2);
  const send = store.send.bind(store);
  store.send = (name, uploadId, part, bytes) =>
    uploadId === "upload 0"
      ? Promise.reject(new ObjectStoreError("unreachable", "away"))
      : send(name, uploadId, part, bytes);
  await start();
  expect(store.calls.at(-1)).toBe("0 s upload 1: complete tag 1");
  expect(await recorder.ask({ kind: "delete", ...KEY })).toMatchObject({ result: "deleted" });
  await settled();
  expect(store.calls.at(-1)).toBe("0 s upload 0: abort");
  const calls = store.calls.length;
  await pass(10);
  expect(store.calls).toHaveLength(calls);
});

test("once the store has one file, the others that wait for it do not wait longer", async () => {
  const { store, start, pass, results, recorder } = await staged();
  store.failure = "unreachable";
  await start();
  await pass(100);
  recorder.send({ kind: "begin", number: 1, channelId: CHANNEL, startTime: 1_767_323_146_000 });
  recorder.send({ kind: "media", number: 1, bytes: batch(...heads(), ...frames(0, 1_000)) });
  recorder.send({ kind: "end", number: 1, reason: "BROADCAST_ENDED" });
  await pass(80);
  const times = store.calls.map((call) => call.split(" s ")[0]);
  expect(times).toEqual(["0", "5", "15", "35", "75", "101", "107", "117", "137", "155", "177"]);
  store.failure = undefined;
  // By itself the first would be tried at 315 s.
  await pass(80);
  expect(results().filter((line) => line.endsWith("UPLOADED"))).toHaveLength(2);
});

test("a full disk keeps no file from being uploaded, and so from being removed", async () => {
  let isFull = false;
  const openSync: Disk["openSync"] = (path, ...given) => {
    if (isFull && String(path).endsWith(".upload.json.new")) throw Object.assign(new Error("full"), { code: "ENOSPC" });
    return SYSTEM_DISK.openSync(path, ...given);
  };
  const { store, results, start, pass, recorder, path } = await staged(2, { ...SYSTEM_DISK, openSync });
  isFull = true;
  await start();
  expect(results()).toEqual(["0 s UPLOADED", "0 s UPLOADED"]);
  expect(store.calls.filter((call) => call.includes("begin"))).toHaveLength(2);
  expect(existsSync(path("upload.json"))).toBe(false);
  isFull = false;
  // The next file that ends finds room on the disk for what was not kept.
  recorder.send({ kind: "begin", number: 9, channelId: CHANNEL, startTime: 1_767_323_146_000 });
  recorder.send({ kind: "media", number: 9, bytes: batch(...heads(), ...frames(0, 1_000)) });
  recorder.send({ kind: "end", number: 9, reason: "BROADCAST_ENDED" });
  await pass(1);
  expect(JSON.parse(readFileSync(path("upload.json"), "utf8"))).toMatchObject({ isDone: true });
  await pass(60);
  expect(recorder.posted.filter(({ kind }) => kind === "file-gone")).toHaveLength(3);
});

test("a file that is shorter than it was recorded is not told to be uploaded", async () => {
  const { store, results, start, pass, recorder, path } = await staged();
  truncateSync(path("mp4"), 1_000);
  await start();
  await pass(160);
  expect(store.calls.filter((call) => /part|complete/.test(call))).toEqual([]);
  expect(results()).toEqual(["160 s FAILED"]);
  expect(recorder.posted.findLast((message) => message.kind === "upload")?.upload.detail).toBe(
    "the file is shorter than it was recorded",
  );
  expect(recorder.posted.filter(({ kind }) => kind === "file-gone")).toEqual([]);
});

test("a file that is changed between two starts is sent from its beginning, and what was sent of it is given up", async () => {
  const { clock, folder, store, path } = await staged();
  // Two parts.
  appendFileSync(path("mp4"), Buffer.alloc(9 * 1024 * 1024));
  const again = async () => {
    const { recorder } = new InProcessRecorder({ ...ROOMY, folder, upload: UPLOAD }, clock);
    store.calls.length = 0;
    recorder.start();
    recorder.uploadTo(store, "", () => 0.5);
    await settled();
    return store.calls.map((call) => call.slice("0 s ".length));
  };
  const send = store.send.bind(store);
  const failing: ObjectStore["send"] = (name, uploadId, part, bytes) =>
    part === 2 ? Promise.reject(new ObjectStoreError("unreachable", "away")) : send(name, uploadId, part, bytes);
  store.send = failing;
  const begin = `begin ${CHANNEL}/${KEY.recordingId}.mp4`;
  expect(await again()).toEqual([begin, "upload 0: part 1, bytes"]);
  // The same content goes on.
  expect(await again()).toEqual([]);
  utimesSync(path("mp4"), 1, 1);
  store.send = send;
  expect(await again()).toEqual([
    ...["upload 0: abort", begin, "upload 1: part 1, bytes", "upload 1: part 2, bytes"],
    "upload 1: complete tag 1,tag 2",
  ]);
});

test("a file that is changed while it is uploaded is not told to be there before all of it was sent again", async () => {
  const { store, results, start, pass, path } = await staged();
  const send = store.send.bind(store);
  store.send = async (...given) => {
    utimesSync(path("mp4"), 1, 1);
    return await send(...given);
  };
  await start();
  expect(store.calls.at(-1)).toBe("0 s upload 0: part 1, bytes");
  await pass(6);
  expect(store.calls.slice(2)).toEqual([
    ...[`5 s upload 0: abort`, `5 s begin ${CHANNEL}/${KEY.recordingId}.mp4`, "5 s upload 3: part 1, bytes"],
    "5 s upload 3: complete tag 1",
  ]);
  expect(results()).toEqual(["6 s UPLOADED"]);
});

test.each(["begin", "send"] as const)(
  "a file that is deleted in the middle of %s leaves nothing there",
  async (call) => {
    const { store, start, pass, recorder, results } = await staged();
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const real = store[call].bind(store) as (...given: unknown[]) => Promise<string>;
    store[call] = async (...given: unknown[]) => {
      reached.resolve();
      await goOn.promise;
      return await real(...given);
    };
    const starting = start();
    await reached.promise;
    expect(await recorder.ask({ kind: "delete", ...KEY })).toMatchObject({ result: "deleted" });
    goOn.resolve();
    await starting;
    await pass(400);
    expect(store.calls.at(-1)).toBe("0 s upload 0: abort");
    expect(store.calls.filter((each) => each.includes("complete"))).toEqual([]);
    expect(results()).toEqual([]);
  },
);

test("a file that somebody removed is not waited for, and its upload is given up", async () => {
  const { store, start, pass, recorder, path, results } = await staged();
  const begin = store.begin.bind(store);
  await start();
  expect(results()).toEqual(["0 s UPLOADED"]);
  store.begin = begin;
  store.send = () => Promise.reject(new ObjectStoreError("unreachable", "away"));
  recorder.send({ kind: "begin", number: 9, channelId: CHANNEL, startTime: 1_767_323_146_000 });
  recorder.send({ kind: "media", number: 9, bytes: batch(...heads(), ...frames(0, 1_000)) });
  recorder.send({ kind: "end", number: 9, reason: "BROADCAST_ENDED" });
  await pass(2);
  expect(store.calls.at(-1)).toMatch(/ begin /);
  const second = path("mp4").replace(KEY.recordingId, "20260102030546-001");
  rmSync(second);
  await pass(60);
  const { length } = store.calls;
  expect(store.calls.at(-1)).toMatch(/: abort$/);
  await pass(600);
  expect(store.calls).toHaveLength(length);
  expect(existsSync(second.replace(".mp4", ".upload.json"))).toBe(false);
});

test("a file that fails by itself is not sent again with each other file that is there", async () => {
  const { store, start, pass, recorder, results } = await staged();
  const complete = store.complete.bind(store);
  store.complete = (name, uploadId, tags) =>
    name.includes(KEY.recordingId)
      ? Promise.reject(new ObjectStoreError("forgotten", "a part is not there"))
      : complete(name, uploadId, tags);
  await start();
  await pass(40);
  for (const number of [1, 2, 3]) {
    recorder.send({ kind: "begin", number, channelId: CHANNEL, startTime: 1_767_323_146_000 });
    recorder.send({ kind: "media", number, bytes: batch(...heads(), ...frames(0, 1_000)) });
    recorder.send({ kind: "end", number, reason: "BROADCAST_ENDED" });
    await pass(5);
  }
  expect(results().filter((line) => line.endsWith("UPLOADED"))).toHaveLength(3);
  const begun = store.calls.filter((call) => call.includes(`begin ${CHANNEL}/${KEY.recordingId}`));
  expect(begun.map((call) => call.split(" s ")[0])).toEqual(["0", "5", "15", "35"]);
});

test("a restart removes nothing that is not uploaded, whatever its age and the room", async () => {
  const { clock, folder, recorder, store, start, pass } = await staged(2);
  store.failure = "unreachable";
  await start();
  await pass(120);
  const settings = { ...ROOMY, keepBytes: 1, keepMs: 1_000, folder, upload: UPLOAD };
  const next = new InProcessRecorder(settings, clock);
  next.recorder.start();
  await pass(1_200);
  expect([...recorder.posted, ...next.posted].filter(({ kind }) => kind === "file-gone")).toEqual([]);
  store.failure = undefined;
  next.recorder.uploadTo(store, "", () => 0.5);
  await pass(61);
  expect(next.posted.filter(({ kind }) => kind === "file-gone")).toHaveLength(2);
});
