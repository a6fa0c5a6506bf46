import { signal } from "@preact/signals";

/** Smaller differences are the network's, and the second that a sample waits; in milliseconds. */
const TOLERANCE_MS = 2_000;

/** What the server's clock is ahead of this browser's, in milliseconds: one of them may be wrong by minutes. */
let aheadMs = 0;

/** Now by the server's clock, in milliseconds since 1970, moving on once a second: for countdowns and times on air. */
export const now = signal(Date.now());

/** The server said what time it is just now. */
export function setServerTime(time: number): void {
  const measuredMs = time - Date.now();
  if (Math.abs(measuredMs - aheadMs) < TOLERANCE_MS) return;
  aheadMs = measuredMs;
  now.value = time;
}

setInterval(() => {
  if (!document.hidden) now.value = Date.now() + aheadMs;
}, 1_000);
