import type { Platform } from "../../base/model.ts";

/** The times at which a platform is on. */
type Windows = NonNullable<Platform["windows"]>["open"];
type Day = (typeof DAYS)[number];

const DAYS = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;
const KOREAN_DAYS = ["월", "화", "수", "목", "금", "토", "일"] as const;
const DAY_NAMES: readonly (readonly string[])[] = [DAYS, KOREAN_DAYS];
const LINE = /^(?:([\p{L}, ~–-]+) )?(\d\d?:\d\d(?::\d\d)?) ?[-–~] ?(\d\d?:\d\d(?::\d\d)?)$/u;

/** Writes windows as people do, one a line: `MON FRI 20:00-22:00`, in Korean `월 금 20:00-22:00`. */
export function windowsText(open: Windows, language: "en" | "ko"): string {
  const names = language === "ko" ? KOREAN_DAYS : DAYS;
  return open
    .map(({ days, startAt, endAt }) => {
      const chosen = days.length === DAYS.length ? "" : `${days.map((day) => names[DAYS.indexOf(day)]).join(" ")} `;
      return `${chosen}${startAt}-${endAt}`;
    })
    .join("\n");
}

/** Reads such a text, with days in either language and ranges such as `MON-FRI`. Returns undefined where a line is none. */
export function readWindows(text: string): Windows | undefined {
  const open: Windows = [];
  for (const line of text.toUpperCase().split("\n")) {
    if (line.trim() === "") continue;
    const [, names, startAt = "", endAt = ""] = LINE.exec(line.trim().replaceAll(/\s+/g, " ")) ?? [];
    const days = names === undefined ? [...DAYS] : daysOf(names);
    if (startAt === "" || days === undefined) return undefined;
    open.push({ days, startAt: startAt.padStart(5, "0"), endAt: endAt.padStart(5, "0") });
  }
  return open;
}

/** A day's place in the week, by its name in either language; -1: it is none. */
const dayIndex = (name: string): number => Math.max(...DAY_NAMES.map((names) => names.indexOf(name)));

/** The days in this text, in the week's order. */
function daysOf(text: string): Day[] | undefined {
  const chosen = new Set<number>();
  for (const part of text.split(/[, ]+/)) {
    if (part === "") continue;
    const [first = "", last = first] = part.split(/[-–~]/);
    const [from, to] = [dayIndex(first), dayIndex(last)];
    if (from < 0 || to < 0) return undefined;
    for (let at = from; at !== to; at = (at + 1) % DAYS.length) chosen.add(at);
    chosen.add(to);
  }
  return chosen.size === 0 ? undefined : DAYS.filter((_, index) => chosen.has(index));
}
