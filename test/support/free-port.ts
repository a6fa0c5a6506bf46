import { once } from "node:events";
import { createServer } from "node:net";

const given = new Set<number>();

/** A TCP port of 127.0.0.1 that nothing listens on, and that this process has not been given before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    server.close();
    await once(server, "close");
    if (typeof address !== "object" || address === null || given.has(address.port)) continue;
    given.add(address.port);
    return address.port;
  }
}
