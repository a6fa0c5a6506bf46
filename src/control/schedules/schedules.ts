import type { Clock } from "../../base/clock.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelRecord } from "../channels/channel.ts";
import type { ChannelChanged } from "../facts/server-fact.ts";
import { DomainError } from "../ports/errors.ts";
import type { MediaFiles } from "../ports/media-files.ts";
import type { Store } from "../ports/store.ts";
import { playLength } from "./play-place.ts";
import {
  overlap,
  type Planned,
  planned,
  type Schedule,
  type ScheduleSettings,
  startsTogether,
  upcoming,
} from "./schedule.ts";
import type { ScheduleRunner } from "./schedule-runner.ts";
import type { ScheduleStore } from "./schedule-store.ts";

export type SchedulesDeps = {
  readonly store: Pick<Store, "findChannel">;
  readonly scheduleStore: ScheduleStore;
  readonly runner: Pick<ScheduleRunner, "put" | "remove">;
  readonly files: Pick<MediaFiles, "get" | "list">;
  readonly clock: Clock;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly publish: (fact: ChannelChanged) => void;
};

/** A schedule, when it starts next, and which others of the channel play at the same time. */
export type ScheduleDetail = {
  readonly schedule: Schedule;
  /** Milliseconds since the Unix epoch; none of one that is paused or over. */
  readonly nextTimes: readonly number[];
  readonly overlapsWith: readonly string[];
};

/** Of one channel at most. */
const SCHEDULES_MAX = 50;
const NEXT_TIMES = 5;
const ID_BYTES = 6;

/**
 * The use cases of schedules: files that start on a channel at a time. Calls throw DomainError `channel-not-found`, and
 * where a schedule is named `schedule-not-found`.
 */
export class Schedules {
  readonly #deps: SchedulesDeps;

  constructor(deps: SchedulesDeps) {
    this.#deps = deps;
  }

  /** Oldest first. */
  async list(channelId: ChannelId): Promise<readonly ScheduleDetail[]> {
    await this.#channel(channelId);
    const all = await this.#deps.scheduleStore.listChannelSchedules(channelId);
    const planned = this.#planned(all);
    return planned.map((each) => detailOf(each, planned, this.#deps.clock.wallNow()));
  }

  async get(channelId: ChannelId, scheduleId: string): Promise<ScheduleDetail> {
    await this.#channel(channelId);
    const all = await this.#deps.scheduleStore.listChannelSchedules(channelId);
    return this.#detail(found(all, scheduleId), all);
  }

  /**
   * Throws DomainError `media-file-not-found`, `media-file-not-ready`, `schedule-past`, `schedule-conflict` and
   * `too-many-schedules`.
   */
  async create(channelId: ChannelId, settings: ScheduleSettings): Promise<ScheduleDetail> {
    const { clock, randomBytes } = this.#deps;
    const createdTime = clock.wallNow();
    const scheduleId = `sc-${Buffer.from(randomBytes(ID_BYTES)).toString("hex")}`;
    return this.#edit(channelId, (others) => {
      if (others.length >= SCHEDULES_MAX) throw new DomainError({ kind: "too-many-schedules" });
      return this.#checked({ ...settings, scheduleId, channelId, createdTime, doneTime: createdTime }, others);
    });
  }

