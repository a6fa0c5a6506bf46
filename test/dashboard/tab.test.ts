import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { HubMessage } from "../../web/src/live/changes.ts";
import { serveTab } from "../../web/src/live/tab.ts";

/** Longer than a tab may be silent. */
const FROZEN_MS = 200_000;
const SNAPSHOT = { kind: "snapshot", time: 0, channels: [], samples: [] } as const satisfies HubMessage;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A tab at its port, and how many listen to the hub. */
function openTab() {
  const listeners = new Set<unknown>();
  const hub = {
    listen: (listener: (message: HubMessage) => void) => {
      listeners.add(listener);
      listener(SNAPSHOT);
      return () => listeners.delete(listener);
    },
  };
  const received: HubMessage[] = [];
  const port = {
    postMessage: (message: HubMessage) => received.push(message),
    close: vi.fn(),
  };
  const say = serveTab(hub, port);
  return { port, say, received, listenerCount: () => listeners.size };
}

test("a tab that was frozen is told that it was away, and everything anew", () => {
  const { port, say, received, listenerCount } = openTab();
  expect(received).toEqual([SNAPSHOT]);
  vi.advanceTimersByTime(FROZEN_MS);
  expect(listenerCount()).toBe(0);
  say("alive");
  expect(received.slice(1)).toEqual([{ kind: "state", state: "lost" }, SNAPSHOT]);
  expect(listenerCount()).toBe(1);
  say("alive");
  expect(received).toHaveLength(3);
  expect(port.close).not.toHaveBeenCalled();
});

test("a tab that is heard stays, and one that leaves has its port closed", () => {
  const { port, say, received, listenerCount } = openTab();
  for (let minutes = 0; minutes < 5; minutes += 1) {
    vi.advanceTimersByTime(60_000);
    say("alive");
  }
  expect(received).toEqual([SNAPSHOT]);
  say("bye");
  expect(listenerCount()).toBe(0);
  expect(port.close).toHaveBeenCalledOnce();
});
