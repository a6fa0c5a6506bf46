import { Worker } from "node:worker_threads";
import type { DelayShelf, DelayShelves, ShelfListener } from "../../relay/subscriber/delay/delay-shelf.ts";
import type { DelaySettings, FromDelay, ToDelay } from "../../thread-protocol/delays/delay-messages.ts";
import { DELAY_THREAD } from "../process/exit-now.ts";
import { threadEntry } from "../threads/thread-entry.ts";

/** The thread holds segments only while they wait for the disk, outside of its heap. */
const HEAP = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32 };

export type DelayClientDeps = {
  readonly settings: DelaySettings;
  /** The thread ended by itself. */
  readonly onFault: (error: unknown) => void;
};

/** This thread's way to the disk for delayed streams. Its delay thread is started by the first segment. */
export class DelayClient implements DelayShelves {
  readonly #deps: DelayClientDeps;
  readonly #listeners = new Map<number, ShelfListener>();
  #worker: Worker | undefined;
  #lastShelf = 0;

  constructor(deps: DelayClientDeps) {
    this.#deps = deps;
  }

  open(listener: ShelfListener): DelayShelf {
    this.#lastShelf += 1;
    const shelf = this.#lastShelf;
    this.#listeners.set(shelf, listener);
    return {
      put: (id, bytes) => this.#post({ kind: "put", shelf, id, bytes }, [bytes.buffer]),
      take: (id) => this.#post({ kind: "take", shelf, id }),
      drop: (id) => this.#post({ kind: "drop", shelf, id }),
      close: () => {
        this.#listeners.delete(shelf);
        this.#worker?.postMessage({ kind: "close", shelf } satisfies ToDelay);
      },
    };
  }

  #post(message: ToDelay, transferred: readonly ArrayBuffer[] = []): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message, [...transferred]);
  }

  #start(): Worker {
    const options = { workerData: this.#deps.settings, name: DELAY_THREAD, resourceLimits: HEAP };
    const worker = new Worker(threadEntry("delay-thread"), options);
    worker.unref();
    worker.on("message", (message: FromDelay) => this.#take(message));
    worker.on("error", (error) => this.#deps.onFault(error));
    worker.on("exit", () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      for (const listener of [...this.#listeners.values()]) listener.lost();
    });
    return worker;
  }

  #take(message: FromDelay): void {
    const listener = this.#listeners.get(message.shelf);
    if (message.kind === "stored") listener?.stored(message.id);
    else if (message.kind === "failed") listener?.failed(message.problem);
    else listener?.taken(message.id, message.bytes);
  }
}
