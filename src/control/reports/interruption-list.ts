import type { Interruption, Interruptions } from "./reports.ts";

/** So many are remembered one by one; the others are counted. */
const REMEMBERED_MAX = 50;

/** Interruptions of one stream, one after another. Times are milliseconds since the Unix epoch, of a clock that never steps. */
export class InterruptionList {
  readonly #ended: Interruption[] = [];
  #count = 0;
  #open: { readonly time: number; readonly reason: Interruption["reason"] } | undefined;

  /** Media does not flow from now on; for another reason than before it is another interruption. */
  begin(time: number, reason: Interruption["reason"]): void {
    if (this.#open?.reason === reason) return;
    this.end(time);
    this.#open = { time, reason };
    this.#count += 1;
  }

  /** Media flows, or is not wanted any more. */
  end(time: number): void {
    this.#ended.push(...this.#openUntil(time));
    this.#open = undefined;
  }

  /** As they are at this moment: one that lasts counts up to now. */
  at(time: number): Interruptions {
    return { list: [...this.#ended, ...this.#openUntil(time)], count: this.#count };
  }

  #openUntil(time: number): readonly Interruption[] {
    if (this.#open === undefined || this.#ended.length >= REMEMBERED_MAX) return [];
    return [{ ...this.#open, durationMs: time - this.#open.time }];
  }
}
