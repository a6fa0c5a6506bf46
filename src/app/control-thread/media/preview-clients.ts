import type { PreviewClient, PreviewClientSink } from "../../../control/runtime.ts";
import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";
import type { PreviewReply, PreviewRequest } from "../../../thread-protocol/preview.ts";

/** Previews as the control thread has them: whom the media thread's bytes are for. */
export class PreviewClients {
  readonly #post: (message: PreviewRequest) => void;
  readonly #sinks = new Map<number, PreviewClientSink>();
  #lastWatchId = 0;

  constructor(post: (message: PreviewRequest) => void) {
    this.#post = post;
  }

  start(channelId: ChannelId, sink: PreviewClientSink): PreviewClient {
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

  take(answer: PreviewReply): void {
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
