import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { SrtFeed } from "../../../src/sources/pull-links/srt-feed.ts";
import { startChild } from "../../support/processes/children.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { makeFile } from "../../support/streams/made-files.ts";

const DEADLINE_MS = 30_000;
/** Far longer than a busy machine takes to repeat a packet. */
const LATENCY_MS = 1_000;
/** Longer than the latency, and shorter than the silence that ends a connection. */
const PAUSE_MS = 2_500;
/** The server keeps a packet so much longer than the latency, in microseconds: FFmpeg's `snddropdelay`. */
const KEPT_US = 10_000_000;
/** The data packet that the path loses, counted from 1. */
const LOST_PACKET = 25;
const PACKET_BYTES = 188;
const NO_CONTENT_PID = 0x1fff;

/** Packets of MPEG-TS that are missing, by the counter that each track has. */
function missing(bytes: Buffer): number {
  const counters = new Map<number, number>();
  let count = 0;
  for (let at = 0; at + PACKET_BYTES <= bytes.length; at += PACKET_BYTES) {
    const pid = bytes.readUInt16BE(at + 1) & 0x1fff;
    const flags = bytes.readUInt8(at + 3);
    const hasPayload = (flags & 0x10) !== 0;
    if (!hasPayload || pid === NO_CONTENT_PID) continue;
    const before = counters.get(pid);
    if (before !== undefined) count += ((flags & 0x0f) - before - 1 + 32) % 16;
    counters.set(pid, flags & 0x0f);
  }
  return count;
}

/** Packets of SRT: loss reports, data, and repeated data. */
const isLossReport = (datagram: Buffer): boolean => datagram.readUInt16BE(0) === 0x8003;
const isData = (datagram: Buffer): boolean => (datagram.readUInt8(0) & 0x80) === 0;
const isRepeated = (datagram: Buffer): boolean => isData(datagram) && (datagram.readUInt32BE(4) & 0x04000000) !== 0;

/** This whole process stands still. */
const standStill = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);

/**
 * A path to the server that loses one packet, and stands still, with the whole process, before the report of that loss
 * goes on, or once the repetition lies in the caller's socket. Returns its port, and whether that has happened.
 */
async function pausingPath(serverPort: number, at: "report" | "repetition") {
  const [near, far] = [createSocket("udp4"), createSocket("udp4")];
  onTestFinished(() => {
    near.close();
    far.close();
  });
  let callerPort = 0;
  let count = 0;
  let hasPaused = false;
  near.on("message", (datagram, { port }) => {
    callerPort = port;
    if (at === "report" && isLossReport(datagram) && !hasPaused) {
      hasPaused = true;
      standStill();
    }
    far.send(datagram, serverPort, "127.0.0.1");
  });
  far.on("message", (datagram) => {
    if (isData(datagram) && !isRepeated(datagram)) count += 1;
    if (count === LOST_PACKET && isData(datagram) && !isRepeated(datagram)) return;
    const isPause = at === "repetition" && isRepeated(datagram) && !hasPaused;
    hasPaused ||= isPause;
    near.send(datagram, callerPort, "127.0.0.1", () => {
      if (isPause) standStill();
    });
  });
  await new Promise<void>((resolve) => near.bind(0, "127.0.0.1", resolve));
  return { port: near.address().port, hasPaused: () => hasPaused };
}

test.each([
  { what: "what arrived in it is read before anything is given up as lost", at: "repetition" },
  { what: "a lost packet still has its time to come again", at: "report" },
] as const)("behind a pause of this process, $what", async ({ at }) => {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-srt-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const clip = await makeFile(folder, "clip.mp4", { seconds: 10, size: "160x90" });
  const port = await freePort();
  const input = ["-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy", "-f", "mpegts"];
  const server = await startChild("ffmpeg", [
    ...input,
    `srt://127.0.0.1:${port}?mode=listener&snddropdelay=${KEPT_US}`,
  ]);
  onTestFinished(async () => void (await server.stop("SIGKILL", 1_000)));
  const call = { streamId: "", passphrase: undefined, keyLength: 16, latencyMs: LATENCY_MS } as const;
  const closing = new AbortController();
  const deps = { clock: systemClock, randomBytes };
  const path = await pausingPath(port, at);
  const place = { address: "127.0.0.1", family: 4, port: path.port } as const;
  const feed = await waitFor("the connection", DEADLINE_MS, () =>
    SrtFeed.open(place, call, deps, closing.signal).catch(() => undefined),
  );
  onTestFinished(() => feed.close());
  const parts: Buffer[] = [];
  let bytes = 0;
  const output = new Writable({
    write(part: Buffer, _encoding, done) {
      parts.push(part);
      bytes += part.length;
      done();
    },
  });
  feed.to(output);
  await waitFor("the pause", DEADLINE_MS, () => (path.hasPaused() ? true : undefined));
  const from = bytes;
  await waitFor("media after the pause", DEADLINE_MS, () => (bytes > from + 15_000 ? true : undefined));
  expect(missing(Buffer.concat(parts))).toBe(0);
});
