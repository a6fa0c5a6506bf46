import { Hub } from "./hub.ts";

/** What a tab says to the shared worker; a tab that closes says so, or is missed after a while without a sign of life. */
export type TabMessage = "alive" | "bye";

/** Tabs say that they are there every 20 s; background tabs may do so once a minute only. */
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

// Without shared workers this one is of a single tab, and ends with it.
if ("SharedWorkerGlobalScope" in self) {
  addEventListener("connect", (event) => (event as MessageEvent).ports.forEach(serve));
} else {
  hub.listen((message) => postMessage(message));
}
