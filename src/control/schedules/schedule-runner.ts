import type { MissedReason } from "../../api-contract/event-words.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { FailureLog, type Log } from "../../base/log.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ScheduleRan } from "../facts/server-fact.ts";
import { DomainError, type DomainFault, StoreUnavailableError } from "../ports/errors.ts";
import type { MediaFile, MediaFiles } from "../ports/media-files.ts";
import type { NodePeers } from "../ports/owner-question.ts";
import type { Sources } from "../sources/sources.ts";
import { FollowedTime } from "./followed-time.ts";
import { placeAfter } from "./play-place.ts";
import {
  comesFirst,
  type Due,
  type DueStart,
  dueStart,
  isFromWrongClock,
  type LastRun,
  nextLook,
  type Schedule,
} from "./schedule.ts";
import type { ScheduleStore } from "./schedule-store.ts";

export type ScheduleRunnerDeps = {
  readonly store: ScheduleStore;
  readonly sources: Pick<Sources, "playScheduled" | "endScheduled" | "scheduledRuns">;
  readonly files: Pick<MediaFiles, "list">;
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: (fact: ScheduleRan) => void;
  /**
   * The servers that share the database, absent where there are none: they change schedules too, may have files that this
   * one has not, and start what is due on a channel that they have.
   */
  readonly others?: Pick<NodePeers, "isElsewhere"> | undefined;
};

/** The longest time between two looks at the wall clock, in milliseconds: it may be set. */
const LOOK_MS = 1_000;
/** How soon what is due is tried again, in milliseconds. */
const AGAIN_MS = 200;
/** How often schedules that other servers may have changed are read again, in milliseconds. */
const REREAD_MS = 5_000;
/** A start is left to servers that have its files for so long, in milliseconds. */
const OTHERS_MS = 10_000;
/**
 * Where the database does not take the start that follows a run, the run goes on for so long beyond its end, in milliseconds:
 * the database may be back in a moment, and the broadcast need not end.
 */
const BRIDGED_MS = 10_000;
/** Another server's start that has had no result for so long will never have one, in milliseconds. */
const UNFINISHED_MS = 60_000;

const REASONS: Partial<Readonly<Record<DomainFault["kind"], MissedReason>>> = {
  "source-encoder-on-air": "encoder-on-air",
  "channel-off": "channel-off",
  "server-overloaded": "server-overloaded",
  "ffmpeg-missing": "ffmpeg-missing",
};

/** The channel is gone, and its schedules with it: nobody is to be told. */
const CHANNEL_GONE = "channel-gone";

type Known = { readonly schedule: Schedule; readonly lookAt: number | undefined };

/**
 * Starts what is due and ends what is over. Each start is recorded in the database before it is done, so that it is done
 * once, whatever the clock does and however many servers there are. Without schedules it does nothing.
 */
export class ScheduleRunner {
  readonly #deps: ScheduleRunnerDeps;
  readonly #known = new Map<string, Known>();
  /** What became of starts, and is not stored yet. */
  readonly #results = new Map<string, { readonly schedule: Schedule; readonly run: LastRun }>();
  /** Starts of other servers without a result, and when they were seen first. */
  readonly #unfinished = new Map<string, number>();
  readonly #followed: FollowedTime;
  readonly #failures: FailureLog;
  /** When each channel's last run was due. */
  readonly #lastStarts = new Map<ChannelId, number>();
  #timer: Timer | undefined;
  #isBusy = false;
  #isStopped = true;
  #readAtMs = 0;

