import { sql } from "kysely";
import { expect, onTestFinished, test, vi } from "vitest";
import { SqlStore } from "../../../src/store/channels/sql-store.ts";
import type { DatabaseNews } from "../../../src/store/database/database.ts";
import { probeWrite } from "../../../src/store/database/write-probe.ts";
import type { PoolTimeouts } from "../../../src/store/postgres/pool.ts";
import { openPostgresDatabase } from "../../../src/store/postgres/postgres.ts";
import { FaultProxy } from "../../../src/testkit/proxy/fault-proxy.ts";
import { PostgresServer } from "../../support/processes/postgres-server.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { newChannel } from "../suites/store-suite-data.ts";
import { KEYS, openNode, startMigratedServer } from "./nodes.ts";

// What is acknowledged is in the log that the standby gets.
const { server, newDatabase } = await startMigratedServer({ isDurable: true });

const DEADLINE = { timeout: 30_000 };

test("a server that lets nobody into the database any more is one that cannot be reached", async () => {
  const name = await newDatabase();
  const store = new SqlStore(await openNode(server, name));
  onTestFinished(() => store.close());
  const { channelId } = await store.createChannel(newChannel(1));
  // Until each of them is gone: on a busy machine one would still answer.
  const cut = () =>
    server.query(`select pg_terminate_backend(pid, 30000) from pg_stat_activity where datname = '${name}'`);
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

/** A node that logs in as a user who is no superuser: limits and rights hold for it. */
async function plainNode(timeouts?: PoolTimeouts) {
  const name = await server.newDatabase();
  const user = `user_of_${name}`;
  await server.query(`create role ${user} login; alter database ${name} owner to ${user}`);
  const url = server.url(name).replace("//postgres@", `//${user}@`);
  const database = await openPostgresDatabase({
    ...{ url, keys: KEYS, keysFrom: "the test" },
    ...(timeouts === undefined ? {} : { timeouts }),
  });
  onTestFinished(() => database.close());
  const news: DatabaseNews[] = [];
  database.watch((each) => news.push(each));
  const query = (statement: string) => server.query(statement, name);
  const cut = () => query(`select pg_terminate_backend(pid, 30000) from pg_stat_activity where usename = '${user}'`);
  return { user, database, store: new SqlStore(database), news, query, cut };
}

test("a server without a free connection is told apart from one that cannot be reached, in the answer and in the log", async () => {
  const { user, store, news, query, cut } = await plainNode();
  const { channelId } = await store.createChannel(newChannel(1));
  await query(`alter role ${user} connection limit 0`);
  await cut();
  // The first question may meet the end of a connection.
  await store.findChannel(channelId).catch(() => undefined);
  await store.createChannel(newChannel(2)).catch(() => undefined);
  const reason = `too many connections for role "${user}"`;
  for (const ask of [() => store.findChannel(channelId), () => store.createChannel(newChannel(3))])
    await expect(ask()).rejects.toMatchObject({ trouble: "crowded", message: expect.stringContaining(reason) });
  await query(`alter role ${user} connection limit -1`);
  await expect.poll(() => store.createChannel(newChannel(4)).catch(() => undefined), DEADLINE).toBeDefined();
  expect(await store.findChannel(channelId)).toMatchObject({ channelId });
  expect(news.map(({ kind }) => kind)).toEqual(["refused", "writable"]);
});

test("a right that was taken away refuses statements, says which, and is one trouble while other tables take writes", async () => {
  const { user, database, store, news, query } = await plainNode();
  const { channelId } = await store.createChannel(newChannel(1));
  await query(`revoke all on channel from ${user}`);
  const refused = { name: "StoreUnavailableError", trouble: "refused" };
  const message = expect.stringContaining("permission denied for table channel");
  await expect(store.findChannel(channelId)).rejects.toMatchObject({ ...refused, message });
  const detail = "permission denied for table channel";
  for (let count = 0; count < 3; count += 1) {
    await expect(store.createChannel(newChannel(2))).rejects.toMatchObject({ ...refused, message });
    await probeWrite(database);
    expect(news).toEqual([{ kind: "refused", trouble: "refused", detail }]);
  }
  await query(`grant all on channel to ${user}`);
  await store.createChannel(newChannel(3));
  expect(await store.findChannel(channelId)).toMatchObject({ channelId });
  expect(news).toHaveLength(1);
  // Nothing was refused for as long as something is tried again.
  const now = performance.now.bind(performance);
  const later = vi.spyOn(performance, "now").mockImplementation(() => now() + 10_000);
  onTestFinished(() => later.mockRestore());
  await probeWrite(database);
  expect(news.slice(1)).toEqual([{ kind: "writable" }]);
});

test("connections whose first question is refused are closed: as many of them as a pool may have block nothing", async () => {
  const { store, query, cut } = await plainNode();
  const { channelId } = await store.createChannel(newChannel(1));
  await query("revoke execute on function pg_is_in_recovery() from public");
  await cut();
  // The first question may meet the end of a connection.
  for (let count = 0; count < 10; count += 1)
    await expect(store.findChannel(channelId)).rejects.toMatchObject({ name: "StoreUnavailableError" });
  await query("grant execute on function pg_is_in_recovery() to public");
  expect(await store.findChannel(channelId)).toMatchObject({ channelId });
});

test("a statement that the server gives up is a slow database, not a locked one", async () => {
  const { database } = await plainNode({ statementMs: 100, lockMs: 30_000, answerMs: 40_000, connectMs: 40_000 });
  const ask = () => database.read((db) => sql`select pg_sleep(60)`.execute(db));
  await expect(ask()).rejects.toMatchObject({ trouble: "slow", message: expect.stringContaining("statement timeout") });
});

test("when a firewall forgets all connections, one question finds that out for all of them", async () => {
  const name = await newDatabase();
  const forgetful = await FaultProxy.start({ to: { port: server.port } });
  const to = { port: forgetful.port };
  const proxy = await FaultProxy.start({ to });
  onTestFinished(async () => {
    await proxy.close();
    await forgetful.close();
  });
  const url = server.url(name).replace(`:${server.port}/`, `:${proxy.port}/`);
  const timeouts = { statementMs: 30_000, lockMs: 30_000, answerMs: 2_000, connectMs: 40_000 };
  const database = await openPostgresDatabase({ url, keys: KEYS, keysFrom: "the test", timeouts });
  onTestFinished(() => database.close());
  const ask = () => database.read((db) => sql`select pg_sleep(0.1)`.execute(db));
  await Promise.all(Array.from({ length: 8 }, ask));
  forgetful.blackhole();
  to.port = server.port;
  await expect(ask()).rejects.toMatchObject({ trouble: "unreachable" });
  for (let count = 0; count < 8; count += 1) await ask();
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

test("a node whose connections lead to a primary that was made read-only finds the one that replaced it, for reading too", async () => {
  const name = await newDatabase();
  const successor = await PostgresServer.start();
  onTestFinished(() => successor.close());
  await successor.query(`create database ${name}`);
  await (await openNode(successor, name)).close();
  const to = { port: server.port };
  const proxy = await FaultProxy.start({ to });
  onTestFinished(() => proxy.close());
  const url = server.url(name).replace(`:${server.port}/`, `:${proxy.port}/`);
  const store = new SqlStore(await openPostgresDatabase({ url, keys: KEYS, keysFrom: "the test" }));
  onTestFinished(() => store.close());
  const { channelId } = await store.createChannel(newChannel(1));
  expect(await store.findChannel(channelId)).toMatchObject({ channelId });
  const set = async (change: string) => {
    await server.query(`alter system ${change}`);
    await server.query("select pg_reload_conf()");
  };
  onTestFinished(() => set("reset default_transaction_read_only"));
  await set("set default_transaction_read_only = on");
  await expect
    .poll(() => store.createChannel(newChannel(2)).catch(({ trouble }) => trouble), DEADLINE)
    .toBe("unwritable");
  // The former primary goes on for reading: nothing closes the connections to it.
  to.port = successor.port;
  const write = () => store.createChannel(newChannel(3)).catch(() => undefined);
  const { channelId: latest } = await waitFor("a write", 30_000, write);
  expect(await store.findChannel(latest)).toMatchObject({ channelId: latest });
});
