import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { TlsOverhead } from "../../base/tls-overhead.ts";
import { PayloadSlab } from "../../protocol/rtmp/chunk/payload-slab.ts";
import { SERVER_DEADLINES } from "../../protocol/rtmp/server/server-state.ts";
import type { CertificatePair } from "../../thread-protocol/certificate.ts";
import { BatchedReader } from "../batched-reader.ts";
import { ConnectionLimiter, type ConnectionLimits, type ConnectionTally, type Visitor } from "../connection-limiter.ts";
import { peerAddress } from "../peer-address.ts";
import { FailedKeys } from "../publish/failed-keys.ts";
import { Refusals } from "../publish/refusals.ts";
import type { IngestDeps } from "./ingest-deps.ts";
import { IngestLogins, type LoginDeps, type LoginFailure } from "./ingest-logins.ts";
import { RtmpConnection } from "./rtmp-connection.ts";

const TICK_MS = 1_000;
/** How often what TLS costs is looked at: much fits into a second. */
const TLS_LOOK_MS = 100;
// A paused socket goes on reading until its buffer is full: with this mark the first read fills it.
const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000, highWaterMark: 1 } as const;

/** `isShared`: other threads listen there too, and the kernel says which gets a connection. */
export type ListenAddress = {
  readonly host: string | undefined;
  readonly port: number;
  readonly isShared?: boolean;
};

export type ListenerDeps = Omit<IngestDeps, "refusals" | "failedKeys" | "logins" | "readClock" | "slab"> &
  Omit<LoginDeps, "onFailure"> & {
    readonly limits?: ConnectionLimits;
    /** What the other threads that listen here have; absent: there are none. */
    readonly tally?: ConnectionTally;
    /** The system gave an error instead of a connection: it lacks something. */
    readonly onAcceptError?: (error: Error) => void;
    /** Encoders were read: what they gave leaves now. */
    readonly flush: () => void;
  };

/** A connection between its acceptance and its end; TLS comes first where there is any, then RTMP. */
type Guest = Visitor & {
  readonly socket: Socket;
  readonly acceptedMs: number;
  connection: RtmpConnection | undefined;
  /** Above TLS, once that stands. */
  secured: Socket | undefined;
};

/** Accepts encoders, on a plain port and on one behind TLS. */
export class RtmpListener {
  readonly #deps: IngestDeps;
  readonly #refusals: Refusals;
  readonly #door: ConnectionLimiter;
  readonly #readClock: BatchedReader;
  readonly #servers: Server[] = [];
  /** By where they come from: TLS hands over another socket than was accepted. */
  readonly #guests = new Map<string, Guest>();
  readonly #onAcceptError: (error: Error) => void;
  readonly #tlsGuests = new Map<Guest, TlsOverhead>();
  #tlsServer: TlsServer | undefined;
  #isClosed = false;

