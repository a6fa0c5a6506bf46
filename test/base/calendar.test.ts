import { expect, test } from "vitest";
import { endOf, isDate, lastStart, nextStart, nextStarts, type Timing } from "../../src/base/calendar/timing.ts";
import { isTimeZone, localTime, momentOf } from "../../src/base/calendar/zone-time.ts";

const at = (text: string): number => Date.parse(text);
const iso = (atMs: number | undefined): string | undefined =>
  atMs === undefined ? undefined : new Date(atMs).toISOString().replace(".000Z", "Z");
const seconds = (time: string): number => (at(`1970-01-01T${time}:00Z`) - 0) / 1_000;
const daily = (timeZone: string, time: string): Timing => ({
  ...{ timeZone, atSeconds: seconds(time) },
  repeat: { kind: "daily" },
});

test.each([
  { zone: "Asia/Seoul", local: "2026-07-01T20:00", moment: "2026-07-01T11:00:00Z" },
  { zone: "UTC", local: "2026-07-01T20:00", moment: "2026-07-01T20:00:00Z" },
  { zone: "Europe/Berlin", local: "2026-07-01T20:00", moment: "2026-07-01T18:00:00Z" },
  // Clocks skip 02:00 to 03:00: the moment of the jump.
  { zone: "Europe/Berlin", local: "2026-03-29T02:30", moment: "2026-03-29T01:00:00Z" },
  { zone: "Europe/Berlin", local: "2026-03-29T02:00", moment: "2026-03-29T01:00:00Z" },
  { zone: "Europe/Berlin", local: "2026-03-29T03:00", moment: "2026-03-29T01:00:00Z" },
  { zone: "Europe/Berlin", local: "2026-03-29T01:59", moment: "2026-03-29T00:59:00Z" },
  // They show 02:00 to 03:00 twice: the first time.
  { zone: "Europe/Berlin", local: "2026-10-25T02:30", moment: "2026-10-25T00:30:00Z" },
  { zone: "Europe/Berlin", local: "2026-10-25T03:00", moment: "2026-10-25T02:00:00Z" },
  { zone: "America/New_York", local: "2026-03-08T02:30", moment: "2026-03-08T07:00:00Z" },
  { zone: "America/New_York", local: "2026-11-01T01:30", moment: "2026-11-01T05:30:00Z" },
  // Half an hour.
  { zone: "Australia/Lord_Howe", local: "2026-10-04T02:15", moment: "2026-10-03T15:30:00Z" },
  { zone: "Australia/Lord_Howe", local: "2026-04-05T01:45", moment: "2026-04-04T14:45:00Z" },
  { zone: "America/St_Johns", local: "2026-12-31T23:59", moment: "2027-01-01T03:29:00Z" },
  // A whole day was skipped.
  { zone: "Pacific/Apia", local: "2011-12-30T12:00", moment: "2011-12-30T10:00:00Z" },
])("clocks in $zone show $local at $moment", ({ zone, local, moment }) => {
  expect(iso(momentOf(zone, at(`${local}Z`)))).toBe(moment);
});

test("a moment and its local time belong together, every hour of two years in nine zones", () => {
  const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Seoul", "Pacific/Chatham"];
  for (const zone of [...zones, "Africa/Casablanca", "America/Sao_Paulo", "Asia/Kathmandu", "UTC"]) {
    for (let atMs = at("2026-01-01T00:00Z"); atMs < at("2028-01-01T00:00Z"); atMs += 7 * 3_600_000) {
      const local = localTime(zone, atMs);
      const found = momentOf(zone, local);
      // Of a local time that comes twice it is the first.
      expect([local, found <= atMs]).toEqual([localTime(zone, found), true]);
    }
  }
});

test.each([
  {
    name: "the same day",
    timing: daily("Europe/Berlin", "20:00"),
    after: "2026-07-01T17:59:59Z",
    next: "2026-07-01T18:00:00Z",
  },
  {
    name: "the next day at the start itself",
    timing: daily("Europe/Berlin", "20:00"),
    after: "2026-07-01T18:00:00Z",
    next: "2026-07-02T18:00:00Z",
  },
  {
    name: "into winter time",
    timing: daily("Europe/Berlin", "20:00"),
    after: "2026-10-24T18:00:00Z",
    next: "2026-10-25T19:00:00Z",
  },
  {
    name: "over the year's end",
    timing: daily("America/New_York", "23:30"),
    after: "2026-12-31T04:30:00Z",
    next: "2027-01-01T04:30:00Z",
  },
  {
    name: "in a zone that is a day ahead",
    timing: daily("Pacific/Kiritimati", "00:30"),
    after: "2026-06-30T11:00:00Z",
    next: "2026-07-01T10:30:00Z",
  },
  {
    name: "the next chosen day",
    timing: { ...daily("Asia/Seoul", "09:00"), repeat: { kind: "weekly", days: ["SUN", "WED"] } } satisfies Timing,
    after: "2026-12-24T00:00:00Z",
    next: "2026-12-27T00:00:00Z",
  },
  {
    name: "the same day of the next week",
    timing: { ...daily("Asia/Seoul", "09:00"), repeat: { kind: "weekly", days: ["THU"] } } satisfies Timing,
    after: "2026-12-24T00:00:00Z",
    next: "2026-12-31T00:00:00Z",
  },
  {
    name: "the day of the week of the zone",
    timing: { ...daily("America/New_York", "22:00"), repeat: { kind: "weekly", days: ["MON"] } } satisfies Timing,
    after: "2026-12-01T00:00:00Z",
    next: "2026-12-01T03:00:00Z",
  },
  {
    name: "once",
    timing: { ...daily("Asia/Seoul", "09:00"), repeat: { kind: "once", date: "2027-02-28" } } satisfies Timing,
    after: "2026-12-24T00:00:00Z",
    next: "2027-02-28T00:00:00Z",
  },
  {
    name: "never again",
    timing: { ...daily("Asia/Seoul", "09:00"), repeat: { kind: "once", date: "2026-12-24" } } satisfies Timing,
    after: "2026-12-24T00:00:00Z",
    next: undefined,
  },
])("the next start is $name", ({ timing, after, next }) => {
  expect(iso(nextStart(timing, at(after)))).toBe(next);
  if (next === undefined) return;
  expect(lastStart(timing, at(after), at(next))).toBe(at(next));
  expect(lastStart(timing, at(next), at(next) + 60_000)).toBe(undefined);
});

