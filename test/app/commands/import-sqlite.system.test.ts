import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { examineData } from "../../../src/app/commands/doctor/data-checks.ts";
import { importSqlite } from "../../../src/app/commands/import-sqlite.ts";
import { ConfigError } from "../../../src/app/config/config-error.ts";
import { DataFolderError, openStorage } from "../../../src/app/data-folder/storage.ts";
import { SqlDashboardStore } from "../../../src/store/access/dashboard-store.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { instanceName } from "../../../src/store/database/instance-name.ts";
import { SqlDeliveryStore } from "../../../src/store/deliveries/delivery-store.ts";
import { SqlEventStore } from "../../../src/store/events/event-store.ts";
import { ImportError } from "../../../src/store/import-tables.ts";
import { SqlReportStore } from "../../../src/store/reports/report-store.ts";
import { newChannel } from "../../store/suites/store-suite-data.ts";
import { PostgresServer } from "../../support/processes/postgres-server.ts";

const PAGE = { number: 1, size: 2_000 };
const EVENTS = 1_200;

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server.close());

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-import-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Everything that the stores say. */
async function contents({ store, database }: Awaited<ReturnType<typeof openStorage>>) {
  const [events, deliveries] = [new SqlEventStore(database), new SqlDeliveryStore(database)];
  const { channels } = await store.listChannels({}, PAGE);
  const [first] = channels;
  const channelId = first?.channelId ?? "";
  return {
    channels: await Promise.all(channels.map((each) => store.findChannel(each.channelId))),
    byKey: await store.findChannelByStreamKey((await store.findChannel(channelId))?.streamKey ?? ""),
    keys: await store.listAccessKeys(),
    events: await events.listEvents({}, PAGE),
    deliveries: await deliveries.listDeliveries({}, PAGE),
    endpoint: await deliveries.findEndpoint("default"),
    reports: await new SqlReportStore(database).listReports(channelId, PAGE),
    password: await new SqlDashboardStore(database).findPasswordHash(),
    instance: await instanceName(database),
  };
}

async function fill(database: Database, store: Awaited<ReturnType<typeof openStorage>>["store"]): Promise<void> {
  for (let index = 1; index <= 3; index += 1) {
    await store.createChannel(newChannel(index, { ingestLogin: { id: `camera${index}`, password: "secret" } }));
  }
  const { channels } = await store.listChannels({}, PAGE);
  const channelId = channels[0]?.channelId ?? "";
  await store.deleteChannel(channels[2]?.channelId ?? "");
  await store.putAccessKey({ accessKeyId: "m1", secretKey: "s1", role: "manager", name: "é 키", createdTime: 1 });
  await new SqlDeliveryStore(database).setEndpoint("default", { url: "https://h/x", secret: "whsec_x", updateTime: 1 });
  const event = { channelId, code: "PUBLISH_START", level: "INFO", description: "d", isForWebhook: true } as const;
  await new SqlEventStore(database).appendEvents(Array.from({ length: EVENTS }, (_, time) => ({ ...event, time })));
  const report = {
    channelId,
    startTime: 5,
    endTime: 9,
    end: "clean",
    interruptions: { list: [], count: 0 },
    targets: [],
  };
  await new SqlReportStore(database).putReports([{ ...report, end: "clean" }]);
  const dashboard = new SqlDashboardStore(database);
  await dashboard.putSetupToken({ tokenHash: "t", expiresTime: 10 }, 1);
  await dashboard.completeSetup("t", 5, "hash", { tokenHash: "session", lastUsedTime: 5 });
}

test("a data folder moves to an empty PostgreSQL database, whole, once", async () => {
  const dataDir = newFolder();
  const encryptionKeyFile = join(dataDir, "encryption.key");
  const source = await openStorage({ dataDir, newDatabase: "yes" });
  await fill(source.database, source.store);
  const before = await contents(source);
  const databaseUrl = server.url(await server.newDatabase());
  const config = { dataDir, encryptionKeyFile, databaseUrl };
  await expect(importSqlite(config)).rejects.toThrow(/another Fanfare server uses the data folder/);
  await source.close();

  const moved = await importSqlite(config);
  expect(moved.get("event")).toBe(EVENTS);
  expect(moved.get("channel")).toBe(3);
  const target = await openStorage(config);
  onTestFinished(() => target.close());
  expect(await contents(target)).toEqual(before);
  expect(before.events.total).toBe(EVENTS);
  // Numbers go on: none is given out twice.
  const added = await target.store.createChannel(newChannel(9));
  expect(added.instanceNo).toBe(4);
  const event = { channelId: "c", code: "PUBLISH_END", level: "INFO", time: 1, description: "d" } as const;
  const [next] = await new SqlEventStore(target.database).appendEvents([{ ...event, isForWebhook: false }]);
  expect(next?.eventId).toBe(EVENTS + 1);

  await expect(importSqlite(config)).rejects.toThrow(ImportError);
  await expect(importSqlite(config)).rejects.toThrow("the PostgreSQL database is not empty: channel has 4 rows.");
});

test("what is missing is said, and nothing is made for it", async () => {
  const dataDir = newFolder();
  await expect(importSqlite({ dataDir })).rejects.toThrow(ConfigError);
  await expect(importSqlite({ dataDir, databaseUrl: server.url("nothing") })).rejects.toThrow(DataFolderError);
});

test("the doctor looks at a PostgreSQL database: reached, keys, targets and clock, and never says its password", async () => {
  const dataDir = newFolder();
  const encryptionKeyFile = join(dataDir, "encryption.key");
  const source = await openStorage({ dataDir, newDatabase: "yes" });
  await source.store.createChannel(newChannel(1));
  await source.close();
  const databaseUrl = server.url(await server.newDatabase());
  const config = { dataDir, encryptionKeyFile, databaseUrl };
  const states = async (given: typeof config) => {
    const examined = await examineData(given);
    return { ...examined, states: examined.findings.map(({ check, state }) => `${check} ${state}`) };
  };
  const empty = await states(config);
  expect([empty.states, empty.targets]).toEqual([["database warning"], undefined]);

  await importSqlite(config);
  const full = await states(config);
  expect(full.states).toEqual(["database ok", "keys ok"]);
  expect(full.targets?.targets.length).toBe(newChannel(1).targets.length);
  expect(Math.abs(full.clockAheadMs ?? Number.NaN)).toBeLessThan(5_000);

  const other = await states({ ...config, encryptionKeyFile: join(dataDir, "none.key") });
  expect([other.states, other.targets]).toEqual([["database ok", "keys failed"], undefined]);
  const missing = await states({ ...config, databaseUrl: server.url("nothing") });
  expect(missing.states).toEqual(["database failed"]);
  expect(missing.findings[0]?.text).toContain("create it with createdb");
  const gone = await states({ ...config, databaseUrl: "postgres://me:topsecret@127.0.0.1:1/fanfare" });
  expect(gone.findings[0]?.text).toContain("postgres://127.0.0.1:1/fanfare cannot be reached");
  expect(gone.findings[0]?.text).not.toContain("topsecret");
});
