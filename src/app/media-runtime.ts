import { Worker } from "node:worker_threads";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { AdmissionGate } from "../control/admission-gate.ts";
import type { LiveView } from "../control/live-view.ts";
import type { PreviewAccess, PreviewPlace } from "../control/preview-access.ts";
import { RunningTotals } from "../control/running-totals.ts";
import type { ChannelLive, Runtime, Watch, WatchSink } from "../control/runtime.ts";
import type { Admitted } from "../control/service.ts";
import type {
  AdmissionAnswer,
  AdmissionRequest,
  IngestUser,
  LoginQuestion,
  ProvenLogin,
} from "../exchange/admission.ts";
import type { CertificatePair } from "../exchange/certificate.ts";
import type { ChannelId, ChannelSpec, IngestSlot, TargetId, TargetSpec } from "../exchange/channel-spec.ts";
import type { Fact } from "../exchange/facts.ts";
import type { LoopDelay } from "../exchange/loop-delay.ts";
import type { ShutdownMode, ToControl, ToMedia } from "../exchange/messages.ts";
import type { PreflightResult } from "../exchange/preflight.ts";
import type { ChannelSample } from "../exchange/samples.ts";
import type { PreviewAnswer, PreviewQuestion } from "../exchange/watching.ts";
import type { MediaOptions } from "./media-options.ts";
import { Watches } from "./watches.ts";

/** A media thread that died is started again after this long. */
const RESTART_DELAY_MS = 1_000;
/** The media thread bounds its own farewell, to 3.5 s in all; this is for one that no longer answers. */
const STOP_DEADLINE_MS = 3_700;

/** For a thread that has said goodbye. */
const EXIT_DEADLINE_MS = 500;
/** Above the sum of all stages' own deadlines: for a thread that died meanwhile. */
const PREFLIGHT_DEADLINE_MS = 90_000;
/**
 * In MiB. Left alone, V8 lets the young generation grow to 192 MiB, which the short-lived objects of a stream fill now and then: resident
 * memory then rises in steps though nothing is kept. The old generation keeps Node's own limit: reaching one ends the thread.
 */
const MEDIA_HEAP = { maxYoungGenerationSizeMb: 24 };

export type MediaRuntimeDeps = {
  readonly options: MediaOptions;
  readonly view: LiveView;
  readonly clock: Clock;
  readonly log: Log;
  /** The channel this key may publish to. A rejection counts as no answer: the encoder tries again. */
  readonly admit: (key: string, login?: ProvenLogin) => Promise<Admitted | undefined>;
  /** Who logs in to an ingest with this name. A rejection counts as no answer. */
  readonly findIngestUser: (userId: string) => Promise<IngestUser | undefined>;
  /** Who may open a preview. */
  readonly previewAccess: PreviewAccess;
  /** Every fact, after the live view has taken it. */
  readonly onFact: (fact: Fact) => void;
  /** How late the media thread's event loop was, every few seconds. */
  readonly onLoopDelay: (delay: LoopDelay) => void;
  /** Every batch of samples, after the live view has taken it. */
  readonly onSamples: (samples: readonly ChannelSample[]) => void;
};

/** The media thread as the control thread sees it: what is wanted goes down, what happened comes up. */
export class MediaRuntime implements Runtime {
  readonly #deps: MediaRuntimeDeps;
  #worker: Worker | undefined;
  #options: MediaOptions;
  #stopping: Promise<void> | undefined;
  #hasListened = false;
  readonly #preflights = new Map<number, (result: PreflightResult) => void>();
  #lastRequestId = 0;
  #onStopped: (() => void) | undefined;
  readonly #admissions = new AdmissionGate();
  readonly #totals = new RunningTotals();
  /** Of players on RTMP, by the media thread's numbers. */
  readonly #players = new Map<number, PreviewPlace>();
  readonly #watches = new Watches((message) => this.#post(message));

  constructor(deps: MediaRuntimeDeps) {
    this.#deps = deps;
    this.#options = deps.options;
  }

