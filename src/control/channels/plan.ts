/** What a channel may hold; the words are the API's. */
export const PLAN_TYPES = ["STANDARD", "PROFESSIONAL", "UNLIMITED"] as const;
export type PlanType = (typeof PLAN_TYPES)[number];

/** Most targets a channel may have, whatever its plan. */
export const TARGETS_MAX = 100;

/** Most targets a channel of each plan may have; 0 is no limit but TARGETS_MAX. */
export type PlanLimits = Readonly<Record<PlanType, number>>;

/** Live Station's own limits, and one plan without any of its own. */
export const DEFAULT_PLAN_LIMITS: PlanLimits = { STANDARD: 3, PROFESSIONAL: 5, UNLIMITED: 0 };

function planTypeOf(text: string): PlanType | undefined {
  return PLAN_TYPES.find((planType) => planType === text);
}

/**
 * Reads the setting `FANFARE_PLAN_LIMITS`, `STANDARD=3,PROFESSIONAL=5` for instance: plans that are left out keep their
 * default. Undefined where a name is unknown or given twice, or a limit is not a whole number from 0.
 */
export function parsePlanLimits(text: string): PlanLimits | undefined {
  const given = new Map<PlanType, number>();
  for (const part of text.split(",")) {
    const [, name = "", limit = ""] = /^\s*([A-Z]+)=(\d{1,6})\s*$/.exec(part) ?? [];
    const planType = planTypeOf(name);
    if (planType === undefined || given.has(planType)) return undefined;
    given.set(planType, Number(limit));
  }
  return { ...DEFAULT_PLAN_LIMITS, ...Object.fromEntries(given) };
}
