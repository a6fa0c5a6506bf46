import { beforeEach, expect, test } from "vitest";
import { ConnectionPlaces, type PlacedConnection } from "../../../src/http/server/connection-places.ts";

let places: ConnectionPlaces;
let away: string[];
beforeEach(() => {
  places = new ConnectionPlaces({ connectionsMax: 4, unauthenticatedPerAddressMax: 2 });
  away = [];
});

class Caller implements PlacedConnection {
  isBusy = false;
  readonly name: string;
  readonly address: string;
  readonly isShared: boolean;
  constructor(name: string, address: string, isShared = false) {
    this.name = name;
    this.address = address;
    this.isShared = isShared;
  }
  isIdle(): boolean {
    return !this.isBusy;
  }
  turnAway(): void {
    away.push(this.name);
  }
}

/** Connects, and returns whether it got a place. */
function come(name: string, address: string, isShared = false): Caller {
  const caller = new Caller(name, address, isShared);
  if (!places.enter(caller)) away.push(`${name} refused`);
  return caller;
}

test("over its share an address loses its oldest connection, and other addresses none", () => {
  come("other", "203.0.113.1");
  for (const name of ["a", "b", "c"]) come(name, "192.0.2.1");
  expect(away).toEqual(["a"]);
  come("d", "192.0.2.1");
  expect(away).toEqual(["a", "b"]);
});

test.each([
  ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", ["a"]],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", []],
  ["192.0.2.1", "::ffff:192.0.2.1", ["a"]],
])("%s and %s have one share: %j goes", (one, other, gone) => {
  come("a", one);
  come("b", one);
  come("c", other);
  expect(away).toEqual(gone);
});

test("the share counts unauthenticated connections alone, and an authenticated one keeps its place", () => {
  places.recognise(come("a", "192.0.2.1"));
  places.recognise(come("b", "192.0.2.1"));
  come("c", "192.0.2.1");
  come("d", "192.0.2.1");
  expect(away).toEqual([]);
  come("e", "192.0.2.1");
  expect(away).toEqual(["c"]);
});

test("when all places are taken the oldest unauthenticated connection goes, whatever the newcomer is", () => {
  come("a", "192.0.2.1");
  come("b", "192.0.2.2");
  places.recognise(come("c", "192.0.2.3"));
  come("d", "192.0.2.4");
  come("e", "192.0.2.5");
  come("f", "192.0.2.6");
  expect(away).toEqual(["a", "b"]);
});

test("a shared address has no share, and its connections go after all other unauthenticated ones", () => {
  for (const name of ["p", "q", "r"]) come(name, "10.0.0.1", true);
  come("a", "192.0.2.1");
  expect(away).toEqual([]);
  come("s", "10.0.0.1", true);
  expect(away).toEqual(["a"]);
  come("b", "192.0.2.2");
  expect(away).toEqual(["a", "p"]);
});

test("where all have authenticated an idle connection goes, and without one the newcomer is refused", () => {
  const known = ["a", "b", "c", "d"].map((name, index) => come(name, `192.0.2.${index}`));
  for (const caller of known) {
    places.recognise(caller);
    caller.isBusy = caller.name !== "c";
  }
  come("e", "203.0.113.1");
  expect(away).toEqual(["c"]);
  const [, , , last] = known;
  if (last !== undefined) places.leave(last);
  come("f", "203.0.113.1");
  expect(away).toEqual(["c"]);
  come("g", "203.0.113.2");
  expect(away).toEqual(["c", "e"]);
});

test("places that were left are free again, and leaving twice frees one", () => {
  const callers = [1, 2, 3, 4].map((host) => come(`${host}`, `192.0.2.${host}`));
  for (const caller of callers) places.recognise(caller);
  for (const caller of callers) caller.isBusy = true;
  const [first] = callers;
  if (first !== undefined) for (let count = 0; count < 2; count += 1) places.leave(first);
  places.recognise(come("e", "192.0.2.9"));
  expect(away).toEqual([]);
});
