import type { Seat } from "../ingest/rtmp-playback.ts";
import type { Showing } from "../relay/showing.ts";
import type { WatcherSink } from "../relay/watcher.ts";

type Given = Exclude<Seat, string>;

type Seated = {
  isRevoked: boolean;
  sink: WatcherSink | undefined;
  showing: Showing | undefined;
};

/** Players that have a seat, by the numbers of the questions they were seated for: so that the control thread can take one away. */
export class PlayerSeats {
  readonly #seated = new Map<number, Seated>();

  /** The same seat, until it is left or taken away. */
  give(requestId: number, seat: Given): Given {
    const seated: Seated = { isRevoked: false, sink: undefined, showing: undefined };
    this.#seated.set(requestId, seated);
    return {
      leave: () => {
        this.#seated.delete(requestId);
        seat.leave();
      },
      show: async (streamId, sink) => {
        if (seated.isRevoked) return undefined;
        seated.sink = sink;
        seated.showing = await seat.show(streamId, sink);
        // Taken away while the channel's home was asked.
        if (seated.isRevoked) seated.showing?.end();
        return seated.isRevoked ? undefined : seated.showing;
      },
    };
  }

  /** Whoever asked for the token may watch no more. */
  takeAway(requestId: number): void {
    const seated = this.#seated.get(requestId);
    if (seated === undefined) return;
    seated.isRevoked = true;
    seated.showing?.end();
    seated.sink?.end();
  }
}
