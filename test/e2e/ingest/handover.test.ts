import { hash } from "node:crypto";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { expect, type TestContext, test } from "vitest";
import { classifyVideo } from "../../../src/protocol/flv/video/video-tag.ts";
import { type Clip, syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import type { EncoderEvent } from "../../../src/testkit/encoder/encoder.ts";
import type { MessageRecord } from "../../../src/testkit/message-record.ts";
import { runHere } from "../../support/processes/fanfare-command.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

/** How much time encoders have that were asked to move. */
const MOVE_MS = 2_500;
/**
 * Five times what it takes on a quiet machine. On virtual time, `test/cli/stop-in-time.test.ts` has the promise of 5 s,
 * and `test/ingest/rtmp-listener.test.ts` that nothing waits for an encoder that cannot move.
 */
const EXIT_MS_MAX = 5 * MOVE_MS;
const VIDEO = 9;
/** The packet type in the FLV tag of a coded frame; a header has another. */
const CODED_FRAME = 1;

/** A port that passes every new connection to the server on duty, as a load balancer does. */
async function portOf(
  { onTestFinished }: Pick<TestContext, "onTestFinished">,
  first: number,
): Promise<{ readonly port: number; onDuty: number }> {
  const balancer = { port: 0, onDuty: first };
  const server = createServer((socket) => {
    const upstream = connect({ port: balancer.onDuty, host: "127.0.0.1" });
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      from.on("error", () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  balancer.port = typeof address === "object" && address !== null ? address.port : 0;
  return balancer;
}

const framesOf = (messages: readonly MessageRecord[]): string[] =>
  messages.filter(({ kind, isConfig }) => kind === "video" && !isConfig).map((message) => message.hash);

/** Hashes of the clip's video frames, in order, up to this time. */
function clipFrames(clip: Clip, untilMs: number): string[] {
  const hashes: string[] = [];
  for (const { type, timestamp, payload } of clip.tags()) {
    if (timestamp > untilMs) return hashes;
    if (type === VIDEO && payload[1] === CODED_FRAME) hashes.push(hash("sha256", payload));
  }
  return hashes;
}

/**
 * Hashes of the clip's video frames before the keyframe at which the encoder moved: the first one that is not before its last
 * message to the former server.
 */
function framesBeforeMove(clip: Clip, lastMs: number): string[] {
  const hashes: string[] = [];
  for (const { type, timestamp, payload } of clip.tags()) {
    if (type !== VIDEO || payload[1] !== CODED_FRAME) continue;
    if (timestamp >= lastMs && classifyVideo(payload).isKeyframe) return hashes;
    hashes.push(hash("sha256", payload));
  }
  return hashes;
}

/** These frames from the first shown one on: a target that is there late begins with a later keyframe. */
function fromFirst(shown: readonly string[], frames: readonly string[]): string[] {
  const first = frames.indexOf(shown[0] ?? "");
  if (first === -1) throw new Error(`of ${frames.length} frames none is the first of the ${shown.length} shown`);
  return frames.slice(first);
}

test.concurrent("at SIGTERM an encoder that can reconnect is asked to, and everything it sends until it has moved reaches the target", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const clip = syntheticClip();
  const target = await stage.target({}, { messagesMax: 10_000 });
  const { api, fanfare, credentials } = await stage.server();
  const channel = await api.createChannel("handover", [{ rtmpUrl: target.url, streamKey: uniqueKey("handover") }]);
  const [backup, dataFolder] = [join(stage.folder, "backup"), join(stage.folder, "next")];
  expect((await runHere(["backup", backup, "--data-dir", join(stage.folder, "data")])).code).toBe(0);
  expect((await runHere(["restore", backup, "--data-dir", dataFolder])).code).toBe(0);
  const next = await stage.fanfare({ credentials, dataFolder });
  const balancer = await portOf({ onTestFinished }, fanfare.rtmpPort);
  const encoder = stage.kitEncoder(channel, {
    clip,
    url: `rtmp://127.0.0.1:${balancer.port}/relay`,
    followsReconnectRequests: true,
  });
  const first = await waitFor("frames at the target", 10_000, () =>
    target.connections.find(({ report }) => framesOf(report.messages).length > 10),
  );

  balancer.onDuty = next.rtmpPort;
  const startedMs = performance.now();
  expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
  expect(performance.now() - startedMs).toBeLessThan(EXIT_MS_MAX);

  const [lastMs = 0] = encoder.report.movedAfter;
  expect(encoder.report).toMatchObject({ reconnectRequests: 1, movedAfter: [lastMs], end: undefined });
  await waitFor("the first connection's end", 2_000, () => (first.report.state === "open" ? undefined : true));
  expect(first.report.commands, "the broadcast goes on").not.toContain("deleteStream");
  const second = await waitFor("frames from the next server", 10_000, () =>
    target.connections.slice(1).find(({ report }) => framesOf(report.messages).length > 10),
  );
  const [keyframe] = second.report.messages.filter(({ kind, isConfig }) => kind === "video" && !isConfig);
  expect(keyframe?.isKeyframe).toBe(true);
  const before = framesBeforeMove(clip, lastMs);
  const shown = framesOf(first.report.messages);
  expect(shown.length).toBeGreaterThan(10);
  expect(shown).toEqual(fromFirst(shown, before));
  // The next server's target gets that keyframe, or a later one where its connection is made late.
  expect(clipFrames(clip, lastMs + 60_000).indexOf(keyframe?.hash ?? "")).toBeGreaterThanOrEqual(before.length);
  expect(second.report.streamName).toBe(first.report.streamName);
});

test.concurrent("an encoder without a server to move to goes on here until its time is over, and one that cannot move is closed at once", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const [target, other] = [await stage.target({}, { messagesMax: 10_000 }), await stage.target()];
  const { api, fanfare } = await stage.server();
  const channel = await api.createChannel("stays", [{ rtmpUrl: target.url, streamKey: uniqueKey("stays") }]);
  const plainChannel = await api.createChannel("plain", [{ rtmpUrl: other.url, streamKey: uniqueKey("plain") }]);
  const clip = syntheticClip();
  const askedAfter: (number | undefined)[] = [];
  const onEvent = ({ event }: EncoderEvent) => {
    if (event === "reconnect-requested") askedAfter.push(encoder.report.lastTimestamp);
  };
  const encoder = stage.kitEncoder(channel, { clip, followsReconnectRequests: true, onEvent });
  const plain = stage.kitEncoder(plainChannel, { clip });
  const [connection] = await waitFor("media at both targets", 10_000, () => {
    const both = [...target.connections, ...other.connections].filter(({ report }) => report.mediaBytes > 10_000);
    return both.length === 2 ? both : undefined;
  });
  const ends: string[] = [];
  for (const [name, each] of Object.entries({ encoder, plain })) void each.closed.then(() => ends.push(name));

  const startedMs = performance.now();
  expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
  expect(performance.now() - startedMs).toBeLessThan(EXIT_MS_MAX);

  await Promise.all([encoder.closed, plain.closed]);
  expect(ends).toEqual(["plain", "encoder"]);
  expect(plain.report).toMatchObject({ reconnectRequests: 0, end: { how: "lost" } });
  expect(encoder.report).toMatchObject({ reconnectRequests: 1, movedAfter: [], end: { how: "lost" } });
  // It had 2.5 s; what it sent in the first second of them came through.
  const [askedMs = 0] = askedAfter;
  const shown = framesOf(connection?.report.messages ?? []);
  const sent = clipFrames(clip, encoder.report.lastTimestamp ?? 0);
  expect(shown).toEqual(fromFirst(shown, sent).slice(0, shown.length));
  expect(sent.indexOf(shown.at(-1) ?? "")).toBeGreaterThanOrEqual(clipFrames(clip, askedMs + 1_000).length);
});

test.concurrent("the server stops at once where no encoder can move, and where the broadcast is to end", async ({
  onTestFinished,
}) => {
  for (const [shutdown, followsReconnectRequests] of [
    ["cut", false],
    ["end", true],
  ] as const) {
    const stage = await Stage.open(onTestFinished);
    const target = await stage.target();
    const { api, fanfare } = await stage.server({ environment: { FANFARE_SHUTDOWN: shutdown } });
    const channel = await api.createChannel(shutdown, [{ rtmpUrl: target.url, streamKey: uniqueKey(shutdown) }]);
    const encoder = stage.kitEncoder(channel, { clip: syntheticClip(), followsReconnectRequests });
    await waitFor("media", 10_000, () => target.connections.find(({ report }) => report.mediaBytes > 1_000));
    const startedMs = performance.now();
    expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedMs).toBeLessThan(EXIT_MS_MAX);
    expect((await encoder.closed).reconnectRequests).toBe(0);
  }
});

test.concurrent("a target that asks us to reconnect elsewhere is followed at a keyframe, and no frame is missing or sent twice", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const clip = syntheticClip();
  const next = await stage.target({}, { messagesMax: 10_000 });
  const tcUrl = `rtmp://127.0.0.1:${next.port}/elsewhere`;
  const first = await stage.target({ reconnect: { afterMs: 500, tcUrl } }, { messagesMax: 10_000 });
  const { api } = await stage.server();
  const channel = await api.createChannel("sent_on", [{ rtmpUrl: first.url, streamKey: uniqueKey("sent_on") }]);
  const encoder = stage.kitEncoder(channel, { clip });
  const moved = await waitFor("frames elsewhere", 10_000, () =>
    next.connections.find(({ report }) => framesOf(report.messages).length > 30),
  );
  const [left] = first.connections;
  await waitFor("the first connection's end", 2_000, () => (left?.report.state === "open" ? undefined : true));

  const before = framesOf(left?.report.messages ?? []);
  const shown = [...before, ...framesOf(moved.report.messages)];
  expect(before.length).toBeGreaterThan(10);
  const sent = clipFrames(clip, encoder.report.lastTimestamp ?? 0);
  expect(shown).toEqual(fromFirst(shown, sent).slice(0, shown.length));
  expect(moved.report).toMatchObject({ app: "elsewhere", streamName: left?.report.streamName });
  expect(left?.report.commands).not.toContain("deleteStream");
  const [platform] = await api.platforms(channel.channelId);
  expect(platform).toMatchObject({ connectStatus: "PUBLISHING", totalRetryCount: 0 });
});
