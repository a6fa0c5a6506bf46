import { signal } from "@preact/signals";

/** Whether the server sends this browser its notifications, also while no page is open. */
export const isPushOn = signal(false);
