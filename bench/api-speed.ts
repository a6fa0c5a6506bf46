import { createHmac, randomBytes, randomInt } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { ApiClient } from "../test/support/dashboard/api-client.ts";
import { startFfmpeg } from "../test/support/encoders/ffmpeg-encoder.ts";
import { FanfareProcess, ROOT } from "../test/support/processes/fanfare-process.ts";
import { makeClip } from "../test/support/streams/clip.ts";
import { packetHashes } from "../test/support/streams/packet-hashes.ts";
import { NginxTarget } from "../test/support/targets/nginx-target.ts";
import { type LoadResult, percentile, runLoad } from "./open-load.ts";
import { type QueueResult, QueueWatch } from "./queue-watch.ts";

/**
 * Measures how fast the API answers while a stream is relayed: 10,000 channels of 3 platforms in the database, any page
 * of the list and one channel's platforms, 200 requests a second, a 6 Mbit/s stream to 5 targets beside it.
 */

const CHANNEL_COUNT = 10_000;
const PLATFORM_COUNT = 3;
const TARGET_COUNT = 5;
const STREAM_KILOBITS = 6_000;
const REQUESTS_PER_SECOND = 200;
const LOAD_SECONDS = 60;
/** The stream begins before the load and ends after it. */
const STREAM_SECONDS = LOAD_SECONDS + 15;
const P99_MAX_MS = 20;
/** A packet that waited longer than this for its target's socket is late. */
const LATE_MS = 1_000;
/** Audio packets that the muxer may put before the first keyframe: a target begins with the keyframe. */
const AUDIO_BEFORE_KEYFRAME_MAX = 3;
const PAGE_SIZES = [20, 100];

const CREDENTIALS = { accessKey: "BENCH000000000000001", secretKey: randomBytes(20).toString("hex") };
const CHANNELS = "/api/v2/re-stream/channels";

function signed(target: string): Record<string, string> {
  const timestamp = String(Date.now());
  const text = `GET ${target}\n${timestamp}\n${CREDENTIALS.accessKey}`;
  return {
    "x-ncp-apigw-timestamp": timestamp,
    "x-ncp-iam-access-key": CREDENTIALS.accessKey,
    "x-ncp-apigw-signature-v2": createHmac("sha256", CREDENTIALS.secretKey).update(text).digest("base64"),
  };
}

async function fillDatabase(api: ApiClient): Promise<string[]> {
  const channelIds: string[] = [];
  for (let count = 0; count < CHANNEL_COUNT; count += 1) {
    const platforms = Array.from({ length: PLATFORM_COUNT }, (_, index) => ({
      rtmpUrl: `rtmp://platform-${index}.example.com/app`,
      streamKey: randomBytes(12).toString("hex"),
    }));
    channelIds.push((await api.createChannel(`channel_${count}`, platforms)).channelId);
  }
  return channelIds;
}

/**
 * Whether every target's recording holds the clip's packets one for one: all video, and all audio except the few
 * packets before the first keyframe.
 */
async function areAllPacketsThere(nginx: NginxTarget, keys: readonly string[], clipPath: string): Promise<boolean> {
  const sent = await packetHashes(clipPath);
  for (const key of keys) {
    const [recording, ...others] = await nginx.recordings(key);
    if (recording === undefined || others.length > 0) return false;
    const got = await packetHashes(recording.path);
    const audioMissing = sent.audio.length - got.audio.length;
    const isSame = got.video.join() === sent.video.join() && got.audio.join() === sent.audio.slice(audioMissing).join();
    if (!isSame || audioMissing < 0 || audioMissing > AUDIO_BEFORE_KEYFRAME_MAX) return false;
  }
  return true;
}

