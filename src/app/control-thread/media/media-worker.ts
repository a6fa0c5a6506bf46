import { type Transferable, Worker } from "node:worker_threads";
import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { ShutdownMode, ToControl, ToMedia } from "../../../thread-protocol/messages.ts";
import type { ThreadOptions } from "../../threads/media-options.ts";

/** A media thread that died is started again after this long. */
const RESTART_DELAY_MS = 1_000;
/** A media thread bounds what its encoders may take to connect elsewhere, to 2.5 s; this is for one that no longer answers. */
const DRAIN_DEADLINE_MS = 2_700;
/** … and its own farewell, to 3.5 s in all. */
const STOP_DEADLINE_MS = 3_700;

/** For a thread that has said goodbye. */
const EXIT_DEADLINE_MS = 500;
/**
 * In MiB. Left alone, V8 lets the young generation grow to 192 MiB, which the short-lived objects of a stream fill now and then: resident
 * memory then rises in steps though nothing is kept. The old generation keeps Node's own limit: reaching one ends the thread.
 */
const MEDIA_HEAP = { maxYoungGenerationSizeMb: 12 };

type WorkerDeps = {
  readonly name: string;
  /** What a life begins with: asked at each start. */
  readonly options: () => ThreadOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly onMessage: (message: ToControl) => void;
  /** A life is over, whoever ended it. */
  readonly onGone: () => void;
};

type Listening = Extract<ToControl, { kind: "listening" }>;

/** One media thread through all its lives: started, started again whenever it dies, and stopped. */
export class MediaWorker {
  readonly #deps: WorkerDeps;
  #worker: Worker | undefined;
  #draining: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  /** When it was first told to stop, or to begin with it. */
  #stopStartedMs: number | undefined;
  #hasListened = false;
  #onDrained: (() => void) | undefined;
  #onStopped: (() => void) | undefined;

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
  }

  /** Resolves once it accepts encoders, rejects where it cannot. */
  start(): Promise<Listening> {
    return new Promise((resolve, reject) => {
      this.#startWorker((message) => {
        if (message.kind === "listening") {
          this.#hasListened = true;
          resolve(message);
        } else if (message.kind === "listen-failed") reject(new Error(message.message));
      });
    });
  }

  /** Lets nobody in any more, and resolves when encoders that can have moved elsewhere, or had their time. Idempotent. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  /** Leaves targets and encoders as asked and ends the thread; what it counted has arrived when this resolves. Idempotent. */
  stop(mode: ShutdownMode): Promise<void> {
    this.#stopping ??= this.#stop(mode);
    return this.#stopping;
  }

  get isStopping(): boolean {
    return this.#stopStartedMs !== undefined;
  }

  /** The present life, to be compared alone: what one has asked is not answered to the next. */
  get life(): object | undefined {
    return this.#worker;
  }

  /** To nobody while it is not running. */
  post(message: ToMedia, transfer: readonly Transferable[] = []): void {
    this.#worker?.postMessage(message, [...transfer]);
  }

  async #drain(): Promise<void> {
    const startedMs = this.#noteStop();
    const worker = this.#worker;
    if (worker === undefined) return;
    const drained = new Promise<void>((resolve) => {
      this.#onDrained = resolve;
      this.post({ kind: "drain" });
    });
    await Promise.race([drained, exitOf(worker), this.#until(startedMs + DRAIN_DEADLINE_MS)]);
  }

  async #stop(mode: ShutdownMode): Promise<void> {
    const startedMs = this.#noteStop();
    const worker = this.#worker;
    if (worker === undefined) return;
    const exited = exitOf(worker);
    const stopped = new Promise<void>((resolve) => {
      this.#onStopped = resolve;
      this.post({ kind: "shutdown", mode });
    });
    await Promise.race([stopped, exited, this.#until(startedMs + STOP_DEADLINE_MS)]);
    // It ends by itself now; only one that does not is ended.
    await Promise.race([exited, this.#until(this.#deps.clock.now() + EXIT_DEADLINE_MS)]);
    await worker.terminate();
  }

  #noteStop(): number {
    this.#stopStartedMs ??= this.#deps.clock.now();
    return this.#stopStartedMs;
  }

  #until(atMs: number): Promise<void> {
    const { clock } = this.#deps;
    return new Promise((resolve) => clock.startTimer(atMs - clock.now(), resolve));
  }

  #startWorker(onFirst: (message: ToControl) => void): void {
    const { name, options, log, onMessage } = this.#deps;
    // What the thread would write by itself comes here, where it holds nobody up.
    const [stdout, stderr] = [true, true];
    const worker = new Worker(entryUrl(), { workerData: options(), name, resourceLimits: MEDIA_HEAP, stdout, stderr });
    for (const stream of [worker.stdout, worker.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => log.warn("media thread wrote", { thread: name, detail: text.trimEnd() }));
    }
    this.#worker = worker;
    worker.on("message", (message: ToControl) => {
      onFirst(message);
      this.#listen(message);
      onMessage(message);
    });
    worker.on("error", (error) =>
      log.error("media thread failed", { thread: name, detail: error.stack ?? error.message }),
    );
    worker.on("exit", () => {
      this.#worker = undefined;
      this.#deps.onGone();
      this.#restart();
    });
  }

  #listen(message: ToControl): void {
    const { name, log } = this.#deps;
    switch (message.kind) {
      case "listen-failed":
        log.error("media thread cannot listen", { thread: name, message: message.message });
        // Once it was there, the port is wanted back: the thread's end starts the next attempt.
        if (this.#hasListened) void this.#worker?.terminate();
        return;
      case "listening":
        return log.info("accepting encoders", { thread: name, address: message.address, port: message.port });
      case "warning":
        return log.warn("node warning", { thread: name, name: message.name, detail: message.detail });
      case "drained":
        return this.#onDrained?.();
      case "stopped":
        return this.#onStopped?.();
      default:
        // The rest is not about the thread's life.
        return;
    }
  }

  #restart(): void {
    if (this.isStopping) return;
    this.#deps.clock.startTimer(RESTART_DELAY_MS, () => {
      if (!this.isStopping) this.#startWorker(() => undefined);
    });
  }
}

function exitOf(worker: Worker): Promise<void> {
  return new Promise((resolve) => worker.once("exit", () => resolve()));
}

/** `tsc` rewrites the endings of imports, not of URLs: the entry ends like this file does. */
function entryUrl(): URL {
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`../../media-thread/media-thread.${ending}`, import.meta.url);
}
