import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from "node:tls";
import { clientTls, type LinkSecrets, parseLinkSecrets, serverTls } from "../../../src/node-link/link-secret.ts";

/** The secrets of a test's cluster, one a line. */
export function secretsOf(...lines: readonly string[]): LinkSecrets {
  const secrets = parseLinkSecrets(lines.join("\n"));
  if (typeof secrets === "string") throw new Error(secrets);
  return secrets;
}

export const SECRET = "a cluster secret of 32 characters or more";

/** Two ends of one TCP connection on this machine. */
export async function tcpPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection");
  const near = connect(portOf(server.address()), "127.0.0.1");
  const [far] = await accepted;
  await once(near, "connect");
  server.close();
  return [near, far as Socket];
}

/** The same over TLS with a pre-shared key. */
export async function tlsPair(): Promise<readonly [Socket, Socket]> {
  const secrets = secretsOf(SECRET);
  const server = createTlsServer(serverTls(secrets, () => undefined)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "secureConnection");
  const near = connectTls({ port: portOf(server.address()), host: "127.0.0.1", ...clientTls(secrets, "1") });
  const [far] = await accepted;
  server.close();
  return [near, far as TLSSocket];
}

function portOf(address: ReturnType<ReturnType<typeof createServer>["address"]>): number {
  if (address === null || typeof address === "string") throw new Error("not a TCP address");
  return address.port;
}
