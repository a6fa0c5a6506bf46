import type { Socket } from "node:net";
import type { Clock } from "../../base/clock.ts";

/** A refusal must be read before the connection goes: an immediate reset can overtake it. In milliseconds. */
const LINGER_MS = 500;
/** What the peer says behind our last words is read, for they would be lost else; up to here, since some only pour. */
const IGNORED_MAX_BYTES = 256 * 1024;

/**
 * Of what we say nothing more is kept for a peer that does not read it: before its key is known to be good, and afterwards. A player
 * is cut by what waits for it as its preview counts it; this is above whatever that lets wait, and for replies.
 */
export const UNREAD_MAX_BYTES = { stranger: 8 * 1024, encoder: 256 * 1024, player: 16 * 1024 * 1024 } as const;

/** The end of a connection, once everything was said. */
export class LastWords {
  readonly #socket: Socket;
  readonly #clock: Clock;
  #ignoredBytes = 0;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  /** It is gone in a while, whatever the peer does. */
  linger(): void {
    const timer = this.#clock.startTimer(LINGER_MS, () => this.#socket.destroy());
    this.#socket.once("close", () => timer.cancel());
  }

  ignore(bytes: Buffer): void {
    this.#ignoredBytes += bytes.length;
    if (this.#ignoredBytes > IGNORED_MAX_BYTES) this.#socket.destroy();
  }
}
