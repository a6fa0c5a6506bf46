import { expect, test } from "vitest";
import { readWindows, windowsText } from "../../web/src/parts/schedules/windows-text.ts";

test.each([
  ["mon fri 20:00-22:00", [{ days: ["MON", "FRI"], startAt: "20:00", endAt: "22:00" }]],
  ["월 금 9:00~22:00:30", [{ days: ["MON", "FRI"], startAt: "09:00", endAt: "22:00:30" }]],
  ["TUE-THU, SUN 08:00 - 09:00", [{ days: ["TUE", "WED", "THU", "SUN"], startAt: "08:00", endAt: "09:00" }]],
  ["토~월 08:00-09:00", [{ days: ["MON", "SAT", "SUN"], startAt: "08:00", endAt: "09:00" }]],
  ["\n", []],
])("%j is read", (text, open) => {
  expect(readWindows(text)).toEqual(open);
});

test.each(["MOON 20:00-22:00", "MON 20:00", "MON-TUE-XXX", ", 20:00-22:00", "월요 20:00-22:00"])(
  "%j is none",
  (text) => {
    expect(readWindows(text)).toBeUndefined();
  },
);

test("what is written in either language is read again; every day has no names", () => {
  const open = readWindows("MON WED 20:00-22:00\n23:00-01:00") ?? [];
  expect(windowsText(open, "en")).toBe("MON WED 20:00-22:00\n23:00-01:00");
  expect(windowsText(open, "ko")).toBe("월 수 20:00-22:00\n23:00-01:00");
  expect(readWindows(windowsText(open, "ko"))).toEqual(open);
});
