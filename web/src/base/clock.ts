import { signal } from "@preact/signals";

/** Smaller differences come from the network and from the second that a sample waits, in milliseconds. */
const TOLERANCE_MS = 2_000;

/** How far the server's clock is ahead of this browser's, in milliseconds. One of them may be wrong by minutes. */
let aheadMs = 0;
let isStopped = false;

/** The server's time in milliseconds since 1970, updated once a second: for countdowns and times on air. */
export const now = signal(Date.now());

/** Sets the server's time, as the server reported it just now. A stopped clock shows it when it starts again. */
export function setServerTime(time: number): void {
  const measuredMs = time - Date.now();
  if (Math.abs(measuredMs - aheadMs) < TOLERANCE_MS) return;
  aheadMs = measuredMs;
  if (!isStopped) now.value = time;
}

/** Stops the clock because the server is gone, at the server's time when something last arrived from it. */
export function stopClock(time = now.peek()): void {
  isStopped = true;
  now.value = time;
}

/** Starts a stopped clock again. */
export function startClock(): void {
  isStopped = false;
  now.value = Date.now() + aheadMs;
}

setInterval(() => {
  if (!isStopped && !document.hidden) now.value = Date.now() + aheadMs;
}, 1_000);
