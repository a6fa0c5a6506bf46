import type { Clock } from "../../../base/clock.ts";
import { startDeadline } from "../../../base/deadline.ts";
import type { Log } from "../../../base/log.ts";
import type { PreviewPlace } from "../../../control/access/preview-access.ts";
import type { PreviewClient, PreviewClientSink } from "../../../control/runtime.ts";
import type {
  AdmissionAnswer,
  AdmissionRequest,
  LoginAnswer,
  LoginQuestion,
} from "../../../thread-protocol/admission.ts";
import type { ChannelId, TargetSpec } from "../../../thread-protocol/channel-spec.ts";
import type { ShutdownMode, ToControl, ToMedia } from "../../../thread-protocol/messages.ts";
import type { PreflightResult } from "../../../thread-protocol/preflight.ts";
import type { PreviewAnswer, PreviewQuestion } from "../../../thread-protocol/preview.ts";
import type { ThreadOptions } from "../../threads/media-options.ts";
import { MediaWorker } from "./media-worker.ts";
import { PreviewClients } from "./preview-clients.ts";

/** Above the sum of all stages' own deadlines: for a thread that lives and does not answer. */
const PREFLIGHT_DEADLINE_MS = 90_000;

/** What a thread tells that is nobody's answer. */
export type Told = Extract<ToControl, { kind: "fact" | "samples" | "loop-delay" | "channel-left" | "hand-over-waits" }>;

/** Gives the answer to whoever asked; nobody hears it once the thread that asked is gone. */
export type Reply<Answer> = {
  /** Whether somebody hears it still. */
  readonly isWanted: () => boolean;
  readonly send: (answer: Answer) => void;
};

type PlayerQuestion = Extract<PreviewQuestion, { kind: "preview" }>;

export type MediaRuntimeDeps = {
  readonly name: string;
  readonly options: () => ThreadOptions;
  readonly clock: Clock;
  readonly log: Log;
  /** Rejections count as no answer: the encoder tries again. */
  readonly onAdmission: (request: AdmissionRequest, reply: Reply<AdmissionAnswer>) => Promise<void>;
  readonly onLogin: (question: LoginQuestion) => Promise<LoginAnswer>;
  /** The place is the player's until it has left. */
  readonly onPlayer: (question: PlayerQuestion) => { readonly answer: PreviewAnswer; readonly place?: PreviewPlace };
  readonly onTold: (told: Told) => void;
  /** The thread died, and whatever it held is over. */
  readonly onDied: () => void;
};

/** One media thread as the control thread sees it: what is wanted goes down, what happened comes up. */
export class MediaRuntime {
  readonly name: string;
  readonly #deps: MediaRuntimeDeps;
  readonly #worker: MediaWorker;
  readonly #preflights = new Map<number, (result: PreflightResult | Error) => void>();
  #lastRequestId = 0;
  /** Of players on RTMP, by the media thread's numbers. */
  readonly #players = new Map<number, PreviewPlace>();
  readonly #watches = new PreviewClients((message) => this.post(message));

  constructor(deps: MediaRuntimeDeps) {
    this.#deps = deps;
    this.name = deps.name;
    this.#worker = new MediaWorker({
      ...{ name: deps.name, options: deps.options, clock: deps.clock, log: deps.log },
      onMessage: (message) => this.#take(message),
      onGone: () => this.#gone(),
    });
  }

  /** Starts the thread; answers where encoders are accepted, rejects where they cannot be. */
  start(): Promise<{ readonly port: number; readonly tlsPort?: number }> {
    return this.#worker.start();
  }

  /** Lets nobody in any more, and resolves when encoders that can have moved elsewhere, or had their time. Idempotent. */
  drain(): Promise<void> {
    return this.#worker.drain();
  }

  /** Leaves targets and encoders as asked and ends the thread; what it counted has arrived when this resolves. Idempotent. */
  stop(mode: ShutdownMode): Promise<void> {
    return this.#worker.stop(mode);
  }

  get isRunning(): boolean {
    return this.#worker.life !== undefined;
  }

  post(message: ToMedia): void {
    this.#worker.post(message, portsIn(message));
  }

  /** Rejects where the thread does not answer, at once where it dies. */
  testTarget(target: TargetSpec): Promise<PreflightResult> {
    this.#lastRequestId += 1;
    const requestId = this.#lastRequestId;
    return new Promise((resolve, reject) => {
      const settle = (result: PreflightResult | Error) => {
        timer.cancel();
        this.#preflights.delete(requestId);
        if (result instanceof Error) reject(result);
        else resolve(result);
      };
      const timer = startDeadline(this.#deps.clock, PREFLIGHT_DEADLINE_MS, () =>
        settle(new Error("the media thread did not answer")),
      );
      this.#preflights.set(requestId, settle);
      this.post({ kind: "preflight", request: { requestId, target } });
    });
  }

  watch(channelId: ChannelId, sink: PreviewClientSink): PreviewClient {
    return this.#watches.start(channelId, sink);
  }

  #take(message: ToControl): void {
    switch (message.kind) {
      case "fact":
      case "samples":
      case "loop-delay":
      case "channel-left":
      case "hand-over-waits":
        return this.#deps.onTold(message);
      case "admission":
        void this.#answer(message.request);
        return;
      case "login":
        void this.#answerLogin(message.question);
        return;
      case "preflight":
        return this.#preflights.get(message.requestId)?.(message.result);
      case "watched":
      case "watch-ended":
        return this.#watches.take(message);
      case "preview":
        return this.#answerPlayer(message);
      case "preview-left":
        this.#players.get(message.requestId)?.leave();
        this.#players.delete(message.requestId);
        return;
      case "listening":
      case "listen-failed":
      case "drained":
      case "stopped":
        // The worker's own.
        return;
    }
  }

  async #answer(request: AdmissionRequest): Promise<void> {
    // A thread that was started meanwhile counts its questions anew: this answer is to none of them.
    const { life } = this.#worker;
    const isWanted = () => this.#worker.life === life;
    const send = (answer: AdmissionAnswer) => this.post({ kind: "admission", answer });
    try {
      await this.#deps.onAdmission(request, { isWanted, send });
    } catch (error) {
      this.#logFailure("a stream key could not be looked up", error);
    }
  }

  async #answerLogin(question: LoginQuestion): Promise<void> {
    const { life } = this.#worker;
    try {
      const answer = await this.#deps.onLogin(question);
      if (this.#worker.life === life) this.post({ kind: "login", answer });
    } catch (error) {
      this.#logFailure("a login could not be looked up", error);
    }
  }

  #answerPlayer(question: PlayerQuestion): void {
    const { answer, place } = this.#deps.onPlayer(question);
    if (place !== undefined) {
      const { requestId } = question;
      this.#players.set(requestId, place);
      place.onRevoked = () => this.post({ kind: "unseat-player", requestId });
    }
    this.post({ kind: "preview", answer });
  }

  #gone(): void {
    this.#watches.endAll();
    for (const settle of this.#preflights.values()) settle(new Error("the media thread died"));
    for (const place of this.#players.values()) place.leave();
    this.#players.clear();
    if (!this.#worker.isStopping) this.#deps.onDied();
  }

  #logFailure(event: string, error: unknown): void {
    this.#deps.log.error(event, { detail: error instanceof Error ? error.message : String(error) });
  }
}

/** What of a message cannot be copied, and is given away. */
function portsIn(message: ToMedia) {
  if (message.kind === "host-encoder" || message.kind === "host-player") return [message.port];
  if (message.kind !== "admission" && message.kind !== "preview") return [];
  return "port" in message.answer && message.answer.port !== undefined ? [message.answer.port] : [];
}