  constructor(deps: ScheduleRunnerDeps) {
    this.#deps = deps;
    this.#followed = new FollowedTime(deps.clock);
    this.#failures = new FailureLog({
      ...{ clock: deps.clock, log: deps.log },
      failed: "schedules could not be followed",
      worksAgain: "schedules are followed again",
    });
  }

  /** Reads what is stored and begins. Call once sources play. */
  async start(): Promise<void> {
    this.#isStopped = false;
    this.#followed.begin();
    await this.#look();
  }

  /** Starts and ends nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Whether a schedule plays this file. */
  plays(fileId: string): boolean {
    return [...this.#known.values()].some(({ schedule }) => schedule.source.fileIds.includes(fileId));
  }

  /** Takes a schedule that is new or changed. */
  put(schedule: Schedule): void {
    this.#known.set(schedule.scheduleId, { schedule, lookAt: nextLook(schedule) });
    this.#plan();
  }

  remove(scheduleId: string): void {
    this.#known.delete(scheduleId);
  }

  /** The channel was deleted. */
  forget(channelId: ChannelId): void {
    for (const { schedule } of this.#known.values()) {
      if (schedule.channelId === channelId) this.#known.delete(schedule.scheduleId);
    }
    this.#lastStarts.delete(channelId);
  }

  #plan(): void {
    this.#timer?.cancel();
    if (this.#isStopped || this.#isBusy) return;
    const { clock, sources, others } = this.#deps;
    const looks = [...this.#known.values()].flatMap(({ lookAt }) => lookAt ?? []);
    if (this.#results.size > 0 || this.#readAtMs === 0) looks.push(0);
    const ends = sources.scheduledRuns.flatMap(([, { endTime }]) => endTime ?? []);
    if (looks.length + ends.length === 0 && others === undefined) return;
    const inMs = Math.min(...looks, ...ends, Infinity) - clock.wallNow();
    // What is due already was just tried.
    const delayMs = inMs > 0 ? Math.min(inMs, LOOK_MS) : AGAIN_MS;
    this.#timer = clock.startTimer(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#isBusy || this.#isStopped) return;
    this.#isBusy = true;
    const isDone = await this.#attempt(async () => {
      await this.#putResults();
      await this.#read();
      await this.#startDue();
      this.#followed.followed();
    });
    if (isDone) this.#failures.worked();
    // Whatever the database does: what has an end must not go on.
    await this.#endOver(isDone);
    this.#isBusy = false;
    this.#plan();
  }

  /** Returns whether it went through. */
  async #attempt(run: () => Promise<void>): Promise<boolean> {
    try {
      await run();
      return true;
    } catch (error) {
      this.#followed.failed(error);
      this.#failures.failed(error);
      return false;
    }
  }

  /** At the start, and again where other servers may have changed them. */
  async #read(): Promise<void> {
    const { store, clock, others } = this.#deps;
    const isFirst = this.#readAtMs === 0;
    if (!isFirst && !(others !== undefined && clock.now() - this.#readAtMs >= REREAD_MS)) return;
    const schedules = await store.listSchedules();
    this.#readAtMs = Math.max(1, clock.now());
    this.#known.clear();
    const begun = new Set(schedules.map(({ scheduleId, lastRun }) => `${scheduleId} ${lastRun?.time}`));
    for (const start of this.#unfinished.keys()) if (!begun.has(start)) this.#unfinished.delete(start);
    for (const schedule of schedules) this.#known.set(schedule.scheduleId, { schedule, lookAt: nextLook(schedule) });
    for (const schedule of schedules) this.#finish(schedule);
    // Once all are known: the database may fail here, and a server that has it alone reads them once.
    await this.#putResults();
  }

  /** A start that was recorded, and whose server ended before it was done: it is reported, and never done again. */
  #finish(schedule: Schedule): void {
    const { scheduleId, lastRun } = schedule;
    if (lastRun?.result !== "BEGUN" || this.#results.has(scheduleId)) return;
    if (this.#deps.others !== undefined && !this.#isOld(`${scheduleId} ${lastRun.time}`)) return;
    this.#note(schedule, { time: lastRun.time, result: "MISSED", reason: "server-down" });
  }

  /** Whether this server has seen for a while that another one does not finish the start: the database may have been away. */
  #isOld(start: string): boolean {
    const nowMs = this.#deps.clock.now();
    const seenMs = this.#unfinished.get(start) ?? nowMs;
    this.#unfinished.set(start, seenMs);
    return nowMs - seenMs >= UNFINISHED_MS;
  }

  async #startDue(): Promise<void> {
    const { clock, log, store } = this.#deps;
    const nowMs = clock.wallNow();
    const due: Due[] = [];
    for (const { schedule, lookAt } of this.#known.values()) {
      if (isFromWrongClock(schedule, nowMs)) {
        log.warn("the clock was wrong: a schedule begins anew", { scheduleId: schedule.scheduleId });
        const renewed = { ...schedule, doneTime: nowMs };
        await store.resetDone(schedule.scheduleId, nowMs);
        this.#known.set(schedule.scheduleId, { schedule: renewed, lookAt: nextLook(renewed) });
        continue;
      }
      if (lookAt === undefined || lookAt > nowMs) continue;
      const start = dueStart(schedule, nowMs);
      if (start !== undefined) due.push({ schedule, start });
    }
    due.sort(comesFirst);
    for (const { schedule, start } of due) await this.#start(schedule, start);
  }

  async #start(schedule: Schedule, start: DueStart): Promise<void> {
    const { store, clock, others } = this.#deps;
    const { scheduleId, channelId } = schedule;
    const here = this.#readyFiles();
    const isHere = schedule.source.fileIds.some((fileId) => here.has(fileId));
    const isLeft = !isHere || (await others?.isElsewhere(channelId)) === true;
    if (isLeft && others !== undefined && clock.wallNow() - start.time < OTHERS_MS) return;
    if (!(await store.claimStart(scheduleId, start.time))) {
      const stored = await store.findSchedule(channelId, scheduleId);
      if (stored === undefined) this.#known.delete(scheduleId);
      else this.#known.set(scheduleId, { schedule: stored, lookAt: nextLook(stored) });
      return;
    }
    const late = start.isMissed ? this.#followed.whyLate(start.time) : undefined;
    const missed = late ?? (isLeft ? "files-missing" : start.isMissed ? "server-down" : undefined);
    const reason = missed ?? (await this.#begin(schedule, start));
    if (reason === CHANNEL_GONE) return this.forget(channelId);
    const run: LastRun = { time: start.time, ...(reason === undefined ? STARTED : { result: "MISSED", reason }) };
    this.#note(schedule, run);
    await this.#putResults();
  }

  /** Returns why it does not play. */
  async #begin(
    { channelId, scheduleId, source }: Schedule,
    start: DueStart,
  ): Promise<MissedReason | typeof CHANNEL_GONE | undefined> {
    const place = placeAfter(source, this.#readyFiles(), start.lateMs);
    if (place === undefined) return this.#followed.whyLate(start.time) ?? "server-down";
    if (this.#lastStarts.get(channelId) === start.time) return "conflict";
    const end = start.endTime === undefined ? {} : { endTime: start.endTime };
    try {
      await this.#deps.sources.playScheduled(channelId, { scheduleId, source, ...end }, place);
      this.#lastStarts.set(channelId, start.time);
      return undefined;
    } catch (error) {
      if (error instanceof StoreUnavailableError) return "database-unavailable";
      const fault = error instanceof DomainError ? error.fault.kind : undefined;
      if (fault === "channel-not-found") return CHANNEL_GONE;
      const reason = fault === undefined ? undefined : REASONS[fault];
      if (reason === undefined)
        this.#deps.log.error("a schedule could not start", { scheduleId, detail: String(error) });
      return reason ?? "internal";
    }
  }

  /** Takes what became of a start, which is to be stored. */
  #note(schedule: Schedule, run: LastRun): void {
    const { scheduleId } = schedule;
    // It may have been changed or removed meanwhile.
    const present = this.#known.get(scheduleId)?.schedule;
    if (present !== undefined) {
      const after = { ...present, doneTime: Math.max(present.doneTime, run.time), lastRun: run };
      this.#known.set(scheduleId, { schedule: after, lookAt: nextLook(after) });
    }
    this.#results.set(scheduleId, { schedule, run });
  }

  /** Stores what became of starts, and tells it: what did happen must not be told as missed after a restart. */
  async #putResults(): Promise<void> {
    const { store, clock, publish } = this.#deps;
    for (const [id, { schedule, run }] of this.#results) {
      const isFirst = await store.putResult(id, run);
      this.#results.delete(id);
      if (!isFirst) continue;
      const { scheduleId, channelId, name } = schedule;
      const { time: dueTime, reason } = run;
      publish({
        ...{ kind: "schedule-ran", time: clock.wallNow(), channelId, scheduleId, name, dueTime },
        ...(reason === undefined ? {} : { reason }),
      });
    }
  }

  /** `isDone`: all that was due was started, or left to others. One run that cannot be ended holds up no other. */
  async #endOver(isDone: boolean): Promise<void> {
    const { sources, clock } = this.#deps;
    const nowMs = clock.wallNow();
    const waiting = new Set(isDone ? [] : this.#dueChannels(nowMs));
    for (const [channelId, run] of sources.scheduledRuns) {
      const overMs = nowMs - (run.endTime ?? Infinity);
      if (overMs >= (waiting.has(channelId) ? BRIDGED_MS : 0))
        await this.#attempt(() => sources.endScheduled(channelId, run));
    }
  }

  /** The channels with a start that is due. */
  #dueChannels(nowMs: number): readonly ChannelId[] {
    return [...this.#known.values()].flatMap(({ schedule, lookAt = Infinity }) =>
      lookAt <= nowMs ? [schedule.channelId] : [],
    );
  }

  #readyFiles(): ReadonlyMap<string, MediaFile> {
    const ready = this.#deps.files.list().filter(({ state }) => state === "ready");
    return new Map(ready.map((file) => [file.fileId, file]));
  }
}

const STARTED = { result: "STARTED" } as const;
