import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { S3Settings } from "../../src/recording/upload/s3-settings.ts";
import { S3Store } from "../../src/recording/upload/s3-store.ts";
import type { RecordingUpload } from "../../src/thread-protocol/recordings/recordings.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { batch, frames, heads } from "../support/recordings/batches.ts";
import { InProcessRecorder, ROOMY } from "../support/recordings/in-process-recorder.ts";
import { BUCKET, S3_KEY, S3Server } from "../support/recordings/s3-server.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const CHANNEL = "ls-20260102030405-aB3dE";
const OTHER = "ls-20260102030405-other";
const START = 1_767_323_045_000;
const ID = "20260102030405-001";
/** 25 frames of this size are 17.5 MB: two parts of 8 MiB, and a rest. */
const FRAME_BYTES = 700_000;

/** A recorder that uploads to a real S3 server. Time passes only when the test says so; the network takes its own. */
class Stage {
  readonly clock = new VirtualClock();
  readonly recorder: InProcessRecorder;
  readonly #folder: string;
  #running = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.recorder = new InProcessRecorder({ ...ROOMY, folder }, this.clock);
    this.recorder.recorder.start();
  }

  uploadTo(s3: S3Server, changes: Partial<S3Settings> = {}): void {
    const settings = { ...S3_KEY, endpoint: s3.endpoint, region: "us-east-1", bucket: BUCKET, ...changes };
    const store = new S3Store(settings);
    this.recorder.recorder.uploadTo(
      {
        begin: (...given) => this.#count(store.begin(...given)),
        send: (...given) => this.#count(store.send(...given)),
        complete: (...given) => this.#count(store.complete(...given)),
        abort: (...given) => this.#count(store.abort(...given)),
      },
      "fanfare/",
      () => 0.5,
    );
  }

  async #count<Result>(call: Promise<Result>): Promise<Result> {
    this.#running += 1;
    try {
      return await call;
    } finally {
      this.#running -= 1;
    }
  }

  /** Waits until no call to the service runs, and none begins without more time. */
  async settled(): Promise<void> {
    do {
      await waitFor("the calls", 20_000, () => (this.#running === 0 ? true : undefined), undefined, 1);
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.#running > 0);
  }

  /** Records a second. `number`: of the recording, from 1 on; its file has the same one. */
  async record(frameBytes = FRAME_BYTES, number = 1): Promise<void> {
    const startTime = START + number - 1;
    this.recorder.send({ kind: "begin", number, channelId: CHANNEL, startTime });
    this.recorder.send({ kind: "media", number, bytes: batch(...heads(), ...frames(0, 1_000, frameBytes)) });
    this.recorder.send({ kind: "end", number, reason: "BROADCAST_ENDED" });
    await waitFor("the file", 5_000, () => (this.#finished >= number ? true : undefined));
    this.clock.advance(0);
  }

  get #files() {
    return this.recorder.posted.flatMap((message) => (message.kind === "file" ? [message.file] : []));
  }

  get #finished(): number {
    return new Set(this.#files.filter(({ end }) => end !== undefined).map(({ recordingId }) => recordingId)).size;
  }

  hasFinished(channel: string): boolean {
    return this.#files.some(({ channelId, end }) => channelId === channel && end !== undefined);
  }

  /** Bytes of media that the recorder has taken. */
  get takenBytes(): number {
    return this.recorder.toRecorded.reduce((sum, message) => sum + (message.kind === "taken" ? message.bytes : 0), 0);
  }

  /** How the file's upload stands. */
  get upload(): RecordingUpload | undefined {
    return this.#files.findLast(({ channelId }) => channelId === CHANNEL)?.upload;
  }

  get results(): readonly (readonly [string, string])[] {
    return this.recorder.posted.flatMap((message) =>
      message.kind === "upload" ? [[message.upload.state, message.upload.detail ?? ""] as const] : [],
    );
  }

  /** The files that were reported so. */
  reports(state: RecordingUpload["state"]): readonly string[] {
    return this.recorder.posted.flatMap((message) =>
      message.kind === "upload" && message.upload.state === state ? [message.file.recordingId] : [],
    );
  }

  until(state: RecordingUpload["state"]): Promise<RecordingUpload> {
    const look = () => (this.upload?.state === state ? this.upload : undefined);
    return waitFor(`the upload to be ${state}`, 20_000, look, () => JSON.stringify(this.upload));
  }

  get bytes(): Buffer {
    return readFileSync(join(this.#folder, CHANNEL, `${ID}.mp4`));
  }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-upload-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A stage whose file is recorded, and its S3 server. */
async function staged(frameBytes?: number) {
  const folder = newFolder();
  const s3 = await S3Server.start(join(folder, "s3"));
  onTestFinished(() => s3.close());
  const stage = new Stage(join(folder, "recordings"));
  await stage.record(frameBytes);
  return { folder, s3, stage };
}

test("a finished file is uploaded in parts, and is the same there", async () => {
  const { s3, stage } = await staged();
  stage.uploadTo(s3);
  expect(await stage.until("UPLOADED")).toEqual({ state: "UPLOADED", sentBytes: stage.bytes.length });
  expect(s3.object(`fanfare/${CHANNEL}/${ID}.mp4`).equals(stage.bytes)).toBe(true);
  expect(s3.requests).toEqual(["POST begin", "part 1", "part 2", "part 3", "POST"]);
  expect(stage.results).toEqual([["UPLOADED", ""]]);
});

test.each(["error", "cut", "cut-in-body"] as const)(
  "part 2 that meets %s is sent again, and no other",
  async (fault) => {
    const { s3, stage } = await staged();
    let isFaulty = true;
    s3.fault = (what) => (what === "part 2" && isFaulty ? fault : "pass");
    stage.uploadTo(s3);
    const failed = await waitFor("the failure", 20_000, () =>
      stage.upload?.detail === undefined ? undefined : stage.upload,
    );
    expect(failed.state).toBe("WAITING");
    isFaulty = false;
    // Before its time nothing happens.
    stage.clock.advance(4_000);
    expect(stage.upload?.state).toBe("WAITING");
    stage.clock.advance(1_000);
    await stage.until("UPLOADED");
    expect(s3.requests).toEqual(["POST begin", "part 1", "part 2", "part 2", "part 3", "POST"]);
    expect(s3.object(`fanfare/${CHANNEL}/${ID}.mp4`).equals(stage.bytes)).toBe(true);
    expect(stage.results).toEqual([["UPLOADED", ""]]);
  },
);

test("a restart goes on with the part that is missing", async () => {
  const { folder, s3, stage } = await staged();
  s3.fault = (what) => (what === "part 3" ? "cut" : "pass");
  stage.uploadTo(s3);
  await waitFor("the failure", 20_000, () => stage.upload?.detail);
  s3.fault = () => "pass";
  s3.requests.length = 0;
  const next = new Stage(join(folder, "recordings"));
  next.uploadTo(s3);
  await next.until("UPLOADED");
  expect(s3.requests).toEqual(["part 3", "POST"]);
  expect(s3.object(`fanfare/${CHANNEL}/${ID}.mp4`).equals(stage.bytes)).toBe(true);
  // And a third start does nothing more.
  const third = new Stage(join(folder, "recordings"));
  third.uploadTo(s3);
  await third.until("UPLOADED");
  expect(s3.requests).toHaveLength(2);
});

test("a service that goes away and comes back gets what is missing", async () => {
  const { s3, stage } = await staged();
  s3.fault = (what) => (what === "part 2" ? "cut" : "pass");
  stage.uploadTo(s3);
  await waitFor("the failure", 20_000, () => stage.upload?.detail);
  await s3.pause();
  s3.fault = () => "pass";
  const tried = s3.requests.length;
  stage.clock.advance(5_000);
  await waitFor("an attempt", 20_000, () => (s3.requests.length > tried ? true : undefined));
  await s3.resume();
  await waitFor("its failure", 20_000, () => (stage.upload?.state === "WAITING" ? true : undefined));
  stage.clock.advance(10_000);
  await stage.until("UPLOADED");
  expect(s3.requests.filter((what) => what === "part 1")).toHaveLength(1);
  expect(s3.object(`fanfare/${CHANNEL}/${ID}.mp4`).equals(stage.bytes)).toBe(true);
});

test("a service that is away for ten minutes gets everything afterwards, and is reported once for each file", async () => {
  const { folder, s3, stage } = await staged(50_000);
  const awayMs = 600_000;
  s3.fault = () => "error";
  stage.uploadTo(s3);
  await stage.settled();
  let count = 1;
  for (let passedMs = 0; passedMs < awayMs; passedMs += 5_000) {
    stage.clock.advance(5_000);
    await stage.settled();
    // First it answers with an error of its own, then not at all.
    if (passedMs === awayMs / 2) {
      await s3.pause();
      s3.fault = () => "pass";
    }
    if (passedMs % 100_000 !== 0) continue;
    // Recording does not wait for it.
    const before = stage.takenBytes;
    count += 1;
    await stage.record(50_000, count);
    expect(stage.takenBytes - before).toBeGreaterThan(1_000_000);
    await stage.settled();
  }
  expect(count).toBe(7);
  const reported = stage.reports("FAILED");
  expect(reported.length).toBeGreaterThanOrEqual(5);
  expect(new Set(reported).size).toBe(reported.length);
  expect(stage.results[0]).toEqual(["FAILED", "InternalError: We failed"]);
  expect(stage.results.at(-1)?.[1]).toMatch(/socket hang up|ECONNRESET/);

  await s3.resume();
  for (let passedMs = 0; stage.reports("UPLOADED").length === 0 && passedMs < 375_000; passedMs += 5_000) {
    stage.clock.advance(5_000);
    await stage.settled();
  }
  // The first one that is there tells the others that they need not wait.
  const names = Array.from({ length: count }, (_, index) => `20260102030405-00${index + 1}`);
  expect(stage.reports("UPLOADED").toSorted()).toEqual(names);
  for (const name of names) {
    const file = `${CHANNEL}/${name}.mp4`;
    expect(s3.object(`fanfare/${file}`).equals(readFileSync(join(folder, "recordings", file)))).toBe(true);
  }
});

test("a service that keeps a part waiting holds up no recording, and gets the file when it takes it", async () => {
  const { folder, s3, stage } = await staged(50_000);
  const held = Promise.withResolvers<"pass">();
  s3.fault = (what) => (what === "part 1" ? held.promise : "pass");
  stage.uploadTo(s3);
  await waitFor("the part", 20_000, () => (s3.requests.includes("part 1") ? true : undefined));
  stage.recorder.send({ kind: "begin", number: 9, channelId: OTHER, startTime: START });
  for (let second = 0; second < 10; second += 1) {
    const tags = frames(second * 1_000, (second + 1) * 1_000, 50_000);
    stage.recorder.send({ kind: "media", number: 9, bytes: batch(...(second === 0 ? heads() : []), ...tags) });
  }
  stage.recorder.send({ kind: "end", number: 9, reason: "BROADCAST_ENDED" });
  await waitFor("the other file", 5_000, () => (stage.hasFinished(OTHER) ? true : undefined));
  expect(readFileSync(join(folder, "recordings", OTHER, `${ID}.mp4`)).length).toBeGreaterThan(10 * 25 * 50_000);
  expect(stage.upload).toMatchObject({ state: "UPLOADING", sentBytes: 0 });
  held.resolve("pass");
  await stage.until("UPLOADED");
  expect(s3.object(`fanfare/${CHANNEL}/${ID}.mp4`).equals(stage.bytes)).toBe(true);
});

test("a bucket that does not exist is reported at once, in the service's words and without the secret", async () => {
  const { s3, stage } = await staged(10_000);
  stage.uploadTo(s3, { bucket: "no-such-bucket", secretKey: "a-secret-0123456789" });
  const upload = await stage.until("FAILED");
  expect(upload.detail).toMatch(/^NoSuchBucket: /);
  expect(JSON.stringify(stage.recorder.posted)).not.toContain("a-secret");
  expect(stage.results).toHaveLength(1);
});
