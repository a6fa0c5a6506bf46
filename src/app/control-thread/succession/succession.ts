import { systemClock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { ShutdownMode } from "../../../thread-protocol/messages.ts";
import { DataFolderError, dataPaths, type StorageConfig } from "../../data-folder/storage.ts";
import { releaseVersion } from "../../release.ts";
import { Predecessor, UpgradeError } from "../../upgrade/predecessor.ts";
import type { Handover } from "../../upgrade/process-messages.ts";
import { processSockets, removeLeftSocket, servingSocket } from "../../upgrade/run-folder.ts";
import type { MediaPool } from "../media/media-pool.ts";
import { takeWhenLeft } from "./take-folder.ts";

/** More earlier processes than this do not carry broadcasts beside the one that serves. */
const PREDECESSORS_MAX = 2;

type Heir = { readonly predecessor: Predecessor; readonly handover: Handover };

/** Earlier processes of this server that still carry broadcasts. This process decides about those broadcasts. */
export class Succession {
  /** Undefined where the data folder is not used: a node of a cluster is drained instead. */
  readonly #folder: string | undefined;
  readonly #log: Log;
  readonly #heirs: Heir[] = [];
  /** The process to take over, before it has handed over. */
  #serving: Predecessor | undefined;
  #isTaken = false;

  constructor(config: StorageConfig, log: Log) {
    this.#folder = config.databaseUrl === undefined ? dataPaths(config).folder : undefined;
    this.#log = log;
  }

  /**
   * Finds the server that runs in this data folder, to take it over. Returns false where it is gone, and left earlier processes
   * behind: this one starts in its place. Throws UpgradeError where there is nothing to take over, or it is not possible.
   */
  async meetServing(): Promise<boolean> {
    if (this.#folder === undefined) {
      throw new UpgradeError(
        "a server on PostgreSQL is not taken over: start the new one beside it, then stop the old one.",
      );
    }
    const predecessor = await this.#meet(servingSocket(this.#folder));
    if (predecessor === undefined) {
      if ((await this.#countOthers(this.#folder)) > 0) return false;
      throw new UpgradeError(
        `no server runs in the data folder ${this.#folder}: start one, there is nothing to take over.`,
      );
    }
    const others = await this.#countOthers(this.#folder, predecessor);
    if (others >= PREDECESSORS_MAX) {
      predecessor.leave();
      throw new UpgradeError(
        `${others} earlier processes still carry broadcasts: wait until one of them is over, or stop it.`,
      );
    }
    this.#serving = predecessor;
    return true;
  }

  /**
   * Takes that server over, if one was met: it gives up the data folder, and `take` takes it. One that has ended meanwhile has
   * left it. Throws UpgradeError, or as `take`: the other server goes on once this process has left it.
   */
  async takeOver(take: () => Promise<void>): Promise<void> {
    const predecessor = this.#serving;
    if (predecessor === undefined) return;
    const handover = await predecessor.handOver();
    this.#serving = undefined;
    if (handover === undefined) {
      await takeWhenLeft(take);
      this.#log.warn("the process before has ended: this one starts in its place", { release: predecessor.release });
      return;
    }
    this.#heirs.push({ predecessor, handover });
    try {
      await take();
    } catch (cause) {
      if (!(cause instanceof DataFolderError)) throw cause;
      const why = "another process has taken over meanwhile, and serves: start the upgrade again to replace that one.";
      throw new UpgradeError(why, { cause });
    }
    this.#log.info("took over from an earlier process", { release: predecessor.release });
  }

  /** Finds earlier processes whose own successor is gone. Call it once the data folder is this process's. */
  async findOthers(): Promise<void> {
    if (this.#folder === undefined) return;
    const known = new Set(this.#heirs.map(({ handover }) => handover.processId));
    for (const socket of await processSockets(this.#folder)) {
      const predecessor = await this.#meet(socket).catch((error: unknown) => this.#failed(error));
      if (predecessor === undefined) {
        // On a disk that cannot be written it stays for the next start.
        await removeLeftSocket(socket).catch((error: unknown) => {
          const detail = error instanceof Error ? error.message : String(error);
          this.#log.warn("what an earlier process left behind cannot be removed", { detail });
        });
        continue;
      }
      if (predecessor === "failed") continue;
      if (known.has(predecessor.processId)) {
        predecessor.leave();
        continue;
      }
      const handover = await predecessor.handOver().catch((error: unknown) => this.#failed(error));
      if (handover === "failed" || handover === undefined) continue;
      this.#heirs.push({ predecessor, handover });
      this.#log.info("broadcasts of an earlier process go on", { release: predecessor.release });
    }
  }

  /** Ports at which earlier processes may still accept connections. */
  get ports(): readonly number[] {
    return this.#heirs.flatMap(({ predecessor }) => predecessor.ports);
  }

  /** Whether earlier processes have handed over, and this one does not decide yet: what they told is theirs again if it ends. */
  get isUndecided(): boolean {
    return this.#heirs.length > 0 && !this.#isTaken;
  }

  /** What the earlier processes know. */
  get handovers(): readonly Handover[] {
    return this.#heirs.map(({ handover }) => handover);
  }

  /** Makes the earlier processes' threads known to the pool, and takes what they report. */
  async adopt(pool: MediaPool): Promise<void> {
    for (const { predecessor, handover } of this.#heirs) {
      const workers = predecessor.workers(handover, pool.nextIndex);
      for (const [index, worker] of workers.entries()) {
        await pool.adopt(worker, handover.threads[index]?.channels ?? []);
      }
    }
  }

  /** From here on facts and samples of earlier processes arrive. */
  listen(pool: MediaPool): void {
    for (const { predecessor } of this.#heirs) {
      predecessor.listen({
        take: (worker, message) => pool.take(worker, message),
        gone: (worker, hasDied) => pool.gone(worker, hasDied),
      });
    }
  }

  /** This process accepts connections: earlier ones stop accepting. Throws UpgradeError where that took too long. */
  taken(): void {
    for (const { predecessor } of this.#heirs) predecessor.taken();
    this.#isTaken = true;
  }

  /**
   * Calls `begin` when the earlier processes have left the files of recordings and the library, and resolves then; or at this
   * signal, without the call: those files are not this process's yet.
   */
  async released(stopping: AbortSignal, begin: () => void): Promise<void> {
    const aborted = Promise.withResolvers<void>();
    stopping.addEventListener("abort", () => aborted.resolve(), { once: true });
    if (stopping.aborted) return;
    await Promise.race([aborted.promise, Promise.all(this.#heirs.map(({ predecessor }) => predecessor.released()))]);
    if (!stopping.aborted) begin();
  }

  /** Another process is to decide about them. Resolves when everything that they have reported is here. */
  async pause(): Promise<void> {
    await Promise.all(this.#heirs.map(({ predecessor }) => predecessor.pause()));
  }

  /** This process decides about them after all. */
  goOn(): void {
    for (const { predecessor } of this.#heirs) predecessor.goOn();
  }

  /** Ends the earlier processes together with this one. */
  async stop(mode: ShutdownMode): Promise<void> {
    await Promise.all(this.#heirs.map(({ predecessor }) => predecessor.stop(mode)));
  }

  /** Another process decides about them from now on, or this one could not start. */
  leave(): void {
    this.#serving?.leave();
    for (const { predecessor } of this.#heirs.splice(0)) predecessor.leave();
  }

  /** How many processes run beside the one that serves. One that was killed leaves its folder behind until the next start. */
  async #countOthers(folder: string, serving?: Predecessor): Promise<number> {
    let count = 0;
    for (const socket of await processSockets(folder)) {
      // One that does not reply, or speaks another version, runs.
      const other = await this.#meet(socket).catch(() => "unknown" as const);
      if (other === undefined) continue;
      if (other !== "unknown") other.leave();
      if (other === "unknown" || other.processId !== serving?.processId) count += 1;
    }
    return count;
  }

  #meet(socket: string): Promise<Predecessor | undefined> {
    return Predecessor.meet(socket, { clock: systemClock, log: this.#log, release: releaseVersion() });
  }

  #failed(error: unknown): "failed" {
    this.#log.error("an earlier process is left alone", { detail: error instanceof Error ? error.message : "" });
    return "failed";
  }
}
