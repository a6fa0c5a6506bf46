import type { Socket } from "node:net";
import type { Clock } from "../../base/clock.ts";

/** A refusal must be read before the connection goes: an immediate reset can overtake it. In milliseconds. */
const LINGER_MS = 500;
/** Bytes that are read and ignored behind our last words, which the peer would lose otherwise. A peer that sends more is cut. */
const IGNORED_MAX_BYTES = 256 * 1024;

/**
 * Bytes that wait in our socket for a peer that does not read; beyond them it is cut. A player's preview has a lower bound of
 * its own for media, so the figure here is for replies.
 */
export const UNREAD_MAX_BYTES = { unauthenticated: 8 * 1024, encoder: 256 * 1024, player: 16 * 1024 * 1024 } as const;

/** Closes a connection behind our last reply. */
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

  /** Counts bytes that came behind the last reply. */
  ignore(bytes: Buffer): void {
    this.#ignoredBytes += bytes.length;
    if (this.#ignoredBytes > IGNORED_MAX_BYTES) this.#socket.destroy();
  }
}
