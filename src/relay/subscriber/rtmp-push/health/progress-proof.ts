import { PauseHabit } from "./pause-habit.ts";

/** The figures of a link at one moment; all totals are of this link only. */
export type LinkFigures = {
  /** Bytes the kernel took. */
  readonly takenBytes: number;
  /** Whether something waits before the kernel. */
  readonly hasWork: boolean;
  /** What the kernel still holds, and what the peer's TCP has acknowledged, from a recent reading. */
  readonly kernel?: { readonly queuedBytes: number; readonly ackedBytes: number };
  /** The number of RTMP acknowledgements. */
  readonly ackCount: number;
  /** The peer was asked to acknowledge once in this many bytes. */
  readonly ackWindowBytes: number;
};

export type Progress =
  | { readonly kind: "moving" }
  /**
   * `by`: its TCP takes nothing (`connection`), or its program no longer acknowledges what its TCP took (`program`).
   */
  | { readonly kind: "stalled"; readonly silentMs: number; readonly by: "connection" | "program" };

/** This long without a proof, with something waiting, is a stall. In milliseconds. */
const STALLED_AFTER_MS = 5_000;
/** … where its TCP takes nothing any more, and it acknowledges nothing for as long as a stall takes. */
const SHUT_AFTER_MS = 2_000;
/** … where RTMP's acknowledgements are all there is, and what was taken may lie in our own kernel. */
const STALLED_BY_ACKS_ALONE_MS = 10_000;
/** After this many gaps between acknowledgements the peer's habit is known; the longest gap counts. */
const GAPS_KNOWN = 4;
const GAPS_KEPT = 8;
/**
 * A peer that took this much more, for this long, without acknowledging it has not stalled but stopped acknowledging.
 * Proxies buffer megabytes.
 */
const UNTRUSTED_AFTER_BYTES = 8 * 1024 * 1024;
const UNTRUSTED_AFTER_MS = 20_000;
const MOVING: Progress = { kind: "moving" };

type Gap = { readonly bytes: number; readonly ms: number };

/**
 * Decides whether a link makes progress, by what the peer has provably got: its TCP acknowledged bytes, or it
 * acknowledged some in RTMP. Where the kernel's queue can be read, bytes that the kernel took prove nothing; where it
 * cannot, they are the only sign. A link without work makes progress, too.
 *
 * A program that hangs while its kernel still takes bytes is noticed only by RTMP's acknowledgements: by their absence,
 * once it is known how this peer sends them. That is up to the peer (each window, each half, every few seconds, twice):
 * what it did counts, not what it was asked.
 */
export class ProgressProof {
  #movedAtMs: number;
  #takenBytes = 0;
  #kernelAckedBytes = 0;
  #ackCount = 0;
  #ackedAtMs: number;
  /** What had reached the peer when it last acknowledged in RTMP. */
  #reachedAtAck = 0;
  #gaps: Gap[] = [];
  #areAcksTrusted: boolean;
  readonly #pauses = new PauseHabit();
  #tookAtMs: number;

  /** `areAcksTrusted`: whether the peer may be judged by its acknowledgements. */
  constructor(nowMs: number, areAcksTrusted = true) {
    this.#areAcksTrusted = areAcksTrusted;
    this.#movedAtMs = nowMs;
    this.#ackedAtMs = nowMs;
    this.#tookAtMs = nowMs;
  }

  /** Whether its TCP takes nothing either: then its program did not merely stop acknowledging. */
  isShut(nowMs: number): boolean {
    return nowMs - this.#tookAtMs >= STALLED_AFTER_MS;
  }

  /**
   * Whether the link paused and went on by itself more than once in the last minute: its path loses packets, or it
   * reads in bursts.
   */
  isUneven(nowMs: number): boolean {
    return this.#pauses.isHabit(nowMs);
  }