function report(load: LoadResult, queue: QueueResult, areAllThere: boolean, machineLoad: readonly number[]): string {
  const rows = [...load.latencies].map(([kind, values]) => {
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(values, share).toFixed(1));
    return `| ${kind} | ${values.length} | ${p50} | ${p95} | ${p99} | ${Math.max(...values).toFixed(1)} |`;
  });
  const all = percentile([...load.latencies.values()].flat(), 0.99);
  const isFast = all <= P99_MAX_MS && load.failures.length === 0;
  const isWhole = queue.droppedFrames === 0 && queue.queueMsMax <= LATE_MS && areAllThere;
  return `# How fast the API answers while a stream is relayed

\`npm run bench:api\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}; server, client, encoder and
nginx ran on this machine. Its load average (one minute) before and after: ${machineLoad.map((each) => each.toFixed(1)).join(" and ")}; the
benchmark itself adds about 1.

${CHANNEL_COUNT.toLocaleString("en")} channels with ${PLATFORM_COUNT} platforms each in the database; ${REQUESTS_PER_SECOND} signed requests a second for ${LOAD_SECONDS} s, half of them for a random page of the list
(${PAGE_SIZES.join(" or ")} a page), half for the platforms of a random channel; meanwhile FFmpeg sends ${STREAM_KILOBITS / 1_000} Mbit/s, relayed to ${TARGET_COUNT} targets. Latency in milliseconds counts
from the moment a request was due.

| request | answers | p50 | p95 | p99 | longest |
|---|---|---|---|---|---|
${rows.join("\n")}

- p99 over all: ${all.toFixed(1)} ms, limit ${P99_MAX_MS} ms; ${load.failures.length} requests failed: **${isFast ? "met" : "not met"}**
- the stream: ${queue.droppedFrames} frames dropped, at most ${queue.queueMsMax} ms of media waiting in ${queue.sampleCount} samples, recordings ${areAllThere ? "equal the clip packet for packet" : "differ from the clip"}: **${isWhole ? "met" : "not met"}**
`;
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-bench-"));
  const say = (text: string) => process.stdout.write(`${text}\n`);
  try {
    const [loadBefore = 0] = loadavg();
    say("clip");
    const clip = await makeClip({ seconds: STREAM_SECONDS, kilobits: STREAM_KILOBITS });
    const nginx = await NginxTarget.start(join(folder, "nginx"));
    const server = await FanfareProcess.start({
      dataFolder: join(folder, "data"),
      credentials: CREDENTIALS,
      environment: { FANFARE_LOG_LEVEL: "warn" },
    });
    try {
      const api = new ApiClient(server.origin, CREDENTIALS, () => undefined);
      say("database");
      const channelIds = await fillDatabase(api);
      const keys = Array.from({ length: TARGET_COUNT }, (_, index) => `bench-${index}`);
      const channel = await api.createChannel(
        "on_air",
        keys.map((streamKey) => ({ rtmpUrl: nginx.url, streamKey })),
      );
      channelIds.push(channel.channelId);
      const encoder = await startFfmpeg(clip, `${channel.publishUrl}/${channel.streamKey}`);
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      const target = `/api/v2/re-stream/events/stream?channelId=${channel.channelId}`;
      const watch = new QueueWatch(server.origin, signed(target), target);
      say("load");
      let isList = false;
      const load = await runLoad({
        origin: server.origin,
        perSecond: REQUESTS_PER_SECOND,
        seconds: LOAD_SECONDS,
        next: () => {
          isList = !isList;
          const size = PAGE_SIZES[randomInt(PAGE_SIZES.length)] ?? 20;
          const page = `${CHANNELS}?pageNo=${randomInt(1, Math.ceil(CHANNEL_COUNT / size) + 1)}&pageSizeNo=${size}`;
          const platforms = `${CHANNELS}/${channelIds[randomInt(channelIds.length)]}/platforms`;
          const wanted = isList ? page : platforms;
          return {
            kind: isList ? "a page of the list" : "a channel's platforms",
            target: wanted,
            headers: signed(wanted),
          };
        },
      });
      const [loadAfter = 0] = loadavg();
      const queue = watch.stop();
      await encoder.exited;
      // nginx writes the last packets when the link ends.
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      const text = report(load, queue, await areAllPacketsThere(nginx, keys, clip.path), [loadBefore, loadAfter]);
      say(text);
      for (const failure of load.failures.slice(0, 5)) say(failure);
      await writeFile(join(ROOT, "docs", "results", "api-speed.md"), text);
    } finally {
      await server.stop();
      await nginx.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
