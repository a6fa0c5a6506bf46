import type { WindowedTarget } from "../../control/schedules/window-watch.ts";
import type { Database } from "../database/database.ts";

/** The targets with windows, of channels that exist. */
export async function listWindowedTargets(database: Database): Promise<readonly WindowedTarget[]> {
  const rows = await database.read((db) =>
    db
      .selectFrom("target")
      .innerJoin("channel", "channel.channel_id", "target.channel_id")
      .where("channel.state", "!=", "deleted")
      .where("target.windows", "!=", "")
      .select(["target.channel_id", "target_id", "windows", "target.is_enabled", "is_outside_windows", "open_until"])
      .select("channel.revision")
      .execute(),
  );
  return rows.map((row) => ({
    channelId: row.channel_id,
    targetId: Number(row.target_id),
    windows: JSON.parse(row.windows),
    isEnabled: row.is_enabled === 1,
    isOutsideWindows: row.is_outside_windows === 1,
    openUntil: Number(row.open_until),
    revision: Number(row.revision),
  }));
}
