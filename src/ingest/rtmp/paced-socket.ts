import type { Socket } from "node:net";
import type { Clock, Timer } from "../../base/clock.ts";
import type { DirectSocket } from "../../net/kernel/direct-socket.ts";
import type { DirectSockets } from "../../net/kernel/direct-sockets.ts";
import { READ_TURN_MS } from "../../protocol/rtmp/chunk/paced-reader.ts";
import type { BatchedReader, TimedReader } from "../batched-reader.ts";

/**
 * An encoder that brought this many bytes in a step may be waiting for room to send more: it is three quarters of a
 * connection's first receive window. The socket is read again soon, until a read brings fewer than the second figure.
 */
const STEP_BYTES_MUCH = 48 * 1024;
const FOLLOW_UP_BYTES_MUCH = 16 * 1024;
/**
 * Where nothing came after a step with many bytes, the peer waited for no room: steps with no more bytes are not followed for
 * this many steps, half a minute. A read that finds nothing costs as much as one of 20 KB.
 */
const NOT_FOLLOWED_STEPS = 600;

/** The consumer of a socket's bytes. */
export interface SocketConsumer {
  readonly isClosed: boolean;
  /** It has more than it reads in one turn: give it nothing. */
  readonly isBehind: boolean;
  /** It waits for a reply from elsewhere, after which `PacedSocket.goOn` is called. */
  readonly isAsking: boolean;
  /** The receiver of its media has no room. */
  readonly isFull: boolean;
  /** The next turn: continues with the bytes that it kept. */
  receive(bytes: Buffer): void;
  /** The next turn: reads on in what it kept. */
  readOn(): void;
  /** Sends what it passed on. */
  flush(): void;
}

/**
 * `timed`: read together with other encoders, by the clock. `at-once`: as bytes arrive, into one buffer for all
 * sockets.
 */
export type ReadMode = "as-bytes-come" | "timed" | "at-once";

export type PacedSocketDeps = {
  readonly clock: Pick<Clock, "startTimer">;
  readonly batchedReader: Pick<BatchedReader, "add" | "delete">;
  readonly directSockets: DirectSockets;
};

/** Decides when one connection's socket is read: never ahead of what its consumer can take. */
export class PacedSocket implements TimedReader {
  readonly #deps: PacedSocketDeps;
  readonly #socket: Socket;
  readonly #consumer: SocketConsumer;
  #isTimed = false;
  #takesArrivals = false;
  /** While it is read by the clock, and system calls of our own are possible. */
  #direct: DirectSocket | undefined;
  #bytesReceived = 0;
  #bytesAtStep = 0;
  /** What the last step brought, the total after it, and what a step must bring to be followed, all in bytes. */
  #stepBytes = 0;
  #totalAfterStep = 0;
  #muchBytes = STEP_BYTES_MUCH;
  #stepsLeft = 0;
  /** The consumer is behind: the socket is not read before this. */
  #nextTurn: Timer | undefined;

  constructor(socket: Socket, consumer: SocketConsumer, deps: PacedSocketDeps) {
    this.#socket = socket;
    this.#consumer = consumer;
    this.#deps = deps;
    socket.on("data", (bytes) => this.#receive(bytes));
  }

  setMode(mode: ReadMode): void {
    const isTimed = mode === "timed";
    if (isTimed !== this.#isTimed) {
      this.#isTimed = isTimed;
      if (isTimed) this.#deps.batchedReader.add(this);
      else this.#deps.batchedReader.delete(this);
    }
    if (mode !== "at-once" || this.#takesArrivals) return;
    const direct = this.#deps.directSockets.of(this.#socket);
    this.#takesArrivals = direct?.takeArrivals((bytes) => this.#receive(bytes)) ?? false;
  }

  hold(): void {
    this.#direct = this.#deps.directSockets.of(this.#socket);
    if (this.#direct === undefined) this.#socket.pause();
    else this.#direct.holdReads();
  }

  /** Where system calls of our own are not possible, the socket reads by itself until `settle`. */
  read(isStep: boolean): boolean {
    const [direct, consumer, before] = [this.#direct, this.#consumer, this.#bytesReceived];
    if (consumer.isFull || consumer.isBehind) return false;
    if (direct === undefined) {
      this.#socket.resume();
      return false;
    }
    // After the last bytes Node reports the end or the error of the stream.
    const isOver = !direct.read((bytes) => this.#receive(bytes));
    if (isOver && !consumer.isBehind) this.#deps.batchedReader.delete(this);
    const brought = this.#bytesReceived - before;
    if (isStep) return this.#isMuch(brought);
    // At a step many encoders' bytes go out together.
    if (brought >= STEP_BYTES_MUCH) consumer.flush();
    if (this.#bytesReceived === this.#totalAfterStep) this.#followLess();
    return brought >= FOLLOW_UP_BYTES_MUCH;
  }

  #isMuch(brought: number): boolean {
    this.#stepBytes = brought;
    this.#totalAfterStep = this.#bytesReceived;
    this.#stepsLeft -= 1;
    if (this.#stepsLeft <= 0) this.#muchBytes = STEP_BYTES_MUCH;
    return brought >= this.#muchBytes;
  }

  /** The peer waited for no room after the last step. */
  #followLess(): void {
    this.#muchBytes = this.#stepBytes + 1;
    this.#stepsLeft = NOT_FOLLOWED_STEPS;
  }

  settle(): void {
    if (this.#direct === undefined && this.#bytesReceived - this.#bytesAtStep < STEP_BYTES_MUCH) this.#socket.pause();
    this.#bytesAtStep = this.#bytesReceived;
  }

  release(): void {
    if (this.#direct === undefined) this.#socket.resume();
    else this.#direct.releaseReads();
    this.#direct = undefined;
  }

  /**
   * A reply has come, or the consumer is closed. Bytes after the last reply are read and ignored too: unread, they
   * would make the system reset the connection, and the peer would lose the reply.
   */
  goOn(): void {
    const { isBehind, isClosed, isFull } = this.#consumer;
    if (isBehind) this.#waitForTurn();
    else if (!this.#isTimed && (isClosed || !isFull)) this.#socket.resume();
  }

  /** There is room again. A socket that is read by the clock is read at its next step. */
  resume(): void {
    if (!this.#isTimed && !this.#consumer.isBehind) this.#socket.resume();
  }

  #receive(bytes: Buffer): void {
    const consumer = this.#consumer;
    this.#bytesReceived += bytes.length;
    consumer.receive(bytes);
    if (consumer.isBehind) this.#waitForTurn();
    else if (consumer.isFull && this.#direct === undefined) this.#socket.pause();
  }

  /** The socket is not read until the next turn, or until the reply that the consumer waits for has come. */
  #waitForTurn(): void {
    if (this.#direct === undefined) this.#socket.pause();
    if (this.#consumer.isAsking) return;
    this.#nextTurn ??= this.#deps.clock.startTimer(READ_TURN_MS, () => this.#takeTurn());
  }

  #takeTurn(): void {
    this.#nextTurn = undefined;
    const consumer = this.#consumer;
    if (consumer.isClosed) return;
    if (!consumer.isFull) consumer.readOn();
    consumer.flush();
    this.goOn();
  }
}
