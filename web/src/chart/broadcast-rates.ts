import type { History, Sample } from "../base/model.ts";

/** A line over time: x in seconds since 1970 by the server's clock, y in bytes per second, or null where nothing is known. */
export type Rates = { readonly times: readonly number[]; readonly rates: readonly (number | null)[] };

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
