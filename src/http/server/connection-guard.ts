import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import { Server as HttpsServer } from "node:https";
import { BlockList, isIPv6, type Socket } from "node:net";
import type { Clock, Timer } from "../../base/clock.ts";
import { TlsOverhead } from "../../base/tls-overhead.ts";
import { ConnectionPlaces, type PlacedConnection, type PlaceLimits } from "./connection-places.ts";

/**
 * Requests of one connection whose answers are not written yet. No browser or library sends a second request before the
 * first is answered.
 */
const REQUESTS_UNDER_WAY_MAX = 8;
/**
 * A longer body, or one of unknown length, is not read to its end after the answer, in bytes: twice the largest body
 * that is accepted.
 */
const REST_BYTES_MAX = 2 * 1024 * 1024;
/** How often connections are checked, in milliseconds. */
const LOOK_MS = 1_000;
/** … and what TLS costs for those that use it: much can happen within a second. */
const TLS_LOOK_MS = 100;
/**
 * A connection that took nothing of what waits for it in this many checks is cut. Checks, not time: while this process
 * stood still no client could take anything.
 */
const STUCK_LOOKS = 10;
/** A connection that we have ended has this many checks to end its own side. */
const FAREWELL_LOOKS = 5;

/** The default limit of connections to one HTTP server. */
export const API_CONNECTIONS_MAX = 2_000;
const PLACE_LIMITS: PlaceLimits = { connectionsMax: API_CONNECTIONS_MAX, unauthenticatedPerAddressMax: 500 };

/** Why a connection was closed that its client wanted to keep. */
export type CutReason = "no-place" | "not-reading" | "too-many-requests" | "half-closed" | "empty-tls";

export type GuardOptions = {
  readonly clock: Clock;
  /** Networks of the proxies in front, comma-separated; all clients of a proxy have its address. */
  readonly trustedProxies: string;
  readonly limits?: Partial<PlaceLimits>;
  readonly onCut: (reason: CutReason) => void;
};

/**
 * Limits what a connection may hold: a place, a few requests under way, answers for as long as it reads them. For every
 * HTTP server of this process.
 */
export class ConnectionGuard {
  readonly #options: GuardOptions;
  readonly #places: ConnectionPlaces;
  readonly #shared: BlockList;
  /** By socket; with TLS both by the lower and by the upper socket. */
  readonly #connections = new Map<Socket, Connection>();
  readonly #tlsConnections = new Map<Connection, TlsOverhead>();
  #timer: Timer | undefined;
  #tlsTimer: Timer | undefined;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#places = new ConnectionPlaces({ ...PLACE_LIMITS, ...options.limits });
    this.#shared = sharedNetworks(options.trustedProxies);
  }

  /** Watches every connection that comes to this server. */
  watch(server: HttpServer): void {
    const isTls = server instanceof HttpsServer;
    server.on("connection", (socket: Socket) => this.#came(socket, isTls));
    if (isTls) server.on("secureConnection", (socket: Socket) => this.#secured(socket));
    server.on("listening", () => {
      this.#timer ??= this.#startTimer();
      if (isTls) this.#tlsTimer ??= this.#startTlsTimer();
    });
    server.on("close", () => {
      this.#timer?.cancel();
      this.#timer = undefined;
      this.#tlsTimer?.cancel();
      this.#tlsTimer = undefined;
    });
  }

  /** A request came on the connection. Returns false where it is one too many; the connection is closed then. */
  begin(request: IncomingMessage, response: ServerResponse): boolean {
    // Node would read everything that follows the answer, an unwanted body or bytes that are no longer HTTP, as fast as
    // it comes.
    if (isEndless(request)) response.shouldKeepAlive = false;
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return true;
    if (connection.underWay >= REQUESTS_UNDER_WAY_MAX) {
      this.#cut(connection, "too-many-requests");
      return false;
    }
    connection.underWay += 1;
    response.once("close", () => {
      connection.underWay -= 1;
    });
    return true;
  }

  /** The connection has sent an authenticated request. */
  recognise(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection !== undefined) this.#places.recognise(connection);
  }

  #came(socket: Socket, isTls: boolean): void {
    const { remoteAddress: address = "", remotePort } = socket;
    const isShared = address !== "" && this.#shared.check(address, isIPv6(address) ? "ipv6" : "ipv4");
    const connection = new Connection(socket, { address, isShared, port: remotePort }, () =>
      this.#cut(connection, "no-place"),
    );
    if (!this.#places.enter(connection)) return this.#cut(connection, "no-place");
    this.#connections.set(socket, connection);
    if (isTls) this.#tlsConnections.set(connection, new TlsOverhead(socket));
    socket.once("close", () => this.#left(socket, connection));
  }

  /** TLS has a socket of its own above the accepted one. */
  #secured(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    for (const connection of this.#connections.values()) {
      if (connection.port !== remotePort || connection.address !== remoteAddress) continue;
      connection.above = socket;
      this.#connections.set(socket, connection);
      socket.once("close", () => this.#left(socket, connection));
      return;
    }
  }

  #left(socket: Socket, connection: Connection): void {
    this.#connections.delete(socket);
    this.#tlsConnections.delete(connection);
    this.#places.leave(connection);
  }

  #cut(connection: Connection, reason: CutReason): void {
    if (connection.isCut) return;
    this.#options.onCut(reason);
    this.#places.leave(connection);
    connection.destroy();
  }

  #startTimer(): Timer {
    return this.#options.clock.startTimer(LOOK_MS, () => {
      for (const connection of new Set(this.#connections.values())) {
        const reason = connection.look();
        if (reason !== undefined) this.#cut(connection, reason);
      }
      this.#timer = this.#startTimer();
    });
  }

  #startTlsTimer(): Timer {
    return this.#options.clock.startTimer(TLS_LOOK_MS, () => {
      for (const [connection, overhead] of this.#tlsConnections) {
        if (overhead.isFlood(connection.above?.bytesRead ?? 0)) this.#cut(connection, "empty-tls");
      }
      this.#tlsTimer = this.#startTlsTimer();
    });
  }
}

