import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { Standstill } from "../../base/wall-steps.ts";
import type { Incarnation } from "../../control/ports/ownership-store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { SharedPlacement } from "../shared-placement.ts";
import { type Flow, FREEZE_MS, ISOLATED_MS, type IsolatedMode, WakeGuard } from "./wake-guard.ts";

const TICK_MS = 250;
/** How often all ownerships are compared with the database, in milliseconds. */
const COMPARE_MS = 5_000;
/** The same while the bus, which tells of claims at once, is away, and after a comparison that failed. */
const COMPARE_SOON_MS = 750;
/** How often the other nodes are asked for claims while the database does not answer and the bus does, in milliseconds. */
const QUESTION_MS = 3_000;
/** A node that cannot hear of a newer owner holds a channel whose encoder is lost no longer than this, in milliseconds. */
const ISOLATED_HOLD_MS = 10_000;
/**
 * After a pause, and after the start, the other nodes need time to be heard, in milliseconds: they say that they live every
 * two seconds.
 */
const PEERS_MS = 3_000;

export type OwnershipWatchDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly placement: Pick<SharedPlacement, "compare" | "talk" | "all" | "abandon">;
  readonly mode: IsolatedMode;
  /** The other nodes that may own channels, by the last list, and whether each was heard on the bus within six seconds. */
  readonly peers: () => ReadonlyMap<Incarnation, boolean>;
  /** What other nodes told until now may have been missed: there is a connection to the bus again, or somebody on it. */
  readonly onMissed: () => void;
  /** Since when a channel has no encoder, in this clock's milliseconds; undefined where media comes. */
  readonly heldSinceMs: (channelId: ChannelId) => number | undefined;
  /** Whether the media threads may send. Called after each change. */
  readonly onFlow: (flow: Flow) => void;
};

/**
 * Keeps what this node owns in step with the database, and stops it from sending where it cannot know what it owns: after
 * a freeze, and when it is isolated.
 */
export class OwnershipWatch {
  readonly #deps: OwnershipWatchDeps;
  readonly #guard: WakeGuard;
  readonly #standstill: Standstill;
  #flow: Flow = "flow";
  #isBusUp = false;
  /** Listed nodes that are not heard. */
  #silent: ReadonlySet<Incarnation> = new Set();
  /** No listed node is heard: a server of the bus that is cut off from the others keeps its clients. */
  #isAlone = false;
  #peersFromMs: number;
  #comparedMs = Number.NEGATIVE_INFINITY;
  #questionedMs = Number.NEGATIVE_INFINITY;
  #agreedMs: number;
  #isComparing = false;
  #isBroken = false;
  #wakes = 0;
  #timer: Timer | undefined;

  constructor(deps: OwnershipWatchDeps) {
    this.#deps = deps;
    const nowMs = deps.clock.now();
    this.#standstill = new Standstill(deps.clock, FREEZE_MS);
    this.#agreedMs = nowMs;
    this.#peersFromMs = nowMs + PEERS_MS;
    this.#guard = new WakeGuard(deps.mode, nowMs);
    this.#startTick();
  }

