import { afterEach, beforeEach, expect, test } from "vitest";
import { SqlStore } from "../../../src/store/channels/sql-store.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { SqlSourceStore } from "../../../src/store/sources/source-store.ts";
import { newChannel } from "./store-suite-data.ts";
import { newTestDatabase, type TestDatabase } from "./test-databases.ts";

let place: TestDatabase;
let database: Database;
let store: SqlSourceStore;
let channelId = "";
beforeEach(async () => {
  place = await newTestDatabase();
  database = await place.open();
  store = new SqlSourceStore(database);
  ({ channelId } = await new SqlStore(database).createChannel(newChannel(1)));
});
afterEach(async () => {
  await database.close();
  await place.remove();
});

const SOURCE = { kind: "pull", url: "rtmp://media.example.com/live/key" } as const;
const RUN = { scheduleId: "sc-1", source: { kind: "files", fileIds: ["mf-a"], isLooped: true }, endTime: 5 } as const;

test("what a person set and what plays are written apart", async () => {
  // Of two processes one sets the source and one the slate.
  await store.putSource(channelId, SOURCE);
  await store.putSlate(channelId, "mf-s");
  expect(await store.putProgress({ channelId, isWanted: true, position: 2, scheduled: RUN, node: 7 })).toBe(true);
  const whole = {
    channelId,
    source: SOURCE,
    slateFileId: "mf-s",
    isWanted: true,
    position: 2,
    scheduled: RUN,
    node: 7,
  };
  expect(await store.listSources()).toEqual([whole]);
  expect([await store.findSource(channelId), await store.findSource("ls-unknown")]).toEqual([whole, undefined]);
  await store.putSource(channelId, undefined);
  const { source: _gone, ...others } = whole;
  expect(await store.listSources()).toEqual([others]);
  await store.putSlate(channelId, undefined);
  expect(await store.listSources()).toEqual([{ channelId, isWanted: true, position: 2, scheduled: RUN, node: 7 }]);
});

test("what plays at one process is not overwritten by another, until it has ended", async () => {
  const playing = { channelId, isWanted: true, position: 0 };
  expect(await store.putProgress({ ...playing, node: 1 })).toBe(true);
  expect(await store.putProgress({ ...playing, node: 2 })).toBe(false);
  expect(await store.putProgress({ ...playing, isWanted: false, node: 2 })).toBe(false);
  expect(await store.putProgress({ ...playing, position: 3, isWanted: false, node: 1 })).toBe(true);
  expect(await store.putProgress({ ...playing, node: 2 })).toBe(true);
  expect(await store.listSources()).toEqual([{ ...playing, node: 2 }]);
});

test("of several processes that take a source over one succeeds", async () => {
  await store.putProgress({ channelId, isWanted: true, position: 4, node: 1 });
  const claims = await Promise.all([2, 3, 4].map((node) => store.claimSource(channelId, 1, node)));
  expect(claims.filter((isMine) => isMine)).toHaveLength(1);
  const [stored] = await store.listSources();
  expect(stored).toEqual({ channelId, isWanted: true, position: 4, node: claims.indexOf(true) + 2 });
  // The former one is told so by its next write.
  expect(await store.putProgress({ channelId, isWanted: false, position: 0, node: 1 })).toBe(false);
});
