import { connect } from "node:net";
import type { Clock } from "../../base/clock.ts";
import { startDeadline } from "../../base/deadline.ts";
import type { Log } from "../../base/log.ts";
import { socketPath } from "../../node-link/socket-path.ts";
import type { ShutdownMode, ToControl, ToMedia } from "../../thread-protocol/messages.ts";
import type { PoolWorker } from "../threads/pool-worker.ts";
import type { TransportEnd } from "../threads/transport-ends.ts";
import { ProcessLink } from "./process-link.ts";
import {
  type FromPredecessor,
  type FromSuccessor,
  type Handover,
  PROCESS_VERSIONS,
  speaksOurs,
} from "./process-messages.ts";

/** The old process answers at once, and hands over within this time, in milliseconds. */
const HELLO_DEADLINE_MS = 5_000;
const HANDOVER_DEADLINE_MS = 10_000;
/** It passes on what it has within this time, and leaves files within that one, in milliseconds. */
const PAUSE_DEADLINE_MS = 2_000;
const RELEASE_DEADLINE_MS = 5_000;

/** The process that serves cannot be replaced without interruption. The text says why, and what to do. */
export class UpgradeError extends Error {
  override readonly name = "UpgradeError";
}

export type PredecessorDeps = { readonly clock: Clock; readonly log: Log; readonly release: string };

type Link = ProcessLink<FromSuccessor, FromPredecessor>;

/** What becomes of the broadcasts of an earlier process. */
export type PredecessorUser = {
  take(worker: PoolWorker, message: ToControl): void;
  /** `hasDied`: the thread's broadcasts are over. */
  gone(worker: PoolWorker, hasDied: boolean): void;
};

/** An earlier process of this server, which carries broadcasts to their end while this one decides about them. */
export class Predecessor {
  readonly release: string;
  readonly processId: string;
  /** Ports at which it accepts connections until this process does. */
  readonly ports: readonly number[];
  readonly #deps: PredecessorDeps;
  readonly #link: Link;
  readonly #over = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<void>();
  #onPaused: () => void = () => undefined;
  #isTaken = false;
  #isWithdrawn = false;
  #workers: readonly PredecessorWorker[] = [];
  #isLeft = false;

  private constructor(deps: PredecessorDeps, link: Link, { release, processId, ports }: Hello) {
    this.#deps = deps;
    this.#link = link;
    this.release = release;
    this.processId = processId;
    this.ports = ports;
  }

  /** Greets the process at this socket; undefined where none runs there. Throws UpgradeError where it speaks another version. */
  static async meet(path: string, deps: PredecessorDeps): Promise<Predecessor | undefined> {
    const socket = connect(socketPath(path));
    const onFault = (error: unknown) => deps.log.warn("the earlier process broke off", { detail: String(error) });
    // That process gets what its media threads keep anyway, above all the slates of all its channels, maybe at once.
    const waitingBytesMax = Number.POSITIVE_INFINITY;
    const link: Link = new ProcessLink<FromSuccessor, FromPredecessor>(socket, deps.clock, onFault, waitingBytesMax);
    link.send({ kind: "hello", versions: PROCESS_VERSIONS, release: deps.release });
    const hello = await next(link, deps.clock, HELLO_DEADLINE_MS);
    if (hello === "closed") return undefined;
    if (hello === "silent" || hello.kind !== "hello") {
      link.close();
      throw new UpgradeError("the server that runs in this data folder does not reply: restart it instead.");
    }
    if (speaksOurs(hello.versions)) return new Predecessor(deps, link, hello);
    link.close();
    throw new UpgradeError(
      `this release cannot take over from ${hello.release} without interruption: stop that server, then start this one.`,
    );
  }

