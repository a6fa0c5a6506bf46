import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { z } from "zod";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import { KitTarget } from "../../src/testkit/target/target.ts";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { FanfareProcess } from "../support/processes/fanfare-process.ts";
import { machineRows, table } from "./machine.ts";

const USAGE = `usage: npm run node-pauses -- [CHANNELS] [SECONDS]

Measures for how long the threads of a loaded server stand still: CHANNELS (12) of 1 Mbit/s go to two targets each for SECONDS (120), while
the API is asked without a pause. A node that owns a channel has to answer other nodes within FANFARE_OWNER_SILENT_MS, whatever else it does,
and its kernel has to accept connections within FANFARE_HOST_SILENT_MS.
`;
/** The server reports the longest pause of each thread of the last five seconds. */
const WINDOW_MS = 5_000;
const TARGETS = 2;
const KILOBITS = 1_000;
const DELAY = /^fanfare_event_loop_delay_seconds\{thread="([^"]+)",quantile="1"\} (\S+)$/gm;

const [channelCount, seconds] = [Number(process.argv[2] ?? 12), Number(process.argv[3] ?? 120)];
if (!(channelCount >= 1 && seconds >= 10)) {
  process.stdout.write(USAGE);
  process.exit(2);
}
const folder = await mkdtemp(join(tmpdir(), "fanfare-pauses-"));
const credentials = { accessKey: "PAUSES00000000000001", secretKey: randomBytes(20).toString("hex") };
const server = await FanfareProcess.start({ dataFolder: join(folder, "data"), credentials });
const api = new ApiClient(server.origin, credentials, () => undefined);
const clip = syntheticClip({ kilobits: KILOBITS });
const targets = await Promise.all(Array.from({ length: TARGETS }, () => KitTarget.start()));
const encoders: KitEncoder[] = [];
for (let index = 0; index < channelCount; index += 1) {
  const platforms = targets.map(({ url }, at) => ({ rtmpUrl: url, streamKey: `${index}-${at}` }));
  const channel = await api.createChannel(`pauses_${index}`, platforms);
  encoders.push(new KitEncoder({ url: channel.publishUrl, streamKey: channel.streamKey, clip }));
}

const dialler = new Worker(new URL("./host-accepts.ts", import.meta.url), { workerData: server.rtmpPort });
let isOver = false;
const asking = (async () => {
  while (!isOver) await api.request("GET", "/api/v2/re-stream/channels?pageSizeNo=100");
})();
const pausesMs = new Map<string, number[]>();
for (let at = 0; at < seconds * 1_000; at += WINDOW_MS) {
  await pass(WINDOW_MS);
  const text = await (await fetch(`${server.origin}/metrics`)).text();
  for (const [, thread = "", value = ""] of text.matchAll(DELAY)) {
    pausesMs.set(thread, [...(pausesMs.get(thread) ?? []), Number(value) * 1_000]);
  }
}
isOver = true;
await asking;
dialler.postMessage("end");
const [accepts]: unknown[] = await once(dialler, "message");
await dialler.terminate();
for (const encoder of encoders) await encoder.stop("clean");
await server.stop();
for (const target of targets) await target.close();
await rm(folder, { recursive: true, force: true });

// Another node's question waits for a media thread, and that one for the control thread.
const control = pausesMs.get("control") ?? [];
const both = control.map((pauseMs, at) => {
  const others = [...pausesMs].filter(([thread]) => thread !== "control").map(([, list]) => list[at] ?? 0);
  return pauseMs + Math.max(0, ...others);
});
const figures = (list: readonly number[], digits: number): string => {
  const sorted = list.toSorted((left, right) => left - right);
  const part = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return [0.5, 0.9, 0.99, 1].map((share) => `${part(share).toFixed(digits)} ms`).join(", ");
};
const rows = [...pausesMs, ["both, in the same five seconds", both] as const].map(
  ([thread, list]) => [thread, figures(list, 0)] as const,
);
const acceptsMs = z.array(z.number()).parse(accepts);
const kernel = [
  `a connection, until its kernel accepted it, ${acceptsMs.length} times`,
  figures(acceptsMs, 1),
] as const;
process.stdout.write(`${table(["machine", ""], machineRows())}\n\n`);
process.stdout.write(
  `${table([`longest pause in 5 s, ${control.length} times`, "median, 90 %, 99 %, longest"], [...rows, kernel])}\n`,
);
