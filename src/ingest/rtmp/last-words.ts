import type { Socket } from "node:net";
import type { Clock } from "../../base/clock.ts";

/** A refusal must be read before the connection closes: an immediate reset can overtake it. In milliseconds. */
const LINGER_MS = 500;
/**
 * Bytes that are read and ignored after our last reply, since the peer would lose the reply otherwise. A peer that
 * sends more is cut.
 */
const IGNORED_MAX_BYTES = 256 * 1024;

/**
 * Bytes that may wait in our socket for a peer that does not read; above this limit it is cut. A player's preview has a
 * lower limit of its own for media, so this one is for replies.
 */
export const UNREAD_MAX_BYTES = { unauthenticated: 8 * 1024, encoder: 256 * 1024, player: 16 * 1024 * 1024 } as const;

/** Closes a connection after our last reply. */
export class LastWords {
  readonly #socket: Socket;
  readonly #clock: Clock;
  #ignoredBytes = 0;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  /** Destroys the socket soon, whatever the peer does. */
  linger(): void {
    const timer = this.#clock.startTimer(LINGER_MS, () => this.#socket.destroy());
    this.#socket.once("close", () => timer.cancel());
  }

  /** Counts bytes that came after the last reply. */
  ignore(bytes: Buffer): void {
    this.#ignoredBytes += bytes.length;
    if (this.#ignoredBytes > IGNORED_MAX_BYTES) this.#socket.destroy();
  }
}