test("a daily start comes once on each day of a year, also on those with a jump", () => {
  for (const zone of ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Seoul"]) {
    for (const time of ["01:45", "02:15", "02:30"]) {
      const starts = nextStarts(daily(zone, time), at("2026-01-01T12:00Z"), 365);
      const dates = starts.map((atMs) => new Date(localTime(zone, atMs)).toISOString().slice(0, 10));
      expect([zone, time, new Set(dates).size]).toEqual([zone, time, 365]);
      const apart = starts.slice(1).map((atMs, index) => (atMs - (starts[index] ?? 0)) / 3_600_000);
      expect(Math.max(...apart)).toBeLessThanOrEqual(25);
      expect(Math.min(...apart)).toBeGreaterThanOrEqual(22.5);
    }
  }
});

test.each([
  { name: "the same day", time: "20:00", end: "22:00", start: "2026-07-01T18:00:00Z", over: "2026-07-01T20:00:00Z" },
  { name: "the next day", time: "22:00", end: "02:00", start: "2026-07-01T20:00:00Z", over: "2026-07-02T00:00:00Z" },
  { name: "a day later", time: "20:00", end: "20:00", start: "2026-07-01T18:00:00Z", over: "2026-07-02T18:00:00Z" },
  {
    name: "an hour later in autumn",
    time: "22:00",
    end: "04:00",
    start: "2026-10-24T20:00:00Z",
    over: "2026-10-25T03:00:00Z",
  },
  {
    name: "the jump, where clocks skip it",
    time: "01:30",
    end: "02:50",
    start: "2026-03-29T00:30:00Z",
    over: "2026-03-29T01:00:00Z",
  },
  {
    name: "at its time, where clocks skip the start",
    time: "02:10",
    end: "03:20",
    start: "2026-03-29T01:00:00Z",
    over: "2026-03-29T01:20:00Z",
  },
  {
    name: "as far behind the jump as the run is long, where clocks skip all of it",
    time: "02:10",
    end: "02:50",
    start: "2026-03-29T01:00:00Z",
    over: "2026-03-29T01:40:00Z",
  },
  {
    name: "a day later, where clocks skip the start",
    time: "02:10",
    end: "02:10",
    start: "2026-03-29T01:00:00Z",
    over: "2026-03-30T00:10:00Z",
  },
])("the end is $name", ({ time, end, start, over }) => {
  expect(iso(endOf(daily("Europe/Berlin", time), at(start), { atSeconds: seconds(end) }))).toBe(over);
});

test.each([
  // Clocks in Nuuk go from 23:00 to midnight.
  { name: "all of it", time: "23:10", end: "23:40", over: "2026-03-29T01:30:00Z" },
  { name: "its start", time: "23:10", end: "02:00", over: "2026-03-29T03:00:00Z" },
])("a run ends after its own length also where a jump over midnight skips $name", ({ time, end, over }) => {
  const timing = daily("America/Nuuk", time);
  const start = nextStart(timing, at("2026-03-28T12:00:00Z"));
  expect(iso(start)).toBe("2026-03-29T01:00:00Z");
  expect(iso(endOf(timing, start ?? 0, { atSeconds: seconds(end) }))).toBe(over);
});

test("every run of a year in nine zones has a length, which a jump changes by no more than itself", () => {
  const zones = ["Europe/Berlin", "America/New_York", "America/Nuuk", "America/Havana", "Australia/Lord_Howe"];
  for (const zone of [...zones, "Asia/Beirut", "Africa/Cairo", "Asia/Seoul", "Pacific/Chatham"]) {
    for (const time of ["00:10", "02:10", "23:10"]) {
      const timing = daily(zone, time);
      for (let start = nextStart(timing, at("2026-01-01T00:00Z")) ?? 0; start < at("2027-01-01T00:00Z"); ) {
        const minutes = (endOf(timing, start, { atSeconds: seconds(time) + 1_800 }) - start) / 60_000;
        expect([zone, time, iso(start), minutes > 0 && minutes <= 90]).toEqual([zone, time, iso(start), true]);
        start = nextStart(timing, start) ?? Infinity;
      }
    }
  }
});

test("names of zones and dates are checked", () => {
  expect(["Europe/Berlin", "UTC", "Etc/GMT+5"].map(isTimeZone)).toEqual([true, true, true]);
  expect(["", "Mars", "+09:00", "a".repeat(65), "Europe/Berlin "].map(isTimeZone)).toEqual(Array(5).fill(false));
  expect(["2028-02-29", "2026-12-31"].map(isDate)).toEqual([true, true]);
  expect(["2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", ""].map(isDate)).toEqual(Array(5).fill(false));
});
