import type { PlayPermit } from "../../ingest/rtmp/rtmp-player.ts";
import type { PreviewSession } from "../../relay/preview-session.ts";
import type { PreviewSink } from "../../relay/subscriber/preview/preview-subscriber.ts";

type Permit = Exclude<PlayPermit, string>;

type Holder = {
  isRevoked: boolean;
  sink: PreviewSink | undefined;
  session: PreviewSession | undefined;
};

/**
 * The permits of RTMP players, by the number of the request that admitted each: the control thread revokes them by this
 * number.
 */
export class PlayPermits {
  readonly #holders = new Map<number, Holder>();

  /** Returns the same permit, which ends when the player leaves or it is revoked. */
  give(requestId: number, permit: Permit): Permit {
    const holder: Holder = { isRevoked: false, sink: undefined, session: undefined };
    this.#holders.set(requestId, holder);
    return {
      leave: () => {
        this.#holders.delete(requestId);
        permit.leave();
      },
      show: async (streamId, sink) => {
        if (holder.isRevoked) return undefined;
        holder.sink = sink;
        holder.session = await permit.show(streamId, sink);
        // Revoked while the thread that owns the channel was asked.
        if (holder.isRevoked) holder.session?.end();
        return holder.isRevoked ? undefined : holder.session;
      },
    };
  }

  /** Ends what this player watches; it may watch no longer. */
  revoke(requestId: number): void {
    const holder = this.#holders.get(requestId);
    if (holder === undefined) return;
    holder.isRevoked = true;
    holder.session?.end();
    holder.sink?.end();
  }
}
