import { afterEach, beforeEach, expect, test } from "vitest";
import type { AuditScope } from "../../../src/control/audit/audit.ts";
import type { SqlAuditStore } from "../../../src/store/audit/audit-store.ts";
import { keepAudit } from "../../../src/store/audit/audit-store.ts";
import { SqlStore } from "../../../src/store/channels/sql-store.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { SqlDeliveryStore } from "../../../src/store/deliveries/delivery-store.ts";
import { newChannel } from "./store-suite-data.ts";
import { newTestDatabase, type TestDatabase } from "./test-databases.ts";

const PAGE = { number: 1, size: 10 };

let place: TestDatabase;
let database: Database;
let channels: SqlStore;
let audit: SqlAuditStore;
let scope: AuditScope | undefined;

beforeEach(async () => {
  place = await newTestDatabase();
  database = await place.open();
  channels = new SqlStore(database);
  scope = undefined;
  audit = keepAudit(database, () => scope);
});
afterEach(async () => {
  await database.close();
  await place.remove();
});

function begin(traceId: string, time = 10): AuditScope {
  const origin = { actor: "access-key", actorId: "AK1", actorName: "bot", client: "api" } as const;
  scope = { action: "updateChannel", traceId, time, origin, about: {}, state: "open" };
  return scope;
}

const listed = async () => (await audit.listAudit({}, PAGE)).records;

test("a change and its record are one transaction: one that fails leaves neither", async () => {
  begin("a");
  const { channelId } = await channels.createChannel(newChannel(1));
  const again = begin("b");
  const failing = channels.changeChannel(channelId, () => ({
    name: "changed",
    ingestLogin: { id: "x", password: "y" },
  }));
  await failing;
  begin("c");
  const second = await channels.createChannel(newChannel(2));
  begin("d");
  const taken = { name: "never", ingestLogin: { id: "x", password: "y" } };
  await expect(channels.changeChannel(second.channelId, () => taken)).rejects.toThrow();
  expect((await listed()).map(({ traceId }) => traceId)).toEqual(["c", "b", "a"]);
  expect(again.state).toBe("noted");
  expect((await listed())[1]).toMatchObject({
    ...{ action: "updateChannel", channelId, channelName: "changed", actorName: "bot", time: 10 },
    changes: [
      { field: "channelName", before: newChannel(1).name, after: "changed" },
      { field: "ingestAuth.id", after: "***" },
      { field: "ingestAuth.password", after: "***" },
    ],
  });
});

test("two transactions of one request are one record, and what runs on after the request has none", async () => {
  begin("a");
  const { channelId } = await channels.createChannel(newChannel(1));
  const request = begin("b");
  await channels.changeChannel(channelId, () => ({ name: "one" }));
  await channels.changeChannel(channelId, () => ({ holdSeconds: 7 }));
  request.state = "closed";
  await channels.changeChannel(channelId, () => ({ name: "later" }));
  await audit.appendAudit(request);
  const [record, created] = await listed();
  expect(record?.changes.map(({ field, after }) => [field, after])).toEqual([
    ["channelName", "one"],
    ["hold.seconds", 7],
  ]);
  expect([created?.traceId, (await listed()).length]).toEqual(["a", 2]);
});

test("a change without a channel is in the webhook's queue, and in no list of events", async () => {
  begin("a");
  const deliveries = new SqlDeliveryStore(database);
  await deliveries.setEndpoint("default", { url: "http://default/path", secret: "whsec_x", updateTime: 1 });
  const due = await deliveries.claimDueDeliveries(10, { inFlightMax: 9, perHostMax: 9, retriesMax: 9 }, []);
  expect(due.map(({ channelId, code }) => [channelId, code])).toEqual([["", "SERVER_CHANGED"]]);
  expect((await listed())[0]?.changes).toEqual([
    { field: "callbackEndpoint", after: "http://default/…" },
    { field: "webhookSecret", after: "***" },
  ]);
});

test("old records and those beyond the limit are removed, a few at a time", async () => {
  for (let number = 1; number <= 6; number += 1) await audit.appendAudit(begin(`t${number}`, number * 10));
  expect(await audit.pruneAudit(25, 100, 10)).toBe(2);
  expect(await audit.pruneAudit(0, 2, 1)).toBe(1);
  expect(await audit.pruneAudit(0, 2, 10)).toBe(1);
  expect(await audit.pruneAudit(0, 2, 10)).toBe(0);
  expect((await listed()).map(({ traceId }) => traceId)).toEqual(["t6", "t5"]);
});
