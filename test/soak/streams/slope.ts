/** A measurement and its moment, in milliseconds since any start. */
export type Measurement = { readonly atMs: number; readonly value: number };

const HOUR_MS = 3_600_000;

/**
 * How much the value grows in an hour: the least-squares line through the measurements; 0 for fewer than two moments.
 */
export function slopePerHour(measurements: readonly Measurement[]): number {
  const count = measurements.length;
  const meanMs = measurements.reduce((sum, { atMs }) => sum + atMs, 0) / count;
  const mean = measurements.reduce((sum, { value }) => sum + value, 0) / count;
  let together = 0;
  let squares = 0;
  for (const { atMs, value } of measurements) {
    together += (atMs - meanMs) * (value - mean);
    squares += (atMs - meanMs) ** 2;
  }
  return squares > 0 ? (together / squares) * HOUR_MS : 0;
}

/** The last two thirds of the time: what comes before is warming up. */
export function lastTwoThirds(measurements: readonly Measurement[]): Measurement[] {
  const firstMs = measurements[0]?.atMs ?? 0;
  const lastMs = measurements.at(-1)?.atMs ?? 0;
  const fromMs = firstMs + (lastMs - firstMs) / 3;
  return measurements.filter(({ atMs }) => atMs >= fromMs);
}
