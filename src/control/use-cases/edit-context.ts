import type { ChannelChange } from "../../api-contract/event-words.ts";
import type { Clock } from "../../base/clock.ts";
import type { RandomBytes } from "../access/ids.ts";
import type { ChannelRecord, Target } from "../channels/channel.ts";
import { type PlanLimits, type PlanType, TARGETS_MAX } from "../channels/plan.ts";
import type { ChannelChanged } from "../facts/server-fact.ts";
import type { LiveState } from "../live/live-state.ts";
import { DomainError } from "../ports/errors.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { Store } from "../ports/store.ts";
import type { ChannelReads } from "./channel-reads.ts";

/** What is published with a change, beside the channel. */
export type ChangeDetails = Pick<ChannelChanged, "nameBefore" | "labels" | "error"> & { readonly target?: Target };

/** What the use cases share that change a channel. */
export type EditContext = {
  readonly store: Store;
  readonly runtime: Runtime;
  readonly view: LiveState;
  readonly reads: ChannelReads;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly planLimits: PlanLimits;
  /** Publishes a stored change. */
  readonly publish: (change: ChannelChange, channel: ChannelRecord, more?: ChangeDetails) => void;
};

/**
 * How long an answer waits for the media thread to do what was asked, in milliseconds. The thread takes a few; one that
 * was just restarted takes a second. After that the answer shows the present state anyway.
 */
export const EFFECT_DEADLINE_MS = 2_000;

/** Throws DomainError `too-many-targets` where the plan, or any plan, does not allow that many. */
export function checkPlan(planLimits: PlanLimits, planType: PlanType, given: number): void {
  const planLimit = planLimits[planType];
  const limit = planLimit === 0 ? TARGETS_MAX : Math.min(planLimit, TARGETS_MAX);
  if (given > limit) throw new DomainError({ kind: "too-many-targets", planType, limit, given });
}
