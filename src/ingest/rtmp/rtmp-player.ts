import type { Socket } from "node:net";
import { type PlayRefusal, previewOf } from "../../protocol/rtmp/server/play.ts";
import type { PlayRequest } from "../../protocol/rtmp/server/server-outputs.ts";
import type { PreviewSession } from "../../relay/preview-session.ts";
import type { PreviewSink } from "../../relay/subscriber/preview/preview-subscriber.ts";
import type { ConnectionRefusal } from "../publish/connection-refusal.ts";

/**
 * A player's right to watch, until it is revoked. `refuse`: wrong or old token. `full`: too many players watch.
 * `unavailable`: no verdict in time.
 */
export type PlayPermit =
  | {
      /** Begins with the next flush; undefined where the channel is not on air. */
      readonly show: (streamId: number, sink: PreviewSink) => Promise<PreviewSession | undefined>;
      readonly leave: () => void;
    }
  | "refuse"
  | "full"
  | "unavailable";

/** May a player with this token watch this channel? Never rejects. */
export type PermitPlayer = (channelId: string, token: string) => Promise<PlayPermit>;

type RtmpPlayerParts = {
  readonly socket: Socket;
  readonly permitPlayer: PermitPlayer;
  readonly refusal: ConnectionRefusal;
  /** The broadcast is over, the player was too slow, or its permit was revoked. */
  readonly onOver: () => void;
};

/** The playing side of one RTMP connection: at most one preview at a time. */
export class RtmpPlayer {
  readonly #parts: RtmpPlayerParts;
  #playback: Playback | undefined;
  #isClosed = false;

  constructor(parts: RtmpPlayerParts) {
    this.#parts = parts;
  }

  get isPlaying(): boolean {
    return this.#playback !== undefined;
  }

  /** Asks for a permit and begins to play. `accept`: say so to the player, or call `end` if it has gone. */
  async request({ streamId, app, name }: PlayRequest): Promise<"accept" | PlayRefusal> {
    const { permitPlayer, refusal, socket, onOver } = this.#parts;
    const preview = previewOf(app, name);
    const permit = preview === undefined ? "refuse" : await permitPlayer(preview.channelId, preview.token);
    if (permit === "refuse") {
      refusal.report("play-refused");
      await refusal.holdBack();
      return "not-found";
    }
    if (typeof permit === "string") return "failed";
    if (this.#isClosed) {
      permit.leave();
      return "failed";
    }
    const playback = new Playback(socket, permit, streamId, () => {
      if (this.#playback === playback) onOver();
    });
    this.#playback = playback;
    if (await playback.start()) return "accept";
    this.end();
    return "not-found";
  }

  pause(isPaused: boolean): void {
    this.#playback?.pause(isPaused);
  }

  /** The player stopped. It may play again. Idempotent. */
  end(): void {
    const playback = this.#playback;
    this.#playback = undefined;
    playback?.end();
  }

  /** The connection is gone. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.end();
  }
}

/** One preview as it is sent to a player. The preview bounds it: what has not left the socket counts as not taken. */
class Playback {
  readonly #socket: Socket;
  readonly #permit: Exclude<PlayPermit, string>;
  readonly #streamId: number;
  readonly #onOver: () => void;
  #session: PreviewSession | undefined;
  #isOver = false;

  constructor(socket: Socket, permit: Exclude<PlayPermit, string>, streamId: number, onOver: () => void) {
    this.#socket = socket;
    this.#permit = permit;
    this.#streamId = streamId;
    this.#onOver = onOver;
  }

  /** Begins with the next flush. Returns false where the channel is not on air, or the player has left meanwhile. */
  async start(): Promise<boolean> {
    const session = await this.#permit.show(this.#streamId, {
      take: (bytes) => {
        this.#socket.write(bytes, (error) => {
          if (error === null || error === undefined) this.#session?.taken(bytes.length);
        });
      },
      end: () => this.#finish(),
    });
    this.#session = session;
    if (this.#isOver) session?.end();
    return session !== undefined && !this.#isOver;
  }

  pause(isPaused: boolean): void {
    this.#session?.pause(isPaused);
  }

  /** Idempotent. */
  end(): void {
    this.#session?.end();
    this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#permit.leave();
    this.#onOver();
  }
}
