import { Hub } from "./hub.ts";

/** What a tab sends to the shared worker. A tab that closes says "bye"; one that cannot is dropped when it is silent. */
export type TabMessage = "alive" | "bye";

/** Longest silence of a tab, in milliseconds. Tabs say "alive" every 20 s, background tabs perhaps only once a minute. */
const SILENT_TAB_MS = 150_000;

const hub = new Hub();

function serve(port: MessagePort): void {
  const stop = hub.listen((message) => port.postMessage(message));
  const leave = (): void => {
    clearTimeout(silence);
    stop();
    port.close();
  };
  let silence = setTimeout(leave, SILENT_TAB_MS);
  port.onmessage = ({ data }: MessageEvent<TabMessage>) => {
    clearTimeout(silence);
    if (data === "bye") leave();
    else silence = setTimeout(leave, SILENT_TAB_MS);
  };
}

// Without shared workers this worker belongs to one tab, and ends with it.
if ("SharedWorkerGlobalScope" in self) {
  addEventListener("connect", (event) => (event as MessageEvent).ports.forEach(serve));
} else {
  hub.listen((message) => postMessage(message));
}
