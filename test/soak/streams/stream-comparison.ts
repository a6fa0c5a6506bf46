import { createHash } from "node:crypto";
import type { MessageRecord } from "../../../src/testkit/message-record.ts";

/** How far one receiver may be behind another, in messages: some four minutes of one video and audio track. */
const LAG_MESSAGES_MAX = 20_000;

/**
 * Compares what several receivers of one stream get, message by message: kind, time and every byte. Forgets what all of
 * them have, so it takes as much memory as they are apart.
 */
export class StreamComparison {
  /** What differs: at most one sentence for each receiver. */
  readonly problems: string[] = [];
  /** What the first receiver to get there got, by the message's number. */
  readonly #waiting = new Map<number, string>();
  readonly #counts: number[];
  readonly #broken = new Set<number>();
  readonly #digest = createHash("sha256");
  #settled = 0;

  constructor(receivers: number) {
    this.#counts = Array.from({ length: receivers }, () => 0);
  }

  /** Messages that every receiver has. */
  get settledCount(): number {
    return this.#settled;
  }

  /** Messages that some receivers have and others do not yet. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** The next message of a receiver, by its number from 0. */
  add(receiver: number, { kind, timestamp, hash }: MessageRecord): void {
    if (this.#broken.has(receiver)) return;
    const index = this.#counts[receiver] ?? 0;
    this.#counts[receiver] = index + 1;
    const message = `${kind} at ${timestamp} ms, ${hash}`;
    const known = this.#waiting.get(index);
    if (known === undefined) this.#waiting.set(index, message);
    else if (known !== message) {
      return this.#break(receiver, `message ${index} of receiver ${receiver} is ${message}; others got ${known}`);
    }
    if (this.#waiting.size > LAG_MESSAGES_MAX) {
      const slowest = this.#counts.indexOf(Math.min(...this.#counts));
      return this.#break(slowest, `receiver ${slowest} is ${LAG_MESSAGES_MAX} messages behind another`);
    }
    this.#settle();
  }

  /**
   * Everything was sent: a receiver with less than others missed something. Returns the hash of everything that all of
   * them have.
   */
  finish(): string {
    const most = Math.max(...this.#counts);
    for (const [receiver, count] of this.#counts.entries()) {
      if (count === most || this.#broken.has(receiver)) continue;
      this.#break(receiver, `receiver ${receiver} was sent ${count} messages, others ${most}`);
    }
    return this.#digest.digest("hex");
  }

  #break(receiver: number, problem: string): void {
    this.#broken.add(receiver);
    this.problems.push(problem);
    this.#settle();
  }

  #settle(): void {
    const intact = this.#counts.filter((_, receiver) => !this.#broken.has(receiver));
    const least = intact.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...intact);
    for (;;) {
      const message = this.#settled < least ? this.#waiting.get(this.#settled) : undefined;
      if (message === undefined) return;
      this.#digest.update(message);
      this.#waiting.delete(this.#settled);
      this.#settled += 1;
    }
  }
}
