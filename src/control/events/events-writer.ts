import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Fact } from "../../thread-protocol/facts.ts";
import type { ChannelNotice } from "../channels/channel-notice.ts";
import { StoreUnavailableError } from "../errors.ts";
import type { ChannelEvent, EventStore, NewEvent } from "./events.ts";
import { describeOccurrence } from "./events-description.ts";
import { EventTracker, type Occurrence } from "./events-tracker.ts";

/** What waits for a database that takes no write; more is lost, and the log says how much. */
const WAITING_MAX = 10_000;
/** How many events one transaction writes at most. */
const BATCH_MAX = 100;
/** Pauses before a write is tried again, doubling from the first to the second, in milliseconds. */
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 10_000;

export type EventWriterOptions = {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Events that are stored now. Must not throw. */
  readonly onWritten: (events: readonly ChannelEvent[]) => void;
  /** How many occurrences may wait. */
  readonly waitingMax?: number;
};

/**
 * Turns facts and notices into stored events, in their order. Whoever tells them never waits: they go into a bounded
 * queue, and a database that takes no write costs events at most, never a stream or a request.
 */
export class EventWriter {
  readonly #options: EventWriterOptions;
  readonly #waitingMax: number;
  readonly #tracker = new EventTracker();
  #waiting: Occurrence[] = [];
  #lostCount = 0;
  #draining: Promise<void> | undefined;
  #retryMs = RETRY_MIN_MS;
  #retry: Timer | undefined;
  #isClosed = false;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    this.#waitingMax = options.waitingMax ?? WAITING_MAX;
  }

  fact(fact: Fact): void {
    for (const occurrence of this.#tracker.fact(fact)) this.#add(occurrence);
  }

  /** What the ingest check found worth telling. */
  occurred(occurrence: Occurrence): void {
    this.#add(occurrence);
  }

  notice(notice: ChannelNotice): void {
    this.#add(this.#tracker.notice(notice));
  }

  /** Writes what waits, tried once; resolves when that is done. Nothing is taken afterwards. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#retry = undefined;
    await this.#draining;
    await this.#writeAll();
    this.#tellLost(this.#waiting.length);
    this.#waiting = [];
  }

  #add(occurrence: Occurrence): void {
    if (this.#isClosed) return;
    if (this.#waiting.length >= this.#waitingMax) {
      if (this.#lostCount === 0) this.#options.log.warn("events are being lost: too many wait for the database");
      this.#lostCount += 1;
      return;
    }
    this.#waiting.push(occurrence);
    if (this.#draining === undefined && this.#retry === undefined) this.#start();
  }

  #start(): void {
    // Not at once: what happens together is written together.
    this.#draining = Promise.resolve().then(() => this.#drain());
  }

  async #drain(): Promise<void> {
    try {
      await this.#writeAll();
    } finally {
      // At once, and not when the promise tells: what is added in between would wait for nobody.
      this.#draining = undefined;
    }
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH_MAX);
      try {
        await this.#write(batch);
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        if (error instanceof StoreUnavailableError) {
          this.#options.log.warn("events not stored, tried again soon", { waiting: this.#waiting.length, detail });
          this.#retryLater();
          return;
        }
        // Trying the same again would keep all others waiting for ever.
        this.#options.log.error("events lost", { count: batch.length, detail });
      }
      this.#waiting.splice(0, batch.length);
      this.#retryMs = RETRY_MIN_MS;
      this.#tellLost(this.#lostCount);
      this.#lostCount = 0;
    }
  }

  async #write(batch: readonly Occurrence[]): Promise<void> {
    const { store, onWritten } = this.#options;
    const channelIds = [...new Set(batch.map(({ channelId }) => channelId))];
    const subjects = new Map((await store.findEventSubjects(channelIds)).map((each) => [each.channelId, each]));
    const events: NewEvent[] = [];
    for (const occurrence of batch) {
      const subject = subjects.get(occurrence.channelId);
      if (subject !== undefined) events.push(describeOccurrence(occurrence, subject));
    }
    if (events.length > 0) onWritten(await store.appendEvents(events));
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    this.#retry = this.#options.clock.startTimer(this.#retryMs, () => {
      this.#retry = undefined;
      this.#start();
    });
    this.#retryMs = Math.min(RETRY_MAX_MS, 2 * this.#retryMs);
  }

  #tellLost(count: number): void {
    if (count > 0) this.#options.log.error("events lost", { count, detail: "the database took no write" });
  }
}
