import type { Clock, Timer } from "../../base/clock.ts";
import { FailureLog, type Log } from "../../base/log.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import { nextBoundary, type TargetWindows, windowState } from "../channels/target-windows.ts";
import { DomainError, StoreUnavailableError } from "../ports/errors.ts";
import type { TargetSwitches } from "./target-switches.ts";

/** A target with windows, as stored. */
export type WindowedTarget = {
  readonly channelId: ChannelId;
  readonly targetId: TargetId;
  readonly windows: TargetWindows;
  /** A person did not turn it off. */
  readonly isEnabled: boolean;
  readonly isOutsideWindows: boolean;
  readonly openUntil: number;
  /** The revision of its channel. */
  readonly revision: number;
};

export type WindowWatchDeps = {
  readonly list: () => Promise<readonly WindowedTarget[]>;
  /** Stores and applies what the windows of a target do at `nowMs`. */
  readonly follow: (channelId: ChannelId, targetId: TargetId, nowMs: number) => Promise<unknown>;
  /** Turns targets on and off in the media threads alone. */
  readonly switches: Pick<TargetSwitches, "hold" | "letGo">;
  /** Servers that share the database have the same wall time: else they would turn a target on and off in turn. */
  readonly clock: Clock;
  readonly log: Log;
  /** Whether other servers share the database: they change targets too. */
  readonly hasOthers: boolean;
};

/** The longest time between two looks at the wall clock, in milliseconds: it may be set. */
const LOOK_MS = 1_000;
/** How often targets that other servers may have changed are read again, in milliseconds. */
const REREAD_MS = 5_000;
/** How soon what was changed during a look is read, in milliseconds. */
const STALE_MS = 100;
/** How soon a look that failed is repeated, in milliseconds. */
const AGAIN_MS = 1_000;

/**
 * Turns targets on and off by their windows. Without any it does nothing. While the database does not take it, it does so by
 * what it knows: a window that closes ends what may not go on.
 */
export class WindowWatch {
  readonly #deps: WindowWatchDeps;
  readonly #failures: FailureLog;
  #targets: readonly WindowedTarget[] = [];
  #isStale = true;
  #readAtMs = 0;
  /** Nothing changes before this time of the wall clock, unless that is set. */
  #quietUntil = 0;
  #lookedAt = 0;
  #timer: Timer | undefined;
  /** Since when the database is being asked, in the clock's milliseconds. */
  #askedMs: number | undefined;
  #isAway = false;
  /** Targets that are on or off although the database does not say so. */
  readonly #held = new Map<TargetId, WindowedTarget>();
  #isStopped = true;

  constructor(deps: WindowWatchDeps) {
    this.#deps = deps;
    this.#failures = new FailureLog({
      ...{ clock: deps.clock, log: deps.log },
      failed: "windows of platforms could not be followed",
      worksAgain: "windows of platforms are followed again",
    });
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
    if (!this.#isStopped && this.#askedMs === undefined) this.#plan(0);
  }

  #plan(inMs: number): void {
    this.#timer?.cancel();
    if (this.#isStopped) return;
    this.#timer = this.#deps.clock.startTimer(inMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#isStopped) return;
    // A silent database is asked once at a time; the windows go on.
    if (this.#askedMs !== undefined) {
      this.#goOnWithout();
      return this.#plan(LOOK_MS);
    }
    this.#askedMs = this.#deps.clock.now();
    this.#plan(LOOK_MS);
    let delayMs = AGAIN_MS;
    try {
      await this.#read();
      await this.#follow();
      this.#failures.worked();
      this.#isAway = false;
      const quietMs = this.#quietUntil - this.#deps.clock.wallNow();
      delayMs = Math.min(this.#isStale ? STALE_MS : LOOK_MS, Math.max(1, quietMs));
    } catch (error) {
      this.#failures.failed(error);
      this.#isStale = true;
      this.#isAway = error instanceof StoreUnavailableError;
    } finally {
      this.#askedMs = undefined;
      this.#goOnWithout();
      if (this.#isStale || this.#targets.length > 0 || this.#deps.hasOthers) this.#plan(delayMs);
      else this.#timer?.cancel();
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
    const unstored = new Set<TargetId>();
    for (const target of this.#targets) {
      if (isStored(target, nowMs)) continue;
      unstored.add(target.targetId);
      // It is read again with its new state.
      this.#isStale = true;
      try {
        await follow(target.channelId, target.targetId, nowMs);
        // Should the database be away before that.
        this.#know({ ...target, ...windowState(target, nowMs) });
      } catch (error) {
        // One that fails by itself must not hold up the others.
        if (error instanceof StoreUnavailableError) throw error;
        // It is gone by now.
        if (!(error instanceof DomainError)) failures.push(error);
      }
    }
    this.#letGo(unstored);
    if (failures.length > 0) throw failures[0];
    this.#quietUntil = Math.min(...this.#targets.map(({ windows }) => nextBoundary(windows, nowMs)), Infinity);
  }

  #know(target: WindowedTarget): void {
    this.#targets = this.#targets.map((each) => (each.targetId === target.targetId ? target : each));
  }

  /** Does by what is known what the windows say, while the database does not take it. */
  #goOnWithout(): void {
    const { clock, switches, log } = this.#deps;
    const isSilent = this.#askedMs !== undefined && clock.now() - this.#askedMs >= LOOK_MS;
    if (this.#isStopped || !(this.#isAway || isSilent)) return;
    const nowMs = clock.wallNow();
    for (const target of this.#targets) {
      const { channelId, targetId, isEnabled } = target;
      // What a person turned off stays off.
      if (!isEnabled || (isStored(target, nowMs) && !this.#held.has(targetId))) continue;
      const isOn = !windowState(target, nowMs).isOutsideWindows;
      this.#held.set(targetId, target);
      if (switches.hold({ channelId, targetId, isOn }))
        log.warn("a platform follows its windows without the database", { channelId, platId: targetId, isOn });
    }
  }

  /** What the database has of these targets counts again, but for those of which it was told only now. */
  #letGo(unstored: ReadonlySet<TargetId>): void {
    for (const [targetId, known] of this.#held) {
      if (unstored.has(targetId)) continue;
      const { channelId, revision } = this.#targets.find((each) => each.targetId === targetId) ?? {
        ...known,
        // It has no windows any more, by a change that came later.
        revision: known.revision + 1,
      };
      this.#held.delete(targetId);
      this.#deps.switches.letGo({ channelId, targetId }, revision);
    }
  }
}

/** Whether the database has what the windows do now. */
function isStored(target: WindowedTarget, nowMs: number): boolean {
  return windowState(target, nowMs).isOutsideWindows === target.isOutsideWindows;
}
