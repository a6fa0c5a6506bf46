import { now } from "../base/clock.ts";
import { language } from "./text.ts";

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

/** Bits a second as encoders show them, from the bytes a second of the API. */
export function formatRate(bytesPerSecond: number): string {
  const kilobits = (bytesPerSecond * 8) / 1_000;
  if (kilobits < 10_000) return `${formatNumber(kilobits)} kbit/s`;
  return `${formatNumber(kilobits / 1_000, 1)} Mbit/s`;
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

export function formatBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1_000 ** power;
  return numberFormat({
    style: "unit",
    unit: UNITS[power] ?? "byte",
    unitDisplay: "short",
    maximumFractionDigits: power === 0 || value >= 100 ? 0 : 1,
  }).format(value);
}

/** `1:02:03`, as a clock shows it; the same in every language. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3_600);
  return `${hours > 0 ? `${hours}:` : ""}${hours > 0 ? two(Math.floor(whole / 60) % 60) : Math.floor(whole / 60)}:${two(whole % 60)}`;
}

const unit = (value: number, name: string): string =>
  numberFormat({ style: "unit", unit: name, unitDisplay: "short" }).format(value);

/** Seconds as people say them, in at most two units. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours > 0) return minutes > 0 ? `${unit(hours, "hour")} ${unit(minutes, "minute")}` : unit(hours, "hour");
  if (minutes > 0) return rest > 0 ? `${unit(minutes, "minute")} ${unit(rest, "second")}` : unit(minutes, "minute");
  return unit(rest, "second");
}

export const formatTime = (time: number): string => dateFormat({ timeStyle: "medium" }).format(time);
export const formatDateTime = (time: number): string =>
  dateFormat({ dateStyle: "medium", timeStyle: "short" }).format(time);

/** To the second where it is today, else the day and the minute. */
export function formatEventTime(time: number): string {
  const isToday = new Date(time).toDateString() === new Date(now.peek()).toDateString();
  return isToday
    ? formatTime(time)
    : dateFormat({ month: "numeric", day: "numeric", hour: "numeric", minute: "2-digit" }).format(time);
}

/** The hour where it is today, else the day too. */
export function formatMoment(time: number): string {
  const isToday = new Date(time).toDateString() === new Date(now.peek()).toDateString();
  return isToday ? dateFormat({ timeStyle: "short" }).format(time) : formatDateTime(time);
}
