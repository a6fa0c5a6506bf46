import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { z } from "zod";
import type { Channel } from "../../support/dashboard/api-client.ts";
import type { FanfareProcess } from "../../support/processes/fanfare-process.ts";
import { SmallDisk } from "../../support/processes/small-disk.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { publishUrl, type Server, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip, ONE_GROUP } from "../../support/streams/clip.ts";
import { expectSentPackets } from "../../support/streams/recorded-stream.ts";

/** Writes that are refused while the database is locked, one after another. Each is tried for 1.2 s before. */
const LOCKED_ROUNDS = 10;
const FULL_ROUNDS = 5;
/** Reads beside each write. */
const READS = 3;
/** The server itself may be writing just then. */
const LOCK_PATIENCE_MS = 5_000;
/** The contract promises 2 s. Five times what a refusal takes, so that a busy machine does not fail the test. */
const REFUSAL_MS_MAX = 6_000;
const CLIP_SECONDS = 20;

const CHANNELS = "/api/v2/re-stream/channels";
const BODY = JSON.stringify({
  channelName: "not_now",
  planType: "STANDARD",
  restream: [{ targetName: "CUSTOM", rtmpUrl: "rtmp://live.example.com/app", streamKey: "some-key-9f8e7d" }],
});
const errorAnswer = z.object({ error: z.object({ errorCode: z.string(), message: z.string(), details: z.string() }) });

/** One write with the secret itself: its answer, and how long that took. */
async function write(fanfare: FanfareProcess, secretKey: string) {
  const startMs = performance.now();
  const headers = { authorization: `Bearer ${secretKey}`, "content-type": "application/json" };
  const answer = await fetch(`${fanfare.origin}${CHANNELS}`, { method: "POST", headers, body: BODY });
  const body: unknown = await answer.json();
  return { status: answer.status, body, headers: answer.headers, ms: performance.now() - startMs };
}

/**
 * Writes in rounds, with reads beside each write. Every write is refused in time, in the contract's form. Returns how
 * many reads were answered while a write still waited.
 */
async function expectRefusals(server: Server, secretKey: string, channel: Channel, rounds: number, details: string) {
  let readsFirst = 0;
  for (let round = 0; round < rounds; round += 1) {
    let isRefused = false;
    const writing = write(server.fanfare, secretKey).finally(() => {
      isRefused = true;
    });
    for (let read = 0; read < READS; read += 1) {
      await server.api.platforms(channel.channelId);
      if (!isRefused) readsFirst += 1;
    }
    const refused = await writing;
    expect(refused.status).toBe(503);
    expect(refused.ms).toBeLessThan(REFUSAL_MS_MAX);
    expect(errorAnswer.parse(refused.body).error).toEqual({ errorCode: "500", message: "Endpoint Error", details });
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(refused.headers.get("x-ncp-apigw-response-origin")).toBe("APIGW");
  }
  return readsFirst;
}

test.concurrent("a database that is locked for ten writes refuses them in time, reads, the stream and new encoders go on, and it heals", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const clip = await makeClip({ ...ONE_GROUP, seconds: CLIP_SECONDS, kilobits: 500 });
  const short = await makeClip(ONE_GROUP);
  const nginx = await stage.nginx();
  const server = await stage.server();
  const { api, fanfare, credentials } = server;
  const [key, lateKey] = [uniqueKey("locked"), uniqueKey("late")];
  const channel = await api.createChannel("locked", [{ rtmpUrl: nginx.url, streamKey: key }]);
  const late = await api.createChannel("late", [{ rtmpUrl: nginx.url, streamKey: lateKey }]);
  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  await stage.watch(api, channel).until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", 10_000);

  const other = new DatabaseSync(join(stage.folder, "data", "fanfare.db"), { timeout: LOCK_PATIENCE_MS });
  other.exec("BEGIN IMMEDIATE");
  const details = "The database is locked by another process.";
  const refusals = expectRefusals(server, credentials.secretKey, channel, LOCKED_ROUNDS, details);
  const lateEncoder = await stage.ffmpeg(short, publishUrl(late));
  expect(await lateEncoder.exited, lateEncoder.stderr()).toEqual({ code: 0, signal: null });
  // If reads waited for the write, only a round's first read could be answered before it: where it came to the server first.
  expect(await refusals).toBeGreaterThan(LOCKED_ROUNDS);
  other.exec("ROLLBACK");
  other.close();

  expect(await write(fanfare, credentials.secretKey)).toMatchObject({ status: 200 });
  expect((await expectSentPackets(nginx, lateKey, short.path)).framesSkipped).toBe(0);
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  expect((await expectSentPackets(nginx, key, clip.path)).framesSkipped).toBe(0);
  // What was counted meanwhile was not lost either.
  const least = clip.bytesPerSecond * clip.seconds * 0.95;
  await waitFor("the totals", 10_000, async () => {
    const [platform] = await api.platforms(channel.channelId);
    return platform !== undefined && platform.bytesTotalTrans >= least ? true : undefined;
  });
});

test.concurrent("a full disk refuses writes in time, reads and the stream go on, and it heals when there is room again", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  // Registered after the stage's own closing, so it runs before it.
  const disk = await SmallDisk.mount(join(stage.folder, "data"), onTestFinished);
  const clip = await makeClip({ ...ONE_GROUP, seconds: 12, kilobits: 500 });
  const nginx = await stage.nginx();
  const server = await stage.server();
  const { api, fanfare, credentials } = server;
  const key = uniqueKey("full");
  const channel = await api.createChannel("full", [{ rtmpUrl: nginx.url, streamKey: key }]);
  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  await stage.watch(api, channel).until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", 10_000);

  disk.fill();
  // The write-ahead log has room inside until it has been used up.
  await waitFor("the first refusal", 20_000, async () =>
    (await write(fanfare, credentials.secretKey)).status === 503 ? true : undefined,
  );
  await expectRefusals(server, credentials.secretKey, channel, FULL_ROUNDS, "The disk of the database is full.");
  disk.free();
  expect(await write(fanfare, credentials.secretKey)).toMatchObject({ status: 200 });
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  expect((await expectSentPackets(nginx, key, clip.path)).framesSkipped).toBe(0);

  await fanfare.kill();
  await fanfare.restart();
  expect((await api.channel(channel.channelId)).streamKey).toBe(channel.streamKey);
});
