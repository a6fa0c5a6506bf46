import type { MessagePort } from "node:worker_threads";
import type { ToControl, ToMedia } from "../../thread-protocol/messages.ts";
import type { ThreadOptions, ThreadStart } from "../threads/media-options.ts";
import type { Envelope } from "../threads/transport-ends.ts";

/**
 * Reports that the thread's program is loaded, and returns the options with which it begins. They come when the process
 * listens, which may be much later: until then an earlier process has the ports. A process that stops before ends the
 * thread.
 */
export function startOptions(port: MessagePort, post: (message: ToControl) => void): Promise<ThreadOptions> {
  return new Promise((resolve) => {
    const take = ({ message }: Envelope<ThreadStart | ToMedia>) => {
      if (message.kind === "start") {
        port.off("message", take);
        return resolve(message.options);
      }
      if (message.kind === "drain") post({ kind: "drained" });
      if (message.kind !== "shutdown") return;
      post({ kind: "stopped" });
      process.exit();
    };
    port.on("message", take);
    post({ kind: "loaded" });
  });
}
