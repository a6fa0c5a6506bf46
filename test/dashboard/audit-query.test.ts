import { expect, test } from "vitest";
import { NO_FILTER, queryOf } from "../../web/src/parts/audit/audit-query.ts";

test("days of this browser's calendar are asked for whole", () => {
  const { fromTime = 0, toTime = 0 } = queryOf({ ...NO_FILTER, fromDay: "2026-11-30", toDay: "2026-11-30" });
  expect(fromTime).toBe(new Date(2026, 10, 30).getTime());
  expect(toTime).toBe(new Date(2026, 11, 1).getTime() - 1);
  expect(queryOf(NO_FILTER)).toEqual({});
});

test.each(["0002-11-30", "0202-11-30", "20260-11-30", "275760-09-12", "275760-09-13"])(
  "a year that is half typed is one that the API takes: %s",
  (day) => {
    const times = Object.values(queryOf({ ...NO_FILTER, fromDay: day, toDay: day }));
    expect(times).toHaveLength(2);
    for (const time of times) expect(String(time)).toMatch(/^\d{1,15}$/);
  },
);