  /**
   * Changes it by `decide`, which gets it as it is. What plays of it now plays on. Starts up to now are done with.
   * Throws as `create` does, and what `decide` throws.
   */
  change(
    channelId: ChannelId,
    scheduleId: string,
    decide: (present: ScheduleSettings) => ScheduleSettings,
  ): Promise<ScheduleDetail> {
    const nowMs = this.#deps.clock.wallNow();
    return this.#edit(channelId, (all) => {
      const present = found(all, scheduleId);
      const { end: _end, ...kept } = present;
      const doneTime = Math.max(present.doneTime, nowMs);
      const others = all.filter((each) => each !== present);
      return this.#checked({ ...kept, ...decide(present), doneTime }, others);
    });
  }

  /** Returns it as it was. What plays of it now plays on. */
  async remove(channelId: ChannelId, scheduleId: string): Promise<ScheduleDetail> {
    const { scheduleStore, runner } = this.#deps;
    const channel = await this.#channel(channelId);
    const schedule = await scheduleStore.findSchedule(channelId, scheduleId);
    if (schedule === undefined || !(await scheduleStore.removeSchedule(channelId, scheduleId)))
      throw new DomainError({ kind: "schedule-not-found" });
    runner.remove(scheduleId);
    this.#publishChange("schedule-removed", channel);
    return { schedule, nextTimes: [], overlapsWith: [] };
  }

  /** `decide` sees all schedules of the channel while nobody else changes one of them. */
  async #edit(channelId: ChannelId, decide: (present: readonly Schedule[]) => Schedule): Promise<ScheduleDetail> {
    const { scheduleStore, runner } = this.#deps;
    const channel = await this.#channel(channelId);
    const schedule = await scheduleStore.editSchedule(channelId, decide);
    runner.put(schedule);
    this.#publishChange("schedule-changed", channel);
    return this.#detail(schedule, await scheduleStore.listChannelSchedules(channelId));
  }

  #checked(schedule: Schedule, others: readonly Schedule[]): Schedule {
    const { files, clock } = this.#deps;
    for (const fileId of schedule.source.fileIds) {
      if (files.get(fileId).state !== "ready") throw new DomainError({ kind: "media-file-not-ready" });
    }
    const nowMs = clock.wallNow();
    if (schedule.isPaused) return schedule;
    if (upcoming(schedule, nowMs, 1).length === 0) throw new DomainError({ kind: "schedule-past" });
    if (others.some((other) => !other.isPaused && startsTogether(schedule, other, nowMs)))
      throw new DomainError({ kind: "schedule-conflict" });
    return schedule;
  }

  #detail(schedule: Schedule, all: readonly Schedule[]): ScheduleDetail {
    const others = all.filter(({ scheduleId }) => scheduleId !== schedule.scheduleId);
    const [own, ...planned] = this.#planned([schedule, ...others]);
    if (own === undefined) throw new DomainError({ kind: "schedule-not-found" });
    return detailOf(own, planned, this.#deps.clock.wallNow());
  }

  #planned(schedules: readonly Schedule[]): readonly Planned[] {
    const files = new Map(this.#deps.files.list().map((file) => [file.fileId, file]));
    const nowMs = this.#deps.clock.wallNow();
    return schedules.map((schedule) => planned(schedule, playLength(schedule.source, files), nowMs));
  }

  #publishChange(
    change: "schedule-changed" | "schedule-removed",
    { channelId, name: channelName }: ChannelRecord,
  ): void {
    const { publish, clock } = this.#deps;
    publish({ kind: "channel-changed", change, time: clock.wallNow(), channelId, channelName });
  }

  async #channel(channelId: ChannelId): Promise<ChannelRecord> {
    const channel = await this.#deps.store.findChannel(channelId);
    if (channel === undefined) throw new DomainError({ kind: "channel-not-found" });
    return channel;
  }
}

function found(schedules: readonly Schedule[], scheduleId: string): Schedule {
  const schedule = schedules.find((each) => each.scheduleId === scheduleId);
  if (schedule === undefined) throw new DomainError({ kind: "schedule-not-found" });
  return schedule;
}

function detailOf(own: Planned, all: readonly Planned[], nowMs: number): ScheduleDetail {
  const { schedule } = own;
  const others = all.filter((each) => each.schedule.scheduleId !== schedule.scheduleId && overlap(own, each));
  return {
    schedule,
    nextTimes: upcoming(schedule, nowMs, NEXT_TIMES),
    overlapsWith: others.map((each) => each.schedule.scheduleId),
  };
}
