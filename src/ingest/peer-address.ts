import type { Socket } from "node:net";

/** The peer's address; empty where the socket is gone. A socket for both families shows IPv4 peers in IPv6's mapped form. */
export function peerAddress(socket: Socket): string {
  return plainAddress(socket.remoteAddress ?? "");
}

/** An address without IPv6's mapped form of IPv4. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, "");
}
