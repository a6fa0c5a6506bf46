import type { Link } from "./ports.ts";

/**
 * Whether one link gets on: its kernel takes bytes, or its peer acknowledges some. A link that has nothing to do gets on, too.
 */
export class Progress {
  #atMs: number;
  #takenBytes = 0;
  #ackedBytes: number | undefined;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** How long it has not got on, in milliseconds; 0 if it has since the last look. `hasWork`: something waits for it. */
  look(link: Link, hasWork: boolean, nowMs: number): number {
    const hasMoved = link.takenBytes > this.#takenBytes || link.ackedBytes !== this.#ackedBytes;
    if (hasWork && !hasMoved) return nowMs - this.#atMs;
    this.#atMs = nowMs;
    this.#takenBytes = link.takenBytes;
    this.#ackedBytes = link.ackedBytes;
    return 0;
  }
}
