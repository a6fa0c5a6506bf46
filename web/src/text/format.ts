import { now } from "../base/clock.ts";
import { language, t } from "./text.ts";

const formats = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function numberFormat(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${language.value} ${JSON.stringify(options)}`;
  const format = (formats.get(key) as Intl.NumberFormat | undefined) ?? new Intl.NumberFormat(language.value, options);
  formats.set(key, format);
  return format;
}

function dateFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language.value} date ${JSON.stringify(options)}`;
  const format =
    (formats.get(key) as Intl.DateTimeFormat | undefined) ?? new Intl.DateTimeFormat(language.value, options);
  formats.set(key, format);
  return format;
}

export const formatNumber = (value: number, digits = 0): string =>
  numberFormat({ maximumFractionDigits: digits }).format(value);

/** Formats the API's bytes per second as bits per second, as encoders show them. */
export function formatRate(bytesPerSecond: number): string {
  const kilobits = (bytesPerSecond * 8) / 1_000;
  if (kilobits < 10_000) return `${formatNumber(kilobits)} kbit/s`;
  return `${formatNumber(kilobits / 1_000, 1)} Mbit/s`;
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** Formats bytes with a unit of powers of 1,000, such as `1.2 GB`: the same in every language. */
export function formatBytes(bytes: number): string {
  const power = Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1_000 ** power;
  return `${formatNumber(value, power === 0 || value >= 100 ? 0 : 1)} ${BYTE_UNITS[power]}`;
}

/** Formats seconds as `1:02:03`, the same in every language. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3_600);
  return `${hours > 0 ? `${hours}:` : ""}${hours > 0 ? two(Math.floor(whole / 60) % 60) : Math.floor(whole / 60)}:${two(whole % 60)}`;
}

/** Formats seconds in at most two units, such as `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  const units = t().units;
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const parts =
    hours > 0
      ? [units.hours(formatNumber(hours)), minutes > 0 ? units.minutes(formatNumber(minutes)) : ""]
      : [
          minutes > 0 ? units.minutes(formatNumber(minutes)) : "",
          rest > 0 || minutes === 0 ? units.seconds(formatNumber(rest)) : "",
        ];
  return parts.filter((part) => part !== "").join(" ");
}

export const formatTime = (time: number): string => dateFormat({ timeStyle: "medium" }).format(time);
export const formatDateTime = (time: number): string =>
  dateFormat({ dateStyle: "medium", timeStyle: "short" }).format(time);

/** Formats a time today to the second, and an earlier one with its day to the minute. */
export function formatEventTime(time: number): string {
  const isToday = new Date(time).toDateString() === new Date(now.peek()).toDateString();
  return isToday
    ? formatTime(time)
    : dateFormat({ month: "numeric", day: "numeric", hour: "numeric", minute: "2-digit" }).format(time);
}

/** Formats a time today to the minute, and an earlier one with its day. */
export function formatMoment(time: number): string {
  const isToday = new Date(time).toDateString() === new Date(now.peek()).toDateString();
  return isToday ? dateFormat({ timeStyle: "short" }).format(time) : formatDateTime(time);
}
