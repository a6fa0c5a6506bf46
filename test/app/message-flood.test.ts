import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { encodeMessage } from "../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { ClientSession } from "../../src/protocol/rtmp/client/client-session.ts";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { PoolStage } from "../support/stages/pool-stage.ts";

const DEADLINE_MS = 15_000;
const CHUNK_SIZE = 4_096;
/** What one encoder may send in a turn, in messages of five bytes each, takes seconds to read. */
const BATCH_BYTES = 1024 * 1024;
/**
 * The healthy channel's packets leave every 50 ms; 80 ms were measured beside the flood, and 550 ms where nothing
 * bounds a turn.
 */
const GAP_MAX_MS = 400;
/** The test looks each 25 ms. One that comes later than this shows that the whole machine stood still: nobody's delay. */
const LOOK_MS_MAX = 50;

/** Those of several turns. */
const FRAMES_AT_ONCE = 9_000;

const CONFIG = Buffer.from("af001190", "hex");
const FRAME = Buffer.from("af012100", "hex");
/** On the chunk stream of the frame before: the same again. */
const NEXT_FRAME = Buffer.concat([Buffer.from("c4", "hex"), FRAME]);

/**
 * An encoder that publishes audio in frames of four bytes. Calls `onAir` with the connection and its session after the
 * first of them.
 */
async function publishAudio(port: number, key: string, onAir: (socket: Socket, session: ClientSession) => void) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  const publication = { app: "relay", tcUrl: `rtmp://127.0.0.1:${port}/relay`, name: key, capsLacking: 0 };
  const session = new ClientSession(publication, Buffer.alloc(1_528), CHUNK_SIZE);
  await once(socket, "connect");
  socket.write(session.start());
  socket.on("data", (bytes) => {
    for (const output of session.receive(bytes, performance.now())) {
      if (output.kind === "send") socket.write(output.bytes);
      if (output.kind !== "publishing") continue;
      const { streamId } = output;
      for (const payload of [CONFIG, FRAME])
        socket.write(encodeMessage(4, { type: 8, timestamp: 0, streamId, payload }, CHUNK_SIZE));
      onAir(socket, session);
    }
  });
  return socket;
}

/** As fast as they are taken. */
function pour(socket: Socket): void {
  const batch = Buffer.alloc(BATCH_BYTES - (BATCH_BYTES % NEXT_FRAME.length), NEXT_FRAME);
  const write = () => {
    while (socket.writable && socket.write(batch));
  };
  socket.on("drain", write);
  write();
}

test.each(["efficient", "low"] as const)(
  "an encoder that sends many messages at once and stops properly is read to its end (latency: %s)",
  async (latency) => {
    const stage = new PoolStage();
    const port = await stage.start();
    const { channelId } = stage.channel([], { latency });
    await publishAudio(port, channelId, (socket, session) => {
      socket.end(Buffer.concat([Buffer.alloc(FRAMES_AT_ONCE * NEXT_FRAME.length, NEXT_FRAME), session.unpublish()]));
    });
    const end = () => stage.facts.find(({ kind }) => kind === "ingest-held" || kind === "ingest-ended");
    expect(await waitFor("its end", DEADLINE_MS, end)).toMatchObject({ kind: "ingest-ended", end: "clean" });
  },
);

/** Floods a channel beside a healthy one of the same media thread. Returns the longest gap of that, in milliseconds. */
async function flood(latency: "efficient" | "low"): Promise<number> {
  const stage = new PoolStage();
  const port = await stage.start();
  const target = await stage.target({ messagesMax: 100_000 });
  const healthy = stage.channel([target]);
  stage.encoder(healthy.channelId, { clip: syntheticClip() });
  const received = () => target.connections[0]?.report.messages.length ?? 0;
  await waitFor("the healthy channel on air", DEADLINE_MS, () => (received() > 10 ? true : undefined));

  const flooded = stage.channel([], { latency });
  const socket = await publishAudio(port, flooded.channelId, pour);
  // Not `once` of node:events: that one fails where the end is met by a write first.
  const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
  const isOver = () => stage.facts.find(({ kind }) => kind === "ingest-held") !== undefined;
  let [seen, gapMs, longestMs, lookedMs] = [received(), 0, 0, performance.now()];
  await waitFor("the flood's end", DEADLINE_MS, () => {
    const nowMs = performance.now();
    gapMs += Math.min(nowMs - lookedMs, LOOK_MS_MAX);
    lookedMs = nowMs;
    longestMs = Math.max(longestMs, gapMs);
    if (received() > seen) [seen, gapMs] = [received(), 0];
    return isOver() ? true : undefined;
  });
  expect(stage.facts.find(({ kind }) => kind === "ingest-held")).toMatchObject({
    channelId: flooded.channelId,
    end: "too-many-messages",
  });
  await closed;
  expect(stage.factsOf(healthy.channelId)).toEqual(["ingest-started", "publisher-active", "CONNECTING", "PUBLISHING"]);
  return longestMs;
}

test("an encoder that floods its own channel with short messages delays no other, and is reported and closed", async () => {
  // At the same time, each in a thread of its own: a flood is read slowly, and takes five seconds to its limit.
  const [efficientMs, lowMs] = await Promise.all([flood("efficient"), flood("low")]);
  expect(efficientMs).toBeLessThan(GAP_MAX_MS);
  expect(lowMs).toBeLessThan(GAP_MAX_MS);
});
