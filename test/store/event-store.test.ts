import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SqlDeliveryStore } from "../../src/store/deliveries/delivery-store.ts";
import { openConnection, openSqliteDatabase } from "../../src/store/sqlite/sqlite.ts";
import "./suites/event-suite.ts";

const A = "ls-20260101000000-00001";
const B = "ls-20260101000000-00002";

/** A database file, and the store of webhooks over it. */
async function databaseFile() {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-events-"));
  const path = join(folder, "fanfare.db");
  const { database } = await openSqliteDatabase(path);
  onTestFinished(async () => {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { path, deliveries: new SqlDeliveryStore(database) };
}

test("a secret is sealed in the file, and a channel without an endpoint has none", async () => {
  const { path, deliveries } = await databaseFile();
  const endpoint = { url: "http://own", secret: "whsec_http://own", updateTime: 1 };
  await deliveries.setEndpoint({ channelId: A }, endpoint);
  const connection = openConnection(path);
  const row = connection.prepare("SELECT secret FROM webhook_endpoint").get();
  connection.close();
  expect(String(row?.["secret"])).not.toContain("whsec_");
  expect(await deliveries.findEndpoint({ channelId: A })).toMatchObject({ secret: "whsec_http://own" });
  expect(await deliveries.findEndpoint({ channelId: B })).toBeUndefined();
  expect(await deliveries.findEndpoint("default")).toBeUndefined();
});

test("every frequent query uses an index", async () => {
  const { path } = await databaseFile();
  const connection = openConnection(path);
  const plan = (query: string) =>
    connection
      .prepare(`EXPLAIN QUERY PLAN ${query}`)
      .all()
      .map((row) => String(row["detail"]));
  expect(plan("SELECT * FROM event WHERE channel_id = 'x' ORDER BY event_id DESC LIMIT 20")).toEqual([
    "SEARCH event USING INDEX event_by_channel (channel_id=?)",
  ]);
  expect(plan("SELECT event_id FROM event WHERE time < 5 ORDER BY time LIMIT 500")).toEqual([
    "SEARCH event USING INDEX event_by_time (time<?)",
  ]);
  const queues = "SELECT channel_id, host FROM delivery_queue WHERE is_retry = 0 AND next_time <= 5";
  expect(plan(`${queues} AND channel_id NOT IN ('x') AND host NOT IN ('y') ORDER BY next_time LIMIT 16`)).toEqual([
    "SEARCH delivery_queue USING COVERING INDEX delivery_queue_by_turn (is_retry=? AND next_time<?)",
  ]);
  expect(plan("SELECT next_time FROM delivery_queue WHERE next_time > 5 ORDER BY next_time LIMIT 1")).toEqual([
    expect.stringContaining("INDEX delivery_queue_by_time (next_time>?)"),
  ]);
  expect(plan("SELECT * FROM delivery WHERE state = 'WAITING' AND channel_id = 'x' ORDER BY event_id LIMIT 1")).toEqual(
    ["SEARCH delivery USING INDEX delivery_waiting (state=? AND channel_id=?)"],
  );
  expect(plan("SELECT * FROM delivery WHERE channel_id = 'x' ORDER BY event_id DESC LIMIT 20")).toEqual([
    "SEARCH delivery USING INDEX delivery_by_channel (channel_id=?)",
  ]);
  connection.close();
});
