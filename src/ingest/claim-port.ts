import { createServer } from "node:net";

/** Whether the kernel spreads connections over several listeners of one port. */
export const CAN_SHARE_PORTS = process.platform === "linux";

/** `isShared`: other threads listen there too, and the kernel chooses which of them gets a connection. */
export type ListenAddress = {
  /** All addresses where undefined. */
  readonly host: string | undefined;
  readonly port: number;
  readonly isShared?: boolean;
};

/**
 * Makes sure that no other process listens at this address: the system does not report that to a process that shares its
 * port. Returns the port (any free one for 0), to listen on at once.
 *
 * @throws the system's error: the port is in use, or not permitted.
 */
export function claimPort({ host, port }: Omit<ListenAddress, "isShared">): Promise<number> {
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