  /**
   * Asks for the database and the decisions. Returns undefined where that process has ended instead. Throws UpgradeError where it
   * keeps them.
   */
  async handOver(): Promise<Handover | undefined> {
    this.#link.send({ kind: "hand-over" });
    const answer = await next(this.#link, this.#deps.clock, HANDOVER_DEADLINE_MS);
    if (typeof answer !== "string" && answer.kind === "yours") return answer.handover;
    this.#link.close();
    if (answer === "closed") return undefined;
    const isRefused = typeof answer !== "string" && answer.kind === "refused";
    throw new UpgradeError(
      isRefused
        ? `the server that runs in this data folder does not hand over: ${answer.why}`
        : "the server that runs in this data folder did not hand over in time.",
    );
  }

  /** Its media threads, which are numbered from `firstIndex` on. Call `listen` once they are known to the pool. */
  workers({ threads, processId }: Handover, firstIndex: number): readonly PoolWorker[] {
    this.#workers = threads.map(({ name, linkPath }, thread) => {
      const post = (message: ToMedia) => this.#link.send({ kind: "post", thread, message });
      return new PredecessorWorker(firstIndex + thread, `${name}@${processId}`, linkPath, post);
    });
    return this.#workers;
  }

  /** Takes what its threads report, from the moment of the handover on. */
  listen(user: PredecessorUser): void {
    const { log, release } = this.#deps;
    const end = (hasDied: boolean) => {
      for (const worker of this.#workers) if (worker.end()) user.gone(worker, hasDied);
      this.#over.resolve();
      this.#released.resolve();
      this.#onPaused();
    };
    this.#link.listen(
      (message) => {
        switch (message.kind) {
          case "message": {
            const worker = this.#workers[message.thread];
            return worker === undefined ? undefined : user.take(worker, message.message);
          }
          case "thread-gone": {
            const worker = this.#workers[message.thread];
            return worker?.end() === true ? user.gone(worker, true) : undefined;
          }
          case "withdrawn":
            this.#isWithdrawn = !this.#isTaken;
            return;
          case "released":
            return this.#released.resolve();
          case "paused":
            return this.#onPaused();
          case "over":
            log.info("an earlier process has ended", { release });
            this.#link.close();
            return end(true);
          default:
            // An older process may say more.
            return;
        }
      },
      () => {
        if (!this.#isLeft) log.error("an earlier process is gone, with its broadcasts", { release });
        end(!this.#isLeft);
      },
    );
  }

  /**
   * This process accepts connections, and decides from here on. Throws UpgradeError where that one takes everything back,
   * since this took too long: end then.
   */
  taken(): void {
    if (this.#isWithdrawn) throw new UpgradeError("this process took too long to start: the one before it goes on.");
    this.#isTaken = true;
    this.#link.send({ kind: "taken" });
  }

  /** Resolves when that process has left the files of recordings and the library, after 5 s at the latest. */
  released(): Promise<void> {
    return this.#within(RELEASE_DEADLINE_MS, this.#released.promise);
  }

  /**
   * Another process is to decide: that one passes nothing on until `goOn`. Resolves when everything from before has arrived,
   * after 2 s at the latest. Its end says nothing about its broadcasts any more.
   */
  async pause(): Promise<void> {
    this.#isLeft = true;
    if (this.#link.isOver) return;
    const paused = new Promise<void>((resolve) => {
      this.#onPaused = resolve;
      this.#link.send({ kind: "pause" });
    });
    await this.#within(PAUSE_DEADLINE_MS, paused);
  }

  /** This process decides after all. */
  goOn(): void {
    this.#isLeft = false;
    this.#link.send({ kind: "go-on" });
  }

  async #within(deadlineMs: number, wanted: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#deps.clock.startTimer(deadlineMs, late.resolve);
    await Promise.race([wanted, late.promise]);
    timer.cancel();
  }

  /** Another process decides about it from now on. */
  leave(): void {
    this.#isLeft = true;
    this.#link.close();
  }

  /** Ends it with this process. Resolves when it is over; its last facts have arrived then. */
  async stop(mode: ShutdownMode): Promise<void> {
    if (this.#link.isOver) return;
    this.#link.send({ kind: "stop", mode });
    await this.#over.promise;
  }
}

type Hello = Extract<FromPredecessor, { kind: "hello" }>;

/** A media thread of another process. */
class PredecessorWorker implements PoolWorker {
  readonly index: number;
  readonly name: string;
  readonly linkPath: string;
  readonly #post: (message: ToMedia) => void;
  #life: object | undefined = {};

  constructor(index: number, name: string, linkPath: string, post: (message: ToMedia) => void) {
    this.index = index;
    this.name = name;
    this.linkPath = linkPath;
    this.#post = post;
  }

  get life(): object | undefined {
    return this.#life;
  }

  post(message: ToMedia, end?: TransportEnd): void {
    end?.close();
    if (this.#life !== undefined) this.#post(message);
  }

  /** Returns whether it ran up to now. */
  end(): boolean {
    const wasRunning = this.#life !== undefined;
    this.#life = undefined;
    return wasRunning;
  }
}

/** The next message; later ones wait for the next listener. */
function next(link: Link, clock: Clock, deadlineMs: number): Promise<FromPredecessor | "closed" | "silent"> {
  return new Promise((resolve) => {
    const deadline = startDeadline(clock, deadlineMs, () => resolve("silent"));
    link.listen(
      (message) => {
        deadline.cancel();
        link.pause();
        resolve(message);
      },
      () => {
        deadline.cancel();
        resolve("closed");
      },
    );
  });
}
