import type { Clock, Timer } from "../../base/clock.ts";
import { FailureLog, type Log } from "../../base/log.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSample } from "../../thread-protocol/samples.ts";
import type { EventStore } from "../events/events.ts";
import type { RunningBroadcast } from "../facts/running-broadcasts.ts";
import type { BroadcastLost, ServerFact } from "../facts/server-fact.ts";
import { ReportTracker } from "./report-tracker.ts";
import type { BroadcastReport, ReportStore } from "./reports.ts";

/** How often running reports are stored, in milliseconds: a killed process loses at most this much. */
const SAVE_INTERVAL_MS = 5_000;
/**
 * Finished reports that wait while the database accepts no writes; above this the oldest are lost, and the log says so.
 */
const WAITING_MAX = 1_000;

export type ReportWriterOptions = {
  readonly store: ReportStore;
  /** Finds the names of targets. */
  readonly subjects: Pick<EventStore, "findEventSubjects">;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes the broadcasts that the last process left on air when it died. */
  readonly publish: (lost: BroadcastLost) => void;
  /** How many finished reports may wait. */
  readonly waitingMax?: number;
  /** As for events: the ownership in which this process tells of the channel. Absent: a single node. */
  readonly epochOf?: (channelId: ChannelId) => number | undefined;
};

/**
 * Stores a report of each broadcast: when it begins, every few seconds while it runs, and when it is over. Its callers
 * never wait; what one write could not store, the next one does.
 */
export class ReportWriter {
  readonly #options: ReportWriterOptions;
  readonly #failures: FailureLog;
  readonly #waitingMax: number;
  readonly #tracker = new ReportTracker();
  /** Over, but not stored yet. */
  #waiting: BroadcastReport[] = [];
  #areLeftEnded = false;
  /** Channels whose reports an earlier process began: they are not left. */
  readonly #resumed: ChannelId[] = [];
  #saving: Promise<void> | undefined;
  #isSaveWanted = false;
  #timer: Timer | undefined;
  #isPaused = false;
  #isAbandoned = false;

  constructor(options: ReportWriterOptions) {
    this.#options = options;
    this.#failures = new FailureLog({
      ...{ clock: options.clock, log: options.log },
      failed: "reports not stored, will retry",
      worksAgain: "reports are stored again",
    });
    this.#waitingMax = options.waitingMax ?? WAITING_MAX;
  }

  fact(fact: ServerFact): void {
    const finished = this.#tracker.fact(fact, this.#options.clock.now());
    if (this.#isAbandoned) return;
    if (finished !== undefined) this.#waiting.push(finished);
    if (this.#waiting.length > this.#waitingMax) {
      this.#waiting.shift();
      this.#options.log.error("a broadcast's report is lost: too many wait for the database");
    }
    if (finished !== undefined || fact.kind === "ingest-started") this.#save();
  }

  samples(samples: readonly ChannelSample[]): void {
    this.#tracker.samples(samples);
  }

  /** The reports of running broadcasts as they are now. */
  running(): readonly BroadcastReport[] {
    return this.#tracker.running(this.#options.clock.now());
  }

  /**
   * Goes on with broadcasts whose reports another process has made up to now. Call it before `goOn` for those of an earlier
   * process of this server. `unstored`: reports of broadcasts that are over, which that one could not store. Nothing is stored
   * before `goOn` then.
   */
  resume(
    reports: readonly BroadcastReport[],
    broadcasts: readonly RunningBroadcast[],
    unstored: readonly BroadcastReport[] = [],
  ): void {
    if (unstored.length > 0) {
      this.#waiting.push(...unstored);
      this.#resumed.push(...unstored.map(({ channelId }) => channelId));
      this.#isPaused = true;
    }
    const { clock, epochOf } = this.#options;
    for (const report of reports) {
      const broadcast = broadcasts.find(({ channelId }) => channelId === report.channelId);
      // The wall clock of another node may be hours away: its report goes up to now.
      const nowTime = epochOf === undefined ? clock.wallNow() : report.endTime;
      const startedMs = clock.now() - (nowTime - report.startTime);
      if (broadcast === undefined) continue;
      if (!this.#areLeftEnded) this.#resumed.push(report.channelId);
      this.#tracker.resume(report, broadcast, startedMs);
    }
  }

  /** What is over and waits for the database: another process of this server is to store it. */
  get unstored(): readonly BroadcastReport[] {
    return this.#waiting;
  }

  /** Another process of this server stores what is known from now on. */
  abandon(): void {
    this.#isPaused = true;
    this.#isAbandoned = true;
    this.#waiting = [];
  }

  /** Ends the reports that the last process left open, and from then on stores running broadcasts by itself. */
  start(): void {
    this.#save();
    this.#timer = this.#options.clock.startTimer(SAVE_INTERVAL_MS, () => this.start());
  }

  /**
   * Stores what is known, with one attempt; resolves when that is done. Stores nothing after that until `goOn`: the process
   * ends, or another one is to have the database. Idempotent.
   */
  async pause(): Promise<void> {
    this.#timer?.cancel();
    if (!this.#isPaused) this.#save();
    this.#isPaused = true;
    await this.#saving;
  }

  goOn(): void {
    this.#isPaused = false;
    this.start();
  }

  #save(): void {
    if (this.#isPaused) return;
    this.#isSaveWanted = true;
    this.#saving ??= this.#saveWhileWanted().finally(() => {
      this.#saving = undefined;
    });
  }

  async #saveWhileWanted(): Promise<void> {
    while (this.#isSaveWanted) {
      this.#isSaveWanted = false;
      try {
        await this.#saveNow();
        this.#failures.worked();
      } catch (error) {
        this.#failures.failed(error);
        return;
      }
    }
  }

  async #saveNow(): Promise<void> {
    const { store, clock } = this.#options;
    // First, before our own reports: what the database has on air now was left by a process that died.
    if (!this.#areLeftEnded) await this.#endLeft();
    await this.#findNames();
    const finished = [...this.#waiting];
    const reports = [...finished, ...this.#tracker.running(clock.now())];
    if (reports.length === 0) return;
    await store.putReports(reports.map((report) => this.#owned(report)));
    this.#waiting = this.#waiting.filter((report) => !finished.includes(report));
  }

  #owned(report: BroadcastReport): BroadcastReport {
    const epoch = this.#options.epochOf?.(report.channelId);
    return epoch === undefined ? report : { ...report, epoch };
  }

  async #endLeft(): Promise<void> {
    const { store, publish } = this.#options;
    const left = await store.endReportsLeft(this.#resumed);
    this.#areLeftEnded = true;
    for (const { channelId, endTime } of left) publish({ kind: "broadcast-lost", channelId, time: endTime });
  }

  async #findNames(): Promise<void> {
    const channelIds = this.#tracker.nameless();
    if (channelIds.length === 0) return;
    for (const { channelId, targets } of await this.#options.subjects.findEventSubjects(channelIds)) {
      for (const [targetId, name] of targets) this.#tracker.name(channelId, targetId, name);
    }
  }
}
