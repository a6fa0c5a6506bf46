const SECONDS_PER_MINUTE = 60;
const MINUTES_PER_HOUR = 60;

/** A time of day, given as seconds since midnight: `20:00`, or `20:00:30`. */
export function timeText(ofDaySeconds: number): string {
  const minutes = Math.floor(ofDaySeconds / SECONDS_PER_MINUTE);
  const seconds = ofDaySeconds % SECONDS_PER_MINUTE;
  const two = (value: number): string => String(value).padStart(2, "0");
  const time = `${two(Math.floor(minutes / MINUTES_PER_HOUR))}:${two(minutes % MINUTES_PER_HOUR)}`;
  return seconds === 0 ? time : `${time}:${two(seconds)}`;
}

/** The other way round. */
export function secondsOfDay(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(":").map(Number);
  return (hours * MINUTES_PER_HOUR + minutes) * SECONDS_PER_MINUTE + seconds;
}
