import { seededRandom } from "../../support/stages/seeded-random.ts";

export const TARGET_FAULTS = ["reset", "close", "stall", "blackhole", "slow", "refuse", "gone"] as const;
const ENCODER_FAULTS = ["encoder-reset", "encoder-freeze"] as const;
export type TargetFaultKind = (typeof TARGET_FAULTS)[number];
export type EncoderFaultKind = (typeof ENCODER_FAULTS)[number];

/** What fails when, where, and for how long (milliseconds; 0: a moment). */
export type PlannedFault =
  | ({ readonly kind: TargetFaultKind; readonly atMs: number; readonly forMs: number } & {
      readonly channel: number;
      readonly target: number;
    })
  | { readonly kind: EncoderFaultKind; readonly atMs: number; readonly forMs: number; readonly channel: number };

export type PlanOptions = {
  readonly seed: number;
  readonly fromMs: number;
  /** By now everything is well again. */
  readonly untilMs: number;
  readonly everyMs: number;
  readonly channels: number;
  /** Targets of each channel that may fail. */
  readonly faultyTargets: number;
};

/** Shortest and longest, in milliseconds. The kernels' buffers hide a stall or a slow reader for half a minute. */
const TARGET_FAULT_MS: Readonly<Record<TargetFaultKind, readonly [number, number]>> = {
  reset: [0, 0],
  close: [0, 0],
  stall: [10_000, 50_000],
  blackhole: [5_000, 30_000],
  slow: [15_000, 60_000],
  refuse: [5_000, 40_000],
  gone: [3_000, 40_000],
};
/** How long the encoder stays away after a reset. */
const AWAY_MS = [300, 15_000] as const;
/** Not noticed; filler; reported as lost; its connection closed. */
const FREEZES_MS = [1_000, 3_500, 7_500, 14_000] as const;
/** One fault in so many is the encoder's. */
const ENCODER_SHARE = 6;
/** How long a place that failed has no fault afterwards. */
const REST_MS = 5_000;

/** The faults of a run, in order of time: one every so often, never two at once in the same place. */
export function drawPlan(options: PlanOptions): PlannedFault[] {
  const { seed, fromMs, untilMs, everyMs, channels, faultyTargets } = options;
  const random = seededRandom(seed);
  const below = (count: number): number => Math.floor(random() * count);
  const between = ([least, most]: readonly [number, number]): number => Math.round(least + random() * (most - least));
  const busyUntilMs = new Map<string, number>();
  const isFree = (place: string, atMs: number): boolean => (busyUntilMs.get(place) ?? 0) <= atMs;
  const plan: PlannedFault[] = [];
  const add = (place: string, fault: PlannedFault): void => {
    busyUntilMs.set(place, fault.atMs + fault.forMs + REST_MS);
    plan.push(fault);
  };
  for (let atMs = fromMs; atMs < untilMs; atMs += everyMs) {
    const leftMs = untilMs - atMs;
    if (below(ENCODER_SHARE) === 0) {
      const kind = ENCODER_FAULTS[below(ENCODER_FAULTS.length)] ?? "encoder-reset";
      const channel = below(channels);
      const lengthMs = kind === "encoder-reset" ? between(AWAY_MS) : (FREEZES_MS[below(FREEZES_MS.length)] ?? 0);
      const fault = { kind, atMs, forMs: Math.min(leftMs, lengthMs), channel };
      if (isFree(`${channel}`, atMs)) {
        add(`${channel}`, fault);
        continue;
      }
    }
    const places = Array.from({ length: channels * faultyTargets }, (_, place) => ({
      channel: Math.floor(place / faultyTargets),
      target: place % faultyTargets,
    })).filter(({ channel, target }) => isFree(`${channel}/${target}`, atMs));
    const place = places[below(places.length)];
    const kind = TARGET_FAULTS[below(TARGET_FAULTS.length)] ?? "reset";
    const forMs = Math.min(leftMs, between(TARGET_FAULT_MS[kind]));
    if (place !== undefined) add(`${place.channel}/${place.target}`, { kind, atMs, forMs, ...place });
  }
  return plan;
}
