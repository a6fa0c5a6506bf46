import { expect, test } from "vitest";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import { newChannel } from "../suites/store-suite-data.ts";
import { openNode, startServer, storesOf } from "./nodes.ts";

/** More by hand: `POSTGRES_KILLS=100`. */
const KILLS = Number(process.env["POSTGRES_KILLS"] ?? 3);
const NAMES_BETWEEN_KILLS = 40;

const server = await startServer({ isDurable: true });

test("two nodes report the kill of their PostgreSQL, go on by themselves, and lose no acknowledged write", async () => {
  const name = await server.newDatabase();
  const nodes = [storesOf(await openNode(server, name)), storesOf(await openNode(server, name))];
  let acknowledged = 0;
  let refused = 0;
  let index = 0;
  let isOver = false;
  const written = new Set<string>();
  const write = async ({ channels }: (typeof nodes)[number]) => {
    while (!isOver) {
      index += 1;
      try {
        written.add((await channels.createChannel(newChannel(index))).channelId);
        acknowledged += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(StoreUnavailableError);
        expect(error).toMatchObject({ trouble: "unreachable" });
        refused += 1;
        await server.isBack;
      }
    }
  };
  const writers = nodes.map(write);
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const before = acknowledged;
      await expect.poll(() => acknowledged - before, { timeout: 60_000 }).toBeGreaterThan(NAMES_BETWEEN_KILLS);
      await server.kill();
      await server.resume();
    }
  } finally {
    isOver = true;
    await Promise.all(writers);
  }
  expect(refused).toBeGreaterThanOrEqual(KILLS);
  const found = new Set(await nodes[0]?.channels.listChannelIds());
  expect([...written].filter((channelId) => !found.has(channelId))).toEqual([]);
  for (const { database } of nodes) await database.close();
});
