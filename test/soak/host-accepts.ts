import { connect } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

// A thread of its own: its times are of the kernel and this thread, and not of what the run does beside it.

const EVERY_MS = 50;
/** From the begin of each connection until this thread learned that the kernel had accepted it, in milliseconds. */
const acceptedMs: number[] = [];

const timer = setInterval(() => {
  const startMs = performance.now();
  const socket = connect({ host: "127.0.0.1", port: Number(workerData) });
  socket.once("connect", () => {
    acceptedMs.push(performance.now() - startMs);
    socket.destroy();
  });
  socket.on("error", () => socket.destroy());
}, EVERY_MS);

parentPort?.once("message", () => {
  clearInterval(timer);
  parentPort?.postMessage(acceptedMs);
});