  constructor({ limits = {}, tally, onAcceptError = () => undefined, ...deps }: ListenerDeps) {
    this.#onAcceptError = onAcceptError;
    this.#refusals = new Refusals(deps.tell);
    this.#readClock = new BatchedReader({
      clock: deps.clock,
      afterReads: (run) => setImmediate(run),
      onRead: () => deps.flush(),
    });
    const failedKeys = new FailedKeys();
    const onFailure = ({ reason, address, channelId }: LoginFailure) => {
      const whose = channelId === undefined ? {} : { channelId };
      this.#refusals.add({ time: deps.clock.wallNow(), remoteAddress: address, reason, ...whose });
      return failedKeys.add(address, deps.clock.now());
    };
    this.#deps = {
      ...deps,
      refusals: this.#refusals,
      failedKeys,
      logins: new IngestLogins({ ...deps, onFailure }),
      readClock: this.#readClock,
      slab: new PayloadSlab(),
    };
    this.#door = new ConnectionLimiter(limits, tally);
    this.#scheduleTick();
  }

  /** Listens; rejects with the system's error (port in use, no permission). Answers what was bound. */
  listen(address: ListenAddress): Promise<{ readonly address: string; readonly port: number }> {
    const server = createServer(SOCKET_OPTIONS);
    server.on("connection", (socket) => {
      const guest = this.#receive(socket);
      if (guest !== undefined) this.#begin(guest, socket);
    });
    return this.#bind(server, address);
  }

  /** The same behind TLS 1.2 or 1.3. Throws where the pair is none. */
  listenTls(
    address: ListenAddress,
    pair: CertificatePair,
  ): Promise<{ readonly address: string; readonly port: number }> {
    const handshakeTimeout = SERVER_DEADLINES.publishMs;
    if (this.#tlsServer === undefined) this.#scheduleTlsLook();
    const server = createTlsServer({ ...SOCKET_OPTIONS, ...pair, minVersion: "TLSv1.2", handshakeTimeout });
    server.on("connection", (socket) => {
      const guest = this.#receive(socket);
      if (guest === undefined) return;
      this.#tlsGuests.set(guest, new TlsOverhead(socket));
      socket.once("close", () => this.#tlsGuests.delete(guest));
    });
    server.on("secureConnection", (secured) => {
      const guest = this.#guests.get(originOf(secured));
      if (guest === undefined) secured.destroy();
      else {
        guest.secured = secured;
        this.#begin(guest, secured);
      }
    });
    server.on("tlsClientError", (error, secured) => {
      const remoteAddress = peerAddress(secured);
      const code = "code" in error && typeof error.code === "string" ? error.code : "no code";
      // Who connects and leaves, as a monitor does, is no news.
      if (code !== "ECONNRESET") this.#refuse(remoteAddress, "protocol-error", `TLS: ${code}`);
      secured.destroy();
    });
    this.#tlsServer = server;
    return this.#bind(server, address);
  }

  /** Shown from the next connection on; those that are there keep theirs. Throws where the pair is none. */
  setCertificate(pair: CertificatePair): void {
    this.#tlsServer?.setSecureContext({ ...pair, minVersion: "TLSv1.2" });
  }

  /** Runs, soon, when what encoders have said up to now was read: whoever had stopped by itself is not cut. */
  afterReads(run: () => void): void {
    this.#readClock.afterNext(run);
  }

  /**
   * Stops accepting. Encoders that can are asked to connect again, which is up to whoever has the port by then, and go on here
   * until they leave; everybody else is closed. Resolves when they have left, at once where there are none, after `waitMs` at the latest.
   */
  async drain(waitMs: number): Promise<void> {
    for (const server of this.#servers) server.close();
    const leaving: Promise<void>[] = [];
    for (const { connection, socket } of this.#guests.values()) {
      if (connection?.drain() === true) leaving.push(new Promise((resolve) => socket.once("close", () => resolve())));
      else if (connection === undefined) socket.destroy();
    }
    if (leaving.length === 0) return;
    const late = Promise.withResolvers<void>();
    const timer = this.#deps.clock.startTimer(waitMs, late.resolve);
    await Promise.race([Promise.all(leaving), late.promise]);
    timer.cancel();
  }

  /** Stops accepting and closes every connection without a word. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const server of this.#servers) server.close();
    for (const { connection, socket } of this.#guests.values()) {
      if (connection === undefined) socket.destroy();
      else connection.close();
    }
  }

  #bind(server: Server, address: ListenAddress): Promise<{ readonly address: string; readonly port: number }> {
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      const { host, port, isShared = false } = address;
      const where = { port, ...(host === undefined ? {} : { host }), ...(isShared ? { reusePort: true } : {}) };
      server.listen(where, () => {
        server.off("error", reject);
        // Unheard it would end the thread.
        server.on("error", this.#onAcceptError);
        const bound = server.address();
        if (bound === null || typeof bound === "string") reject(new Error("not a TCP address"));
        else resolve({ address: bound.address, port: bound.port });
      });
    });
  }

  /** Undefined where the door stays shut. */
  #receive(socket: Socket): Guest | undefined {
    const address = peerAddress(socket);
    const origin = originOf(socket);
    const guest: Guest = {
      address,
      socket,
      acceptedMs: this.#deps.clock.awakeNow(),
      connection: undefined,
      secured: undefined,
      turnAway: () => {
        this.#refuse(address, "too-many-connections");
        if (guest.connection === undefined) socket.destroy();
        else guest.connection.close();
      },
    };
    if (!this.#door.enter(guest)) {
      this.#refuse(address, "too-many-connections");
      socket.destroy();
      return undefined;
    }
    this.#guests.set(origin, guest);
    socket.once("close", () => {
      this.#door.leave(guest);
      if (this.#guests.get(origin) === guest) this.#guests.delete(origin);
    });
    return guest;
  }

  #begin(guest: Guest, socket: Socket): void {
    guest.connection = new RtmpConnection(
      socket,
      {
        remoteAddress: guest.address,
        acceptedMs: guest.acceptedMs,
        onRecognised: () => this.#door.recognise(guest),
      },
      this.#deps,
    );
  }

  #refuse(remoteAddress: string, reason: "too-many-connections" | "protocol-error", detail?: string): void {
    const time = this.#deps.clock.wallNow();
    this.#refusals.add({ time, remoteAddress, reason, ...(detail === undefined ? {} : { detail }) });
  }

  #scheduleTlsLook(): void {
    this.#deps.clock.startTimer(TLS_LOOK_MS, () => {
      if (this.#isClosed) return;
      for (const [guest, overhead] of this.#tlsGuests) {
        if (!overhead.isFlood(guest.secured?.bytesRead ?? 0)) continue;
        this.#refuse(guest.address, "protocol-error", "TLS: records that carry nothing");
        guest.secured?.destroy();
        guest.socket.destroy();
      }
      this.#scheduleTlsLook();
    });
  }

  #scheduleTick(): void {
    this.#deps.clock.startTimer(TICK_MS, () => {
      if (this.#isClosed) return;
      for (const { connection } of this.#guests.values()) connection?.tick();
      this.#refusals.tick();
      this.#scheduleTick();
    });
  }
}

/** Of all connections that are there no two have the same, but for one that connects to two ports of ours. */
function originOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localPort}`;
}
