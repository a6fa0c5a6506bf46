import type { Interruption, Interruptions } from "./reports.ts";

/** This many are remembered one by one; the others are counted. */
const REMEMBERED_MAX = 50;

/**
 * The interruptions of one stream, one after another. Times are milliseconds since the Unix epoch, from a clock that
 * never steps.
 */
export class InterruptionList {
  readonly #ended: Interruption[] = [];
  #count = 0;
  #open: { readonly time: number; readonly reason: Interruption["reason"] } | undefined;

  /** The list as it was at this time. `isOpen`: media did not flow then, so the last interruption goes on. */
  static resume({ list, count }: Interruptions, isOpen: boolean): InterruptionList {
    const resumed = new InterruptionList();
    const last = isOpen ? list.at(-1) : undefined;
    resumed.#ended.push(...(last === undefined ? list : list.slice(0, -1)));
    resumed.#count = count;
    if (last !== undefined) resumed.#open = { time: last.time, reason: last.reason };
    return resumed;
  }

  /** Media stops now. A new reason begins a new interruption. */
  begin(time: number, reason: Interruption["reason"]): void {
    if (this.#open?.reason === reason) return;
    this.end(time);
    this.#open = { time, reason };
    this.#count += 1;
  }

  /** Media flows again, or is no longer expected. */
  end(time: number): void {
    this.#ended.push(...this.#openUntil(time));
    this.#open = undefined;
  }

  /** The present state: a running interruption counts up to now. */
  at(time: number): Interruptions {
    return { list: [...this.#ended, ...this.#openUntil(time)], count: this.#count };
  }

  #openUntil(time: number): readonly Interruption[] {
    if (this.#open === undefined || this.#ended.length >= REMEMBERED_MAX) return [];
    return [{ ...this.#open, durationMs: time - this.#open.time }];
  }
}
