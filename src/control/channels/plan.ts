/** What a channel may hold, in the API's words. */
export const PLAN_TYPES = ["STANDARD", "PROFESSIONAL", "UNLIMITED"] as const;
export type PlanType = (typeof PLAN_TYPES)[number];

/** The most targets of a channel, whatever its plan. */
export const TARGETS_MAX = 100;

/** The most targets of a channel, by plan; 0: only TARGETS_MAX applies. */
export type PlanLimits = Readonly<Record<PlanType, number>>;

/** Live Station's own limits, and one plan without a limit of its own. */
export const DEFAULT_PLAN_LIMITS: PlanLimits = { STANDARD: 3, PROFESSIONAL: 5, UNLIMITED: 0 };

function planTypeOf(text: string): PlanType | undefined {
  return PLAN_TYPES.find((planType) => planType === text);
}

/**
 * Reads the setting `FANFARE_PLAN_LIMITS`, such as `STANDARD=3,PROFESSIONAL=5`. Plans that are left out keep their
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
