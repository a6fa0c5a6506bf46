import { createServer, type Socket } from "node:net";
import type { TargetError } from "../../thread-protocol/targets/target-status.ts";
import { failureOf, pullError } from "./pull-errors.ts";
import { type RtspGuard, RtspRefusedError } from "./rtsp-guard.ts";

/** FFmpeg connects again for each step of a login. */
const CONNECTIONS_MAX = 6;

export type TcpRelayDeps = {
  /** The connection that is open already. */
  readonly first: Socket;
  /** Opens another one to the same place, checked again. */
  readonly dial: () => Promise<Socket>;
  /** A guard of what one connection's server sends; absent: everything passes. */
  readonly newGuard?: () => RtspGuard;
};

/** A local port for FFmpeg that leads to one place only, over connections that this process opens. */
export class TcpRelay {
  readonly #deps: TcpRelayDeps;
  readonly #sockets = new Set<Socket>();
  /** FFmpeg's ends of the connections. */
  readonly #locals = new Set<Socket>();
  readonly #server = createServer((local) => this.#accept(local));
  #first: Socket | undefined;
  #count = 0;
  #failure: TargetError | undefined;

  private constructor(deps: TcpRelayDeps) {
    this.#deps = deps;
    this.#first = deps.first;
    this.#keep(deps.first);
  }

  static async listen(deps: TcpRelayDeps): Promise<TcpRelay> {
    const relay = new TcpRelay(deps);
    await new Promise<void>((resolve, reject) => {
      relay.#server.once("error", reject);
      relay.#server.listen(0, "127.0.0.1", resolve);
    });
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Whether bytes wait for FFmpeg, or it never connected. */
  get isUnread(): boolean {
    return this.#count === 0 || [...this.#locals].some(({ writableLength }) => writableLength > 0);
  }

  get failure(): TargetError | undefined {
    return this.#failure;
  }

  /** Idempotent. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(local: Socket): void {
    this.#keep(local);
    this.#locals.add(local);
    local.once("close", () => this.#locals.delete(local));
    this.#count += 1;
    if (this.#count > CONNECTIONS_MAX || !this.#server.listening) return void local.destroy();
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) return this.#join(local, first);
    this.#deps.dial().then(
      (remote) => this.#join(local, remote),
      (error: unknown) => {
        this.#failure ??= failureOf(error).error;
        local.destroy();
      },
    );
  }

  #join(local: Socket, remote: Socket): void {
    this.#keep(remote);
    if (local.destroyed || remote.destroyed) {
      local.destroy();
      remote.destroy();
      return;
    }
    local.on("close", () => remote.destroy());
    remote.on("close", () => local.end());
    local.pipe(remote);
    const guard = this.#deps.newGuard?.();
    if (guard === undefined) return void remote.pipe(local);
    remote.on("data", (bytes: Buffer) => {
      try {
        if (!local.write(guard.push(bytes))) remote.pause();
      } catch (error) {
        const isRedirect = error instanceof RtspRefusedError && error.why === "redirect";
        this.#failure ??= pullError(isRedirect ? "redirected" : "foreign", isRedirect ? "RTSP 3xx" : "RTSP");
        remote.destroy();
        local.destroy();
      }
    });
    local.on("drain", () => remote.resume());
  }

  #keep(socket: Socket): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => this.#sockets.delete(socket));
  }
}
