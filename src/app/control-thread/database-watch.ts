import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { ServerTroubles } from "../../control/live/server-troubles.ts";
import { damageAdvice } from "../../store/database/database-trouble.ts";
import { probeWrite } from "../../store/database/write-probe.ts";
import type { Storage } from "../data-folder/storage.ts";

/**
 * How often a database that refuses writes is tried, in milliseconds, so that its recovery is noticed although nothing
 * else writes.
 */
const TRY_AGAIN_MS = 2_000;

/** Logs and reports what is wrong with the database: damage found at the start, and errors of later requests. */
export function watchDatabase(storage: Storage, troubles: ServerTroubles, log: Log, clock: Clock): void {
  const { database, check, unwritableBecause } = storage;
  const { path: file } = database;
  let isDamageReported = false;
  const damaged = (detail: string) => {
    troubles.set("database-damaged", true);
    if (!isDamageReported) log.error("database damaged", { file, detail, advice: damageAdvice(file) });
    isDamageReported = true;
  };
  let isRefusing = false;
  const tryAgain = (): void => {
    if (!isRefusing) return;
    probeWrite(database).catch(() => undefined);
    clock.startTimer(TRY_AGAIN_MS, tryAgain);
  };
  database.watch((news) => {
    if (news.kind === "damaged") return damaged(news.detail);
    isRefusing = news.kind === "refused";
    troubles.set("database-unwritable", isRefusing);
    if (news.kind === "refused") {
      log.error("database takes no write", { file, trouble: news.trouble, detail: news.detail });
      return void clock.startTimer(TRY_AGAIN_MS, tryAgain);
    }
    log.info("database can be written again", { file });
    troubles.set("database-read-only", false);
  });
  if (check.problems.length > 0) damaged(check.problems.join("; "));
  if (check.skipped.length > 0) {
    const tables = check.skipped.join(", ");
    log.info("large database: some tables were not checked, fanfare doctor checks them", { file, tables });
  }
  if (unwritableBecause === undefined) return;
  log.error("database opened for reading only", { file, detail: unwritableBecause });
  troubles.set("database-read-only", true);
}
