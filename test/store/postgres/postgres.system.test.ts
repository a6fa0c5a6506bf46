import { describe, expect, onTestFinished, test } from "vitest";
import { SqlStore } from "../../../src/store/channels/sql-store.ts";
import { storeSuite } from "../suites/store-suite.ts";
import { newChannel } from "../suites/store-suite-data.ts";
import { useTestDatabases } from "../suites/test-databases.ts";
import { KEYS, openNode, startMigratedServer } from "./nodes.ts";

const { server, newDatabase } = await startMigratedServer();

storeSuite("PostgreSQL", async () => new SqlStore(await openNode(server, await newDatabase())));

useTestDatabases(async () => {
  const name = await newDatabase();
  return { open: () => openNode(server, name), remove: async () => undefined };
});
const SUITES = [
  ...(["audit", "channel-list", "contact", "dashboard", "event", "history"] as const),
  ...(["newer-words", "push", "report", "schedule", "source"] as const),
];
// A group for each: the database that a suite makes before each test is for its own tests alone.
for (const suite of SUITES) describe(suite, () => import(`../suites/${suite}-suite.ts`));

test("data that one node wrote is there for another", async () => {
  const name = await newDatabase();
  const [first, second] = [new SqlStore(await openNode(server, name)), new SqlStore(await openNode(server, name))];
  const created = await first.createChannel(newChannel(1));
  expect(await second.findChannel(created.channelId)).toEqual(created);
  await Promise.all([first.close(), second.close()]);
});

test("nodes that start together on an empty database make its tables once", async () => {
  const name = await server.newDatabase();
  const nodes = await Promise.all(Array.from({ length: 4 }, () => openNode(server, name)));
  onTestFinished(async () => void (await Promise.all(nodes.map((node) => node.close()))));
  const stores = nodes.map((node) => new SqlStore(node));
  await Promise.all(stores.map((store, n) => store.createChannel(newChannel(n))));
  expect(await stores[0]?.listChannels({}, { number: 1, size: 10 })).toMatchObject({ total: 4 });
});

test("a node whose keys do not open the secrets is refused, with the source of the keys", async () => {
  const name = await newDatabase();
  await expect(openNode(server, name, [KEYS[1]])).rejects.toThrow("the test lacks the key 0a0b0c0d");
});

test("text is compared by its bytes, and a list of a hundred thousand channels is one parameter", async () => {
  const store = new SqlStore(await openNode(server, await newDatabase()));
  onTestFinished(() => store.close());
  await store.createChannel(newChannel(1));
  const many = Array.from({ length: 100_000 }, (_, n) => `ls-${n}`);
  const page = { number: 1, size: 10 };
  expect(await store.listChannels({ among: { channelIds: many, isInside: true } }, page)).toMatchObject({ total: 0 });
  expect(await store.listChannels({ among: { channelIds: many, isInside: false } }, page)).toMatchObject({ total: 1 });
  const columns = await server.query(
    `select count(*)::int as other from pg_attribute a join pg_class c on c.oid = a.attrelid
     join pg_collation k on k.oid = a.attcollation
     where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attnum > 0 and k.collname <> 'C'
     and c.relname not like 'kysely%'`,
    await newDatabase(),
  );
  expect(columns).toEqual([{ other: 0 }]);
});

test("a program beside a newer one goes on where the newer one's steps allow it, and is refused otherwise", async () => {
  const name = await newDatabase();
  const step = (name: string) => `insert into kysely_migration (name, timestamp) values ('${name}', 'now')`;
  await server.query(`${step("9998-later")}; insert into schema_compat values ('9998-later', '0028-sequences')`, name);
  const beside = await openNode(server, name);
  await new SqlStore(beside).createChannel(newChannel(1));
  await beside.close();
  await server.query(step("9999-latest"), name);
  await expect(openNode(server, name)).rejects.toThrow("was written by a newer Fanfare");
});
