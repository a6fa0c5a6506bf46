import { readSync, writeSync } from "node:fs";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** What Node keeps behind a socket, as far as it is used here; it is looked for before it is used. */
type Handle = { readonly fd: number; reading: boolean; readStart(): number; readStop(): number };

/** How much one read takes at most. Larger than what a receive window usually holds, so that one call empties it. */
const READ_BYTES = 1024 * 1024;
/** As much as Node itself reads in a turn: a peer that is faster than we are does not keep us from others. */
const READS_MAX = 2;

/** All sockets of a thread are read into this, one after another. */
let readBuffer: Buffer | undefined;

/** A keyframe of a usual stream in one read. */
const ARRIVAL_BYTES = 256 * 1024;
/** The same for those that Node reads as things come. */
let arrivalBuffer: Buffer | undefined;

/**
 * A plain TCP socket read and written by system calls of our own, past Node's streams: one call a read or write, one buffer
 * for all reads, nothing left for the garbage collector, and no wake-up for what is not to be read yet. Errors, and the end of the
 * stream, are left to Node: who gives reading or writing back meets them there.
 */
export class DirectSocket {
  readonly #socket: Socket;
  readonly #handle: Handle;
  readonly #descriptor: number;

  private constructor(socket: Socket, handle: Handle) {
    this.#socket = socket;
    this.#handle = handle;
    this.#descriptor = handle.fd;
  }

  /** Undefined where there is no such way: behind TLS, and on systems whose sockets have no descriptor (Windows). */
  static of(socket: Socket): DirectSocket | undefined {
    if (socket instanceof TLSSocket || socket.destroyed) return undefined;
    const handle: unknown = Reflect.get(socket, "_handle");
    return isHandle(handle) && handle.fd > 0 ? new DirectSocket(socket, handle) : undefined;
  }

  /**
   * From here on Node reads what comes into one buffer for all such sockets, overwritten by the next read of any, and gives it to `take`
   * instead of the listeners for `data`: the `onread` of a socket's constructor, for one that was accepted. What Node allocates for each
   * read otherwise has V8 collect several times a second. For good. False where there is no such way, or something was read and
   * not given out yet: everything stays as it is.
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

  /** From here on nothing is read but by `read`. */
  holdReads(): void {
    this.#socket.pause();
    if (this.#socket.destroyed) return;
    this.#handle.readStop();
    // Else the stream itself would start reading again.
    this.#handle.reading = true;
  }

  /** Node reads again, as things come. */
  releaseReads(): void {
    if (!this.#socket.destroyed) this.#handle.readStart();
    this.#socket.resume();
  }

  /**
   * Takes what has come, in one piece or two; each is overwritten by the next read of any socket. What is beyond them is left for the
   * next read. What Node had read before reads were held goes first, to who listens for the socket's `data`. False where there is an
   * end or an error to be met: release the reads.
   */
  read(take: (bytes: Buffer) => void): boolean {
    // All there is, as the stream is paused. `read` gives it to the listeners as well: taken here it would be taken twice.
    if (this.#socket.readableLength > 0) this.#socket.read();
    readBuffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
    for (let reads = 0; reads < READS_MAX && !this.#socket.destroyed; reads += 1) {
      const length = readNow(this.#descriptor, readBuffer);
      if (length === undefined) return false;
      if (length > 0) take(readBuffer.subarray(0, length));
      if (length < READ_BYTES) return true;
    }
    return true;
  }

  /** Answers how many of the bytes the kernel took at once; what it did not, and any error, is for the stream's own `write`. */
  write(bytes: Buffer): number {
    if (this.#socket.destroyed) return 0;
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

/** The bytes read, 0 where none have come; undefined at an end or an error. */
function readNow(descriptor: number, into: Buffer): number | undefined {
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
