import { Hub } from "./hub.ts";
import { serveTab, type TabMessage } from "./tab.ts";

const hub = new Hub();

// Without shared workers this worker belongs to one tab, and ends with it.
if ("SharedWorkerGlobalScope" in self) {
  addEventListener("connect", (event) => {
    for (const port of (event as MessageEvent).ports) {
      const hear = serveTab(hub, port);
      port.onmessage = ({ data }: MessageEvent<TabMessage>) => hear(data);
    }
  });
} else {
  hub.listen((message) => postMessage(message));
}
