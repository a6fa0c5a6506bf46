import { createServer, type Server, type Socket } from "node:net";
import { ReadClock } from "./read-clock.ts";
import { Refusals } from "./refusals.ts";
import { type IngestDeps, RtmpConnection } from "./rtmp-connection.ts";

/** Encoders are few; more connections than this are an attack or a loop. */
const CONNECTIONS_MAX = 4_096;
const TICK_MS = 1_000;
const KEEP_ALIVE_DELAY_MS = 30_000;

export type ListenAddress = { readonly host: string | undefined; readonly port: number };

/** Accepts encoders. */
export class RtmpListener {
  readonly #deps: IngestDeps;
  readonly #refusals: Refusals;
  readonly #server: Server;
  readonly #connections = new Set<RtmpConnection>();
  #isClosed = false;

  constructor(deps: Omit<IngestDeps, "refusals" | "readClock">) {
    this.#refusals = new Refusals(deps.tell);
    const readClock = new ReadClock({
      clock: deps.clock,
      afterReads: (run) => setImmediate(run),
      onRead: () => deps.engine.flush(),
    });
    this.#deps = { ...deps, refusals: this.#refusals, readClock };
    this.#server = createServer(
      // A paused socket goes on reading until its buffer is full: with this mark the first read fills it.
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS, highWaterMark: 1 },
      (socket) => this.#accept(socket),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.on("drop", (dropped) => {
      this.#refusals.add({
        time: deps.clock.wallNow(),
        remoteAddress: dropped?.remoteAddress ?? "",
        reason: "too-many-connections",
      });
    });
  }

  /** Listens; rejects with the system's error (port in use, no permission). Answers what was bound. */
  listen(address: ListenAddress): Promise<{ readonly address: string; readonly port: number }> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port: address.port, ...(address.host === undefined ? {} : { host: address.host }) }, () => {
        this.#server.off("error", reject);
        this.#scheduleTick();
        const bound = this.#server.address();
        if (bound === null || typeof bound === "string") reject(new Error("not a TCP address"));
        else resolve({ address: bound.address, port: bound.port });
      });
    });
  }

  /** Stops accepting and closes every connection. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#server.close();
    for (const connection of this.#connections) connection.close();
  }

  #accept(socket: Socket): void {
    const connection = new RtmpConnection(socket, this.#deps);
    this.#connections.add(connection);
    socket.once("close", () => this.#connections.delete(connection));
  }

  #scheduleTick(): void {
    this.#deps.clock.startTimer(TICK_MS, () => {
      if (this.#isClosed) return;
      for (const connection of this.#connections) connection.tick();
      this.#refusals.tick();
      this.#scheduleTick();
    });
  }
}
