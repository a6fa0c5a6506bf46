import type { Transaction } from "kysely";
import type { BroadcastEnd } from "../../api-contract/event-words.ts";
import type { Page } from "../../control/ports/store.ts";
import type { BroadcastReport, FinishedReport, ReportStore } from "../../control/reports/reports.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Database } from "../database/database.ts";
import { ownershipEnd } from "../database/finished-epochs.ts";
import { wordOf } from "../database/one-of.ts";
import type { ReportRow } from "../schema/event-schema.ts";
import type { Schema } from "../schema/schema.ts";

/** The parts of a report that are kept as JSON: they are only ever read as a whole. */
type Parts = Pick<BroadcastReport, "interruptions" | "targets" | "isTest" | "refused">;

/** Reports of broadcasts. */
export class SqlReportStore implements ReportStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  putReports(reports: readonly BroadcastReport[]): Promise<void> {
    return this.#database.write(async (trx) => {
      for (const report of reports) {
        if ((await ownershipEnd(trx, report.channelId, report.epoch)) !== "finished") await putReport(trx, report);
      }
    });
  }

  endReportsLeft(kept: readonly ChannelId[] = []): Promise<readonly Pick<BroadcastReport, "channelId" | "endTime">[]> {
    // Other nodes' broadcasts are on air too: `finishBroadcasts` ends those of one that is lost.
    if (this.#database.isShared) return Promise.resolve([]);
    const isKept = new Set(kept);
    return this.#database.write(async (trx) => {
      const open = trx
        .selectFrom("report")
        .where("end_reason", "is", null)
        .select(["channel_id", "start_time", "end_time"]);
      const left = (await open.execute()).filter(({ channel_id }) => !isKept.has(channel_id));
      for (const { channel_id, start_time } of left) {
        await trx
          .updateTable("report")
          .set({ end_reason: "server-lost" })
          .where("channel_id", "=", channel_id)
          .where("start_time", "=", start_time)
          .execute();
      }
      return left.map(({ channel_id, end_time }) => ({ channelId: channel_id, endTime: Number(end_time) }));
    });
  }

  findReport(channelId: ChannelId, startTime: number): Promise<FinishedReport | undefined> {
    return this.#database.read(async (db) => {
      const row = await db
        .selectFrom("report")
        .where("channel_id", "=", channelId)
        .where("start_time", "=", startTime)
        .where("end_reason", "is not", null)
        .selectAll()
        .executeTakeFirst();
      return row === undefined ? undefined : readReport(row);
    });
  }

  listReports(
    channelId: ChannelId,
    page: Page,
  ): Promise<{ readonly reports: readonly FinishedReport[]; readonly total: number }> {
    return this.#database.read(async (db) => {
      const over = db.selectFrom("report").where("channel_id", "=", channelId).where("end_reason", "is not", null);
      const rows = await over
        .selectAll()
        .orderBy("start_time", "desc")
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      const counted = await over.select(({ fn }) => fn.countAll<number>().as("total")).executeTakeFirstOrThrow();
      return { reports: rows.map(readReport), total: Number(counted.total) };
    });
  }
}

/** Ends the channel's reports that are on air, up to this ownership. Returns up to when the last of them goes. */
export async function endReports(
  trx: Transaction<Schema>,
  channelId: ChannelId,
  epoch: number,
): Promise<number | undefined> {
  const ended = await trx
    .updateTable("report")
    .set({ end_reason: "server-lost" })
    .where("channel_id", "=", channelId)
    .where("end_reason", "is", null)
    .where(({ or, eb }) => or([eb("epoch", "is", null), eb("epoch", "<=", epoch)]))
    .returning("end_time")
    .execute();
  return ended.length === 0 ? undefined : Math.max(...ended.map(({ end_time }) => Number(end_time)));
}

/** Removes at most `limit` reports of broadcasts that ended before `time`. */
export async function pruneReports(trx: Transaction<Schema>, time: number, limit: number): Promise<void> {
  const old = await trx
    .selectFrom("report")
    .where("end_reason", "is not", null)
    .where("end_time", "<", time)
    .limit(limit)
    .select(["channel_id", "start_time"])
    .execute();
  for (const { channel_id, start_time } of old) {
    await trx.deleteFrom("report").where("channel_id", "=", channel_id).where("start_time", "=", start_time).execute();
  }
}

async function putReport(trx: Transaction<Schema>, report: BroadcastReport): Promise<void> {
  const { interruptions, targets, isTest, refused } = report;
  const parts: Parts = {
    ...{ interruptions, targets },
    ...(isTest === undefined ? {} : { isTest }),
    ...(refused === undefined ? {} : { refused }),
  };
  const changing = {
    end_time: report.endTime,
    end_reason: report.end ?? null,
    parts: JSON.stringify(parts),
    epoch: report.epoch ?? null,
  };
  await trx
    .insertInto("report")
    .values({ channel_id: report.channelId, start_time: report.startTime, ...changing })
    .onConflict((conflict) =>
      conflict
        .columns(["channel_id", "start_time"])
        .doUpdateSet(changing)
        .where(({ or, eb }) => or([eb("report.epoch", "is", null), eb("report.epoch", "<=", report.epoch ?? 0)])),
    )
    .execute();
}

function readReport(row: ReportRow): FinishedReport {
  const parts: Parts = JSON.parse(row.parts);
  return {
    channelId: row.channel_id,
    startTime: Number(row.start_time),
    endTime: Number(row.end_time),
    end: wordOf<BroadcastEnd>(row.end_reason ?? ""),
    ...parts,
  };
}
