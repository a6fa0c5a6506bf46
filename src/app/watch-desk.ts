import type { Clock } from "../base/clock.ts";
import type { WatchAnswer, WatchRequest } from "../exchange/watching.ts";
import type { Engine } from "../relay/engine.ts";
import { Watcher } from "../relay/watcher.ts";

type Tell = (message: WatchAnswer, transfer: readonly ArrayBuffer[]) => void;

/** Previews as the media thread has them: who watches, by the control thread's numbers. */
export class WatchDesk {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #tell: Tell;
  readonly #watchers = new Map<number, Watcher>();

  constructor(engine: Engine, clock: Clock, tell: Tell) {
    this.#engine = engine;
    this.#clock = clock;
    this.#tell = tell;
  }

  take(request: WatchRequest): void {
    const { watchId } = request;
    const watcher = this.#watchers.get(watchId);
    switch (request.kind) {
      case "watch": {
        const added = new Watcher(
          {
            take: (bytes) => this.#tell({ kind: "watched", watchId, bytes }, [bytes.buffer]),
            end: () => {
              this.#watchers.delete(watchId);
              this.#tell({ kind: "watch-ended", watchId }, []);
            },
          },
          this.#clock.awakeNow(),
        );
        this.#watchers.set(watchId, added);
        if (!this.#engine.watch(request.channelId, added)) added.end();
        return;
      }
      case "watch-taken":
        return watcher?.taken(request.bytes, this.#clock.awakeNow());
      case "unwatch":
        return watcher?.end();
    }
  }
}
