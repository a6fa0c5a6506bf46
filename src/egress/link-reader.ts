import type { Socket } from "node:net";
import type { Clock, Timer } from "../base/clock.ts";
import { TlsOverhead } from "../base/tls-overhead.ts";
import type { SharedLooks } from "../net/shared-looks.ts";
import { READ_TURN_MS } from "../protocol/rtmp/chunk/paced-reader.ts";
import type { ClientOutput } from "../protocol/rtmp/client/client-outputs.ts";
import type { ClientSession } from "../protocol/rtmp/client/client-session.ts";
import { bytesCame, socketBelow } from "./open-socket.ts";

/** Bytes that are read and ignored from a target whose link was closed. */
const IGNORED_MAX_BYTES = 1024 * 1024;
const NOTHING = Buffer.alloc(0);
/** Raw bytes in a turn and in ten seconds. TLS adds 22 bytes to a message, or to each byte of one. */
const TURN_BYTES_MAX = 128 * 1024;
const FLOOD_BYTES_MAX = 8 * 1024 * 1024;
const FLOOD_MS = 10_000;

type LinkReaderParts = {
  readonly socket: Socket;
  readonly session: ClientSession;
  readonly clock: Clock;
  /** Where the raw bytes behind TLS are counted, some times a second. */
  readonly looks: SharedLooks;
  /** Called with what `session` makes of the bytes. Never throws. */
  readonly take: (step: () => readonly ClientOutput[]) => void;
  /** More raw bytes came than a target needs to send, though few of them are RTMP. */
  readonly onFlood: () => void;
};

/**
 * Reads what a target sends. Bytes beyond a turn's share are read later, so that no target takes the time of others.
 */
export class LinkReader {
  readonly #parts: LinkReaderParts;
  #timer: Timer | undefined;
  #isStopped = false;
  #ignoredBytes = 0;
  #stopLooking = (): void => undefined;
  #turnBytes: number;
  #floodFrom: { readonly ms: number; readonly bytes: number };

  constructor(parts: LinkReaderParts) {
    this.#parts = parts;
    parts.socket.on("data", (bytes) => {
      if (this.#isStopped) this.#ignore(bytes);
      else this.#read(bytes);
    });
    this.#turnBytes = bytesCame(parts.socket);
    this.#floodFrom = { ms: parts.clock.now(), bytes: this.#turnBytes };
    const below = socketBelow(parts.socket);
    if (below === undefined) return;
    const overhead = new TlsOverhead(below);
    this.#stopLooking = parts.looks.add(() => this.#look(overhead));
  }

  /** TLS reports no event for its own messages, such as new keys and tickets without end. */
  #look(overhead: TlsOverhead): void {
    const { clock, socket, onFlood } = this.#parts;
    const now = { ms: clock.now(), bytes: bytesCame(socket) };
    const isFlood = overhead.isFlood(socket.bytesRead) || now.bytes - this.#floodFrom.bytes > FLOOD_BYTES_MAX;
    if (isFlood) return onFlood();
    if (now.ms - this.#floodFrom.ms >= FLOOD_MS) this.#floodFrom = now;
  }

  /**
   * From here on bytes are read and ignored, so that the target's own writes do not fail and its end is seen.
   * Idempotent.
   */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#stopLooking();
    this.#parts.socket.resume();
  }

  #ignore(bytes: Buffer): void {
    this.#ignoredBytes += bytes.length;
    if (this.#ignoredBytes > IGNORED_MAX_BYTES) this.#parts.socket.destroy();
  }

  #read(bytes: Buffer): void {
    const { socket, session, clock, take } = this.#parts;
    take(() => session.receive(bytes, clock.now()));
    if (this.#isStopped) return;
    const isTurn = bytes.length === 0;
    if (isTurn) this.#turnBytes = bytesCame(socket);
    if (!session.isBehind && bytesCame(socket) - this.#turnBytes <= TURN_BYTES_MAX) {
      if (isTurn) socket.resume();
      return;
    }
    socket.pause();
    this.#timer?.cancel();
    this.#timer = clock.startTimer(READ_TURN_MS, () => this.#read(NOTHING));
  }
}
