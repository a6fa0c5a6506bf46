import type { HubMessage } from "./changes.ts";
import type { Hub } from "./hub.ts";

/** What a tab sends to the shared worker. A tab that closes says "bye"; one that cannot is dropped when it is silent. */
export type TabMessage = "alive" | "bye";

/** Longest silence of a tab, in milliseconds. Tabs say "alive" every 20 s, background tabs perhaps only once a minute. */
const SILENT_TAB_MS = 150_000;

/** What is needed of a tab's port. */
type TabPort = { postMessage(message: HubMessage): void; close(): void };

/**
 * Serves a tab until it leaves, or is silent for too long. A silent tab may live: browsers freeze tabs that nobody looks at, and
 * a print dialog stops its page. When it is heard again, it is told that it was away, and then everything anew. Returns what takes
 * the tab's messages.
 */
export function serveTab(hub: Pick<Hub, "listen">, port: TabPort): (message: TabMessage) => void {
  const listen = (): (() => void) => hub.listen((message) => port.postMessage(message));
  let stop: (() => void) | undefined = listen();
  let silence: ReturnType<typeof setTimeout>;
  const leave = (): void => {
    clearTimeout(silence);
    stop?.();
    stop = undefined;
  };
  const wait = (): void => {
    clearTimeout(silence);
    silence = setTimeout(leave, SILENT_TAB_MS);
  };
  wait();
  return (message) => {
    if (message === "bye") {
      leave();
      port.close();
      return;
    }
    wait();
    if (stop !== undefined) return;
    port.postMessage({ kind: "state", state: "lost" });
    stop = listen();
  };
}
