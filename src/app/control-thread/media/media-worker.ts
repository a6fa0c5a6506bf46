import { Worker } from "node:worker_threads";
import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { ShutdownMode, ToControl, ToMedia } from "../../../thread-protocol/messages.ts";
import { currentTrace } from "../../../thread-protocol/traces/current-trace.ts";
import type { ThreadOptions, ThreadStart } from "../../threads/media-options.ts";
import type { PoolWorker } from "../../threads/pool-worker.ts";
import { threadEntry } from "../../threads/thread-entry.ts";
import type { Envelope, TransportEnd } from "../../threads/transport-ends.ts";

/** A media thread that died is restarted after this long, in milliseconds. */
const RESTART_DELAY_MS = 1_000;
/** A media thread gives its encoders 2.5 s to reconnect elsewhere. This bounds a thread that does not respond. */
const DRAIN_DEADLINE_MS = 2_700;
/** The thread itself stops within 3.5 s in all. This bounds one that does not respond. */
const STOP_DEADLINE_MS = 3_700;

/** After its last message a thread has this long to exit. */
const EXIT_DEADLINE_MS = 500;
/**
 * In MiB: three halves. By default V8 lets the young generation grow to 192 MiB. The short-lived objects of a stream fill that, and
 * resident memory rises in steps though nothing is kept. The flag with which the process is started counts in its place. The
 * old generation keeps Node's own limit: reaching it ends the thread.
 */
const MEDIA_HEAP = { maxYoungGenerationSizeMb: 12 };

type WorkerDeps = {
  /** From 0. */
  readonly index: number;
  readonly name: string;
  /** Called whenever the thread begins: its options. */
  readonly options: () => ThreadOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly onMessage: (message: ToControl) => void;
  /** The thread has ended, for whatever reason. */
  readonly onGone: () => void;
};

type Listening = Extract<ToControl, { kind: "listening" }>;

/** Runs one media thread: starts it, restarts it when it dies, and stops it. A *life* is the time from a start to the thread's end. */
export class MediaWorker implements PoolWorker {
  readonly index: number;
  readonly name: string;
  readonly #deps: WorkerDeps;
  #worker: Worker | undefined;
  #loading: Promise<void> | undefined;
  /** Whether threads get their options once they are loaded. */
  #hasBegun = false;
  #draining: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  /** When `drain` or `stop` was first called. */
  #stopStartedMs: number | undefined;
  #hasListened = false;
  #isHandedOver = false;
  #onFirst: (message: ToControl) => void = () => undefined;
  #onDrained: (() => void) | undefined;
  #onStopped: (() => void) | undefined;

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
    this.index = deps.index;
    this.name = deps.name;
  }

  /** Starts the thread without options: it does nothing yet. Resolves when its program is loaded, or it ended. Idempotent. */
  load(): Promise<void> {
    this.#loading ??= new Promise((resolve) => {
      const worker = this.#startWorker();
      worker.on("message", ({ kind }: ToControl) => {
        if (kind === "loaded") resolve();
      });
      worker.once("exit", () => resolve());
    });
    return this.#loading;
  }

  /** Lets the thread begin. Resolves when it accepts encoders; rejects if it cannot listen. */
  start(): Promise<Listening> {
    void this.load();
    return new Promise((resolve, reject) => {
      this.#onFirst = (message) => {
        if (message.kind === "listening") {
          this.#hasListened = true;
          resolve(message);
        } else if (message.kind === "listen-failed") reject(new Error(message.message));
      };
      this.#hasBegun = true;
      this.#begin();
    });
  }

  /** Stops admitting encoders. Resolves when those that can have reconnected elsewhere, or after 2.7 s. Idempotent. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  /** Leaves targets and encoders and ends the thread. Its last samples have arrived when this resolves. Idempotent. */
  stop(mode: ShutdownMode): Promise<void> {
    this.#stopping ??= this.#stop(mode);
    return this.#stopping;
  }

  /** Another process accepts the encoders: the thread is not started again when it dies. */
  handOver(): void {
    this.#isHandedOver = true;
  }

  get isStopping(): boolean {
    return this.#stopStartedMs !== undefined;
  }

  /** Identifies the present life; undefined while the thread does not run. A reply to one life must not reach the next. */
  get life(): object | undefined {
    return this.#hasBegun ? this.#worker : undefined;
  }

  /** Posts a message, with the end of a transport where the message says so. Drops it, and closes the end, while no thread runs. */
  post(message: ToMedia, end?: TransportEnd): void {
    if (this.#worker === undefined || !(this.#hasBegun || this.isStopping)) return end?.close();
    const trace = currentTrace();
    const envelope: Envelope<ToMedia> = {
      message,
      ...(end === undefined ? {} : { end }),
      ...(trace === undefined ? {} : { trace: { ...trace, sentTime: this.#deps.clock.wallNow() } }),
    };
    this.#worker.postMessage(envelope, end === undefined ? [] : [end]);
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
    // The thread exits by itself now. Terminate one that does not.
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

  #begin(): void {
    const start: Envelope<ThreadStart> = { message: { kind: "start", options: this.#deps.options() } };
    this.#worker?.postMessage(start);
  }

  #startWorker(): Worker {
    const { name, log, onMessage } = this.#deps;
    // Output of the thread comes to the log, which never waits for a reader.
    const [stdout, stderr] = [true, true];
    const worker = new Worker(threadEntry("media-thread"), { name, resourceLimits: MEDIA_HEAP, stdout, stderr });
    for (const stream of [worker.stdout, worker.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => log.warn("media thread wrote", { thread: name, detail: text.trimEnd() }));
    }
    this.#worker = worker;
    worker.on("message", (message: ToControl) => {
      this.#onFirst(message);
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
    return worker;
  }

  #listen(message: ToControl): void {
    const { name, log } = this.#deps;
    switch (message.kind) {
      case "listen-failed":
        log.error("media thread cannot listen", { thread: name, message: message.message });
        // The port was ours before: end the thread, and the restart tries again.
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
        // Other messages do not concern the life of the thread.
        return;
    }
  }

  #restart(): void {
    if (this.isStopping || this.#isHandedOver) return;
    this.#deps.clock.startTimer(RESTART_DELAY_MS, () => {
      if (this.isStopping || this.#isHandedOver) return;
      this.#startWorker();
      if (this.#hasBegun) this.#begin();
    });
  }
}

function exitOf(worker: Worker): Promise<void> {
  return new Promise((resolve) => worker.once("exit", () => resolve()));
}
