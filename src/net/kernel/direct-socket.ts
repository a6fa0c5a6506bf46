import { readSync, writeSync } from "node:fs";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { SystemCalls } from "./system-calls.ts";

/** Node's object behind a socket, as far as it is used here. Its fields are checked before use. */
type Handle = { readonly fd: number; reading: boolean; readStart(): number; readStop(): number };

/** The most that one read takes, in bytes. Larger than a usual receive window, so that one call empties it. */
const READ_BYTES = 1024 * 1024;
/** As much as Node itself reads in a turn: a peer that sends faster than we read must not keep us from others. */
const READS_MAX = 2;

/** All sockets of a thread are read into this buffer, one after another. */
let readBuffer: Buffer | undefined;

/** A keyframe of a usual stream in one read, in bytes. */
const ARRIVAL_BYTES = 256 * 1024;
/** The same for sockets that Node reads as bytes come. */
let arrivalBuffer: Buffer | undefined;

/**
 * A plain TCP socket that is read and written by direct system calls, past Node's streams: one call per read or write,
 * one buffer for all reads, no garbage, and no wake-up before its time. Node's stream handles errors and the end of the
 * stream: code that returns to it meets them there.
 */
export class DirectSocket {
  readonly #socket: Socket;
  readonly #handle: Handle;
  readonly #descriptor: number;
  /** Cheaper than those of `node:fs`; undefined before they are loaded, and where there are none. */
  readonly #calls: () => SystemCalls | undefined;
  /** Node may hold bytes that it read before `holdReads`. */
  #mayHoldBytes = false;

  private constructor(socket: Socket, handle: Handle, calls: () => SystemCalls | undefined) {
    this.#socket = socket;
    this.#handle = handle;
    this.#calls = calls;
    this.#descriptor = handle.fd;
  }

  /** Undefined where that is not possible: with TLS, and on systems whose sockets have no descriptor (Windows). */
  static of(socket: Socket, calls: () => SystemCalls | undefined = () => undefined): DirectSocket | undefined {
    if (socket instanceof TLSSocket || socket.destroyed) return undefined;
    const handle: unknown = Reflect.get(socket, "_handle");
    return isHandle(handle) && handle.fd > 0 ? new DirectSocket(socket, handle, calls) : undefined;
  }

  /**
   * From here on Node reads into one buffer for all such sockets, overwritten by the next read of any, and calls `take`
   * instead of the listeners for `data`. That is the `onread` option of a socket's constructor, for an accepted socket.
   * It avoids an allocation per read, which V8 would collect several times a second. Cannot be undone. Returns false,
   * and changes nothing, where it is not possible or where bytes were read and not delivered yet.
   */
  takeArrivals(take: (bytes: Buffer) => void): boolean {
    const socket = this.#socket;
    const [buffer, callback] = [symbolOf(socket, "kBuffer"), symbolOf(socket, "kBufferCb")];
    const useBuffer: unknown = Reflect.get(this.#handle, "useUserBuffer");
    if (buffer === undefined || callback === undefined || typeof useBuffer !== "function") return false;
    if (socket.destroyed || socket.readableLength > 0) return false;
    arrivalBuffer ??= Buffer.allocUnsafeSlow(ARRIVAL_BYTES);
    const into = arrivalBuffer;
    Reflect.set(socket, buffer, into);
    Reflect.set(socket, callback, (length: number) => take(into.subarray(0, length)));
    Reflect.apply(useBuffer, this.#handle, [into]);
    return true;
  }

  /** From here on only `read` reads. */
  holdReads(): void {
    this.#socket.pause();
    this.#mayHoldBytes = true;
    if (this.#socket.destroyed) return;
    this.#handle.readStop();
    // Else the stream itself would start to read again.
    this.#handle.reading = true;
  }

  /** Node reads again, as bytes arrive. */
  releaseReads(): void {
    if (!this.#socket.destroyed) this.#handle.readStart();
    this.#socket.resume();
  }

  /**
   * Takes the bytes that have come, in one or two pieces; each is overwritten by the next read of any socket. Further
   * bytes wait for the next read. Bytes that Node had read before `holdReads` go first, to the socket's `data`
   * listeners. Returns false at the end of the stream or an error: call `releaseReads` then.
   */
  read(take: (bytes: Buffer) => void): boolean {
    if (this.#mayHoldBytes) {
      this.#mayHoldBytes = false;
      // Reads all of it, because the stream is paused. The `data` listeners get it, so it must not go to `take` as well.
      if (this.#socket.readableLength > 0) this.#socket.read();
    }
    readBuffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
    for (let reads = 0; reads < READS_MAX && !this.#socket.destroyed; reads += 1) {
      const length = readNow(this.#descriptor, readBuffer, this.#calls());
      if (length === undefined) return false;
      if (length > 0) take(readBuffer.subarray(0, length));
      if (length < READ_BYTES) return true;
    }
    return true;
  }

  /** Returns how many of the bytes the kernel took at once. The rest, and any error, go to the stream's own `write`. */
  write(bytes: Buffer): number {
    if (this.#socket.destroyed) return 0;
    const calls = this.#calls();
    if (calls !== undefined) return calls.send(this.#descriptor, bytes);
    try {
      return writeSync(this.#descriptor, bytes);
    } catch {
      return 0;
    }
  }
}

function symbolOf(socket: Socket, name: string): symbol | undefined {
  return Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
}

/** The bytes read, 0 where none have come; undefined at the end or an error. */
function readNow(descriptor: number, into: Buffer, calls: SystemCalls | undefined): number | undefined {
  const received = calls?.receive(descriptor, into);
  if (received === "none") return 0;
  if (typeof received === "number") return received === 0 ? undefined : received;
  try {
    const length = readSync(descriptor, into);
    return length === 0 ? undefined : length;
  } catch (error) {
    const hasNone = error instanceof Error && "code" in error && error.code === "EAGAIN";
    return hasNone ? 0 : undefined;
  }
}

function isHandle(value: unknown): value is Handle {
  if (typeof value !== "object" || value === null) return false;
  const has = (name: string, type: string) => typeof Reflect.get(value, name) === type;
  return (
    has("fd", "number") && has("reading", "boolean") && has("readStart", "function") && has("readStop", "function")
  );
}
