import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { TargetBehaviour } from "./target-behaviour.ts";
import { TargetConnection } from "./target-connection.ts";
import type { TargetEvent } from "./target-report.ts";

export type TargetOptions = {
  /** 127.0.0.1 unless told. */
  readonly host?: string;
  /** A free one unless told. */
  readonly port?: number;
  /** What connections meet: all alike, or by their number, the first being 0. Nothing bad unless told. */
  readonly behaviour?: TargetBehaviour | ((index: number) => TargetBehaviour);
  /** A folder: each publication becomes an FLV file in it, named by connection and publication. */
  readonly recordInto?: string;
  /** How many messages' records a connection keeps; none unless told. */
  readonly messagesMax?: number;
  /** Whether `onEvent` hears of every message. */
  readonly reportsMessages?: boolean;
  /** For the times in the behaviour. */
  readonly clock?: Clock;
  readonly onEvent?: (event: TargetEvent) => void;
};

/** A place to publish to that takes every key, does one thing well or badly, and remembers what it was sent. */
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

  /** Rejects where it cannot listen there. */
  static async start(options: TargetOptions = {}): Promise<KitTarget> {
    const host = options.host ?? "127.0.0.1";
    const server = createServer().listen(options.port ?? 0, host);
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("the target listens on no port");
    return new KitTarget(server, host, address.port, options);
  }

  /** Without the key. */
  get url(): string {
    return `rtmp://${this.#host.includes(":") ? `[${this.#host}]` : this.#host}:${this.port}/live`;
  }

  /** What connections meet from the next one on. */
  behave(behaviour: TargetBehaviour | ((index: number) => TargetBehaviour)): void {
    this.#behaviour = byIndex(behaviour);
  }

  /** Ends everything at once; resolves when the recordings are whole. Idempotent. */
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
