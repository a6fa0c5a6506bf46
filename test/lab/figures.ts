/** The value below which this part of them lies; 0 of none. */
export function at(values: readonly number[], part: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

/** Median, 90 %, 99 % and the longest, in seconds, of milliseconds. */
export function seconds(valuesMs: readonly number[]): string {
  return [0.5, 0.9, 0.99, 1].map((part) => `${(at(valuesMs, part) / 1_000).toFixed(2)} s`).join(", ");
}

/** The same in milliseconds. */
export function milliseconds(valuesMs: readonly number[]): string {
  return [0.5, 0.9, 0.99, 1].map((part) => `${at(valuesMs, part).toFixed(1)} ms`).join(", ");
}
