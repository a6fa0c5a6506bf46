import type { Clock, Timer } from "../../../src/base/clock.ts";

type Event = { readonly atMs: number; readonly order: number; readonly run: () => void; isCancelled?: boolean };

/** The shortest time that a timer waits, in milliseconds. */
const TIMER_MS_MIN = 1;

/** The life of one simulated process. What is due while it is frozen happens when it wakes. */
export class Process {
  isDead = false;
  isFrozen = false;
  /** For how long it has stood still, in milliseconds. */
  stoodStillMs = 0;
  #waiting: (() => void)[] = [];

  run(work: () => void): void {
    if (this.isDead) return;
    if (this.isFrozen) this.#waiting.push(work);
    else work();
  }

  wake(): void {
    this.isFrozen = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const work of waiting) this.run(work);
  }
}

/** Virtual time for several processes and what is between them: a heap of events, each run to its end. */
export class World {
  nowMs = 0;
  readonly random: () => number;
  readonly #onTrace: (text: string) => void;
  #order = 0;
  readonly #heap: Event[] = [];

  /** `onTrace`: takes a line for each thing that happens. */
  constructor(random: () => number, onTrace: (text: string) => void = () => undefined) {
    this.random = random;
    this.#onTrace = onTrace;
  }

  /** Says what happens now. */
  trace(text: string): void {
    this.#onTrace(`${this.nowMs.toFixed(0).padStart(6)} ${text}`);
  }

  /** A number from `min` to below `max`. */
  between(min: number, max: number): number {
    return min + this.random() * (max - min);
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  pick<Value>(values: readonly Value[]): Value | undefined {
    return values[Math.floor(this.random() * values.length)];
  }

  after(delayMs: number, run: () => void): Timer {
    this.#order += 1;
    const event: Event = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order, run };
    this.#push(event);
    return {
      cancel: () => {
        event.isCancelled = true;
      },
    };
  }

  /** The clock of one process: its timers wait while it is frozen, and end with it. */
  clockOf(process: Process): Clock {
    return {
      now: () => this.nowMs,
      awakeNow: () => this.nowMs - process.stoodStillMs,
      wallNow: () => this.nowMs,
      startTimer: (delayMs, run) => {
        let isCancelled = false;
        // As Node's. A rest of a time that floating point leaves would be no time at all, over and over.
        const timer = this.after(Math.max(TIMER_MS_MIN, delayMs), () => process.run(() => isCancelled || run()));
        return {
          cancel: () => {
            isCancelled = true;
            timer.cancel();
          },
        };
      },
    };
  }

  /** Runs everything up to a time; promises settle between events. */
  async runUntil(untilMs: number): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#pop();
      if (next.isCancelled === true) continue;
      this.nowMs = next.atMs;
      next.run();
      for (let turn = 0; turn < PROMISE_TURNS; turn += 1) await undefined;
    }
    this.nowMs = untilMs;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      let child = heap[left];
      if (child === undefined) break;
      let index = left;
      const right = heap[left + 1];
      if (right !== undefined && isBefore(right, child)) [child, index] = [right, left + 1];
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = index;
    }
    heap[at] = last;
  }
}

/** More than the longest chain of promises that one event sets off. */
const PROMISE_TURNS = 12;

function isBefore(left: Event, right: Event): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}
