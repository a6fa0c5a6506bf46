import type { History, Sample } from "../base/model.ts";
import { HISTORY_SECONDS } from "./changes.ts";

/** The rates of one second: what the small lines show. */
export type RateSample = Pick<Sample, "time"> & {
  readonly ingest: { readonly bytesPerSecond: number };
  readonly platforms: readonly Pick<Sample["platforms"][number], "platId" | "bytesPerSecond">[];
};

/** Returns the rates of a history in steps of a second, since `startTime`. Seconds without a known rate are left out. */
export function rateSamplesOf({ fromTime, ingest, platforms }: History, startTime: number): readonly RateSample[] {
  return ingest.bytesPerSecond.flatMap((rate, index) => {
    const time = fromTime + index * 1_000;
    if (rate === null || time < startTime) return [];
    const rates = platforms.map((one) => ({ platId: one.platId, bytesPerSecond: one.bytesPerSecond[index] ?? 0 }));
    return [{ time, ingest: { bytesPerSecond: rate }, platforms: rates }];
  });
}

/** Returns the last minute, the newest last: the live samples, and before them what the server's history has. */
export function lastMinuteOf(earlier: readonly RateSample[], samples: readonly Sample[]): readonly RateSample[] {
  const first = samples[0]?.time ?? Number.POSITIVE_INFINITY;
  return [...earlier.filter(({ time }) => time < first - 500), ...samples].slice(-HISTORY_SECONDS);
}
