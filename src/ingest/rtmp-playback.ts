import type { Socket } from "node:net";
import type { Showing } from "../relay/showing.ts";
import type { WatcherSink } from "../relay/watcher.ts";

/** What a player is told where it gets no seat: wrong or old token, none free, nobody could say. */
export type Seat =
  | {
      /** Begins with the next flush; undefined where the channel is not on air. */
      readonly show: (streamId: number, sink: WatcherSink) => Promise<Showing | undefined>;
      readonly leave: () => void;
    }
  | "refuse"
  | "full"
  | "unavailable";

type PlaybackParts = {
  readonly socket: Socket;
  readonly seat: Exclude<Seat, string>;
  readonly streamId: number;
  /** The broadcast is over, or the player too slow for it. */
  readonly onOver: () => void;
};

/** What one player is shown of a channel. Bounded by its watcher: what has not left counts as not taken. */
export class RtmpPlayback {
  readonly #parts: PlaybackParts;
  #showing: Showing | undefined;
  #isOver = false;

  constructor(parts: PlaybackParts) {
    this.#parts = parts;
  }

  /** Begins, with the next flush; false where the channel is not on air, or the player has gone meanwhile. */
  async start(): Promise<boolean> {
    const { seat, socket, streamId } = this.#parts;
    const showing = await seat.show(streamId, {
      take: (bytes) => {
        socket.write(bytes, (error) => {
          if (error === null || error === undefined) this.#showing?.taken(bytes.length);
        });
      },
      end: () => this.#end(),
    });
    this.#showing = showing;
    if (this.#isOver) showing?.end();
    return showing !== undefined && !this.#isOver;
  }

  pause(isPaused: boolean): void {
    this.#showing?.pause(isPaused);
  }

  /** The player is gone. Idempotent. */
  end(): void {
    this.#showing?.end();
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { seat, onOver } = this.#parts;
    seat.leave();
    onOver();
  }
}
