import type { HealthStateWord, NextStepWord } from "../../api-contract/health-words.ts";
import type { ChannelHealth } from "../../control/health/channel-health.ts";
import { NEXT_STEPS } from "../../control/health/next-steps.ts";

/** The channel object's `health`. A word that is not published does not compile. */
export function healthAnswer({ state, reason, reasonCount }: ChannelHealth) {
  const published: HealthStateWord = state;
  if (reason === undefined) return { state: published, reasonCount };
  const { code, message, targetId, nextStep } = reason;
  const step: NextStepWord = nextStep;
  return {
    state: published,
    reason: {
      code,
      message: message.en,
      messageKo: message.ko,
      ...(targetId === undefined ? {} : { platId: targetId }),
    },
    nextStep: { code: step, message: NEXT_STEPS[nextStep].en, messageKo: NEXT_STEPS[nextStep].ko },
    reasonCount,
  };
}
