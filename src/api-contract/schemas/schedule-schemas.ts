import { z } from "zod";
import { isDate, WEEKDAYS } from "../../base/calendar/timing.ts";
import { isTimeZone } from "../../base/calendar/zone-time.ts";
import { CATCH_UPS } from "../event-words.ts";
import { isAtMost } from "../input/text-rules.ts";
import { fileIds } from "./source-schemas.ts";

export const SCHEDULE_REPEATS = ["once", "daily", "weekly"] as const;

const NAME_CHARACTERS_MAX = 80;
const NAME_RULE = `text of at most ${NAME_CHARACTERS_MAX} characters, none of them a control character`;
const ZONE_RULE = "the name of a time zone, such as Asia/Seoul";
const DATE_RULE = "a date such as 2026-12-24";
const DAYS_RULE = `a list of days: ${WEEKDAYS.join(", ")}`;
const TIME_RULE = "a time of day such as 20:00 or 20:00:30";
const TIME_FORM = /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;
const WINDOWS_MAX = 20;
const WINDOWS_RULE = `a list of at most ${WINDOWS_MAX} windows with days, startAt and endAt`;
const DURATION_SECONDS_MAX = 31 * 86_400;
const DURATION_RULE = `a whole number of seconds from 1 to ${DURATION_SECONDS_MAX}`;
const FLAG_RULE = "true or false";

/** A time of day, read as seconds since midnight. */
const timeOfDay = z
  .string({ error: TIME_RULE })
  .regex(TIME_FORM, { error: TIME_RULE })
  .transform((text) => {
    const [hours = 0, minutes = 0, seconds = 0] = text.split(":").map(Number);
    return (hours * 60 + minutes) * 60 + seconds;
  });

/** A time of day as text, without seconds where there are none. */
export const timeText = z
  .string({ error: TIME_RULE })
  .regex(TIME_FORM, { error: TIME_RULE })
  .transform((text) => text.replace(/^(\d\d:\d\d):00$/, "$1"));

/** Days of the week, each once. */
const weekdays = z
  .array(z.enum(WEEKDAYS, { error: DAYS_RULE }), { error: DAYS_RULE })
  .min(1, { error: DAYS_RULE })
  .max(WEEKDAYS.length, { error: DAYS_RULE })
  .transform((days) => WEEKDAYS.filter((day) => days.includes(day)));

export const timeZone = z.string({ error: ZONE_RULE }).refine(isTimeZone, { error: ZONE_RULE });

/** When a platform is on; an empty list: always. It is the same text in requests and answers. */
export const platformWindows = z.object(
  {
    open: z
      .array(
        z.object(
          { days: weekdays.default([...WEEKDAYS]), startAt: timeText, endAt: timeText },
          { error: WINDOWS_RULE },
        ),
        {
          error: WINDOWS_RULE,
        },
      )
      .max(WINDOWS_MAX, { error: WINDOWS_RULE })
      .default([]),
    timeZone: timeZone.default("UTC"),
  },
  { error: "an object with open and timeZone" },
);

export type PlatformWindows = z.output<typeof platformWindows>;

function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `one of ${words.join(", ")}` });
}

const optionalFields = {
  scheduleName: z
    .string({ error: NAME_RULE })
    .transform((name) => name.trim())
    .refine((name) => isAtMost(name, NAME_CHARACTERS_MAX) && name.isWellFormed() && !/\p{Cc}/u.test(name), {
      error: NAME_RULE,
    })
    .nullish(),
  loop: z.boolean({ error: FLAG_RULE }).nullish(),
  onDate: z.string({ error: DATE_RULE }).refine(isDate, { error: DATE_RULE }).nullish(),
  days: weekdays.nullish(),
  endAt: timeOfDay.nullish(),
  endAfterSeconds: z
    .number({ error: DURATION_RULE })
    .refine((seconds) => Number.isInteger(seconds) && seconds >= 1 && seconds <= DURATION_SECONDS_MAX, {
      error: DURATION_RULE,
    })
    .nullish(),
  catchUp: oneOf(CATCH_UPS).nullish(),
  paused: z.boolean({ error: FLAG_RULE }).nullish(),
};

/** Body of a new schedule. */
export const createScheduleRequest = z.object({
  fileIds,
  timeZone,
  repeat: oneOf(SCHEDULE_REPEATS),
  startAt: timeOfDay,
  ...optionalFields,
});

/** Body of a change of a schedule: absent fields stay as they are; `null` removes the end. */
export const updateScheduleRequest = z.object({
  fileIds: fileIds.nullish(),
  timeZone: timeZone.nullish(),
  repeat: oneOf(SCHEDULE_REPEATS).nullish(),
  startAt: timeOfDay.nullish(),
  ...optionalFields,
});

export type ScheduleRequest = z.output<typeof updateScheduleRequest>;
