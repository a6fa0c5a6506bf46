import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type Clock, systemClock } from "../../base/clock.ts";
import { type FlowShape, type FlowState, ProxyFlow } from "./proxy-flow.ts";

/** `up`: from the client of the proxy; `down`: back to it. */
export type Direction = "up" | "down";
const DIRECTIONS: readonly Direction[] = ["up", "down"];

export type ProxyEvent =
  | { readonly event: "connected"; readonly connection: number }
  /** A peer or the proxy closed it; with the bytes passed on in each direction. */
  | { readonly event: "closed"; readonly connection: number; readonly bytesUp: number; readonly bytesDown: number };

export type ProxyOptions = {
  /** Where it passes everything on to. */
  readonly to: { readonly host?: string; readonly port: number };
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default: a free port. */
  readonly port?: number;
  /** For both directions; can be changed at any time. */
  readonly shape?: FlowShape;
  /** Its first state; default `open`. */
  readonly state?: FlowState;
  readonly clock?: Clock;
  readonly onEvent?: (event: ProxyEvent) => void;
};

type Pair = {
  readonly index: number;
  readonly near: Socket;
  readonly far: Socket;
  readonly flows: Readonly<Record<Direction, ProxyFlow>>;
  readonly bytes: Record<Direction, number>;
};

/**
 * A TCP proxy that can be a bad network: slow, stalled, silently cut, reset. Each call affects present and later
 * connections, at once.
 */
export class FaultProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #options: ProxyOptions;
  readonly #clock: Clock;
  readonly #pairs = new Set<Pair>();
  readonly #shapes: Record<Direction, FlowShape>;
  readonly #states: Record<Direction, FlowState>;
  readonly #bytesGone: Record<Direction, number> = { up: 0, down: 0 };
  #connectionCount = 0;

  private constructor(server: Server, port: number, options: ProxyOptions) {
    this.#server = server;
    this.port = port;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { shape = {}, state = "open" } = options;
    this.#shapes = { up: shape, down: shape };
    this.#states = { up: state, down: state };
    server.on("connection", (socket) => this.#accept(socket));
  }

  /** Rejects where it cannot listen at that address. */
  static async start(options: ProxyOptions): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    server.listen(options.port ?? 0, options.host ?? "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("the proxy does not listen on a port");
    return new FaultProxy(server, address.port, options);
  }

  /** Connections so far. */
  get connectionCount(): number {
    return this.#connectionCount;
  }

  /** Connections that are still open. */
  get openCount(): number {
    return this.#pairs.size;
  }

  /** Bytes passed on in one direction so far, over all connections. */
  bytesPassed(direction: Direction): number {
    let bytes = this.#bytesGone[direction];
    for (const pair of this.#pairs) bytes += pair.bytes[direction];
    return bytes;
  }

  /** Delay and rate of one direction, or of both; replaces what was set before. */
  shape(shape: FlowShape, direction?: Direction): void {
    for (const each of direction === undefined ? DIRECTIONS : [direction]) {
      this.#shapes[each] = shape;
      for (const pair of this.#pairs) pair.flows[each].setShape(shape);
    }
  }

  /** Stops reading: what the sender sends piles up on its side. */
  stall(direction?: Direction): void {
    this.#enter("stalled", direction);
  }

  /** Swallows everything, ends of connections too: neither side notices. */
  blackhole(direction?: Direction): void {
    this.#enter("blackhole", direction);
  }

  /** Passes everything on again. What was swallowed is lost. */
  resume(direction?: Direction): void {
    this.#enter("open", direction);
  }

  /** Both sides of every connection get a reset. */
  reset(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  /** Half-closes this direction of every connection as if its sender had ended; the other direction goes on. */
  halfClose(direction: Direction): void {
    for (const pair of this.#pairs) pair.flows[direction].end();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    const isListening = this.#server.listening;
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
    this.#server.close();
    if (isListening) await once(this.#server, "close");
  }

  #enter(state: FlowState, direction: Direction | undefined): void {
    for (const each of direction === undefined ? DIRECTIONS : [direction]) {
      this.#states[each] = state;
      for (const pair of this.#pairs) pair.flows[each].setState(state);
    }
  }

  #accept(near: Socket): void {
    const { host = "127.0.0.1", port } = this.#options.to;
    const far = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const bytes = { up: 0, down: 0 };
    const flow = (from: Socket, into: Socket, direction: Direction): ProxyFlow =>
      new ProxyFlow(from, into, {
        clock: this.#clock,
        shape: this.#shapes[direction],
        state: this.#states[direction],
        onBytes: (count) => {
          bytes[direction] += count;
        },
      });
    const flows = { up: flow(near, far, "up"), down: flow(far, near, "down") };
    const pair: Pair = { index: this.#connectionCount, near, far, flows, bytes };
    this.#connectionCount += 1;
    this.#pairs.add(pair);
    this.#options.onEvent?.({ event: "connected", connection: pair.index });
    this.#passBreakOn(pair, near, far, "up");
    this.#passBreakOn(pair, far, near, "down");
  }

  /** A reset on one side becomes a reset on the other, unless that direction swallows everything. */
  #passBreakOn(pair: Pair, from: Socket, into: Socket, direction: Direction): void {
    from.on("error", () => {
      if (this.#states[direction] === "blackhole") return;
      if (into.connecting) into.destroy();
      else into.resetAndDestroy();
    });
    from.once("close", () => {
      if (!(pair.near.destroyed && pair.far.destroyed)) return;
      if (!this.#pairs.delete(pair)) return;
      for (const each of DIRECTIONS) this.#bytesGone[each] += pair.bytes[each];
      const { up: bytesUp, down: bytesDown } = pair.bytes;
      this.#options.onEvent?.({ event: "closed", connection: pair.index, bytesUp, bytesDown });
    });
  }
}
