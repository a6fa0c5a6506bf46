import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { LastRun, Schedule } from "./schedule.ts";

/** The store of schedules. Every call may reject with StoreUnavailableError. */
export interface ScheduleStore {
  /** All of them, of channels that exist, oldest first. */
  listSchedules(): Promise<readonly Schedule[]>;
  /** Those of one channel, oldest first. */
  listChannelSchedules(channelId: ChannelId): Promise<readonly Schedule[]>;
  findSchedule(channelId: ChannelId, scheduleId: string): Promise<Schedule | undefined>;
  /**
   * Adds or changes one of the channel's schedules: stores what `decide` makes of all of them as they are, oldest first, while
   * nobody else changes one of this channel. What is recorded of runs stays, and `doneTime` does not fall. Rejects with what
   * `decide` throws.
   */
  editSchedule(channelId: ChannelId, decide: (present: readonly Schedule[]) => Schedule): Promise<Schedule>;
  /** The clock was wrong: starts up to `doneTime` are done with, and later ones are not. */
  resetDone(scheduleId: string, doneTime: number): Promise<void>;
  /** Returns whether it was there. */
  removeSchedule(channelId: ChannelId, scheduleId: string): Promise<boolean>;
  /**
   * Records a start as begun, before it is done. False where the schedule is gone or paused, or this start or a later one
   * is recorded already, by this server or by another one: then it must not be done.
   */
  claimStart(scheduleId: string, time: number): Promise<boolean>;
  /** Records what became of a start that was recorded as begun. False where that is recorded already, or it is gone. */
  putResult(scheduleId: string, run: LastRun): Promise<boolean>;
}
