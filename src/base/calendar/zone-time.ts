/**
 * Times of day in time zones, by the zones that Node knows. A *local time* is a number: what `Date.UTC` returns for the
 * date and time that a clock on the wall shows, in milliseconds.
 */

const DAY_MS = 86_400_000;
/** A transition lies within this distance of a local time that it skips: the widest one skipped a whole day. */
const SKIPPED_MS = 1.5 * DAY_MS;
const ZONE_FORM = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;
/** There are some 600 names. Other spellings of them are not kept for ever. */
const KEPT_MAX = 1_000;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether this is the name of a time zone in the IANA database, such as `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  if (!ZONE_FORM.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** The local time at this moment. The zone must exist. */
export function localTime(zone: string, atMs: number): number {
  const fields = new Map(
    formatOf(zone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const field = (type: Intl.DateTimeFormatPartTypes): number => fields.get(type) ?? 0;
  const date = Date.UTC(field("year"), field("month") - 1, field("day"));
  const seconds = (field("hour") * 60 + field("minute")) * 60 + field("second");
  return date + seconds * 1_000 + (atMs - Math.floor(atMs / 1_000) * 1_000);
}

/**
 * The moment at which clocks show this local time. Of one that they show twice it is the first; of one that they skip it
 * is the moment of the jump.
 */
export function momentOf(zone: string, localMs: number): number {
  const moments = [-DAY_MS, DAY_MS]
    .map((away) => localMs - offsetAt(zone, localMs + away))
    .filter((atMs) => localTime(zone, atMs) === localMs);
  return moments.length > 0 ? Math.min(...moments) : jumpNear(zone, localMs);
}

/** The moment near this one from which another offset holds. */
function jumpNear(zone: string, nearMs: number): number {
  let before = nearMs - SKIPPED_MS;
  let after = nearMs + SKIPPED_MS;
  const later = offsetAt(zone, after);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(zone, middle) === later) after = middle;
    else before = middle;
  }
  return after;
}

function offsetAt(zone: string, atMs: number): number {
  return localTime(zone, atMs) - atMs;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const numeric = "numeric";
  const format = new Intl.DateTimeFormat("en-US", {
    ...{ timeZone: zone, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23" },
    ...{ year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric },
  });
  if (formats.size >= KEPT_MAX) formats.clear();
  formats.set(zone, format);
  return format;
}
