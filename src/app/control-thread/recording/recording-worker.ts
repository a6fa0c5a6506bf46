import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import { type RecorderPort, RecorderUnavailableError } from "../../../control/ports/recorder.ts";
import type { RecorderSettings } from "../../../recording/recorder.ts";
import type {
  FromRecorder,
  RecordingReply,
  RecordingRequest,
  ToRecorder,
} from "../../../thread-protocol/recordings/recorder-messages.ts";
import type { RecordingProblem } from "../../../thread-protocol/recordings/recordings.ts";
import { RECORDER_THREAD } from "../../process/exit-now.ts";
import { PendingRequests } from "../../threads/pending-requests.ts";
import { threadEntry } from "../../threads/thread-entry.ts";
import { type Envelope, newTransport, type TransportEnd } from "../../threads/transport-ends.ts";

/** A disk that hangs must not hold up a request for longer, in milliseconds. */
const REQUEST_DEADLINE_MS = 10_000;
/** Files are finished within this time when the server stops, in milliseconds; a disk that hangs is left. */
const STOP_DEADLINE_MS = 1_500;
/** A thread that ended is not started again before this time, in milliseconds. */
const RESTART_DELAY_MS = 1_000;
/** The recorder keeps little: see the media threads' limit. */
const HEAP = { maxYoungGenerationSizeMb: 6 };

export type RecordingWorkerDeps = {
  readonly settings: RecorderSettings;
  readonly clock: Clock;
  readonly log: Log;
  /** Called with news about files. */
  readonly onNews: (news: Extract<FromRecorder, { kind: "files" | "file" | "file-gone" | "upload" }>) => void;
};

/**
 * Runs the recording thread. It is started when a channel is recorded for the first time, or at once where there are
 * recordings from before.
 */
export class RecordingWorker implements RecorderPort {
  readonly #deps: RecordingWorkerDeps;
  readonly #pending: PendingRequests<RecordingReply>;
  #worker: Worker | undefined;
  #isStarted = false;
  #stopping: Promise<void> | undefined;
  #endedMs = Number.NEGATIVE_INFINITY;
  #onStopped: (() => void) | undefined;

  constructor(deps: RecordingWorkerDeps) {
    this.#deps = deps;
    this.#pending = new PendingRequests(deps.clock);
  }

  /** From now on the folder is this process's. Starts the thread if there are recordings from before. */
  start(): void {
    this.#isStarted = true;
    if (existsSync(this.#deps.settings.folder)) this.#run();
  }

  /** Returns a link to the recorder; undefined where it cannot run now. */
  link(): TransportEnd | undefined {
    const worker = this.#run();
    if (worker === undefined) return undefined;
    const [recordersEnd, end] = newTransport();
    this.#post(worker, { kind: "link" }, recordersEnd);
    return end;
  }

  async ask(request: RecordingRequest): Promise<RecordingReply> {
    const worker = this.#run();
    if (worker === undefined) throw new RecorderUnavailableError();
    const outcome = await this.#pending.ask(REQUEST_DEADLINE_MS, (requestId) =>
      this.#post(worker, { kind: "request", requestId, request }),
    );
    if (typeof outcome === "string") throw new RecorderUnavailableError();
    return outcome;
  }

  /**
   * Finishes all files and ends the thread. Call it when the media threads have ended, or with what ends recordings of
   * broadcasts that go on. Idempotent.
   */
  stop(problem?: RecordingProblem): Promise<void> {
    this.#stopping ??= this.#stop(problem);
    return this.#stopping;
  }

  async #stop(problem?: RecordingProblem): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const stopped = new Promise<void>((resolve) => {
      this.#onStopped = resolve;
      worker.once("exit", () => resolve());
    });
    this.#post(worker, { kind: "shutdown", ...(problem === undefined ? {} : { problem }) });
    const deadline = new Promise<void>((resolve) => this.#deps.clock.startTimer(STOP_DEADLINE_MS, resolve));
    await Promise.race([stopped, deadline]);
    // Not awaited: a thread that hangs in a call of the disk ends with the process.
    void worker.terminate();
  }

  #run(): Worker | undefined {
    const { settings, clock, log } = this.#deps;
    if (this.#worker !== undefined) return this.#worker;
    if (!this.#isStarted || this.#stopping !== undefined || clock.now() - this.#endedMs < RESTART_DELAY_MS)
      return undefined;
    const [stdout, stderr] = [true, true];
    const options = { workerData: settings, name: RECORDER_THREAD, resourceLimits: HEAP, stdout, stderr };
    const worker = new Worker(threadEntry("recording-thread"), options);
    for (const stream of [worker.stdout, worker.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => log.warn("recording thread wrote", { detail: text.trimEnd() }));
    }
    this.#worker = worker;
    worker.on("message", (message: FromRecorder) => this.#take(message));
    worker.on("error", (error) => log.error("recording thread failed", { detail: error.stack ?? error.message }));
    worker.on("exit", () => {
      this.#worker = undefined;
      this.#endedMs = clock.now();
      this.#pending.abandon();
    });
    return worker;
  }

  #take(message: FromRecorder): void {
    switch (message.kind) {
      case "reply":
        this.#pending.reply(message.requestId, message.reply);
        return;
      case "warning":
        return this.#deps.log.warn(message.name, { detail: message.detail });
      case "stopped":
        return this.#onStopped?.();
      default:
        return this.#deps.onNews(message);
    }
  }

  #post(worker: Worker, message: ToRecorder, end?: TransportEnd): void {
    const envelope: Envelope<ToRecorder> = end === undefined ? { message } : { message, end };
    worker.postMessage(envelope, end === undefined ? [] : [end]);
  }
}
