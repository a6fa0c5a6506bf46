import type { FastifyInstance } from "fastify";
import { systemCode } from "../../base/system-errors.ts";
import { CAN_SHARE_PORTS, claimPort } from "../../ingest/claim-port.ts";
import type { Config } from "../config/settings/settings.ts";

/** At shutdown requests have this long to finish, in milliseconds. */
const HTTP_CLOSE_MS = 1_000;

/** Lets requests finish, for a second: a client that stops sending must not delay the shutdown. */
export async function closeHttp(http: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => http.server.closeAllConnections(), HTTP_CLOSE_MS);
  await http.close();
  clearTimeout(timer);
}

/**
 * Listens as configured, and returns the port. Without an address: IPv6 and IPv4 on one socket, or IPv4 alone where the
 * machine has no IPv6. `predecessorPorts`: where the process before this one still listens.
 */
export async function listenHttp(
  http: FastifyInstance,
  { httpHost, httpPort: port }: Config,
  predecessorPorts: readonly number[] = [],
): Promise<number> {
  if (httpHost !== undefined) await listenShared(http, { host: httpHost, port }, predecessorPorts);
  else {
    await listenShared(http, { host: "::", port }, predecessorPorts).catch((error: unknown) => {
      if (systemCode(error) === "EAFNOSUPPORT") return listenShared(http, { host: "0.0.0.0", port }, predecessorPorts);
      throw error;
    });
  }
  const bound = http.server.address();
  return bound !== null && typeof bound === "object" ? bound.port : port;
}

/** Listens so that the next process can listen at the same port, before this one stops. */
export async function listenShared(
  http: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
  predecessorPorts: readonly number[],
): Promise<void> {
  if (!CAN_SHARE_PORTS) return void (await http.listen({ host, port }));
  const claimed = predecessorPorts.includes(port) ? port : await claimPort({ host, port });
  // Fastify passes on what its types do not name.
  const where = { host, port: claimed, reusePort: true };
  await http.listen(where);
}
