import type { PlayPermit } from "../../ingest/rtmp/rtmp-player.ts";
import type { PreviewSession } from "../../relay/preview-session.ts";
import type { PreviewSink } from "../../relay/subscriber/preview/preview-subscriber.ts";

type Given = Exclude<PlayPermit, string>;

type Seated = {
  isRevoked: boolean;
  sink: PreviewSink | undefined;
  session: PreviewSession | undefined;
};

/** Players that have a seat, by the numbers of the questions they were seated for: so that the control thread can take one away. */
export class PlayPermits {
  readonly #inSlot = new Map<number, Seated>();

  /** The same seat, until it is left or taken away. */
  give(requestId: number, seat: Given): Given {
    const inSlot: Seated = { isRevoked: false, sink: undefined, session: undefined };
    this.#inSlot.set(requestId, inSlot);
    return {
      leave: () => {
        this.#inSlot.delete(requestId);
        seat.leave();
      },
      show: async (streamId, sink) => {
        if (inSlot.isRevoked) return undefined;
        inSlot.sink = sink;
        inSlot.session = await seat.show(streamId, sink);
        // Taken away while the channel's home was asked.
        if (inSlot.isRevoked) inSlot.session?.end();
        return inSlot.isRevoked ? undefined : inSlot.session;
      },
    };
  }

  /** Whoever asked for the token may watch no more. */
  takeAway(requestId: number): void {
    const inSlot = this.#inSlot.get(requestId);
    if (inSlot === undefined) return;
    inSlot.isRevoked = true;
    inSlot.session?.end();
    inSlot.sink?.end();
  }
}
