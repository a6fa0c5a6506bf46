import assert from "node:assert";
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../../base/clock.ts";
import { SegmentFiles } from "../../delay/segment-files.ts";
import { SYSTEM_DISK } from "../../recording/files/disk.ts";
import type { DelaySettings, FromDelay, ToDelay } from "../../thread-protocol/delays/delay-messages.ts";

// The root of a delay thread: the only one that waits for the disk of a media thread's delayed streams.

assert(parentPort !== null, "this file runs as a worker thread only");
const port = parentPort;
const files = new SegmentFiles({
  settings: workerData as DelaySettings,
  disk: SYSTEM_DISK,
  clock: systemClock,
  post: (message: FromDelay, transferred: readonly ArrayBuffer[] = []) => port.postMessage(message, [...transferred]),
});
port.on("message", (message: ToDelay) => files.take(message));
