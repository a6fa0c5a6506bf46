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
const START = 1_767_323_045_000;
const ID = "20260102030405-001";
/** 25 frames of this size are 17.5 MB: two parts of 8 MiB, and a rest. */
const FRAME_BYTES = 700_000;

/** A recorder that uploads to a real S3 server. Time passes only when the test says so; the network takes its own. */
class Stage {
  readonly clock = new VirtualClock();
  readonly recorder: InProcessRecorder;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.recorder = new InProcessRecorder({ ...ROOMY, folder }, this.clock);
    this.recorder.recorder.start();
  }

  uploadTo(s3: S3Server, changes: Partial<S3Settings> = {}): void {
    const settings = { ...S3_KEY, endpoint: s3.endpoint, region: "us-east-1", bucket: BUCKET, ...changes };
    this.recorder.recorder.uploadTo(new S3Store(settings), "fanfare/", () => 0.5);
  }

  async record(frameBytes = FRAME_BYTES): Promise<void> {
    this.recorder.send({ kind: "begin", number: 1, channelId: CHANNEL, startTime: START });
    this.recorder.send({ kind: "media", number: 1, bytes: batch(...heads(), ...frames(0, 1_000, frameBytes)) });
    this.recorder.send({ kind: "end", number: 1, reason: "BROADCAST_ENDED" });
    await waitFor("the file", 5_000, () => this.upload ?? (this.#isFinished ? true : undefined));
    this.clock.advance(0);
  }

  get #isFinished(): boolean {
    return this.recorder.posted.some((message) => message.kind === "file" && message.file.end !== undefined);
  }

  /** How the file's upload stands. */
  get upload(): RecordingUpload | undefined {
    return this.recorder.posted.findLast((message) => message.kind === "file")?.file.upload;
  }

  get results(): readonly (readonly [string, string])[] {
    return this.recorder.posted.flatMap((message) =>
      message.kind === "upload" ? [[message.upload.state, message.upload.detail ?? ""] as const] : [],
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

test("a bucket that does not exist is reported at once, in the service's words and without the secret", async () => {
  const { s3, stage } = await staged(10_000);
  stage.uploadTo(s3, { bucket: "no-such-bucket", secretKey: "a-secret-0123456789" });
  const upload = await stage.until("FAILED");
  expect(upload.detail).toMatch(/^NoSuchBucket: /);
  expect(JSON.stringify(stage.recorder.posted)).not.toContain("a-secret");
  expect(stage.results).toHaveLength(1);
});
