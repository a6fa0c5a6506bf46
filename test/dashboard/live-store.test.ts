import { expect, onTestFinished, test, vi } from "vitest";
import type { HubMessage } from "../../web/src/live/changes.ts";

/** Code of pages, with types that only browsers have. */
const STORE: string = "../../web/src/live/store.ts";
const CLOCK: string = "../../web/src/base/clock.ts";
type Value = { readonly value: number };
type Store = { readonly returns: Value; readonly startLive: () => () => void };

test("where the server was lost before the session ended, the clock goes on and lists are read again after a new sign-in", async () => {
  const workers: { onmessage?: (event: { readonly data: HubMessage }) => void }[] = [];
  vi.stubGlobal("document", { hidden: false });
  // The page's tick of a second would go on in this process, behind the end of the test.
  vi.stubGlobal("setInterval", () => 0);
  vi.stubGlobal(
    "Worker",
    class {
      onmessage?: (event: { readonly data: HubMessage }) => void;
      constructor() {
        workers.push(this);
      }
      terminate(): void {}
    },
  );
  onTestFinished(() => void vi.unstubAllGlobals());
  const { returns, startLive } = (await import(STORE)) as Store;
  const { now } = (await import(CLOCK)) as { readonly now: Value };
  const hear = (data: HubMessage) => workers.at(-1)?.onmessage?.({ data });
  const serverTime = Date.now() + 3_600_000;
  const leave = startLive();
  hear({ kind: "state", state: "connected" });
  hear({ kind: "snapshot", time: serverTime, channels: [], samples: [] });
  expect(returns.value).toBe(0);
  hear({ kind: "state", state: "lost", heardTime: 1_000 });
  expect(now.value).toBe(1_000);
  hear({ kind: "state", state: "refused" });
  leave();
  onTestFinished(startLive());
  hear({ kind: "state", state: "connected" });
  expect(now.value).toBeGreaterThanOrEqual(serverTime);
  expect(returns.value).toBe(1);
});
