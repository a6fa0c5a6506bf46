import type { Clock, Timer } from "../../base/clock.ts";
import { FailureLog, type Log } from "../../base/log.ts";
import { CautiousTime } from "../../base/wall-steps.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSample } from "../../thread-protocol/samples.ts";
import type { RunningBroadcast } from "../facts/running-broadcasts.ts";
import type { ServerFact } from "../facts/server-fact.ts";
import type { HistoryBlock, HistoryStep, HistoryStore, UnstoredHistory } from "./history.ts";
import { HistoryRecorder } from "./history-recorder.ts";

/** How often full blocks are written, in milliseconds: a killed process loses at most this much of the last minute. */
const WRITE_INTERVAL_MS = 5_000;
/** The most blocks of one transaction, so that others can write too. */
const BATCH_MAX = 100;
/** Blocks that wait while the database accepts no writes; above this the oldest are lost, and the log says so. */
const WAITING_MAX = 2_000;
/** How long seconds are kept, of the current or the last broadcast, in milliseconds. */
const SECONDS_KEPT_MS = 24 * 60 * 60 * 1_000;
const MINUTES_KEPT_MS = 30 * 24 * 60 * 60 * 1_000;
const PRUNE_INTERVAL_MS = 10 * 60 * 1_000;
const PRUNE_MAX = 500;

export type HistoryWriterOptions = {
  readonly store: HistoryStore;
  readonly clock: Clock;
  /** What blocks are too old by; absent: the clock. */
  readonly agedBy?: Pick<Clock, "now" | "wallNow">;
  readonly log: Log;
};

/**
 * Stores the history of channels, a few blocks at a time. Its callers never wait. A block that one write could not
 * store waits for the next, up to a bound: a full disk costs history and nothing else.
 */
export class HistoryWriter {
  readonly #options: HistoryWriterOptions;
  readonly #failures: FailureLog;
  readonly #pruneFailures: FailureLog;
  readonly #recorder: HistoryRecorder;
  readonly #time: CautiousTime;
  /** By channel, step and beginning: a block that has grown replaces its former state. */
  readonly #waiting = new Map<string, HistoryBlock>();
  /** Channels whose broadcast began, and when. */
  readonly #began = new Map<ChannelId, number>();
  #isLossReported = false;
  #writing: Promise<void> | undefined;
  #timer: Timer | undefined;
  #pruneAtMs: number;
  #isPaused = false;
  #isAbandoned = false;

