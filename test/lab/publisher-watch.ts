import type { KitTarget } from "../../src/testkit/target/target.ts";

const LOOK_MS = 50;
/** A connection sends while media came in this time, in milliseconds: an encoder sends several times a second. */
const SENDS_MS = 500;

/** Sees at targets when two connections bring media at the same time. */
export class PublisherWatch {
  readonly #targets: readonly KitTarget[];
  readonly #timer: NodeJS.Timeout;
  /** By target and connection: the bytes that had come, and when the last of them came. */
  readonly #seen = new Map<KitTarget, { bytes: number; atMs: number }[]>();
  readonly #sinceMs = new Map<KitTarget, number>();
  /** For how long two connections of one target brought media at the same time, at most, in milliseconds. */
  longestMs = 0;

  constructor(targets: readonly KitTarget[]) {
    this.#targets = targets;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    for (const target of this.#targets) {
      const seen = this.#seen.get(target) ?? [];
      this.#seen.set(target, seen);
      let sending = 0;
      for (const [index, { report }] of target.connections.entries()) {
        const before = seen[index];
        if (before === undefined) seen[index] = { bytes: report.mediaBytes, atMs: nowMs };
        else if (report.mediaBytes > before.bytes) Object.assign(before, { bytes: report.mediaBytes, atMs: nowMs });
        const last = seen[index];
        if (last !== undefined && last.bytes > 0 && nowMs - last.atMs < SENDS_MS && report.state === "open")
          sending += 1;
      }
      if (sending < 2) this.#sinceMs.delete(target);
      else if (!this.#sinceMs.has(target)) this.#sinceMs.set(target, nowMs);
      this.longestMs = Math.max(this.longestMs, nowMs - (this.#sinceMs.get(target) ?? nowMs));
    }
  }
}