  /** Since when the ownerships agree with the database, in milliseconds before now, and whether it answered last time. */
  get agreement(): { readonly ageMs: number; readonly isDatabaseUp: boolean } {
    return { ageMs: this.#deps.clock.now() - this.#agreedMs, isDatabaseUp: !this.#isBroken };
  }

  get flow(): Flow {
    return this.#flow;
  }

  /** For how long this node has heard neither the database nor another node on the bus, in milliseconds. */
  get isolatedMs(): number {
    return this.#guard.isolatedMs(this.#deps.clock.now());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** The connection to the bus was made or lost. Messages sent meanwhile were lost. */
  bus(isUp: boolean): void {
    this.#isBusUp = isUp;
    this.#guard.bus(this.#hears, this.#deps.clock.now());
    if (isUp) this.#missed();
    this.#update();
  }

  /** A thread of this node could not run for longer than FREEZE_MS. Nothing is sent until what it owns is confirmed. */
  woke(): void {
    this.#deps.log.warn("this node stood still: its channels are confirmed before anything is sent");
    this.#wakes += 1;
    const nowMs = this.#deps.clock.now();
    this.#peersFromMs = nowMs + PEERS_MS;
    this.#guard.woke(nowMs);
    if (this.#isBusUp) this.#question();
    this.#update();
    void this.#compare();
  }

  /** How often a thread of this node has stood still, up to now. */
  countWakes(): number {
    this.notice();
    return this.#wakes;
  }

  /** Notices a freeze by itself. Call before anything is sent where timers may run in any order. */
  notice(): void {
    if (this.#standstill.look()) this.woke();
  }

  #startTick(): void {
    this.#timer = this.#deps.clock.startTimer(TICK_MS, () => {
      this.#startTick();
      this.notice();
      this.#lookAtPeers();
      this.#update();
      this.#questionAgain();
      this.#dropHeld();
      const intervalMs = this.#hears && !this.#isBroken ? COMPARE_MS : COMPARE_SOON_MS;
      if (this.#deps.clock.now() - this.#comparedMs >= intervalMs) void this.#compare();
    });
  }

  get #hears(): boolean {
    return this.#isBusUp && !this.#isAlone;
  }

  /** A client of the bus is not told that its server has lost the others, nor that it has them again. */
  #lookAtPeers(): void {
    const { clock, peers } = this.#deps;
    const nowMs = clock.now();
    if (nowMs < this.#peersFromMs) return;
    const listed = peers();
    const isHeardAgain = [...this.#silent].some((peer) => listed.get(peer) === true);
    const wasAlone = this.#isAlone;
    this.#silent = new Set([...listed].flatMap(([peer, isHeard]) => (isHeard ? [] : [peer])));
    this.#isAlone = listed.size > 0 && this.#silent.size === listed.size;
    if (this.#isAlone !== wasAlone) {
      this.#deps.log.warn(this.#isAlone ? "no other node is heard on the bus" : "other nodes are heard on the bus");
      this.#guard.bus(this.#hears, nowMs);
    }
    if (!isHeardAgain || !this.#isBusUp) return;
    if (wasAlone) this.#missed();
    else this.#question();
  }

  #missed(): void {
    this.#deps.onMissed();
    this.#question();
  }

  #question(): void {
    this.#questionedMs = this.#deps.clock.now();
    this.#deps.placement.talk.question();
  }

  /** A question may be lost, or its answer, or what another node told of a claim. Without the database only the bus brings it. */
  #questionAgain(): void {
    if (!this.#isBusUp) return;
    const isDue = this.#isBroken && this.#deps.clock.now() - this.#questionedMs >= QUESTION_MS;
    if (isDue || this.#flow === "hold") this.#question();
  }

  async #compare(): Promise<void> {
    if (this.#isComparing) return;
    const { clock, placement, log } = this.#deps;
    this.#isComparing = true;
    const askedMs = clock.now();
    this.#comparedMs = askedMs;
    try {
      await placement.compare();
      this.#guard.compared(askedMs, clock.now());
      this.#agreedMs = askedMs;
      this.#isBroken = false;
    } catch (error) {
      if (!this.#isBroken) {
        const detail = error instanceof Error ? error.message : String(error);
        log.warn("ownerships could not be compared with the database", { detail });
      }
      this.#isBroken = true;
      this.#guard.failed(askedMs);
    } finally {
      this.#isComparing = false;
    }
    this.#update();
  }

  #update(): void {
    const flow = this.#guard.flow(this.#deps.clock.now());
    if (flow === this.#flow) return;
    this.#flow = flow;
    this.#deps.onFlow(flow);
  }

  /** The encoder of such a channel is probably at another node by now, of whose claim nothing can be heard here. */
  #dropHeld(): void {
    const { clock, placement, heldSinceMs } = this.#deps;
    const nowMs = clock.now();
    const isDatabaseAway = this.#isBroken && this.#guard.databaseSilentMs(nowMs) >= ISOLATED_MS;
    const mayMiss = isDatabaseAway && this.#silent.size > 0;
    if (!mayMiss && this.#guard.isolatedMs(nowMs) < ISOLATED_MS) return;
    for (const { channelId } of placement.all()) {
      const sinceMs = heldSinceMs(channelId);
      if (sinceMs !== undefined && nowMs - sinceMs >= ISOLATED_HOLD_MS) placement.abandon(channelId);
    }
  }
}