  /** Starts the thread; answers the port encoders are accepted on, rejects where it cannot be had. */
  start(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#startWorker((message) => {
        if (message.kind === "listening") {
          // A thread that is started again must be found where the first one was.
          const { rtmps } = this.#options;
          this.#options = {
            ...this.#options,
            rtmpPort: message.port,
            ...(rtmps === undefined ? {} : { rtmps: { ...rtmps, port: message.tlsPort ?? rtmps.port } }),
          };
          this.#hasListened = true;
          resolve(message.port);
        } else if (message.kind === "listen-failed") reject(new Error(message.message));
      });
    });
  }

  /** Leaves targets and encoders as asked and ends the thread; what it counted has arrived when this resolves. Idempotent. */
  stop(mode: ShutdownMode): Promise<void> {
    this.#stopping ??= this.#stop(mode);
    return this.#stopping;
  }

  async #stop(mode: ShutdownMode): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const { clock } = this.#deps;
    const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    const stopped = new Promise<void>((resolve) => {
      this.#onStopped = resolve;
      clock.startTimer(STOP_DEADLINE_MS, resolve);
      this.#post({ kind: "shutdown", mode });
    });
    await Promise.race([stopped, exited]);
    // It ends by itself now; only one that does not is ended.
    await Promise.race([exited, new Promise<void>((resolve) => clock.startTimer(EXIT_DEADLINE_MS, resolve))]);
    await worker.terminate();
  }

  /** The port encoders are accepted on behind TLS; undefined where there is none. */
  get tlsPort(): number | undefined {
    return this.#options.rtmps?.port;
  }

  /** What encoders are shown from now on. */
  setCertificate(pair: CertificatePair): void {
    const { rtmps } = this.#options;
    if (rtmps === undefined) return;
    this.#options = { ...this.#options, rtmps: { ...rtmps, pair } };
    this.#post({ kind: "certificate", pair });
  }

  /** Another port of ours is known now: no target may lead back to it. */
  addOwnPort(port: number): void {
    this.#options = { ...this.#options, ownPorts: [...this.#options.ownPorts, port] };
    this.#post({ kind: "own-port", port });
  }

  apply(spec: ChannelSpec): void {
    this.#admissions.changed(spec);
    this.#post({ kind: "channel", spec });
  }

  remove(channelId: ChannelId): void {
    this.#admissions.removed(channelId);
    this.#post({ kind: "channel-removed", channelId });
    this.#totals.forget(channelId);
    this.#deps.view.forget(channelId);
  }

  end(channelId: ChannelId): void {
    this.#post({ kind: "end", channelId });
  }

  cutSource(channelId: ChannelId, slot: IngestSlot): void {
    this.#post({ kind: "cut-source", channelId, slot });
  }

  retryTarget(channelId: ChannelId, targetId: TargetId): void {
    this.#post({ kind: "retry-target", channelId, targetId });
  }

  testTarget(target: TargetSpec): Promise<PreflightResult> {
    this.#lastRequestId += 1;
    const requestId = this.#lastRequestId;
    return new Promise((resolve, reject) => {
      const timer = this.#deps.clock.startTimer(PREFLIGHT_DEADLINE_MS, () => {
        this.#preflights.delete(requestId);
        reject(new Error("the media thread did not answer"));
      });
      this.#preflights.set(requestId, (result) => {
        timer.cancel();
        this.#preflights.delete(requestId);
        resolve(result);
      });
      this.#post({ kind: "preflight", request: { requestId, target } });
    });
  }

  watch(channelId: ChannelId, sink: WatchSink): Watch {
    return this.#watches.start(channelId, sink);
  }

  live(channelId: ChannelId): ChannelLive | undefined {
    return this.#deps.view.live(channelId);
  }

  publishingChannels(): readonly ChannelId[] {
    return this.#deps.view.publishingChannels();
  }

  #startWorker(onFirst: (message: ToControl) => void): void {
    const worker = new Worker(entryUrl(), {
      workerData: this.#options,
      name: "media",
      resourceLimits: MEDIA_HEAP,
    });
    this.#worker = worker;
    worker.on("message", (message: ToControl) => {
      onFirst(message);
      this.#take(message);
    });
    worker.on("error", (error) =>
      this.#deps.log.error("media thread failed", { detail: error.stack ?? error.message }),
    );
    worker.on("exit", () => {
      this.#watches.endAll();
      for (const place of this.#players.values()) place.leave();
      this.#players.clear();
      this.#worker = undefined;
      this.#restart();
    });
  }

  #take(message: ToControl): void {
    const { log } = this.#deps;
    switch (message.kind) {
      case "fact":
        return this.#takeFact(message.fact);
      case "samples":
        return this.#takeSamples(this.#totals.samples(message.samples));
      case "loop-delay":
        return this.#deps.onLoopDelay(message.delay);
      case "admission":
        void this.#answer(message.request);
        return;
      case "login":
        void this.#answerLogin(message.question);
        return;
      case "listen-failed":
        log.error("media thread cannot listen", { message: message.message });
        // Once it was there, the port is wanted back: the thread's end starts the next attempt.
        if (this.#hasListened) void this.#worker?.terminate();
        return;
      case "listening":
        return log.info("accepting encoders", { address: message.address, port: message.port });
      case "preflight":
        return this.#preflights.get(message.requestId)?.(message.result);
      case "watched":
      case "watch-ended":
        return this.#watches.take(message);
      case "preview":
        return this.#post({ kind: "preview", answer: this.#answerPlayer(message) });
      case "preview-left":
        this.#players.get(message.requestId)?.leave();
        this.#players.delete(message.requestId);
        return;
      case "stopped":
        return this.#onStopped?.();
    }
  }

  #takeFact(fact: Fact): void {
    this.#deps.view.fact(fact);
    this.#deps.onFact(fact);
  }

  #takeSamples(samples: readonly ChannelSample[]): void {
    this.#deps.view.samples(samples);
    this.#deps.onSamples(samples);
  }

  async #answer({ requestId, key, login }: AdmissionRequest): Promise<void> {
    const asking = this.#worker;
    try {
      await this.#admissions.answer(
        () => this.#deps.admit(key, login),
        (admitted) => {
          // A thread that was started meanwhile counts its questions anew: this answer is to none of them.
          if (asking !== this.#worker) return;
          this.#post({ kind: "admission", answer: admissionAnswer(requestId, admitted) });
        },
      );
    } catch (error) {
      this.#deps.log.error("a stream key could not be looked up", {
        detail: error instanceof Error ? error.message : String(error),
      });
    }
  }

  async #answerLogin({ requestId, userId }: LoginQuestion): Promise<void> {
    const asking = this.#worker;
    try {
      const user = await this.#deps.findIngestUser(userId);
      if (asking !== this.#worker) return;
      this.#post({ kind: "login", answer: { requestId, ...(user === undefined ? {} : { user }) } });
    } catch (error) {
      this.#deps.log.error("a login could not be looked up", {
        detail: error instanceof Error ? error.message : String(error),
      });
    }
  }

  #answerPlayer({ requestId, channelId, token }: Extract<PreviewQuestion, { kind: "preview" }>): PreviewAnswer {
    const place = this.#deps.previewAccess.enter(token, channelId);
    if (place === "full") return { requestId, decision: "full" };
    if (place === "refused") return { requestId, decision: "refuse" };
    this.#players.set(requestId, place);
    return { requestId, decision: "admit", channelId: place.channelId };
  }

  /** The thread died: nothing it held is on air any more, and encoders come back by themselves. */
  #restart(): void {
    if (this.#stopping !== undefined) return;
    const { view, clock } = this.#deps;
    const time = clock.wallNow();
    this.#totals.startOver();
    for (const channelId of view.publishingChannels()) {
      for (const [targetId, { status }] of view.live(channelId)?.targets ?? []) {
        const ready = { status: "READY", sinceTime: time } as const;
        this.#takeFact({ kind: "target-status", time, channelId, targetId, from: status.status, status: ready });
      }
      this.#takeFact({
        kind: "ingest-ended",
        time,
        channelId,
        ingestId: 0,
        slot: "main",
        end: "connection-lost",
        isBroadcastOver: true,
      });
    }
    clock.startTimer(RESTART_DELAY_MS, () => {
      if (this.#stopping === undefined) this.#startWorker(() => undefined);
    });
  }

  #post(message: ToMedia): void {
    this.#worker?.postMessage(message);
  }
}

function admissionAnswer(requestId: number, admitted: Admitted | undefined): AdmissionAnswer {
  if (admitted === undefined) return { requestId, decision: "refuse" };
  const { spec, slot, isLoginMissing } = admitted;
  if (isLoginMissing === true) return { requestId, decision: "refuse", loginOf: spec.channelId };
  return { requestId, decision: "admit", spec, slot };
}

/** `tsc` rewrites the endings of imports, not of URLs: the entry ends like this file does. */
function entryUrl(): URL {
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`./media-thread.${ending}`, import.meta.url);
}
