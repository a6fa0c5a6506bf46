import { type Kysely, sql } from "kysely";
import { MISSED_REASONS, type MissedReason } from "../../api-contract/event-words.ts";
import { changesBetween, plainSettings, type Settings } from "../../control/audit/field-changes.ts";
import { type LastRun, RUN_RESULTS, type Schedule } from "../../control/schedules/schedule.ts";
import type { ScheduleStore } from "../../control/schedules/schedule-store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Database } from "../database/database.ts";
import { lockChannel } from "../database/locks.ts";
import { settingOf } from "../database/one-of.ts";
import type { ChannelScheduleRow, Schema } from "../schema/schema.ts";

/** Channels' schedules. What people set is kept as JSON: it is only ever read as a whole. */
export class SqlScheduleStore implements ScheduleStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async listSchedules(): Promise<readonly Schedule[]> {
    const rows = await this.#database.read((db) =>
      db
        .selectFrom("channel_schedule")
        .innerJoin("channel", "channel.channel_id", "channel_schedule.channel_id")
        .where("channel.state", "!=", "deleted")
        .selectAll("channel_schedule")
        .orderBy("channel_schedule.created_time")
        .orderBy("schedule_id")
        .execute(),
    );
    return rows.map(readSchedule);
  }

  async listChannelSchedules(channelId: ChannelId): Promise<readonly Schedule[]> {
    return await this.#database.read((db) => selectSchedules(db, channelId));
  }

  async findSchedule(channelId: ChannelId, scheduleId: string): Promise<Schedule | undefined> {
    return await this.#database.read((db) => selectSchedule(db, channelId, scheduleId));
  }

  editSchedule(channelId: ChannelId, decide: (present: readonly Schedule[]) => Schedule): Promise<Schedule> {
    return this.#database.write(async (trx) => {
      await lockChannel(trx, channelId);
      const present = await selectSchedules(trx, channelId);
      const schedule = decide(present);
      const { scheduleId, channelId: _channel, createdTime, doneTime, lastRun: _run, isPaused, ...settings } = schedule;
      const before = present.find((each) => each.scheduleId === scheduleId);
      const changing = { settings: JSON.stringify(settings), is_paused: isPaused ? 1 : 0 };
      const fresh = { done_time: doneTime, last_time: null, last_result: "", last_reason: "" } as const;
      await trx
        .insertInto("channel_schedule")
        .values({ schedule_id: scheduleId, channel_id: channelId, created_time: createdTime, ...changing, ...fresh })
        .onConflict((conflict) =>
          conflict.column("schedule_id").doUpdateSet({
            ...changing,
            // A start may be recorded at this moment.
            done_time: sql<number>`case when channel_schedule.done_time > excluded.done_time
              then channel_schedule.done_time else excluded.done_time end`,
          }),
        )
        .execute();
      const changes = changesBetween(settingsOf(before), settingsOf(schedule));
      if (changes.length > 0) await this.#database.note(trx, { channelId, subject: scheduleId, changes });
      const { lastRun } = before ?? {};
      return { ...schedule, ...(lastRun === undefined ? {} : { lastRun }) };
    });
  }

  async resetDone(scheduleId: string, doneTime: number): Promise<void> {
    await this.#database.write((trx) =>
      trx
        .updateTable("channel_schedule")
        .set({ done_time: doneTime })
        .where("schedule_id", "=", scheduleId)
        .where("done_time", ">", doneTime)
        .execute(),
    );
  }

  removeSchedule(channelId: ChannelId, scheduleId: string): Promise<boolean> {
    return this.#database.write(async (trx) => {
      // A change that began before would add it again.
      await lockChannel(trx, channelId);
      const before = await selectSchedule(trx, channelId, scheduleId);
      const { numDeletedRows } = await trx
        .deleteFrom("channel_schedule")
        .where("channel_id", "=", channelId)
        .where("schedule_id", "=", scheduleId)
        .executeTakeFirst();
      const changes = changesBetween(settingsOf(before), settingsOf(undefined));
      if (numDeletedRows > 0n) await this.#database.note(trx, { channelId, subject: scheduleId, changes });
      return numDeletedRows > 0n;
    });
  }

  claimStart(scheduleId: string, time: number): Promise<boolean> {
    return this.#database.write(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable("channel_schedule")
        .set({ done_time: time, last_time: time, last_result: "BEGUN", last_reason: "" })
        .where("schedule_id", "=", scheduleId)
        .where("is_paused", "=", 0)
        .where("done_time", "<", time)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    });
  }

  putResult(scheduleId: string, { time, result, reason }: LastRun): Promise<boolean> {
    return this.#database.write(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable("channel_schedule")
        .set({ last_result: result, last_reason: reason ?? "" })
        .where("schedule_id", "=", scheduleId)
        .where("last_time", "=", time)
        .where("last_result", "=", "BEGUN")
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    });
  }
}

/** Those of one channel, oldest first. */
async function selectSchedules(db: Kysely<Schema>, channelId: ChannelId): Promise<readonly Schedule[]> {
  const rows = await db
    .selectFrom("channel_schedule")
    .where("channel_id", "=", channelId)
    .selectAll()
    .orderBy("created_time")
    .orderBy("schedule_id")
    .execute();
  return rows.map(readSchedule);
}

async function selectSchedule(
  db: Kysely<Schema>,
  channelId: ChannelId,
  scheduleId: string,
): Promise<Schedule | undefined> {
  const row = await db
    .selectFrom("channel_schedule")
    .where("channel_id", "=", channelId)
    .where("schedule_id", "=", scheduleId)
    .selectAll()
    .executeTakeFirst();
  return row === undefined ? undefined : readSchedule(row);
}

/** What a person set, in the API's words. Times of day are seconds since midnight. */
function settingsOf(schedule: Schedule | undefined): Settings {
  if (schedule === undefined) return new Map();
  const { name, source, timing, end, catchUp, isPaused } = schedule;
  const { timeZone, atSeconds, repeat } = timing;
  return plainSettings({
    ...{ scheduleName: name, fileIds: source.fileIds, loop: source.isLooped, timeZone, repeat: repeat.kind },
    ...(repeat.kind === "once" ? { onDate: repeat.date } : {}),
    ...(repeat.kind === "weekly" ? { days: repeat.days } : {}),
    ...{ startAt: atSeconds, catchUp, paused: isPaused },
    ...(end === undefined
      ? {}
      : "atSeconds" in end
        ? { endAt: end.atSeconds }
        : { endAfterSeconds: end.durationSeconds }),
  });
}

function readSchedule(row: ChannelScheduleRow): Schedule {
  const { last_time: lastTime, last_result: result, last_reason: reason } = row;
  return {
    ...JSON.parse(row.settings),
    ...{ scheduleId: row.schedule_id, channelId: row.channel_id, isPaused: row.is_paused === 1 },
    ...{ createdTime: Number(row.created_time), doneTime: Number(row.done_time) },
    ...(lastTime === null
      ? {}
      : {
          lastRun: {
            ...{ time: Number(lastTime), result: settingOf(RUN_RESULTS, result, "STARTED") },
            // A newer version may know more reasons.
            ...(isMissedReason(reason) ? { reason } : {}),
          },
        }),
  };
}

function isMissedReason(word: string): word is MissedReason {
  return MISSED_REASONS.some((each) => each === word);
}
