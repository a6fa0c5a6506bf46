import type { Clock } from "../../base/clock.ts";

/** A file that another server began has been left by it when it has not grown for so long, in milliseconds. */
const LEFT_MS = 5 * 60 * 1_000;

/** Unfinished files of other servers in the same folder, which is a mistake: they may still be written. */
export class ForeignFiles {
  readonly #clock: Pick<Clock, "now">;
  /** By key: how long each is, and since when. */
  readonly #seen = new Map<string, { readonly bytes: number; readonly sinceMs: number }>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Whether the file, which is so long now, has not grown for long. */
  isLeft(key: string, bytes: number): boolean {
    const nowMs = this.#clock.now();
    const seen = this.#seen.get(key);
    if (seen?.bytes === bytes) return nowMs - seen.sinceMs >= LEFT_MS;
    this.#seen.set(key, { bytes, sinceMs: nowMs });
    return false;
  }

  /** It is finished. */
  forget(key: string): void {
    this.#seen.delete(key);
  }
}
