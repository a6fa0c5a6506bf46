import { PauseHabit } from "./pause-habit.ts";

/** What is known of a link at one moment; all totals are of this link alone. */
export type LinkFigures = {
  /** Bytes the kernel took. */
  readonly takenBytes: number;
  /** Whether something waits in front of the kernel. */
  readonly hasWork: boolean;
  /** What the kernel still holds, and what the peer's TCP has acknowledged, as it was read not long ago. */
  readonly kernel?: { readonly queuedBytes: number; readonly ackedBytes: number };
  /** RTMP acknowledgements that came. */
  readonly ackCount: number;
  /** How often the peer was asked to acknowledge: once in so many bytes. */
  readonly ackWindowBytes: number;
};

export type Progress =
  | { readonly kind: "moving" }
  /** `by`: its TCP takes nothing, or it does not acknowledge any more what its TCP took. */
  | { readonly kind: "stalled"; readonly silentMs: number; readonly by: "connection" | "program" };

/** So long without a proof, with something waiting, is a stall. */
const STALLED_AFTER_MS = 5_000;
/** … where its TCP takes nothing any more, and it acknowledges nothing for as long as a stall takes. */
const SHUT_AFTER_MS = 2_000;
/** … where RTMP's acknowledgements are all there is, and what was taken may lie in our own kernel. */
const STALLED_BY_ACKS_ALONE_MS = 10_000;
/** After so many gaps between acknowledgements it is known how the peer acknowledges; of those the longest counts. */
const GAPS_KNOWN = 4;
const GAPS_KEPT = 8;
/** A peer that took so much more, for so long, without acknowledging it does not stall: it has stopped to acknowledge. Proxies hold megabytes. */
const UNTRUSTED_AFTER_BYTES = 8 * 1024 * 1024;
const UNTRUSTED_AFTER_MS = 20_000;
const MOVING: Progress = { kind: "moving" };

type FillerRun = { readonly bytes: number; readonly ms: number };

/**
 * Whether a link gets on, by what the peer is proven to have got: its TCP acknowledged bytes, or it acknowledged some in RTMP. That the
 * kernel took bytes proves nothing where its queue can be read, and is all there is where it cannot. A link that has nothing to do
 * gets on, too.
 *
 * A program that hangs under a kernel that goes on taking is told by RTMP's acknowledgements alone: by their absence, once it is known how
 * this peer sends them. How it does is up to it (each window, each half, every few seconds, twice): what it did counts, not what it was asked.
 */
export class ProgressProof {
  #movedAtMs: number;
  #takenBytes = 0;
  #kernelAckedBytes = 0;
  #ackCount = 0;
  #ackedAtMs: number;
  /** What had reached the peer when it last acknowledged in RTMP. */
  #reachedAtAck = 0;
  #gaps: FillerRun[] = [];
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

  /** Whether its TCP takes nothing either, where its program hangs: such a one did not just stop to acknowledge. */
  isShut(nowMs: number): boolean {
    return nowMs - this.#tookAtMs >= STALLED_AFTER_MS;
  }

  /** Whether the link paused and went on by itself more than once in the last minute: its path loses packets, or it reads in gulps. */
  isUneven(nowMs: number): boolean {
    return this.#pauses.isHabit(nowMs);
  }

  /** When it was last seen to get on. */
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

  /** For how long it has not acknowledged what it should have by its own habit; 0 where it has no such habit. */
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

  /** Whether it should have acknowledged something by now, as far as time goes. */
  #isAckDue(leastMs: number, nowMs: number): boolean {
    if (!this.#areAcksTrusted || this.#gaps.length < GAPS_KNOWN) return false;
    return nowMs - this.#ackedAtMs >= Math.max(leastMs, 2 * this.#longest("ms"));
  }

  #longest(of: keyof FillerRun): number {
    return this.#gaps.reduce((longest, fillerRun) => Math.max(longest, fillerRun[of]), 0);
  }
}
