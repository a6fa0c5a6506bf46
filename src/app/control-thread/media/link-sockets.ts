import type { Log } from "../../../base/log.ts";
import type { ControlRequest, MediaReply } from "../../../thread-protocol/messages.ts";
import type { PoolWorker } from "../../threads/pool-worker.ts";

export type LinkSocketsDeps = {
  readonly log: Log;
  /** Asks the thread. Rejects where it does not reply. */
  readonly ask: (worker: PoolWorker, request: ControlRequest) => Promise<MediaReply>;
};

/** The socket that one life of a thread makes. */
type LinkSocket = { readonly life: object; readonly path: string; readonly made: Promise<void>; isMade: boolean };

/** The Unix sockets at which threads of this process accept links of other processes: each life of a thread makes its own. */
export class LinkSockets {
  readonly #deps: LinkSocketsDeps;
  /** Where each thread is to accept links, also in its next life. */
  readonly #paths = new Map<PoolWorker, string>();
  readonly #sockets = new Map<PoolWorker, LinkSocket>();

  constructor(deps: LinkSocketsDeps) {
    this.#deps = deps;
  }

  /**
   * The thread accepts links at this path from now on, also after it was started again. Rejects where it cannot; one that does
   * not run has no channels to link to.
   */
  accept(worker: PoolWorker, path: string): Promise<void> {
    this.#paths.set(worker, path);
    const { life } = worker;
    if (life === undefined) return Promise.resolve();
    const before = this.#sockets.get(worker);
    if (before?.life === life && before.path === path) return before.made;
    const socket: LinkSocket = { life, path, made: this.#make(worker, path), isMade: false };
    this.#sockets.set(worker, socket);
    socket.made.then(
      () => {
        socket.isMade = true;
      },
      () => {
        // The next attempt asks again.
        if (this.#sockets.get(worker) === socket) this.#sockets.delete(worker);
      },
    );
    return socket.made;
  }

  async #make(worker: PoolWorker, path: string): Promise<void> {
    const reply = await this.#deps.ask(worker, { kind: "accept-links", path });
    const problem = reply.kind === "accept-links" ? reply.problem : "the media thread gave another reply";
    if (problem !== undefined) throw new Error(problem);
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
    const socket = this.#sockets.get(worker);
    return socket?.isMade === true && socket.life === worker.life ? socket.path : undefined;
  }
}
