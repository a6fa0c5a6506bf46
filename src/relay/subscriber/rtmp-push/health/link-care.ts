import type { Clock } from "../../../../base/clock.ts";
import { targetError } from "../../../../thread-protocol/targets/target-errors.ts";
import type { TargetError, TargetWarning } from "../../../../thread-protocol/targets/target-status.ts";
import { slowTarget } from "../../../../thread-protocol/targets/target-warnings.ts";
import type { LinkClose } from "../../subscriber.ts";
import type { Link } from "../link.ts";
import type { SendQueue } from "../send-queue.ts";
import { DrainRate } from "./drain-rate.ts";
import { IdleWatch, type Supply } from "./idle-watch.ts";
import { LossHabit } from "./loss-habit.ts";
import { PathWatch } from "./path-watch.ts";
import { type Progress, ProgressProof } from "./progress-proof.ts";
import { type Slowness, SlowWatch } from "./slow-watch.ts";
import { WriteTimes } from "./write-times.ts";

const STALLED = targetError("stalled");
const HANGS = targetError("hangs");
/**
 * A program that hangs while its kernel still acknowledges may come back: a new connection would most likely meet the
 * same program. In milliseconds.
 */
const PROGRAM_PATIENCE_MS = 20_000;
/**
 * A path that loses packets recovers by itself: the kernel sends again after 13 s, and after 26 s. A new connection
 * would do no better, and a reset can be lost: the platform would keep the old publisher and refuse the new one. In
 * milliseconds.
 */
const LOSSY_PATIENCE_MS = 20_000;
/** Longer than from one proof to the next, in milliseconds. */
const SILENT_MS = 2_000;
/** The send queue keeps at least half of its time, whatever is in the kernel. In milliseconds. */
const AHEAD_MS_MAX = 2_500;

export type CareEvents = {
  readonly onMoving: () => void;
  readonly onStalled: (error: TargetError) => void;
  readonly onWarning: (warning: TargetWarning | undefined) => void;
  /**
   * The link is of no use any more: close it this way, and connect anew. `by`: "program" if only its acknowledgements
   * are missing.
   */
  readonly onGivenUp: (how: LinkClose, error: TargetError, by: "connection" | "program") => void;
};

/** Watches a link that is on air: whether it makes progress, how far it is behind, and when to give it up. */
export class LinkCare {
  readonly #link: Link;
  readonly #sendQueue: SendQueue;
  readonly #clock: Clock;
  readonly #events: CareEvents;
  readonly #proof: ProgressProof;
  readonly #slow = new SlowWatch();
  readonly #idle: IdleWatch;
  #slowness: Slowness | undefined;
  #warning: TargetWarning | undefined;
  #path: PathWatch | undefined;
  #patienceMs = 0;
  /** The last reading. */
  #isWindowShut = false;
  /** Media in the kernel at the last tick, in milliseconds: the time in which it was written. */
  kernelMs = 0;
  readonly #writes: WriteTimes;
  readonly #drain = new DrainRate();
  readonly #loss = new LossHabit();

  constructor(link: Link, sendQueue: SendQueue, clock: Clock, areAcksTrusted: boolean, events: CareEvents) {
    this.#link = link;
    this.#sendQueue = sendQueue;
    this.#clock = clock;
    this.#events = events;
    this.#idle = new IdleWatch(clock.awakeNow());
    this.#writes = new WriteTimes(clock.awakeNow());
    this.#proof = new ProgressProof(clock.awakeNow(), areAcksTrusted);
  }

  /** Time since its last progress, in milliseconds. */
  get silentMs(): number {
    return this.#clock.awakeNow() - this.#proof.movedAtMs;
  }

  /** Whether it made no progress for longer than from one proof to the next. */
  get isSilent(): boolean {
    return this.silentMs >= SILENT_MS;
  }

  /** Whether it may be out of reach: a reset would be lost with the path. */
  get mayBeUnreachable(): boolean {
    return this.isSilent && !this.#isWindowShut;
  }

  /** Bytes sent that the target is not known to have got; undefined where nothing is known. */
  get unackedBytes(): number | undefined {
    const { kernelQueue, acks, takenBytes } = this.#link;
    if (kernelQueue !== undefined) return kernelQueue.queuedBytes;
    return acks === undefined ? undefined : Math.max(0, takenBytes - acks.bytes);
  }

  /** Bytes the target itself acknowledged, or its TCP where it never does. */
  get ackedBytes(): number | undefined {
    return this.#link.acks?.bytes ?? this.#link.kernelQueue?.ackedBytes;
  }

  /** Milliseconds since it was last given something, once that is reported; undefined while it is on air. */
  get idleMs(): number | undefined {
    return this.#idle.idleMs;
  }

