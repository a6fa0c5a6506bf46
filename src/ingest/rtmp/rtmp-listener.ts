import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { TlsOverhead } from "../../base/tls-overhead.ts";
import type { CidrBlock } from "../../net/cidr-list.ts";
import { DirectSockets } from "../../net/kernel/direct-sockets.ts";
import { PayloadSlab } from "../../protocol/rtmp/chunk/payload-slab.ts";
import { SERVER_DEADLINES } from "../../protocol/rtmp/server/server-state.ts";
import type { CertificatePair } from "../../thread-protocol/certificate.ts";
import { BatchedReader } from "../batched-reader.ts";
import type { ListenAddress } from "../claim-port.ts";
import {
  type Connection,
  ConnectionLimiter,
  type ConnectionLimits,
  type ConnectionTally,
} from "../connection-limiter.ts";
import { peerAddress } from "../peer-address.ts";
import { ProxiedArrivals } from "../proxy-protocol/proxied-arrivals.ts";
import { FailedKeys } from "../publish/failed-keys.ts";
import { Refusals } from "../publish/refusals.ts";
import type { IngestDeps } from "./ingest-deps.ts";
import { IngestLogins, type LoginDeps, type LoginFailure } from "./ingest-logins.ts";
import { RtmpConnection } from "./rtmp-connection.ts";

const TICK_MS = 1_000;
/** A proxy is near, and sends its header first. */
const PROXY_HEADER_MS = 5_000;
/** How often the cost of TLS records is checked, in milliseconds: a second would let a flood do much. */
const TLS_CHECK_MS = 100;
// A paused socket reads on until its buffer is full. With a mark of one byte, one read fills it.
const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000, highWaterMark: 1 } as const;

export type ListenerDeps = Omit<
  IngestDeps,
  "refusals" | "failedKeys" | "logins" | "batchedReader" | "slab" | "directSockets"
> &
  Omit<LoginDeps, "onFailure"> & {
    readonly limits?: ConnectionLimits;
    /** Absent: direct system calls wherever they are possible. */
    readonly directSockets?: DirectSockets;
    /** Networks of proxies that send a header of the PROXY protocol; absent: none. */
    readonly proxies?: readonly CidrBlock[];
    /** Connections of the other threads that listen here; absent: there are none. */
    readonly tally?: ConnectionTally;
    /** The system returned an error instead of a connection: it lacks a resource. */
    readonly onAcceptError?: (error: Error) => void;
    /** Encoders were read: what they sent can be sent on now. */
    readonly flush: () => void;
  };

/** A TCP connection from its acceptance to its end: first TLS, where there is any, then RTMP. */
type Accepted = Connection & {
  readonly socket: Socket;
  readonly acceptedMs: number;
  rtmp: RtmpConnection | undefined;
  /** The socket above TLS, after the handshake. */
  secured: Socket | undefined;
};

/** Accepts encoders and players, on a plain port and on one with TLS. */
export class RtmpListener {
  readonly #deps: IngestDeps;
  readonly #refusals: Refusals;
  readonly #limiter: ConnectionLimiter;
  readonly #arrivals: ProxiedArrivals;
  readonly #batchedReader: BatchedReader;
  readonly #servers: Server[] = [];
  /** By `originOf`: TLS reports another socket than the accepted one. */
  readonly #accepted = new Map<string, Accepted>();
  readonly #onAcceptError: (error: Error) => void;
  readonly #tlsOverheads = new Map<Accepted, TlsOverhead>();
  #tlsServer: TlsServer | undefined;
  #isClosed = false;