/** Whether the end of what the client sends is unknown, or far away. */
function isEndless({ headers }: IncomingMessage): boolean {
  if (headers["transfer-encoding"] !== undefined || headers.upgrade !== undefined) return true;
  return Number(headers["content-length"] ?? 0) > REST_BYTES_MAX;
}

type Origin = { readonly address: string; readonly isShared: boolean; readonly port: number | undefined };

class Connection implements PlacedConnection {
  readonly address: string;
  readonly isShared: boolean;
  readonly port: number | undefined;
  readonly turnAway: () => void;
  underWay = 0;
  /** The socket that is written to, where TLS is in between. */
  above: Socket | undefined;
  readonly #socket: Socket;
  #taken = "";
  #stuckLooks = 0;
  #endedLooks = 0;

  constructor(socket: Socket, { address, isShared, port }: Origin, turnAway: () => void) {
    this.#socket = socket;
    this.address = address;
    this.isShared = isShared;
    this.port = port;
    this.turnAway = turnAway;
  }

  isIdle(): boolean {
    return this.underWay === 0;
  }

  /** Why the connection should be closed now. Call once a second. */
  look(): CutReason | undefined {
    const socket = this.above ?? this.#socket;
    const ofWrite = waitingOfWrite(socket);
    const isWaiting = ofWrite > 0 || socket.writableLength > 0;
    const taken = `${socket.bytesWritten - socket.writableLength} ${ofWrite}`;
    this.#stuckLooks = isWaiting && taken === this.#taken ? this.#stuckLooks + 1 : 0;
    this.#taken = taken;
    if (this.#stuckLooks >= STUCK_LOOKS) return "not-reading";
    if (socket.writableFinished) this.#endedLooks += 1;
    return this.#endedLooks > FAREWELL_LOOKS ? "half-closed" : undefined;
  }

  get isCut(): boolean {
    return this.#socket.destroyed || this.above?.destroyed === true;
  }

  destroy(): void {
    this.above?.destroy();
    this.#socket.destroy();
  }
}

/**
 * How much of the running write the kernel has not taken yet. Node counts a write as a whole, and one write may take a
 * slow reader minutes.
 */
function waitingOfWrite(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) return 0;
  const size: unknown = Reflect.get(handle, "writeQueueSize");
  return typeof size === "number" ? size : 0;
}

/** This machine itself, and the trusted proxies. */
function sharedNetworks(trustedProxies: string): BlockList {
  const networks = new BlockList();
  networks.addSubnet("127.0.0.0", 8, "ipv4");
  networks.addAddress("::1", "ipv6");
  for (const text of trustedProxies.split(",").map((part) => part.trim())) {
    const [address = "", bits] = text.split("/");
    if (address === "") continue;
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) networks.addAddress(address, family);
    else networks.addSubnet(address, Number(bits), family);
  }
  return networks;
}
