import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Migrator } from "kysely/migration";
import { expect, onTestFinished, test } from "vitest";
import { NO_ALERTS } from "../../src/control/channels/channel.ts";
import { streamKeyColumns } from "../../src/store/channels/channel-columns.ts";
import { alertColumns } from "../../src/store/channels/rows.ts";
import { SqlStore } from "../../src/store/channels/sql-store.ts";
import { SqlDeliveryStore } from "../../src/store/deliveries/delivery-store.ts";
import { sealDeliveryUrl } from "../../src/store/deliveries/delivery-url.ts";
import { migrations } from "../../src/store/migrations/migrate.ts";
import { newMasterKey, writeKeyFile } from "../../src/store/secrets/key-file.ts";
import { Secrets } from "../../src/store/secrets/secrets.ts";
import { openConnection, openSqliteDatabase } from "../../src/store/sqlite/sqlite.ts";
import { tablesOver } from "../../src/store/sqlite/tables.ts";

/** A database as the version before this step left it. */
async function databaseBefore(step: string) {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-steps-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "fanfare.db");
  const keys = [newMasterKey()];
  writeKeyFile(join(folder, "encryption.key"), keys);
  const secrets = new Secrets(keys);
  const earlier = Object.fromEntries(Object.entries(migrations(secrets)).filter(([name]) => name < step));
  const connection = openConnection(path);
  const provider = { getMigrations: () => Promise.resolve(earlier) };
  const { error } = await new Migrator({ db: tablesOver(connection), provider }).migrateToLatest();
  expect(error).toBeUndefined();
  return { path, secrets, connection };
}

test("deliveries of the version before 0025 keep their states and their place in the queue", async () => {
  const { path, secrets, connection } = await databaseBefore("0025");
  const states = ["delivered", "failed", "cancelled", "waiting", "waiting"];
  for (const [index, state] of states.entries()) {
    const eventId = index + 1;
    connection.exec(`INSERT INTO event (event_id, channel_id, code, level, time, description)
      VALUES (${eventId}, 'ls-1', 'PUBLISH_START', 'INFO', ${eventId}, 'd')`);
    connection
      .prepare(
        "INSERT INTO delivery (event_id, channel_id, state, url, attempts, retry_until) VALUES (?, ?, ?, ?, 2, 9)",
      )
      .run(eventId, "ls-1", state, sealDeliveryUrl("https://h/hook", eventId, secrets));
  }
  connection.exec("INSERT INTO delivery_lane (channel_id, next_time, host, is_retry) VALUES ('ls-1', 50, 'h', 1)");
  connection.close();

  const { database } = await openSqliteDatabase(path);
  onTestFinished(() => database.close());
  const deliveries = new SqlDeliveryStore(database);
  const listed = await deliveries.listDeliveries({}, { number: 1, size: 10 });
  const waiting = { state: "WAITING", nextTime: 50, attempts: 2, url: "https://h/hook" };
  expect(listed.deliveries).toMatchObject([
    { eventId: 5, ...waiting },
    { eventId: 4, ...waiting },
    { eventId: 3, state: "CANCELLED" },
    { eventId: 2, state: "FAILED" },
    { eventId: 1, state: "DELIVERED" },
  ]);
  const limits = { inFlightMax: 4, perHostMax: 4, retriesMax: 4 };
  expect(await deliveries.claimDueDeliveries(49, limits, [])).toEqual([]);
  expect(await deliveries.findNextDueTime(49)).toBe(50);
  expect(await deliveries.claimDueDeliveries(50, limits, [])).toMatchObject([
    { eventId: 4, turn: { channelId: "ls-1", host: "h", isRetry: true } },
  ]);
});

test("channels of the version before 0048 are found by their names in any case, but for those that were deleted", async () => {
  const { path, secrets, connection } = await databaseBefore("0048");
  const states = ["live", "blocked", "deleted"];
  const rows = states.map((state, index) => ({
    ...{ channel_id: `ls-${index}`, instance_no: index + 1, name: `Show_${state} Ä`, state },
    ...{ plan_type: "STANDARD", env_type: "REAL", latency: "efficient", created_time: 1, revision: 1, publish_ms: 0 },
    ...{ ...alertColumns(NO_ALERTS), ...streamKeyColumns(secrets, `ls-${index}`, `key-${index}`) },
  }));
  for (const row of rows) {
    const columns = Object.keys(row);
    const values = columns.map(() => "?").join(", ");
    connection
      .prepare(`INSERT INTO channel (${columns.join(", ")}) VALUES (${values})`)
      .run(...Object.values<string | number>(row));
  }
  connection.close();

  const { database } = await openSqliteDatabase(path);
  onTestFinished(() => database.close());
  const found = async (namePart: string) => {
    const { channels, total } = await new SqlStore(database).listChannels({ namePart }, { number: 1, size: 10 });
    return [total, ...channels.map(({ channelId }) => channelId)];
  };
  expect(await Promise.all(["SHOW_", "w_l", "ed Ä", "ed ä"].map(found))).toEqual([
    [2, "ls-1", "ls-0"],
    [1, "ls-0"],
    [1, "ls-1"],
    [0],
  ]);
});