  /** When its last progress was seen: milliseconds of the clock's `awakeNow()`. */
  get movedAtMs(): number {
    return this.#movedAtMs;
  }

  /** Call once a second, and whenever something may have moved. */
  look(figures: LinkFigures, nowMs: number): Progress {
    const { takenBytes, hasWork, kernel, ackCount } = figures;
    const hasTaken = kernel === undefined ? takenBytes > this.#takenBytes : kernel.ackedBytes > this.#kernelAckedBytes;
    const isIdle = !hasWork && (kernel === undefined || kernel.queuedBytes === 0);
    this.#takenBytes = Math.max(this.#takenBytes, takenBytes);
    this.#kernelAckedBytes = Math.max(this.#kernelAckedBytes, kernel?.ackedBytes ?? 0);
    const reached = kernel === undefined ? takenBytes : this.#kernelAckedBytes;
    const hasAcked = ackCount !== this.#ackCount;
    if (hasAcked) this.#learn(ackCount, reached, nowMs);
    if (hasTaken) this.#pauses.ended(nowMs - this.#movedAtMs, nowMs);
    if (isIdle || hasTaken) this.#tookAtMs = nowMs;
    const hungMs = this.#hungMs(figures, reached, nowMs);
    if (hungMs > 0) return { kind: "stalled", silentMs: hungMs, by: "program" };
    if (isIdle || hasTaken || hasAcked) this.#movedAtMs = nowMs;
    const silentMs = nowMs - this.#movedAtMs;
    const hasMissed = reached - this.#reachedAtAck > Math.max(figures.ackWindowBytes, this.#longest("bytes"));
    const isQuiet = hasMissed && this.#isAckDue(STALLED_AFTER_MS, nowMs);
    const patienceMs = isQuiet ? SHUT_AFTER_MS : Math.max(STALLED_AFTER_MS, this.#pauses.patienceMs(nowMs));
    return silentMs >= patienceMs ? { kind: "stalled", silentMs, by: "connection" } : MOVING;
  }

  #learn(ackCount: number, reached: number, nowMs: number): void {
    if (this.#ackCount > 0) {
      this.#gaps.push({ bytes: reached - this.#reachedAtAck, ms: nowMs - this.#ackedAtMs });
      if (this.#gaps.length > GAPS_KEPT) this.#gaps.shift();
    }
    this.#ackCount = ackCount;
    this.#reachedAtAck = reached;
    this.#ackedAtMs = nowMs;
  }

  /** Milliseconds for which it has not acknowledged what it should have by its own habit; 0 if it has no such habit. */
  #hungMs({ kernel, ackWindowBytes }: LinkFigures, reached: number, nowMs: number): number {
    if (!this.#areAcksTrusted || this.#gaps.length < GAPS_KNOWN) return 0;
    const unanswered = reached - this.#reachedAtAck;
    const silentMs = nowMs - this.#ackedAtMs;
    if (unanswered > UNTRUSTED_AFTER_BYTES + 2 * this.#longest("bytes") && silentMs >= UNTRUSTED_AFTER_MS) {
      this.#areAcksTrusted = false;
      return 0;
    }
    const leastMs = kernel === undefined ? STALLED_BY_ACKS_ALONE_MS : STALLED_AFTER_MS;
    const isDue = unanswered > 2 * Math.max(ackWindowBytes, this.#longest("bytes"));
    return isDue && this.#isAckDue(leastMs, nowMs) ? silentMs : 0;
  }

  /** Whether it should have acknowledged something by now, by its habit in time. */
  #isAckDue(leastMs: number, nowMs: number): boolean {
    if (!this.#areAcksTrusted || this.#gaps.length < GAPS_KNOWN) return false;
    return nowMs - this.#ackedAtMs >= Math.max(leastMs, 2 * this.#longest("ms"));
  }

  #longest(of: keyof Gap): number {
    return this.#gaps.reduce((longest, gap) => Math.max(longest, gap[of]), 0);
  }
}