  constructor({
    limits = {},
    tally,
    directSockets = new DirectSockets(),
    onAcceptError = () => undefined,
    proxies = [],
    ...deps
  }: ListenerDeps) {
    this.#onAcceptError = onAcceptError;
    this.#refusals = new Refusals(deps.onFact);
    this.#batchedReader = new BatchedReader({
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
      batchedReader: this.#batchedReader,
      directSockets,
      slab: new PayloadSlab(),
    };
    this.#limiter = new ConnectionLimiter(limits, tally);
    this.#arrivals = new ProxiedArrivals({
      ...{ clock: deps.clock, from: proxies, deadlineMs: PROXY_HEADER_MS },
      onRefused: (from, why) => this.#refuse(from, "protocol-error", why),
    });
    this.#scheduleTick();
  }

  /** Listens. Resolves with the bound address; rejects with the system's error (port in use, no permission). */
  listen(address: ListenAddress): Promise<{ readonly address: string; readonly port: number }> {
    const server = createServer(SOCKET_OPTIONS);
    server.on("connection", (socket) => {
      this.#arrivals.take(socket, () => {
        const accepted = this.#receive(socket);
        if (accepted === undefined) return;
        this.#begin(accepted, socket);
        // Behind a proxy's header it was paused.
        if (this.#arrivals.areExpected) socket.resume();
      });
    });
    return this.#bind(server, address);
  }

  /** The same with TLS 1.2 or 1.3. Throws where key and certificate do not fit. */
  listenTls(
    address: ListenAddress,
    pair: CertificatePair,
  ): Promise<{ readonly address: string; readonly port: number }> {
    const handshakeTimeout = SERVER_DEADLINES.publishMs;
    if (this.#tlsServer === undefined) this.#scheduleTlsLook();
    const server = createTlsServer({ ...SOCKET_OPTIONS, ...pair, minVersion: "TLSv1.2", handshakeTimeout });
    server.on("connection", (socket) => {
      const accepted = this.#receive(socket);
      if (accepted === undefined) return;
      this.#tlsOverheads.set(accepted, new TlsOverhead(socket));
      socket.once("close", () => this.#tlsOverheads.delete(accepted));
    });
    server.on("secureConnection", (secured) => {
      const accepted = this.#accepted.get(originOf(secured));
      if (accepted === undefined) secured.destroy();
      else {
        accepted.secured = secured;
        this.#begin(accepted, secured);
      }
    });
    server.on("tlsClientError", (error, secured) => {
      const remoteAddress = this.#accepted.get(originOf(secured))?.address ?? peerAddress(secured);
      const code = "code" in error && typeof error.code === "string" ? error.code : "no code";
      // A monitor that only connects and leaves is not worth a report.
      if (code !== "ECONNRESET") this.#refuse(remoteAddress, "protocol-error", `TLS: ${code}`);
      secured.destroy();
    });
    this.#tlsServer = server;
    return this.#bind(this.#arrivals.areExpected ? this.#behindProxies(server) : server, address);
  }

  /** A proxy's header comes before TLS: the TLS server gets a connection once the header is read. */
  #behindProxies(server: TlsServer): Server {
    return createServer(SOCKET_OPTIONS, (socket) => {
      this.#arrivals.take(socket, () => server.emit("connection", socket));
    });
  }

  /** For new connections; present ones keep theirs. Throws where key and certificate do not fit. */
  setCertificate(pair: CertificatePair): void {
    this.#tlsServer?.setSecureContext({ ...pair, minVersion: "TLSv1.2" });
  }

  /**
   * Calls `run` soon, when everything that encoders have sent up to now was read: an encoder that has stopped by itself
   * is not cut.
   */
  afterReads(run: () => void): void {
    this.#batchedReader.afterNext(run);
  }

  /** Stops accepting: another process has the ports. Present connections go on. */
  stopAccepting(): void {
    for (const server of this.#servers) server.close();
  }

  /**
   * Stops accepting. Encoders that can are asked to connect again, to the process that has the port by then, and go on here
   * until they leave; all other connections are closed. Resolves when they have left, after `waitMs` at the latest.
   */
  async drain(waitMs: number): Promise<void> {
    this.stopAccepting();
    const leaving: Promise<void>[] = [];
    for (const { rtmp, socket } of this.#accepted.values()) {
      if (rtmp?.drain() === true) leaving.push(new Promise((resolve) => socket.once("close", () => resolve())));
      else if (rtmp === undefined) socket.destroy();
    }
    if (leaving.length === 0) return;
    const late = Promise.withResolvers<void>();
    const timer = this.#deps.clock.startTimer(waitMs, late.resolve);
    await Promise.race([Promise.all(leaving), late.promise]);
    timer.cancel();
  }

  /** Stops accepting and closes every connection without a message. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const server of this.#servers) server.close();
    for (const { rtmp, socket } of this.#accepted.values()) {
      if (rtmp === undefined) socket.destroy();
      else rtmp.close();
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
        // Without a listener an error would end the thread.
        server.on("error", this.#onAcceptError);
        const bound = server.address();
        if (bound === null || typeof bound === "string") reject(new Error("not a TCP address"));
        else resolve({ address: bound.address, port: bound.port });
      });
    });
  }

  /** Undefined where the limiter has no room: the socket is closed. */
  #receive(socket: Socket): Accepted | undefined {
    const address = this.#arrivals.addressOf(socket);
    const origin = originOf(socket);
    const accepted: Accepted = {
      address,
      socket,
      acceptedMs: this.#deps.clock.awakeNow(),
      rtmp: undefined,
      secured: undefined,
      turnAway: () => {
        this.#refuse(address, "too-many-connections");
        if (accepted.rtmp === undefined) socket.destroy();
        else accepted.rtmp.close();
      },
    };
    if (!this.#limiter.enter(accepted)) {
      this.#refuse(address, "too-many-connections");
      socket.destroy();
      return undefined;
    }
    this.#accepted.set(origin, accepted);
    socket.once("close", () => {
      this.#limiter.leave(accepted);
      if (this.#accepted.get(origin) === accepted) this.#accepted.delete(origin);
    });
    return accepted;
  }

  #begin(accepted: Accepted, socket: Socket): void {
    accepted.rtmp = new RtmpConnection(
      socket,
      {
        remoteAddress: accepted.address,
        acceptedMs: accepted.acceptedMs,
        onRecognised: () => this.#limiter.recognise(accepted),
      },
      this.#deps,
    );
  }

  #refuse(remoteAddress: string, reason: "too-many-connections" | "protocol-error", detail?: string): void {
    const time = this.#deps.clock.wallNow();
    this.#refusals.add({ time, remoteAddress, reason, ...(detail === undefined ? {} : { detail }) });
  }

  #scheduleTlsLook(): void {
    this.#deps.clock.startTimer(TLS_CHECK_MS, () => {
      if (this.#isClosed) return;
      for (const [accepted, overhead] of this.#tlsOverheads) {
        if (!overhead.isFlood(accepted.secured?.bytesRead ?? 0)) continue;
        this.#refuse(accepted.address, "protocol-error", "TLS: records without content");
        accepted.secured?.destroy();
        accepted.socket.destroy();
      }
      this.#scheduleTlsLook();
    });
  }

  #scheduleTick(): void {
    this.#deps.clock.startTimer(TICK_MS, () => {
      if (this.#isClosed) return;
      for (const { rtmp } of this.#accepted.values()) rtmp?.tick();
      this.#refusals.tick();
      this.#scheduleTick();
    });
  }
}

/**
 * A key that distinguishes all present connections. It includes our port: a peer may use one port of its own for two of
 * ours.
 */
function originOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localPort}`;
}
