import type { Socket } from "node:net";
import { deserialize, serialize } from "node:v8";
import type { Clock } from "../../base/clock.ts";
import { LinkError } from "../../node-link/frames.ts";
import { LinkConnection } from "../../node-link/link-connection.ts";

/** The largest message, in bytes: the state of all broadcasts, or a slate, which has up to 32 MiB. */
const MESSAGE_BYTES_MAX = 256 * 1024 * 1024;

/**
 * The connection between two processes of one server, over a Unix socket that only this user can open. Messages are
 * plain data, copied as between threads.
 */
export class ProcessLink<Sent, Received> {
  readonly #link: LinkConnection;

  /** `waitingBytesMax`: the link ends where more than this wait for the other process. */
  constructor(
    socket: Socket,
    clock: Clock,
    onFault: (error: unknown) => void,
    waitingBytesMax: number = MESSAGE_BYTES_MAX,
  ) {
    // A process on this machine may stand still; only its end is the end of the link.
    const options = { isWatched: false, bodyBytesMax: MESSAGE_BYTES_MAX, waitingBytesMax };
    this.#link = new LinkConnection(socket, clock, onFault, options);
  }

  get isOver(): boolean {
    return this.#link.isOver;
  }

  send(message: Sent): void {
    this.#link.send("process", serialize(message));
  }

  /** Sets the listener, or another one. Messages wait while there is none. `onClosed` comes last, once. */
  listen(onMessage: (message: Received) => void, onClosed: () => void): void {
    this.#link.listen({
      onFrame: ({ kind, body }) => {
        if (kind !== "process") throw new LinkError(`a frame of the kind ${kind} from a process of this server`);
        onMessage(deserialize(body) as Received);
      },
      onClosed,
    });
  }

  /** Takes the listener off: later messages wait for the next one. */
  pause(): void {
    this.#link.pause();
  }

  /** Messages sent before still arrive. Idempotent. */
  close(): void {
    this.#link.close();
  }
}
