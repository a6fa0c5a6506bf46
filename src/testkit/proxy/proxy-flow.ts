import type { Socket } from "node:net";
import type { Clock, Timer } from "../../base/clock.ts";

/** The delay (milliseconds) and the rate of one direction, each absent where there is none. */
export type FlowShape = { readonly delayMs?: number; readonly bytesPerSecond?: number };

/** `stalled`: nothing is read, so the sender notices; `blackhole`: everything is read and discarded, ends too. */
export type FlowState = "open" | "stalled" | "blackhole";

/** Read, but not yet passed on, in bytes; above this limit nothing more is read. */
const QUEUE_BYTES_MAX = 4 * 1_024 * 1_024;
/** With a rate, one piece is at most this fraction of a second. */
const PIECES_PER_SECOND = 20;
const PIECE_BYTES_MIN = 64;

/** One direction of a proxied connection: from one socket to another, later, slower, or not at all. */
export class ProxyFlow {
  readonly #from: Socket;
  readonly #into: Socket;
  readonly #clock: Clock;
  readonly #onBytes: (bytes: number) => void;
  /** `undefined`: the sender's end. */
  readonly #queue: { readonly bytes: Buffer | undefined; readonly dueMs: number }[] = [];
  #queuedBytes = 0;
  #shape: FlowShape;
  #state: FlowState;
  #timer: Timer | undefined;
  #isIntoFull = false;
  #isEnded = false;
  /** When the rate allows the next piece. */
  #freeMs = 0;

  constructor(
    from: Socket,
    into: Socket,
    options: { clock: Clock; shape: FlowShape; state: FlowState; onBytes: (bytes: number) => void },
  ) {
    this.#from = from;
    this.#into = into;
    this.#clock = options.clock;
    this.#shape = options.shape;
    this.#state = options.state;
    this.#onBytes = options.onBytes;
    from.on("data", (bytes: Buffer) => {
      if (this.#state === "blackhole") return;
      this.#queuedBytes += bytes.length;
      this.#enqueue(bytes);
    });
    from.on("end", () => {
      if (this.#state !== "blackhole") this.#enqueue(undefined);
    });
    into.on("drain", () => {
      this.#isIntoFull = false;
      this.#pump();
    });
    into.once("close", () => this.#timer?.cancel());
    this.#applyReading();
  }

  /** Applies to what is received from now on. */
  setShape(shape: FlowShape): void {
    this.#shape = shape;
  }

  setState(state: FlowState): void {
    if (this.#isEnded) return;
    this.#state = state;
    if (state === "blackhole") {
      this.#queue.length = 0;
      this.#queuedBytes = 0;
    }
    this.#applyReading();
    this.#pump();
  }

  /** Ends the receiver's direction, after what was passed on so far. */
  end(): void {
    this.setState("blackhole");
    this.#isEnded = true;
    this.#into.end();
  }

  #enqueue(bytes: Buffer | undefined): void {
    this.#queue.push({ bytes, dueMs: this.#clock.now() + (this.#shape.delayMs ?? 0) });
    this.#applyReading();
    this.#pump();
  }

  #applyReading(): void {
    if (this.#state === "stalled" || this.#queuedBytes >= QUEUE_BYTES_MAX) this.#from.pause();
    else this.#from.resume();
  }

  #pump(): void {
    this.#timer?.cancel();
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || this.#state !== "open" || this.#isIntoFull || this.#into.destroyed) return;
      const waitMs = Math.max(next.dueMs, this.#freeMs) - this.#clock.now();
      if (waitMs > 0) {
        this.#timer = this.#clock.startTimer(waitMs, () => this.#pump());
        return;
      }
      this.#queue.shift();
      if (next.bytes === undefined) this.#into.end();
      else this.#pass(next.bytes, next.dueMs);
    }
  }

  #pass(bytes: Buffer, dueMs: number): void {
    const rate = this.#shape.bytesPerSecond;
    const pieceBytes =
      rate === undefined ? bytes.length : Math.max(PIECE_BYTES_MIN, Math.floor(rate / PIECES_PER_SECOND));
    const piece = bytes.subarray(0, pieceBytes);
    if (piece.length < bytes.length) this.#queue.unshift({ bytes: bytes.subarray(piece.length), dueMs });
    if (rate !== undefined) this.#freeMs = Math.max(this.#freeMs, this.#clock.now()) + (piece.length * 1_000) / rate;
    this.#queuedBytes -= piece.length;
    this.#isIntoFull = !this.#into.write(piece);
    this.#onBytes(piece.length);
    this.#applyReading();
  }
}
