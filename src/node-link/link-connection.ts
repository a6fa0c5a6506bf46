import type { Duplex } from "node:stream";
import type { Clock, Timer } from "../base/clock.ts";
import { type Frame, type FrameKind, FrameReader, frameOf, LinkError } from "./frames.ts";

/** A link on which nothing arrives is asked for a sign of life after this long, in milliseconds. */
const PING_AFTER_MS = 2_000;
/** One that stays silent for this long is closed, in milliseconds. Time in which this thread stood still does not count. */
const SILENT_MS_MAX = 10_000;
const LOOK_MS = 1_000;
/** Bytes that may wait for a peer that does not read. The sender's credit bounds media long before. */
const WAITING_BYTES_MAX = 32 * 1024 * 1024;

export type LinkOptions = {
  /** False where a peer on this machine may stand still for any time: only the end of its process ends the link. */
  readonly isWatched?: boolean;
  /** The largest body of a frame that may come, … */
  readonly bodyBytesMax?: number;
  /** … and how many bytes may wait for the peer. */
  readonly waitingBytesMax?: number;
};

export type LinkListener = {
  /** May throw LinkError, or any other error: the link then ends. */
  readonly onFrame: (frame: Frame) => void;
  /** Comes last, once: the peer closed the link, broke the protocol or is silent. Our own `close` does not call it. */
  readonly onClosed: () => void;
};

/** A socket of TCP, TLS or this machine. */
type LinkSocket = Duplex & { setNoDelay(isOn: boolean): unknown };

/**
 * One connection between two nodes, as frames. Replies to `ping` by itself, and ends a link whose peer is silent, sends
 * garbage or does not read.
 */
export class LinkConnection {
  readonly #socket: LinkSocket;
  readonly #clock: Clock;
  readonly #onFault: (error: unknown) => void;
  readonly #reader: FrameReader;
  readonly #waitingBytesMax: number;
  #listener: LinkListener | undefined;
  /** Frames of the last read that came while there was no listener. The socket is not read then. */
  #early: Frame[] = [];
  #isOver = false;
  /** The peer ended the link, not we. */
  #hasEnded = false;
  #isPinged = false;
  #heardMs: number;
  #timer: Timer | undefined;

  /** `onFault` takes errors of listeners and of the peer. */
  constructor(socket: LinkSocket, clock: Clock, onFault: (error: unknown) => void, options: LinkOptions = {}) {
    const { isWatched = true, bodyBytesMax, waitingBytesMax = WAITING_BYTES_MAX } = options;
    this.#reader = new FrameReader(bodyBytesMax);
    this.#waitingBytesMax = waitingBytesMax;
    this.#socket = socket;
    this.#clock = clock;
    this.#onFault = onFault;
    this.#heardMs = clock.awakeNow();
    if (isWatched) this.#timer = clock.startTimer(LOOK_MS, () => this.#look());
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#read(bytes));
    socket.pause();
    socket.on("end", () => this.#end());
    socket.on("error", () => this.#end());
    socket.on("close", () => this.#end());
  }

  /** Milliseconds since something last arrived. */
  get silentMs(): number {
    return this.#clock.awakeNow() - this.#heardMs;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sets the listener, or another one. Reading begins, and goes on after `pause`. */
  listen(listener: LinkListener): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    for (const frame of early) this.#deliver(frame);
    if (this.#isOver && this.#hasEnded) listener.onClosed();
    else this.#socket.resume();
  }

  /** Takes the listener off and stops reading. `unread`: a frame that the next listener gets first. */
  pause(unread?: Frame): void {
    this.#listener = undefined;
    if (unread !== undefined) this.#early.push(unread);
    this.#socket.pause();
  }

  /** Sends a frame. Does nothing once the link is over. The parts must not change afterwards. */
  send(kind: FrameKind, ...body: readonly Uint8Array[]): void {
    if (this.#isOver) return;
    this.#socket.cork();
    for (const part of frameOf(kind, ...body)) this.#socket.write(part);
    this.#socket.uncork();
    if (this.#socket.writableLength > this.#waitingBytesMax) this.#fail(new LinkError("the peer does not read"));
  }

  /** Frames sent before still arrive. Idempotent. */
  close(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#socket.end();
    this.#socket.resume();
    // A peer that does not close its side would keep ours open.
    this.#clock.startTimer(PING_AFTER_MS, () => this.#socket.destroy());
  }

  #read(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#heardMs = this.#clock.awakeNow();
    this.#isPinged = false;
    try {
      this.#reader.read(bytes, (frame) => {
        this.#deliver(frame);
        return !this.#isOver;
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  #deliver(frame: Frame): void {
    if (this.#isOver) return;
    if (frame.kind === "ping") return this.send("pong");
    if (frame.kind === "pong") return;
    if (this.#listener === undefined) {
      this.#early.push(frame);
      return;
    }
    try {
      this.#listener.onFrame(frame);
    } catch (error) {
      this.#fail(error);
    }
  }

  #look(): void {
    if (this.#isOver) return;
    this.#timer = this.#clock.startTimer(LOOK_MS, () => this.#look());
    if (this.silentMs >= SILENT_MS_MAX) return this.#fail(new LinkError("the peer is silent"));
    if (this.silentMs < PING_AFTER_MS || this.#isPinged) return;
    this.#isPinged = true;
    this.send("ping");
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#onFault(error);
    this.#end();
  }

  /** The peer, or its mistake, ended the link. */
  #end(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#hasEnded = true;
    this.#socket.destroy();
    this.#listener?.onClosed();
  }

  #finish(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }
}
