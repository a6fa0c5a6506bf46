import type { FastifyInstance } from "fastify";
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
 * machine has no IPv6.
 */
export async function listenHttp(http: FastifyInstance, config: Config): Promise<number> {
  const { httpHost, httpPort: port } = config;
  if (httpHost !== undefined) await http.listen({ host: httpHost, port });
  else {
    await http.listen({ host: "::", port }).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "EAFNOSUPPORT") {
        return http.listen({ host: "0.0.0.0", port });
      }
      throw error;
    });
  }
  const bound = http.server.address();
  return bound !== null && typeof bound === "object" ? bound.port : port;
}
