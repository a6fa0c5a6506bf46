import { signal } from "@preact/signals";

/** Smaller differences come from the network and from the second that a sample waits, in milliseconds. */
const TOLERANCE_MS = 2_000;

/** How far the server's clock is ahead of this browser's, in milliseconds. One of them may be wrong by minutes. */
let aheadMs = 0;

/** The server's time in milliseconds since 1970, updated once a second: for countdowns and times on air. */
export const now = signal(Date.now());

/** Sets the server's time, as the server reported it just now. */
export function setServerTime(time: number): void {
  const measuredMs = time - Date.now();
  if (Math.abs(measuredMs - aheadMs) < TOLERANCE_MS) return;
  aheadMs = measuredMs;
  now.value = time;
}

setInterval(() => {
  if (!document.hidden) now.value = Date.now() + aheadMs;
}, 1_000);
