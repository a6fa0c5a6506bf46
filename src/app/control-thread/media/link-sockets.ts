import type { Log } from "../../../base/log.ts";
import type { ControlRequest, MediaReply } from "../../../thread-protocol/messages.ts";
import type { PoolWorker } from "../../threads/pool-worker.ts";

export type LinkSocketsDeps = {
  readonly log: Log;
  /** Asks the thread. Rejects where it does not reply. */
  readonly ask: (worker: PoolWorker, request: ControlRequest) => Promise<MediaReply>;
};

/** The Unix sockets at which threads of this process accept links of other processes: each life of a thread makes its own. */
export class LinkSockets {
  readonly #deps: LinkSocketsDeps;
  readonly #paths = new Map<PoolWorker, string>();
  /** The life of each thread that accepts links. */
  readonly #lives = new Map<PoolWorker, object>();

  constructor(deps: LinkSocketsDeps) {
    this.#deps = deps;
  }

  /**
   * The thread accepts links at this path from now on, also after it was started again. Rejects where it cannot; one that does
   * not run has no channels to link to.
   */
  async accept(worker: PoolWorker, path: string): Promise<void> {
    this.#paths.set(worker, path);
    const { life } = worker;
    if (life === undefined || this.#lives.get(worker) === life) return;
    const reply = await this.#deps.ask(worker, { kind: "accept-links", path });
    const problem = reply.kind === "accept-links" ? reply.problem : "the media thread gave another reply";
    if (problem !== undefined) throw new Error(problem);
    this.#lives.set(worker, life);
  }

  /** The thread was started, maybe again: the socket of its former life leads nowhere. */
  started(worker: PoolWorker): void {
    const path = this.#paths.get(worker);
    if (path === undefined) return;
    this.accept(worker, path).catch((error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error);
      this.#deps.log.error("media thread accepts no links of other processes", { thread: worker.name, detail });
    });
  }

  /** Where a thread that runs accepts links. */
  of(worker: PoolWorker): string | undefined {
    const { life } = worker;
    return life !== undefined && this.#lives.get(worker) === life ? this.#paths.get(worker) : undefined;
  }
}
