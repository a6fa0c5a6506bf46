import type { Report } from "../base/model.ts";
import { formatNumber } from "./format.ts";
import { t } from "./text.ts";

/** How many frames were dropped, and why as far as it is known: `12 (too far behind 10, buffer full 2)`. */
export function dropsText(count: number, byCause?: Report["platforms"][number]["droppedFramesByCause"]): string {
  const names = t().platform.dropCauses;
  const causes = (["overTime", "overBytes", "untilKeyframe"] as const)
    .filter((cause) => (byCause?.[cause] ?? 0) > 0)
    .map((cause) => `${names[cause]} ${formatNumber(byCause?.[cause] ?? 0)}`);
  return causes.length === 0 ? formatNumber(count) : `${formatNumber(count)} (${causes.join(", ")})`;
}
