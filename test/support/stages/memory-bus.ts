import { decodeMessage, encodeMessage } from "../../../src/cluster/bus-message.ts";
import { BUS_REPLY_BYTES_MAX, type Bus, type BusMessage, type BusReply } from "../../../src/control/ports/bus.ts";

type Listener = {
  readonly bus: MemoryBus;
  readonly pattern: RegExp;
  readonly take: (m: BusMessage, s: string) => void;
};
type Server = { readonly bus: MemoryBus; readonly answer: (message: BusMessage) => Promise<BusMessage | undefined> };

/** Several buses that hear each other at once, and lose what the test says. */
export class MemoryNetwork {
  readonly listeners = new Set<Listener>();
  readonly servers = new Map<string, Server>();
  /** Messages that a test lets be lost. */
  isLost: (subject: string) => boolean = () => false;

  newBus(): MemoryBus {
    return new MemoryBus(this);
  }

  /** Sends what any other program might. */
  send(subject: string, message: BusMessage): void {
    for (const { pattern, take } of [...this.listeners]) if (pattern.test(subject)) take(message, subject);
  }
}

export class MemoryBus implements Bus {
  isConnected = true;
  readonly #network: MemoryNetwork;

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  publish(subject: string, message: BusMessage): boolean {
    const bytes = encodeMessage(message);
    if (!this.isConnected || bytes === undefined) return false;
    if (this.#network.isLost(subject)) return true;
    for (const { bus, pattern, take } of [...this.#network.listeners]) {
      if (bus !== this && bus.isConnected && pattern.test(subject)) take(decodeMessage(bytes) ?? {}, subject);
    }
    return true;
  }

  subscribe(pattern: string, take: (message: BusMessage, subject: string) => void): () => void {
    const form = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", "[^.]+")}$`);
    const listener = { bus: this, pattern: form, take };
    this.#network.listeners.add(listener);
    return () => this.#network.listeners.delete(listener);
  }

  async request(subject: string, message: BusMessage): Promise<BusReply> {
    if (!this.isConnected) return { kind: "none", why: "disconnected" };
    const server = this.#network.servers.get(subject);
    if (server?.bus.isConnected !== true) return { kind: "none", why: "no-responders" };
    if (this.#network.isLost(subject)) return { kind: "none", why: "timed-out" };
    const reply = await server.answer(message).catch(() => undefined);
    const bytes = reply === undefined ? undefined : encodeMessage(reply, BUS_REPLY_BYTES_MAX);
    if (bytes === undefined) return { kind: "none", why: "timed-out" };
    return { kind: "reply", message: decodeMessage(bytes, BUS_REPLY_BYTES_MAX) ?? {} };
  }

  serve(subject: string, answer: Server["answer"]): () => void {
    this.#network.servers.set(subject, { bus: this, answer });
    return () => this.#network.servers.delete(subject);
  }

  onConnection(): () => void {
    return () => undefined;
  }

  async close(): Promise<void> {
    this.isConnected = false;
  }
}
