import { signal } from "@preact/signals";

/** Now, in milliseconds since 1970, moving on once a second: for countdowns and times on air. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1_000);
