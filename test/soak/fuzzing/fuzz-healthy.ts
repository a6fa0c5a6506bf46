import { parentPort, workerData } from "node:worker_threads";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import { KitTarget } from "../../../src/testkit/target/target.ts";

/** How often the watcher checks whether it is itself late, in milliseconds. */
const BEAT_MS = 10;
const KILOBITS = 1_500;

/**
 * A thread of its own: the target of a channel that no attack affects, its encoder, and the longest gap between two
 * messages. Gaps by this thread's own delays do not count.
 */
const { rtmpUrl }: { readonly rtmpUrl: string } = workerData;
let lastMs = performance.now();
let lateMs = 0;
let gapMs = 0;
let messages = 0;

function tookMessage(): void {
  const nowMs = performance.now();
  gapMs = Math.max(gapMs, nowMs - lastMs - lateMs);
  lastMs = nowMs;
  lateMs = 0;
  messages += 1;
}

const target = await KitTarget.start({
  reportsMessages: true,
  onEvent: ({ event }) => {
    if (event === "message") tookMessage();
  },
});
let encoder: KitEncoder | undefined;
let beatMs = performance.now();
setInterval(() => {
  const nowMs = performance.now();
  lateMs += Math.max(0, nowMs - beatMs - BEAT_MS);
  beatMs = nowMs;
}, BEAT_MS);

parentPort?.on("message", (asked: { readonly streamKey?: string; readonly isLook?: boolean }) => {
  if (asked.streamKey !== undefined) {
    encoder = new KitEncoder({
      url: rtmpUrl,
      streamKey: asked.streamKey,
      clip: syntheticClip({ video: "360p", kilobits: KILOBITS }),
    });
  }
  if (asked.isLook !== true) return;
  const waitedMs = messages === 0 ? 0 : performance.now() - lastMs - lateMs;
  const connections = target.connections.length;
  parentPort?.postMessage({ gapMs: Math.max(gapMs, waitedMs), messages, connections, end: encoder?.report.end?.how });
  gapMs = 0;
});
parentPort?.postMessage({ targetUrl: target.url });
