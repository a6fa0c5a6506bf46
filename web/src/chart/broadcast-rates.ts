import type { History, Sample } from "../base/model.ts";

/** A line over time: x in seconds since 1970 by the server's clock, y in bytes per second, or null where nothing is known. */
export type Rates = { readonly times: readonly number[]; readonly rates: readonly (number | null)[] };

type Values = readonly (number | null)[];

/** Returns bytes per second as kbit/s. */
export const kilobitsOf = (rates: Values): Values => rates.map((rate) => (rate === null ? null : (rate * 8) / 1_000));

/** What the history holds of one platform: one value for each of `times`. */
export type PlatformHistory = {
  /** Seconds since 1970 by the server's clock. */
  readonly times: readonly number[];
  readonly rates: Values;
  readonly queueMs: Values;
  readonly drops: Values;
  readonly retries: Values;
};

/** Returns what a history holds of one platform, from the first known value to the last. Undefined: nothing is known of it. */
export function platformHistory(
  { fromTime, stepSeconds, platforms }: History,
  platId: number,
): PlatformHistory | undefined {
  const own = platforms.find((platform) => platform.platId === platId);
  if (own === undefined) return undefined;
  const first = own.bytesPerSecond.findIndex((rate) => rate !== null);
  const end = own.bytesPerSecond.findLastIndex((rate) => rate !== null) + 1;
  if (first < 0) return undefined;
  const part = (values: Values): Values => values.slice(first, end);
  const rates = part(own.bytesPerSecond);
  return {
    times: rates.map((_, index) => fromTime / 1_000 + (first + index) * stepSeconds),
    rates,
    queueMs: part(own.queueMilliseconds),
    drops: part(own.droppedFrames),
    retries: part(own.retryCount),
  };
}

/** Returns the incoming rate of a history. */
export function ratesOfHistory({ fromTime, stepSeconds, ingest }: History): Rates {
  const { bytesPerSecond } = ingest;
  // The answer begins before the first known value and may end after the last one.
  const first = bytesPerSecond.findIndex((rate) => rate !== null);
  const end = bytesPerSecond.findLastIndex((rate) => rate !== null) + 1;
  if (first < 0) return { times: [], rates: [] };
  const rates = bytesPerSecond.slice(first, end);
  return { times: rates.map((_, index) => fromTime / 1_000 + (first + index) * stepSeconds), rates };
}

/** Returns the line with the live samples that are newer than its last point. */
export function withSamples({ times, rates }: Rates, samples: readonly Sample[]): Rates {
  const last = times.at(-1) ?? 0;
  const newer = samples.filter(({ time }) => time / 1_000 > last);
  if (newer.length === 0) return { times, rates };
  return {
    times: [...times, ...newer.map(({ time }) => time / 1_000)],
    rates: [...rates, ...newer.map(({ ingest }) => ingest.bytesPerSecond)],
  };
}
