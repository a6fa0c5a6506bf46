import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { RunningBroadcast } from "../facts/running-broadcasts.ts";
import type { ServerFact } from "../facts/server-fact.ts";
import { StoreUnavailableError } from "../ports/errors.ts";
import { completeEvent } from "./complete-event.ts";
import { EventTracker } from "./event-tracker.ts";
import type { ChannelEvent, EventDraft, EventStore, NewEvent } from "./events.ts";
import { eventOf, type ToldEvent, toldEvent } from "./told-event.ts";

/** Events that may wait while the database accepts no writes; more are lost, and the log says how many. */
const WAITING_MAX = 10_000;
/** The most events of one transaction. */
const BATCH_MAX = 100;
/** Pauses before a failed write is retried, doubling from the first to the second, in milliseconds. */
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 10_000;

export type EventWriterOptions = {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Called with each event once it is stored, in order. Must not throw. */
  readonly onWritten: (event: ChannelEvent) => void;
  /** How many events may wait. */
  readonly waitingMax?: number;
  /**
   * The ownership in which this process tells of the channel, also of the last moments after it has ended; undefined where
   * it never owned it. Absent: a single node.
   */
  readonly epochOf?: (channelId: ChannelId) => number | undefined;
  /**
   * Resolves once the end of a former owner's broadcast is stored, which comes before the channel's next events; undefined where
   * none is being stored. Must not reject. Absent: a single node.
   */
  readonly finishing?: (channelId: ChannelId) => Promise<void> | undefined;
};

/**
 * Turns facts into stored events, in order. Publishing a fact never waits: events go into a bounded queue. A
 * database that accepts no writes costs events, never a stream or a request.
 */
export class EventWriter {
  readonly #options: EventWriterOptions;
  readonly #waitingMax: number;
  readonly #tracker = new EventTracker();
  #waiting: EventDraft[] = [];
  #lostCount = 0;
  #lastSeq = 0;
  #draining: Promise<void> | undefined;
  #retryMs = RETRY_MIN_MS;
  #retry: Timer | undefined;
  #isPaused = false;
  #isClosed = false;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    this.#waitingMax = options.waitingMax ?? WAITING_MAX;
  }

  fact(fact: ServerFact): void {
    for (const event of this.#tracker.fact(fact)) this.#add(this.#owned(fact, event));
  }

  /**
   * Goes on with broadcasts whose events another process of this server has made up to now. `unstored`: those that it could
   * not store. Nothing is stored before `goOn` then: that process has them still.
   */
  resume(broadcasts: readonly RunningBroadcast[], unstored: readonly ToldEvent[] = []): void {
    for (const { facts } of broadcasts) for (const fact of facts) this.#tracker.fact(fact);
    if (unstored.length === 0) return;
    this.#waiting = [...unstored.map(eventOf), ...this.#waiting];
    this.#isPaused = true;
  }

  /** What waits for the database, oldest first: another process of this server is to store it. */
  get unstored(): readonly ToldEvent[] {
    return this.#waiting.map(toldEvent);
  }

  /** Writes what waits, with one attempt, and then nothing until `goOn`: another process is to have the database. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    this.#retry?.cancel();
    this.#retry = undefined;
    await this.#draining;
    await this.#writeAll();
  }

  /** Resolves when what waits has been written, with one attempt. */
  async settled(): Promise<void> {
    await this.#draining;
  }

  goOn(): void {
    this.#isPaused = false;
    if (this.#waiting.length > 0) this.#startUnlessRunning();
  }

  /** Another process of this server stores what waits. */
  abandon(): void {
    this.#isPaused = true;
    this.#waiting = [];
  }

  /**
   * Writes what waits, with one attempt, unless it is paused; resolves when that is done. Takes no more events after that.
   * Idempotent.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (!this.#isPaused) await this.pause();
    this.#reportLost(this.#waiting.length);
    this.#waiting = [];
  }

  /** What a request changed is no event of the owner: any node may have stored it. */
  #owned(fact: ServerFact, event: EventDraft): EventDraft {
    const epoch = fact.kind === "channel-changed" ? undefined : this.#options.epochOf?.(event.channelId);
    if (epoch === undefined) return event;
    this.#lastSeq += 1;
    return { ...event, ownership: { epoch, seq: this.#lastSeq } };
  }

  #add(event: EventDraft): void {
    if (this.#isClosed) return;
    if (this.#waiting.length >= this.#waitingMax) {
      if (this.#lostCount === 0) this.#options.log.warn("events are being lost: too many wait for the database");
      this.#lostCount += 1;
      return;
    }
    this.#waiting.push(event);
    if (!this.#isPaused) this.#startUnlessRunning();
  }

  /** Two drains at once would store the same events twice. */
  #startUnlessRunning(): void {
    if (this.#draining === undefined && this.#retry === undefined) this.#start();
  }

  #start(): void {
    // Not at once: events of the same moment are written together.
    this.#draining = Promise.resolve().then(() => this.#drain());
  }

  async #drain(): Promise<void> {
    try {
      await this.#writeAll();
    } finally {
      // Set here, not when the promise settles: an event added in between would otherwise start no drain.
      this.#draining = undefined;
    }
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH_MAX);
      try {
        await this.#finished(batch);
        await this.#write(batch);
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        if (error instanceof StoreUnavailableError) {
          this.#options.log.warn("events not stored, will retry", { waiting: this.#waiting.length, detail });
          this.#retryLater();
          return;
        }
        // Retrying the same batch would hold up all later ones for ever.
        this.#options.log.error("events lost", { count: batch.length, detail });
      }
      this.#waiting.splice(0, batch.length);
      this.#retryMs = RETRY_MIN_MS;
      this.#reportLost(this.#lostCount);
      this.#lostCount = 0;
    }
  }

  async #finished(batch: readonly EventDraft[]): Promise<void> {
    const { finishing } = this.#options;
    if (finishing === undefined) return;
    await Promise.all([...new Set(batch.map(({ channelId }) => channelId))].map(finishing));
  }

  async #write(batch: readonly EventDraft[]): Promise<void> {
    const { store, onWritten } = this.#options;
    const channelIds = [...new Set(batch.map(({ channelId }) => channelId))];
    const subjects = new Map((await store.findEventSubjects(channelIds)).map((each) => [each.channelId, each]));
    const events: NewEvent[] = [];
    for (const event of batch) {
      const subject = subjects.get(event.channelId);
      if (subject !== undefined) events.push(completeEvent(event, subject));
    }
    if (events.length === 0) return;
    for (const event of await store.appendEvents(events)) onWritten(event);
  }

  #retryLater(): void {
    if (this.#isPaused) return;
    this.#retry = this.#options.clock.startTimer(this.#retryMs, () => {
      this.#retry = undefined;
      this.#start();
    });
    this.#retryMs = Math.min(RETRY_MAX_MS, 2 * this.#retryMs);
  }

  #reportLost(count: number): void {
    if (count > 0) this.#options.log.error("events lost", { count, detail: "the database accepted no write" });
  }
}
