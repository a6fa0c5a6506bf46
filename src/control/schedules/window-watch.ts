import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import { nextBoundary, type TargetWindows, windowState } from "../channels/target-windows.ts";
import { DomainError, StoreUnavailableError } from "../ports/errors.ts";

/** A target with windows, as stored. */
export type WindowedTarget = {
  readonly channelId: ChannelId;
  readonly targetId: TargetId;
  readonly windows: TargetWindows;
  readonly isOutsideWindows: boolean;
  readonly openUntil: number;
};

export type WindowWatchDeps = {
  readonly list: () => Promise<readonly WindowedTarget[]>;
  /** Stores and applies what the windows of a target do now. */
  readonly follow: (channelId: ChannelId, targetId: TargetId) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether other servers share the database: they change targets too. */
  readonly hasOthers: boolean;
};

/** The longest time between two looks at the wall clock, in milliseconds: it may be set. */
const LOOK_MS = 1_000;
/** How often targets that other servers may have changed are read again, in milliseconds. */
const REREAD_MS = 5_000;
/** How soon a look that failed is repeated, in milliseconds. */
const AGAIN_MS = 1_000;

/** Turns targets on and off by their windows. Without any it does nothing. */
export class WindowWatch {
  readonly #deps: WindowWatchDeps;
  #targets: readonly WindowedTarget[] = [];
  #isStale = true;
  #readAtMs = 0;
  /** Nothing changes before this time of the wall clock, unless that is set. */
  #quietUntil = 0;
  #lookedAt = 0;
  #timer: Timer | undefined;
  #isBusy = false;
  #isStopped = true;

  constructor(deps: WindowWatchDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#isStopped = false;
    await this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** A target was added, changed or removed. */
  changed(): void {
    this.#isStale = true;
    if (!this.#isStopped && !this.#isBusy) this.#plan(0);
  }

  #plan(inMs: number): void {
    this.#timer?.cancel();
    if (this.#isStopped) return;
    this.#timer = this.#deps.clock.startTimer(inMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#isBusy || this.#isStopped) return;
    this.#isBusy = true;
    let delayMs = AGAIN_MS;
    try {
      await this.#read();
      await this.#follow();
      delayMs = Math.min(LOOK_MS, Math.max(1, this.#quietUntil - this.#deps.clock.wallNow()));
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#deps.log.warn("windows of platforms could not be followed", { detail });
      this.#isStale = true;
    } finally {
      this.#isBusy = false;
      if (this.#isStale || this.#targets.length > 0 || this.#deps.hasOthers) this.#plan(delayMs);
    }
  }

  async #read(): Promise<void> {
    const { list, clock, hasOthers } = this.#deps;
    if (!this.#isStale && !(hasOthers && clock.now() - this.#readAtMs >= REREAD_MS)) return;
    this.#isStale = false;
    this.#targets = await list();
    this.#readAtMs = clock.now();
    this.#quietUntil = 0;
  }

  async #follow(): Promise<void> {
    const { clock, follow } = this.#deps;
    const nowMs = clock.wallNow();
    const isQuiet = nowMs < this.#quietUntil && nowMs >= this.#lookedAt;
    this.#lookedAt = nowMs;
    if (isQuiet) return;
    const failures: unknown[] = [];
    for (const target of this.#targets) {
      if (windowState(target, nowMs).isOutsideWindows === target.isOutsideWindows) continue;
      // It is read again with its new state.
      this.#isStale = true;
      await follow(target.channelId, target.targetId).catch((error: unknown) => {
        // One that fails by itself must not hold up the others.
        if (error instanceof StoreUnavailableError) throw error;
        // It is gone by now.
        if (!(error instanceof DomainError)) failures.push(error);
      });
    }
    if (failures.length > 0) throw failures[0];
    this.#quietUntil = Math.min(...this.#targets.map(({ windows }) => nextBoundary(windows, nowMs)), Infinity);
  }
}