  constructor(options: HistoryWriterOptions) {
    this.#options = options;
    this.#failures = new FailureLog({
      ...{ clock: options.clock, log: options.log },
      failed: "history not stored, will retry",
      worksAgain: "history is stored again",
    });
    this.#pruneFailures = new FailureLog({
      ...{ clock: options.clock, log: options.log },
      failed: "old history not removed, will retry",
      worksAgain: "old history is removed again",
    });
    this.#time = new CautiousTime(options.agedBy ?? options.clock);
    this.#pruneAtMs = options.clock.now() + PRUNE_INTERVAL_MS;
    this.#recorder = new HistoryRecorder({
      block: (block) => this.#wait(block),
      began: (channelId, time) => this.#began.set(channelId, time),
    });
  }

  fact(fact: ServerFact): void {
    this.#recorder.fact(fact, this.#options.clock.now());
  }

  /**
   * Goes on with broadcasts whose history another process of this server has up to now. `unstored`: what it could not store.
   * Call it before `start`.
   */
  resume(broadcasts: readonly RunningBroadcast[], unstored?: UnstoredHistory): void {
    for (const block of unstored?.blocks ?? []) this.#wait(block);
    for (const [channelId, time] of unstored?.began ?? []) this.#began.set(channelId, time);
    const { clock } = this.#options;
    for (const { facts, sample } of broadcasts) {
      for (const fact of facts) this.#recorder.fact(fact, clock.now() - (clock.wallNow() - fact.time));
      if (sample !== undefined) this.#recorder.resume(sample);
    }
  }

  samples(samples: readonly ChannelSample[]): void {
    this.#recorder.samples(samples, this.#options.clock.now());
  }

  /** When the broadcast of a channel on air began. */
  startOf(channelId: ChannelId): number | undefined {
    return this.#recorder.startOf(channelId);
  }

  /** What waits for the database: another process of this server is to store it. */
  get allUnstored(): UnstoredHistory {
    return { blocks: [...this.#waiting.values()], began: [...this.#began] };
  }

  /** Another process of this server stores what is known from now on. */
  abandon(): void {
    this.#isPaused = true;
    this.#isAbandoned = true;
    this.#waiting.clear();
    this.#began.clear();
  }

  /** What is not stored yet of a channel, oldest first. */
  unstored(channelId: ChannelId, step: HistoryStep): readonly HistoryBlock[] {
    const running = this.running(channelId, step);
    const waiting = [...this.#waiting.values()].filter(
      (each) => each.channelId === channelId && each.step === step && each.times[0] !== running?.times[0],
    );
    return running === undefined ? waiting : [...waiting, running];
  }

  /** The block that still grows. */
  running(channelId: ChannelId, step: HistoryStep): HistoryBlock | undefined {
    return this.#recorder.running(channelId, step);
  }

  start(): void {
    this.#isPaused = false;
    this.#timer = this.#options.clock.startTimer(WRITE_INTERVAL_MS, () => {
      this.start();
      void this.#write();
    });
  }

  /**
   * Stores what is known, with one attempt, and then nothing until `start`: the process ends, or another one is to have the
   * database. Idempotent.
   */
  async pause(): Promise<void> {
    this.#timer?.cancel();
    if (!this.#isPaused) this.#recorder.flush();
    this.#isPaused = true;
    await this.#writing;
    for (let left = this.#waiting.size + 1; left > this.#waiting.size && this.#waiting.size > 0; ) {
      left = this.#waiting.size;
      await this.#write();
    }
  }

  #wait(block: HistoryBlock): void {
    if (this.#isAbandoned) return;
    const key = `${block.channelId} ${block.step} ${block.times[0]}`;
    // A block that has grown goes behind what waited before it.
    this.#waiting.delete(key);
    this.#waiting.set(key, block);
    if (this.#waiting.size <= WAITING_MAX) return;
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined) this.#waiting.delete(oldest);
    if (!this.#isLossReported) this.#options.log.warn("history is lost: too much of it waits for the database");
    this.#isLossReported = true;
  }

  #write(): Promise<void> {
    this.#writing ??= this.#writeNow().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeNow(): Promise<void> {
    const { store, clock } = this.#options;
    try {
      for (const [channelId, time] of this.#began) {
        await store.removeSeconds(channelId, time);
        if (this.#began.get(channelId) === time) this.#began.delete(channelId);
      }
      const batch = [...this.#waiting].slice(0, BATCH_MAX);
      if (batch.length > 0) await store.putBlocks(batch.map(([, block]) => block));
      for (const [key, block] of batch) if (this.#waiting.get(key) === block) this.#waiting.delete(key);
      this.#isLossReported = false;
      this.#failures.worked();
    } catch (error) {
      this.#failures.failed(error);
      return;
    }
    if (clock.now() >= this.#pruneAtMs) await this.#prune();
  }

  async #prune(): Promise<void> {
    const { store, clock } = this.#options;
    const limits = {
      secondsBefore: this.#time.now() - SECONDS_KEPT_MS,
      minutesBefore: this.#time.now() - MINUTES_KEPT_MS,
    };
    try {
      const count = await store.pruneHistory(limits, PRUNE_MAX);
      this.#pruneAtMs = clock.now() + (count < PRUNE_MAX ? PRUNE_INTERVAL_MS : 0);
      this.#pruneFailures.worked();
    } catch (error) {
      this.#pruneFailures.failed(error);
    }
  }
}
