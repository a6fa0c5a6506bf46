import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { SqlStore } from "../../../src/store/channels/sql-store.ts";
import { openPostgresDatabase } from "../../../src/store/postgres/postgres.ts";
import { FaultProxy } from "../../../src/testkit/proxy/fault-proxy.ts";
import { PostgresServer } from "../../support/processes/postgres-server.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { newChannel } from "../suites/store-suite-data.ts";
import { KEYS, migratedDatabases, openNode } from "./nodes.ts";

let server: PostgresServer;
let newDatabase: () => Promise<string>;
beforeAll(async () => {
  // What is acknowledged is in the log that the standby gets.
  server = await PostgresServer.start({ isDurable: true });
  newDatabase = await migratedDatabases(server);
});
afterAll(() => server.close());

const DEADLINE = { timeout: 30_000 };

test("a server that lets nobody into the database any more is one that cannot be reached", async () => {
  const name = await newDatabase();
  const store = new SqlStore(await openNode(server, name));
  onTestFinished(() => store.close());
  const { channelId } = await store.createChannel(newChannel(1));
  const cut = () => server.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
  await server.query(`alter database ${name} with allow_connections false`);
  await cut();
  // The first question may meet the end of a connection.
  for (const _ of [1, 2])
    await expect(store.findChannel(channelId)).rejects.toMatchObject({
      name: "StoreUnavailableError",
      trouble: "unreachable",
    });
  await server.query(`alter database ${name} with allow_connections true`);
  await expect.poll(() => store.findChannel(channelId), DEADLINE).toMatchObject({ channelId });
});

test("after a failover a node whose connections lead to a standby finds the primary, for reading too", async () => {
  const name = await newDatabase();
  await server.addStandby();
  const to = { port: server.port };
  // The name, or the proxy, that leads to the present primary.
  const proxy = await FaultProxy.start({ to });
  onTestFinished(() => proxy.close());
  const url = server.url(name).replace(`:${server.port}/`, `:${proxy.port}/`);
  const store = new SqlStore(await openPostgresDatabase({ url, keys: KEYS, keysFrom: "the test" }));
  onTestFinished(() => store.close());
  const { channelId } = await store.createChannel(newChannel(1));
  // It has this channel, and gets none that is made later.
  await server.cutStandby();
  // For a moment the name leads to a server that has become a standby.
  to.port = server.standbyPort;
  proxy.reset();
  await expect
    .poll(() => store.createChannel(newChannel(2)).catch(({ trouble }) => trouble), DEADLINE)
    .toBe("unwritable");
  expect(await store.findChannel(channelId)).toMatchObject({ channelId });
  to.port = server.port;
  const write = () => store.createChannel(newChannel(3)).catch(() => undefined);
  const { channelId: latest } = await waitFor("a write", 30_000, write);
  await expect.poll(() => store.findChannel(latest), DEADLINE).toMatchObject({ channelId: latest });
});