  /** Call once a second. `streamPerSecond`: bytes a second of its rendition; `supply`: whether media comes. */
  tick(streamPerSecond: number, supply: Supply): void {
    const { takenBytes, kernelQueue, creditBytes } = this.#link;
    const nowMs = this.#clock.awakeNow();
    this.#writes.note(takenBytes, nowMs);
    if (kernelQueue !== undefined) this.#drain.note(kernelQueue.ackedBytes, creditBytes <= 0, nowMs);
    if (streamPerSecond > 0) this.#link.suit(streamPerSecond, this.#drain.pace(streamPerSecond, nowMs));
    this.kernelMs = this.#writes.spanMs(kernelQueue?.queuedBytes ?? 0);
    this.#sendQueue.aheadMs = Math.min(AHEAD_MS_MAX, this.kernelMs);
    this.look();
    const waiting = this.#judgeSupply(supply, nowMs);
    this.#judgePace(streamPerSecond, kernelQueue?.ackedBytes ?? takenBytes, nowMs);
    // Reported each time, since a stall in between clears the warning.
    this.#events.onWarning(waiting ?? this.#warning);
  }

  /** Call whenever something may have moved. */
  look(): void {
    const { takenBytes, pendingBytes, kernelQueue, acks } = this.#link;
    const nowMs = this.#clock.awakeNow();
    if (kernelQueue !== undefined) {
      this.#isWindowShut = kernelQueue.isWindowShut;
      this.#loss.note(kernelQueue.isResending, nowMs);
    }
    const figures = {
      takenBytes,
      hasWork: pendingBytes > 0 || !this.#sendQueue.isEmpty,
      ackCount: acks?.count ?? 0,
      ackWindowBytes: acks?.windowBytes ?? 0,
      ...(kernelQueue === undefined ? {} : { kernel: kernelQueue }),
    };
    const progress = this.#proof.look(figures, nowMs);
    if (progress.kind === "stalled") return this.#stall(progress);
    this.#path?.stop();
    this.#path = undefined;
    this.#events.onMoving();
  }

  /** The link is gone. */
  stop(): void {
    this.#path?.stop();
  }

  #stall({ silentMs, by }: Progress & { readonly kind: "stalled" }): void {
    const error = by === "program" ? HANGS : STALLED;
    this.#events.onStalled(error);
    const beganMs = this.#clock.awakeNow() - silentMs;
    const isUneven = this.#loss.isLossy(beganMs) || this.#proof.isUneven(beganMs);
    // Its TCP still acknowledges: its program hangs, or reads in bursts. A path that becomes silent meanwhile is
    // watched as such.
    const hangs = by === "program" || this.#isWindowShut;
    const patienceMs = hangs ? PROGRAM_PATIENCE_MS : isUneven ? LOSSY_PATIENCE_MS : 0;
    if (this.#path !== undefined && patienceMs === this.#patienceMs) return;
    this.#path?.stop();
    this.#patienceMs = patienceMs;
    const sinceMs = this.#clock.awakeNow() - silentMs + patienceMs;
    this.#path = new PathWatch(this.#link, sinceMs, this.#clock, (verdict) => {
      // A reset is sent once, and a path that loses packets may lose it. The kernel repeats FIN.
      const how = verdict === "answers" && !isUneven ? "abort" : "cut";
      this.#events.onGivenUp(how, error, this.#isShut ? "connection" : by);
    });
  }

  get #isShut(): boolean {
    return this.#proof.isShut(this.#clock.awakeNow());
  }

  /** `reachedBytes`: what the peer is known to have got. */
  #judgePace(streamPerSecond: number, reachedBytes: number, nowMs: number): void {
    // A target that takes nothing at all is not slow: it stalls soon, or makes progress.
    if (this.isSilent) return;
    const { waitingMs, ownDrops } = this.#sendQueue;
    const figures = { reachedBytes, streamPerSecond, waitingMs: waitingMs + this.kernelMs, drops: ownDrops };
    const slowness = this.#slow.look(figures, nowMs);
    if (slowness !== this.#slowness) {
      this.#slowness = slowness;
      this.#warning = slowness === undefined ? undefined : slowTarget(slowness.takesPerSecond, slowness.ofPerSecond);
    }
  }

  #judgeSupply(supply: Supply, nowMs: number): TargetWarning | undefined {
    const { takenBytes, pendingBytes } = this.#link;
    const { isEmpty, hasBegun, lacksKeyframe } = this.#sendQueue;
    const given = { bytes: takenBytes + pendingBytes, isEmpty: isEmpty && pendingBytes === 0, hasBegun, lacksKeyframe };
    return this.#idle.look(given, supply, nowMs);
  }
}
