import type { Watch, WatchSink } from "../control/runtime.ts";
import type { ChannelId } from "../exchange/channel-spec.ts";
import type { WatchAnswer, WatchRequest } from "../exchange/watching.ts";

/** Previews as the control thread has them: whom the media thread's bytes are for. */
export class Watches {
  readonly #post: (message: WatchRequest) => void;
  readonly #sinks = new Map<number, WatchSink>();
  #lastWatchId = 0;

  constructor(post: (message: WatchRequest) => void) {
    this.#post = post;
  }

  start(channelId: ChannelId, sink: WatchSink): Watch {
    this.#lastWatchId += 1;
    const watchId = this.#lastWatchId;
    this.#sinks.set(watchId, sink);
    this.#post({ kind: "watch", watchId, channelId });
    return {
      taken: (bytes) => this.#post({ kind: "watch-taken", watchId, bytes }),
      leave: () => {
        if (this.#sinks.delete(watchId)) this.#post({ kind: "unwatch", watchId });
      },
    };
  }

  take(answer: WatchAnswer): void {
    const sink = this.#sinks.get(answer.watchId);
    if (answer.kind === "watched") return sink?.take(answer.bytes);
    this.#sinks.delete(answer.watchId);
    sink?.end();
  }

  /** The media thread is gone, and with it whatever was watched. */
  endAll(): void {
    const sinks = [...this.#sinks.values()];
    this.#sinks.clear();
    for (const sink of sinks) sink.end();
  }
}
