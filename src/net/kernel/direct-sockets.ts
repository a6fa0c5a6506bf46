import type { Socket } from "node:net";
import { DirectSocket } from "./direct-socket.ts";
import { SystemCalls } from "./system-calls.ts";

/** Hands out direct system calls for the sockets of one thread, or for none where they are switched off. */
export class DirectSockets {
  readonly #isOn: boolean;
  readonly #inUse = new Set<Socket>();
  readonly #loadCalls: () => Promise<SystemCalls | undefined>;
  #loading: Promise<SystemCalls | undefined> | undefined;
  #calls: SystemCalls | undefined;

  constructor(isOn = true, loadCalls = () => SystemCalls.load()) {
    this.#isOn = isOn;
    this.#loadCalls = loadCalls;
  }

  /** Connections that are read or written by direct system calls now. */
  get count(): number {
    return this.#inUse.size;
  }

  /** Undefined where the socket has to use Node's stream: switched off, or not possible for this socket. */
  of(socket: Socket): DirectSocket | undefined {
    const direct = this.#isOn ? DirectSocket.of(socket, () => this.#calls) : undefined;
    if (direct === undefined) return undefined;
    void this.calls();
    if (!this.#inUse.has(socket)) {
      this.#inUse.add(socket);
      socket.once("close", () => this.#inUse.delete(socket));
    }
    return direct;
  }

  /** Loads the calls with the first use: an idle server needs none. Undefined where there are none, or switched off. */
  calls(): Promise<SystemCalls | undefined> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<SystemCalls | undefined> {
    if (this.#isOn) this.#calls = await this.#loadCalls();
    return this.#calls;
  }
}
