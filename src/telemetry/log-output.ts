import type { Clock, Timer } from "../base/clock.ts";
import { systemCode } from "../base/system-errors.ts";

/** At most this much waits for a slow reader, in bytes. Lines after that are dropped, and counted. */
const WAITING_BYTES_MAX = 256 * 1024;
/** A full pipe is tried again after this long, … */
const FULL_RETRY_MS = 50;
/** … a full disk or a reader that is gone after this long, in milliseconds. */
const BROKEN_RETRY_MS = 1_000;

/**
 * Writes as many of these bytes as possible at once and returns how many. Throws the system's error if it accepts none.
 * Never waits.
 */
export type Sink = (bytes: Buffer) => number;

export type LogOutputOptions = {
  readonly sink: Sink;
  readonly clock: Clock;
  /** The line that says how many were lost, with its end. */
  readonly lossLine: (count: number) => string;
  /** Called for each line that was dropped. */
  readonly onLost?: (count: number) => void;
};

/**
 * The output of log lines, which never makes a caller wait: a full disk, a pipe without a reader or a closed pipe costs
 * lines and nothing else. Lines keep their order and are never cut; where some are missing, a line says how many.
 */
export class LogOutput {
  readonly #options: LogOutputOptions;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Dropped since the last waiting line. */
  #lost = 0;
  #lostTotal = 0;
  #retry: Timer | undefined;
  #onLost: ((count: number) => void) | undefined;

  constructor(options: LogOutputOptions) {
    this.#options = options;
    this.#onLost = options.onLost;
  }

  /** Lines that were dropped in total. */
  get lostTotal(): number {
    return this.#lostTotal;
  }

  /** Calls `report` for each line that is dropped from now on, and at once for those before. */
  onLost(report: (count: number) => void): void {
    this.#onLost = report;
    if (this.#lostTotal > 0) report(this.#lostTotal);
  }

  /** Writes one line or more, with their line ends. */
  write(text: string): void {
    if (this.#waitingBytes > WAITING_BYTES_MAX || this.#lost > 0) {
      this.#lost += 1;
      this.#lostTotal += 1;
      this.#onLost?.(1);
      return;
    }
    this.#add(text);
    if (this.#retry === undefined) this.#flush();
  }

  /** Resolves when nothing waits any more, or after this time. */
  async drained(deadlineMs: number): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.now() + deadlineMs;
    while (this.#waitingBytes > 0 && clock.now() < endMs) {
      await new Promise<void>((resolve) => clock.startTimer(FULL_RETRY_MS, resolve));
    }
  }

  #add(text: string): void {
    const bytes = Buffer.from(text);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  #flush(): void {
    this.#retry = undefined;
    try {
      while (this.#waitingBytes > 0) {
        const taken = this.#options.sink(this.#waiting.length === 1 ? (this.#waiting[0] ?? NONE) : this.#joined());
        this.#taken(taken);
        if (taken === 0) return this.#retryIn(FULL_RETRY_MS);
        if (this.#waitingBytes === 0 && this.#lost > 0) this.#reportLoss();
      }
    } catch (error) {
      const isFull = ["EAGAIN", "EWOULDBLOCK"].includes(systemCode(error) ?? "");
      this.#retryIn(isFull ? FULL_RETRY_MS : BROKEN_RETRY_MS);
    }
  }

  #joined(): Buffer {
    const all = Buffer.concat(this.#waiting);
    this.#waiting = [all];
    return all;
  }

  #taken(bytes: number): void {
    const [first = NONE] = this.#waiting;
    this.#waitingBytes -= bytes;
    this.#waiting = this.#waitingBytes === 0 ? [] : [first.subarray(bytes)];
  }

  #reportLoss(): void {
    const count = this.#lost;
    this.#lost = 0;
    this.#add(this.#options.lossLine(count));
  }

  #retryIn(delayMs: number): void {
    this.#retry = this.#options.clock.startTimer(delayMs, () => this.#flush());
  }
}

const NONE = Buffer.alloc(0);
