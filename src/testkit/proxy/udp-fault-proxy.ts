import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type LossFaults, NetworkLoss } from "./network-loss.ts";

/** The same in each direction; a burst is one in both. */
export type UdpFaults = LossFaults & {
  /** How long each datagram is under way, in milliseconds. */
  readonly delayMs: number;
  /** The share of datagrams that arrive twice. */
  readonly duplicates?: number;
  /** The share of datagrams that arrive `reorderMs` later. */
  readonly reordered?: number;
  readonly reorderMs?: number;
};

export type UdpProxyOptions = {
  /** Where datagrams go. */
  readonly to: { readonly host: string; readonly port: number };
  readonly faults: UdpFaults;
  /** From 0 up to 1; seeded, so that a run can be repeated. */
  readonly random: () => number;
  /** Called with each datagram of the client, before the network can lose it. */
  readonly onSent?: (datagram: Buffer) => void;
  /** Returns whether this datagram of the client always arrives, once and in its place. */
  readonly isSpared?: (datagram: Buffer) => boolean;
};

/** Seconds of a stream, where the system allows as much. */
const RECEIVE_BYTES = 4 * 1_024 * 1_024;

/** A network between one UDP client on this machine and a server: it loses, delays, doubles and reorders. */
export class UdpFaultProxy {
  readonly #options: UdpProxyOptions;
  readonly #loss: NetworkLoss;
  /** With room for what comes while this process is not run: the network loses nothing else than it is told to. */
  readonly #front: Socket = createSocket({ type: "udp4", recvBufferSize: RECEIVE_BYTES });
  readonly #back: Socket = createSocket("udp4");
  #client: { readonly address: string; readonly port: number } | undefined;
  #isClosed = false;
  passed = 0;
  lost = 0;

  private constructor(options: UdpProxyOptions) {
    this.#options = options;
    this.#loss = new NetworkLoss(options.faults, options.random);
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(options: UdpProxyOptions): Promise<UdpFaultProxy> {
    const proxy = new UdpFaultProxy(options);
    await proxy.#listen();
    return proxy;
  }

  get port(): number {
    return this.#front.address().port;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#front.close();
    this.#back.close();
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#options.to;
    this.#front.on("message", (datagram, { address, port: from }) => {
      this.#client = { address, port: from };
      this.#options.onSent?.(datagram);
      const send = () => this.#back.send(datagram, port, host);
      if (this.#options.isSpared?.(datagram) === true) this.#later(this.#options.faults.delayMs, send);
      else this.#pass(send);
    });
    this.#back.on("message", (datagram) => {
      const client = this.#client;
      if (client !== undefined) this.#pass(() => this.#front.send(datagram, client.port, client.address));
    });
    for (const socket of [this.#front, this.#back]) {
      socket.bind(0, "127.0.0.1");
      await once(socket, "listening");
    }
  }

  #pass(send: () => void): void {
    const { faults, random } = this.#options;
    const { delayMs, duplicates = 0, reordered = 0, reorderMs = 0 } = faults;
    if (this.#loss.isLost(performance.now())) {
      this.lost += 1;
      return;
    }
    this.passed += 1;
    const lateMs = random() < reordered ? reorderMs : 0;
    this.#later(delayMs + lateMs, send);
    if (random() < duplicates) this.#later(delayMs, send);
  }

  #later(delayMs: number, send: () => void): void {
    setTimeout(() => {
      if (!this.#isClosed) send();
    }, delayMs).unref();
  }
}
