// Run by standstill-watch.ts, bound to one processor and above all other work: when this is late, the processor itself
// stood still, as a virtual machine's does while its host runs others. Prints the wall time and the milliseconds.
const BEAT_MS = 5;
const LATE_MS = 15;

let lastMs = performance.now();
setInterval(() => {
  const nowMs = performance.now();
  const lateMs = nowMs - lastMs - BEAT_MS;
  lastMs = nowMs;
  if (lateMs > LATE_MS) process.stdout.write(`${Date.now()} ${Math.round(lateMs)}\n`);
}, BEAT_MS);
