import { HEALTH_ORDER, type HealthState } from "../../base/health.ts";
import { hasLabel } from "../../base/labels.ts";
import type { Channel } from "../../base/model.ts";

export const SORTS = ["urgency", "name", "newest"] as const;
export type Sort = (typeof SORTS)[number];

export type Filter = {
  /** A part of the channel's name, in any case. */
  readonly name: string;
  /** Absent: every verdict. */
  readonly state?: HealthState | undefined;
  /** Absent: every platform. */
  readonly targetName?: string | undefined;
  /** In any case. Absent: every channel, with labels or without. */
  readonly label?: string | undefined;
};

type Sortable = Pick<Channel, "channelName" | "createdTime"> & { readonly health: { readonly state: HealthState } };

const byName = (one: Sortable, other: Sortable): number =>
  one.channelName.localeCompare(other.channelName, undefined, { numeric: true });
const rank = ({ health }: Sortable): number => HEALTH_ORDER.indexOf(health.state);

/** How each choice orders channels. By urgency, channels with the same verdict are in the order of their names. */
const COMPARE = {
  urgency: (one, other) => rank(one) - rank(other) || byName(one, other),
  name: byName,
  newest: (one, other) => other.createdTime - one.createdTime,
} satisfies Record<Sort, (one: Sortable, other: Sortable) => number>;

/** Returns the channels in this order. */
export const sorted = <Each extends Sortable>(channels: readonly Each[], sort: Sort): readonly Each[] =>
  channels.toSorted(COMPARE[sort]);

/** Whether the filter lets the channel through. */
export function matches(
  { channelName, health, platforms, labels }: Pick<Channel, "channelName" | "health" | "platforms" | "labels">,
  { name, state, targetName, label }: Filter,
): boolean {
  return (
    channelName.toLowerCase().includes(name.trim().toLowerCase()) &&
    (state === undefined || health.state === state) &&
    (targetName === undefined || platforms.some((platform) => platform.targetName === targetName)) &&
    (label === undefined || hasLabel({ labels }, label))
  );
}
