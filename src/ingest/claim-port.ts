import { createServer } from "node:net";
import type { ListenAddress } from "./rtmp/rtmp-listener.ts";

/**
 * Makes sure that nobody listens at this address: whoever shares a port is not told that another process has it too. Answers the
 * port, any free one for 0, to be listened on right away; rejects with the system's error.
 */
export function claimPort({ host, port }: ListenAddress): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      const bound = server.address();
      server.close(() => {
        if (bound === null || typeof bound === "string") reject(new Error("not a TCP address"));
        else resolve(bound.port);
      });
    });
  });
}
