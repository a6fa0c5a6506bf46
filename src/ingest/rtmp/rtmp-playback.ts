import type { Socket } from "node:net";
import type { PreviewSession } from "../../relay/preview-session.ts";
import type { PreviewSink } from "../../relay/subscriber/preview/preview-subscriber.ts";

/** What a player is told where it gets no seat: wrong or old token, none free, nobody could say. */
export type PlayPermit =
  | {
      /** Begins with the next flush; undefined where the channel is not on air. */
      readonly show: (streamId: number, sink: PreviewSink) => Promise<PreviewSession | undefined>;
      readonly leave: () => void;
    }
  | "refuse"
  | "full"
  | "unavailable";

type PlaybackParts = {
  readonly socket: Socket;
  readonly seat: Exclude<PlayPermit, string>;
  readonly streamId: number;
  /** The broadcast is over, or the player too slow for it. */
  readonly onOver: () => void;
};

/** What one player is shown of a channel. Bounded by its preview: what has not left counts as not taken. */
export class RtmpPlayback {
  readonly #parts: PlaybackParts;
  #session: PreviewSession | undefined;
  #isOver = false;

  constructor(parts: PlaybackParts) {
    this.#parts = parts;
  }

  /** Begins, with the next flush; false where the channel is not on air, or the player has gone meanwhile. */
  async start(): Promise<boolean> {
    const { seat, socket, streamId } = this.#parts;
    const session = await seat.show(streamId, {
      take: (bytes) => {
        socket.write(bytes, (error) => {
          if (error === null || error === undefined) this.#session?.taken(bytes.length);
        });
      },
      end: () => this.#end(),
    });
    this.#session = session;
    if (this.#isOver) session?.end();
    return session !== undefined && !this.#isOver;
  }

  pause(isPaused: boolean): void {
    this.#session?.pause(isPaused);
  }

  /** The player is gone. Idempotent. */
  end(): void {
    this.#session?.end();
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
