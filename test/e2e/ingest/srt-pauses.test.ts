import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { UdpFaultProxy } from "../../../src/testkit/proxy/udp-fault-proxy.ts";
import { endOf, LINGER, startSrtReceiver, startTsFfmpeg } from "../../support/encoders/srt-encoder.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { seededRandom } from "../../support/stages/seeded-random.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { packetHashes } from "../../support/streams/packet-hashes.ts";
import { expectSentPackets } from "../../support/streams/recorded-stream.ts";

/** Far longer than the 200 ms that the server waits for a lost packet. */
const PAUSE_MS = 800;
/** FFmpeg keeps what it has sent so much longer than the latency, in microseconds. */
const KEPT_US = 10_000_000;
const CHANGE_MAX_MS = 30_000;
const CLIP_SECONDS = 12;

const stage = await Stage.open(afterAll);
const nginx = await stage.nginx();

test("a server that stands still on air loses nothing of an encoder on a bad path, and nothing for a platform, over SRT", async () => {
  const { api, fanfare } = await stage.server({
    environment: { FANFARE_SRT_PORT: "0", FANFARE_TARGET_ALLOW: "127.0.0.0/8" },
  });
  const [key, port] = [uniqueKey("pauses"), await freePort()];
  const path = join(stage.folder, "pauses.ts");
  const receiver = stage.encoder(await startSrtReceiver("ffmpeg", port, path));
  const channel = await api.createChannel("pauses", [
    { rtmpUrl: nginx.url, streamKey: key },
    { rtmpUrl: `srt://127.0.0.1:${port}`, streamKey: "live/key" },
  ]);
  const watch = stage.watch(api, channel);
  const address = new URL(channel.srtUrl ?? "");
  const network = await UdpFaultProxy.start({
    to: { host: "127.0.0.1", port: Number(address.port) },
    faults: { loss: 0.03, delayMs: 5 },
    random: seededRandom(7),
    isSpared: endOf(CLIP_SECONDS),
  });
  stage.onClose(() => network.close());
  const clip = await makeClip({ seconds: CLIP_SECONDS });
  const query = `streamid=publish:${channel.streamKey}&snddropdelay=${KEPT_US}&${LINGER}`;
  const encoder = stage.encoder(await startTsFfmpeg(clip, `srt://127.0.0.1:${network.port}?${query}`));
  await watch.until(1, ({ connectStatus }) => connectStatus === "PUBLISHING", CHANGE_MAX_MS);
  for (let count = 0; count < 4; count += 1) {
    process.kill(fanfare.pid, "SIGSTOP");
    await pass(PAUSE_MS);
    process.kill(fanfare.pid, "SIGCONT");
    await pass(PAUSE_MS);
  }
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  expect(network.lost).toBeGreaterThan(0);
  await expectSentPackets(nginx, key, clip.path);
  await watch.until(1, ({ connectStatus }) => connectStatus === "READY", CHANGE_MAX_MS);
  await receiver.exited;
  const [sent, got] = await Promise.all([packetHashes(clip.path), packetHashes(path)]);
  // It begins at the first keyframe after the connection: the first, one of the next two or, on a busy machine, the fourth.
  expect([0, 50, 100, 150]).toContain(sent.video.length - got.video.length);
});
