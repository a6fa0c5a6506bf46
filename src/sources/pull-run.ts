import type { Timer } from "../base/clock.ts";
import { NewWallSteps } from "../base/wall-steps.ts";
import type { ChannelSource, PullSource, PullVariant, SourceReason, SourceStatus } from "../control/channels/source.ts";
import type { SourceStart } from "../control/ports/source-player.ts";
import { Stability } from "../relay/subscriber/rtmp-push/health/stability.ts";
import {
  next,
  statusOf,
  type TargetEffect,
  type TargetInput,
  type TargetState,
} from "../relay/subscriber/rtmp-push/target-state.ts";
import { PullAttempt, type PullAttemptDeps, type PullEnd } from "./pull-attempt.ts";
import { pullError } from "./pull-links/pull-errors.ts";
import type { PullPlace } from "./pull-links/pull-link.ts";

export type PullRunDeps = PullAttemptDeps & {
  readonly random: () => number;
  readonly onStatus: (status: SourceStatus) => void;
};

const STATES = { CONNECTING: "starting", PUBLISHING: "playing", FAIL: "failed", READY: "starting" } as const;

/**
 * A source that is fetched into its channel, from its start to its end. It is tried again as targets are: with their
 * states, delays and words.
 */
export class PullRun {
  readonly #deps: PullRunDeps;
  readonly #start: Omit<SourceStart, "source">;
  readonly #stability = new Stability();
  readonly #clockSteps: NewWallSteps;
  #url: string;
  #state: TargetState;
  #status: SourceStatus;
  #attempt: PullAttempt | undefined;
  #timer: Timer | undefined;
  #variant: PullVariant | undefined;
  #encodesAudio = false;
  /** Where the source was left in its middle. */
  #from: PullPlace | undefined;
  #isOver = false;

  constructor(start: Omit<SourceStart, "source">, source: PullSource, deps: PullRunDeps) {
    this.#deps = deps;
    this.#start = start;
    this.#url = source.url;
    this.#clockSteps = new NewWallSteps(deps.clock);
    const sinceTime = deps.clock.wallNow();
    this.#state = { at: "ready", sinceTime };
    this.#status = { state: "starting", sinceTime };
    // The caller has it before its first status.
    queueMicrotask(() => {
      if (!this.#isOver) this.#take({ kind: "wanted" });
    });
  }

  get status(): SourceStatus {
    return this.#status;
  }

  /** Another address is tried at once. */
  update(source: ChannelSource): void {
    if (source.kind !== "pull" || source.url === this.#url || this.#isOver) return;
    this.#url = source.url;
    this.#encodesAudio = false;
    this.#from = undefined;
    this.#take({ kind: "redial", how: "abort" });
  }

  /**
   * Ends it like an encoder that stops streaming; `elsewhere`: like one whose connection is lost. Resolves when FFmpeg is gone.
   * Idempotent.
   */
  async stop(reason: SourceReason): Promise<void> {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#timer?.cancel();
      this.#tell({ state: "stopped", sinceTime: this.#deps.clock.wallNow(), reason });
    }
    await this.#attempt?.leave(reason === "elsewhere" ? "connection-lost" : "clean");
  }

  /** Leaves like an encoder whose connection is lost, so that the channel is held until another process goes on. */
  async abandon(): Promise<void> {
    this.#isOver = true;
    this.#timer?.cancel();
    await this.#attempt?.leave("connection-lost");
  }

  #take(input: TargetInput): void {
    const { clock, random } = this.#deps;
    const before = this.#state;
    const clockStepMs = this.#clockSteps.take();
    const step = next(before, input, { nowMs: clock.now(), wallMs: clock.wallNow(), clockStepMs, random });
    this.#state = step.next;
    for (const effect of step.effects) this.#do(effect);
    if (this.#state === before || this.#isOver) return;
    const status = statusOf(this.#state);
    const variant = status.status === "PUBLISHING" ? this.#variant : undefined;
    const link = {
      ...{ ...status, isUnstable: this.#stability.isUnstable(clock.now()) },
      ...(variant === undefined ? {} : { variant }),
    };
    this.#tell({ state: STATES[link.status], sinceTime: link.sinceTime, link });
  }

  #do(effect: TargetEffect): void {
    switch (effect.kind) {
      case "dial":
        this.#dial();
        return;
      case "leave-link":
        void this.#attempt?.leave("connection-lost");
        return;
      case "start-retry-timer":
        this.#timer = this.#deps.clock.startTimer(effect.delayMs, () => this.#take({ kind: "retry-due" }));
        return;
      case "cancel-retry-timer":
        this.#timer?.cancel();
    }
  }

  #dial(): void {
    const how = { url: this.#url, encodesAudio: this.#encodesAudio, from: this.#from };
    const attempt: PullAttempt = new PullAttempt(this.#start, how, this.#deps, {
      onPublishing: (variant) => {
        if (attempt !== this.#attempt) return;
        this.#variant = variant;
        this.#take({ kind: "accepted" });
      },
      onOver: (end) => {
        if (attempt === this.#attempt && !this.#isOver) this.#over(end);
      },
    });
    this.#attempt = attempt;
  }

  #over(end: PullEnd): void {
    if (end.kind === "stopped") return void this.stop(end.reason);
    this.#from = this.#attempt?.place;
    if (end.kind === "audio" && !this.#encodesAudio) {
      this.#encodesAudio = true;
      return this.#take({ kind: "redial", how: "abort" });
    }
    if (this.#state.at === "publishing") this.#stability.fell(this.#deps.clock.now());
    this.#take({ kind: "failed", error: end.kind === "failed" ? end.error : pullError("broken", "audio") });
  }

  #tell(status: SourceStatus): void {
    this.#status = status;
    this.#deps.onStatus(status);
  }
}
