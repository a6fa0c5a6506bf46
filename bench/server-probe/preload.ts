// Loaded (`--import`) into every thread of a server that is measured from within. Each thread listens on a Unix socket
// of its own, named after it, and does nothing until a request comes: a line in, a line of JSON out.
import { Session } from "node:inspector/promises";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { getHeapStatistics, setFlagsFromString, writeHeapSnapshot } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread, threadName } from "node:worker_threads";
import { flattened, type ProfileNode } from "./allocation-sites.ts";
import { countingBuffers } from "./buffer-count.ts";
import { PROBE_FOLDER, type ThreadProfile, threadSocket } from "./protocol.ts";

/** Bytes between two samples on average: a few thousand samples a second under load. */
const SAMPLING_INTERVAL_BYTES = 16 * 1024;

type ProfileAnswer = { readonly profile: { readonly head: ProfileNode } };

/** What was allocated within these seconds, whether or not it is still there. */
async function profile(seconds: number): Promise<ThreadProfile> {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.startSampling", {
    samplingInterval: SAMPLING_INTERVAL_BYTES,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  const buffers = countingBuffers();
  const fromMs = performance.now();
  await delay(seconds * 1_000);
  const elapsedSeconds = (performance.now() - fromMs) / 1_000;
  const bufferBytes = buffers.stop();
  const { profile: taken } = (await session.post("HeapProfiler.stopSampling")) as ProfileAnswer;
  session.disconnect();
  return { seconds: elapsedSeconds, sites: flattened(taken.head), bufferBytes };
}

/** Memory of this thread; `rss` is the whole process's. Memory without a holder is released before. */
function memory() {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // Buffers' memory is released beside the program after one collection, and for certain at the next.
  collect();
  collect();
  const { used_heap_size: heapUsed, total_heap_size: heapTotal, external_memory: external } = getHeapStatistics();
  const { rss, arrayBuffers } = process.memoryUsage();
  return { rss, heapUsed, heapTotal, external, arrayBuffers };
}

async function answer(line: string): Promise<unknown> {
  const [command, argument = ""] = line.split(" ");
  if (command === "memory") return memory();
  if (command === "profile") return await profile(Number(argument));
  if (command === "snapshot") return { file: writeHeapSnapshot(argument) };
  return { error: `unknown command ${line}` };
}

function serve(socket: Socket): void {
  // A client that left gets no reply.
  socket.on("error", () => socket.destroy());
  createInterface({ input: socket }).on("line", (line) => {
    answer(line).then(
      (result) => void socket.write(`${JSON.stringify(result)}\n`),
      (error: unknown) => void socket.write(`${JSON.stringify({ error: String(error) })}\n`),
    );
  });
}

const folder = process.env[PROBE_FOLDER];
const name = isMainThread ? "control" : threadName;
if (folder !== undefined && name !== null && name !== "") {
  createServer(serve).listen(threadSocket(folder, name)).unref();
}
