import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import type { ChannelId } from "../exchange/channel-spec.ts";
import { encodePlayed } from "../protocol/rtmp/play.ts";
import type { Engine } from "../relay/engine.ts";
import { Watcher } from "../relay/watcher.ts";

/** What a player is told where it gets no seat: wrong or old token, none free, nobody could say. */
export type Seat = { readonly channelId: ChannelId; readonly leave: () => void } | "refuse" | "full" | "unavailable";

type PlaybackParts = {
  readonly socket: Socket;
  readonly clock: Clock;
  readonly seat: Exclude<Seat, string>;
  readonly streamId: number;
  /** The broadcast is over, or the player too slow for it. */
  readonly onOver: () => void;
};

/** What one player is shown of a channel. Bounded by its watcher: what has not left counts as not taken. */
export class RtmpPlayback {
  readonly #watcher: Watcher;
  readonly #seat: Exclude<Seat, string>;

  constructor({ socket, clock, seat, streamId, onOver }: PlaybackParts) {
    this.#seat = seat;
    this.#watcher = new Watcher(
      {
        take: (bytes) => {
          socket.write(bytes, (error) => {
            if (error === null || error === undefined) this.#watcher.taken(bytes.length, clock.now());
          });
        },
        end: () => {
          seat.leave();
          onOver();
        },
      },
      clock.now(),
      { start: Buffer.alloc(0), encode: (tag) => encodePlayed(streamId, tag) },
    );
  }

  /** Begins, with the next flush; false where the channel is not on air. */
  start(engine: Pick<Engine, "watch">): boolean {
    return engine.watch(this.#seat.channelId, this.#watcher);
  }

  pause(isPaused: boolean): void {
    this.#watcher.pause(isPaused);
  }

  /** The player is gone. Idempotent. */
  end(): void {
    this.#watcher.end();
  }
}
