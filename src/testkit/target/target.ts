import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { TargetBehaviour } from "./target-behaviour.ts";
import { TargetConnection } from "./target-connection.ts";
import type { TargetEvent } from "./target-report.ts";

export type TargetOptions = {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default: a free port. */
  readonly port?: number;
  /** The behaviour towards connections: the same for all, or by their number from 0. Default: no faults. */
  readonly behaviour?: TargetBehaviour | ((index: number) => TargetBehaviour);
  /** A folder: each publication becomes an FLV file in it, named by connection and publication. */
  readonly recordInto?: string;
  /** How many messages' records a connection keeps; default none. */
  readonly messagesMax?: number;
  /** Whether `onEvent` is called for every message. */
  readonly reportsMessages?: boolean;
  /** The clock for the times in the behaviour. */
  readonly clock?: Clock;
  readonly onEvent?: (event: TargetEvent) => void;
};

/** An RTMP server that accepts every key, behaves well or in one way badly, and remembers what it received. */
export class KitTarget {
  readonly port: number;
  /** Every connection so far, oldest first. */
  readonly connections: TargetConnection[] = [];
  readonly #server: Server;
  readonly #host: string;
  readonly #options: TargetOptions;
  #behaviour: (index: number) => TargetBehaviour;

  private constructor(server: Server, host: string, port: number, options: TargetOptions) {
    this.#server = server;
    this.#host = host;
    this.#options = options;
    this.port = port;
    this.#behaviour = byIndex(options.behaviour ?? {});
    server.on("connection", (socket) => {
      const index = this.connections.length;
      const { recordInto, messagesMax = 0, reportsMessages = false } = options;
      this.connections.push(
        new TargetConnection(socket, {
          clock: options.clock ?? systemClock,
          behaviour: this.#behaviour(index),
          index,
          messagesMax,
          reportsMessages,
          recordingPath: (publication) =>
            recordInto === undefined ? undefined : join(recordInto, `${index + 1}-${publication}.flv`),
          onEvent: (event) => this.#options.onEvent?.(event),
        }),
      );
    });
  }

  /** Rejects where it cannot listen at that address. */
  static async start(options: TargetOptions = {}): Promise<KitTarget> {
    const host = options.host ?? "127.0.0.1";
    const server = createServer().listen(options.port ?? 0, host);
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("the target does not listen on a port");
    return new KitTarget(server, host, address.port, options);
  }

  /** The address without the key. */
  get url(): string {
    return `rtmp://${this.#host.includes(":") ? `[${this.#host}]` : this.#host}:${this.port}/live`;
  }

  /** Sets the behaviour from the next connection on. */
  behave(behaviour: TargetBehaviour | ((index: number) => TargetBehaviour)): void {
    this.#behaviour = byIndex(behaviour);
  }

  /** Ends everything at once; resolves when the recordings are complete. Idempotent. */
  async close(): Promise<void> {
    const isListening = this.#server.listening;
    for (const connection of this.connections) connection.destroy();
    this.#server.close();
    if (isListening) await once(this.#server, "close");
    await Promise.all(this.connections.map((connection) => connection.closed));
  }
}

function byIndex(
  behaviour: TargetBehaviour | ((index: number) => TargetBehaviour),
): (index: number) => TargetBehaviour {
  return typeof behaviour === "function" ? behaviour : () => behaviour;
}
