import type { Clock } from "../../base/clock.ts";
import type { Engine } from "../../relay/engine.ts";
import { PreviewSubscriber } from "../../relay/subscriber/preview/preview-subscriber.ts";
import type { PreviewReply, PreviewRequest } from "../../thread-protocol/preview.ts";

type Tell = (message: PreviewReply, transfer: readonly ArrayBuffer[]) => void;

/** Previews as the media thread has them: who watches, by the control thread's numbers. */
export class PreviewHost {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #tell: Tell;
  readonly #previews = new Map<number, PreviewSubscriber>();

  constructor(engine: Engine, clock: Clock, tell: Tell) {
    this.#engine = engine;
    this.#clock = clock;
    this.#tell = tell;
  }

  take(request: PreviewRequest): void {
    const { watchId } = request;
    const preview = this.#previews.get(watchId);
    switch (request.kind) {
      case "watch": {
        const added = new PreviewSubscriber(
          {
            take: (bytes) => this.#tell({ kind: "watched", watchId, bytes }, [bytes.buffer]),
            end: () => {
              this.#previews.delete(watchId);
              this.#tell({ kind: "watch-ended", watchId }, []);
            },
          },
          this.#clock.awakeNow(),
        );
        this.#previews.set(watchId, added);
        if (!this.#engine.watch(request.channelId, added)) added.end();
        return;
      }
      case "watch-taken":
        return preview?.taken(request.bytes, this.#clock.awakeNow());
      case "unwatch":
        return preview?.end();
    }
  }
}
