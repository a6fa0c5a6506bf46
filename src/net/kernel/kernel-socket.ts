import { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** Node's object behind a TCP socket, as far as it is used here. Its fields are checked before use. */
type TcpHandle = { readonly bytesWritten: number; readonly writeQueueSize: number };

/** The TCP connection below a socket, also below TLS. */
export class KernelSocket {
  readonly #socket: Socket;
  readonly #handle: TcpHandle;

  private constructor(socket: Socket, handle: TcpHandle) {
    this.#socket = socket;
    this.#handle = handle;
  }

  /** Undefined where that is not possible. */
  static of(socket: Socket): KernelSocket | undefined {
    const own: unknown = Reflect.get(socket, "_handle");
    const handle: unknown = socket instanceof TLSSocket && isObject(own) ? Reflect.get(own, "_parent") : own;
    return isHandle(handle) ? new KernelSocket(socket, handle) : undefined;
  }

  /** Bytes that the kernel took from Node, as they go over the wire. */
  get takenBytes(): number {
    return this.#handle.bytesWritten - this.#handle.writeQueueSize;
  }

  /** Its number in this process; undefined where it has none: closed, or a system whose sockets have none. */
  get descriptor(): number | undefined {
    const descriptor: unknown = Reflect.get(this.#handle, "fd");
    return typeof descriptor === "number" && descriptor > 0 ? descriptor : undefined;
  }

  /** Whether Node waits until the kernel takes bytes that were written. */
  get isWaiting(): boolean {
    return this.#handle.writeQueueSize > 0;
  }

  /** Resets the connection: the peer learns at once that it is over, even if data is still on its way. */
  reset(): void {
    if (!(this.#socket instanceof TLSSocket)) {
      this.#socket.resetAndDestroy();
      return;
    }
    // A TLS socket has no handle of its own to reset, and throws; resetting the one below ends both.
    const below: unknown = Reflect.get(this.#socket, "_parent");
    if (below instanceof Socket && !below.destroyed) below.resetAndDestroy();
    else this.#socket.destroy();
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isHandle(value: unknown): value is TcpHandle {
  if (!isObject(value)) return false;
  return (
    typeof Reflect.get(value, "bytesWritten") === "number" && typeof Reflect.get(value, "writeQueueSize") === "number"
  );
}
