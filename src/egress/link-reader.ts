import type { Socket } from "node:net";
import type { Clock, Timer } from "../base/clock.ts";
import type { ClientOutput, ClientSession } from "../protocol/rtmp/client-session.ts";
import { READ_TURN_MS } from "../protocol/rtmp/paced-reader.ts";

/** What a target says to a link that was closed is read up to here. */
const IGNORED_MAX_BYTES = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

type LinkReaderParts = {
  readonly socket: Socket;
  readonly session: ClientSession;
  readonly clock: Clock;
  /** Told of whatever `session` makes of what came. Never throws. */
  readonly take: (step: () => readonly ClientOutput[]) => void;
};

/** Reads what a target says: what is beyond a turn's share is read later, so that none takes the time of others. */
export class LinkReader {
  readonly #parts: LinkReaderParts;
  #timer: Timer | undefined;
  #isStopped = false;
  #ignoredBytes = 0;

  constructor(parts: LinkReaderParts) {
    this.#parts = parts;
    parts.socket.on("data", (bytes) => {
      if (this.#isStopped) this.#ignore(bytes);
      else this.#read(bytes);
    });
  }

  /** What comes from now on is read, so that the target's own writes do not fail and its end is heard, and ignored. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
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
    if (!session.isBehind) {
      if (socket.isPaused()) socket.resume();
      return;
    }
    socket.pause();
    this.#timer?.cancel();
    this.#timer = clock.startTimer(READ_TURN_MS, () => this.#read(NOTHING));
  }
}
