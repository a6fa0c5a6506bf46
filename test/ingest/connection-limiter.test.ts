import { expect, test } from "vitest";
import { type Connection, ConnectionLimiter, type ConnectionLimits } from "../../src/ingest/connection-limiter.ts";
import { FailedKeys } from "../../src/ingest/publish/failed-keys.ts";

/** A limiter, and the names of the connections it closed. */
function open(limits: ConnectionLimits) {
  const limiter = new ConnectionLimiter(limits);
  const away: string[] = [];
  const connection = (name: string, address = "192.0.2.1"): Connection => ({
    address,
    turnAway: () => away.push(name),
  });
  return { limiter, away, connection };
}

test("the oldest unauthenticated connection of an address that has too many makes room, and no other address is affected", () => {
  const { limiter, away, connection } = open({ unauthenticatedPerAddressMax: 2 });
  limiter.enter(connection("elsewhere", "192.0.2.2"));
  for (const name of ["a", "b", "c", "d"]) expect(limiter.enter(connection(name))).toBe(true);
  expect(away).toEqual(["a", "b"]);
});

test("a connection that has shown a good key counts no more, and stays", () => {
  const { limiter, away, connection } = open({ unauthenticatedPerAddressMax: 1 });
  for (const name of ["a", "b", "c"]) {
    const encoder = connection(name);
    limiter.enter(encoder);
    limiter.recognise(encoder);
  }
  limiter.enter(connection("d"));
  expect(away).toEqual([]);
});

test("where all places are taken the oldest unauthenticated connection makes room; where encoders have them all, none does", () => {
  const { limiter, away, connection } = open({ connectionsMax: 2 });
  const encoders = ["a", "b"].map((name, index) => connection(name, `192.0.2.${index}`));
  for (const encoder of encoders) limiter.enter(encoder);
  const [first, second] = encoders as [Connection, Connection];
  limiter.recognise(first);
  const third = connection("c", "192.0.2.9");
  expect(limiter.enter(third)).toBe(true);
  expect(away).toEqual(["b"]);
  limiter.recognise(third);
  expect(limiter.enter(connection("d"))).toBe(false);
  expect(away).toEqual(["b"]);
  // A connection that was refused and closes later frees no other connection's place.
  limiter.leave(second);
  limiter.leave(first);
  expect(limiter.enter(connection("e"))).toBe(true);
});

test("places are counted over all threads: unauthenticated connections of this thread make room, and without any there is none", () => {
  const counts: number[] = [];
  let elsewhere = 1;
  const limiter = new ConnectionLimiter(
    { connectionsMax: 3 },
    { onCount: (count) => counts.push(count), elsewhere: () => elsewhere },
  );
  const away: string[] = [];
  const connection = (name: string): Connection => ({ address: name, turnAway: () => away.push(name) });
  const known = connection("a");
  expect([limiter.enter(known), limiter.enter(connection("b")), limiter.enter(connection("c"))]).toEqual([
    true,
    true,
    true,
  ]);
  expect(away).toEqual(["a"]);
  expect(counts.at(-1)).toBe(2);
  elsewhere = 3;
  expect([limiter.enter(connection("d")), away, counts.at(-1)]).toEqual([false, ["a", "b"], 1]);
  elsewhere = 2;
  expect(limiter.enter(connection("e"))).toBe(true);
  const encoder = connection("f");
  elsewhere = 1;
  limiter.enter(encoder);
  limiter.recognise(encoder);
  expect(counts.at(-1)).toBe(2);
});

test("five wrong keys within a minute are refused at once, further ones later and later, and after a quiet minute they are forgotten", () => {
  const keys = new FailedKeys();
  const delays = Array.from({ length: 9 }, (_, index) => keys.add("192.0.2.1", index * 1_000));
  expect(delays).toEqual([0, 0, 0, 0, 0, 1_000, 2_000, 4_000, 4_000]);
  expect(keys.add("192.0.2.2", 9_000)).toBe(0);
  expect(keys.add("192.0.2.1", 8_000 + 60_000)).toBe(0);
});

test.each([
  ["a /56 of ever new /64s", (count: number) => `2001:db8:0:${count.toString(16)}::1`, 20],
  ["a /48 of ever new /56s", (count: number) => `2001:db8:0:${(count * 256).toString(16)}::1`, 80],
  ["a /24 of ever new addresses", (count: number) => `192.0.2.${count}`, 20],
])("a peer that owns %s waits too", (_what, address, freeCount) => {
  const keys = new FailedKeys();
  const delays = Array.from({ length: freeCount + 2 }, (_, count) => keys.add(address(count), 0));
  expect(delays.slice(freeCount - 1)).toEqual([0, 1_000, 2_000]);
  expect(keys.add("2001:db8:1::1", 0)).toBe(0);
});

test("10,000 addresses are remembered, and the one unseen for longest is forgotten first", () => {
  const keys = new FailedKeys();
  const fail = (address: string, count: number) => Array.from({ length: count }, () => keys.add(address, 0)).at(-1);
  expect(fail("first", 6)).toBe(1_000);
  expect(fail("second", 6)).toBe(1_000);
  for (let count = 0; count < 9_999; count += 1) keys.add(`10.${count >> 8}.${count & 255}.1`, 0);
  expect(keys.add("second", 0)).toBe(2_000);
  expect(keys.add("first", 0)).toBe(0);
});
