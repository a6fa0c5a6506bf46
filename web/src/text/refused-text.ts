import type { RefusedEncoder } from "../base/model.ts";
import { t } from "./text.ts";

/** Returns who was rejected, why, when last, and how often if more than once. */
export function refusedText(
  { remoteAddress, reason, lastTime, count }: RefusedEncoder,
  formatMoment: (time: number) => string,
): string {
  const sentence = t().refused.reasons[reason](remoteAddress, formatMoment(lastTime));
  return count > 1 ? `${sentence} ${t().refused.times(count)}` : sentence;
}
