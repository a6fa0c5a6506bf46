import type { Socket } from "node:net";
import { DirectSocket } from "./direct-socket.ts";

/** Hands out direct system calls for the sockets of one thread, or for none where they are switched off. */
export class DirectSockets {
  /** Whether direct system calls may be used at all. */
  readonly isOn: boolean;
  readonly #inUse = new Set<Socket>();

  constructor(isOn = true) {
    this.isOn = isOn;
  }

  /** Connections that are read or written by direct system calls now. */
  get count(): number {
    return this.#inUse.size;
  }

  /** Undefined where the socket has to use Node's stream: switched off, or not possible for this socket. */
  of(socket: Socket): DirectSocket | undefined {
    const direct = this.isOn ? DirectSocket.of(socket) : undefined;
    if (direct !== undefined && !this.#inUse.has(socket)) {
      this.#inUse.add(socket);
      socket.once("close", () => this.#inUse.delete(socket));
    }
    return direct;
  }
}
