import type { ChangeReason } from "../../api-contract/event-words.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { PreflightStage } from "../../thread-protocol/preflight.ts";
import type { TargetStatus } from "../../thread-protocol/targets/target-status.ts";
import { type Channel, channelSpec, type Target, type TargetSettings, targetSpec } from "../channels/channel.ts";
import { type TargetDetail, targetOf } from "../channels/details.ts";
import { checkPlan, type EditContext, EFFECT_DEADLINE_MS } from "../channels/edit-context.ts";
import { DomainError } from "../errors.ts";
import type { TargetChange } from "../store.ts";
import { twinsOf } from "./target-twins.ts";

/** How a target fared when it was tried without media. */
export type TargetTest = {
  readonly isOk: boolean;
  /** The stage that failed, or the last one. */
  readonly stage: PreflightStage;
  readonly error?: NonNullable<TargetStatus["lastError"]>;
  readonly durationMs: number;
};

/**
 * What can be done to one target of a channel, on air or off; nothing here is felt by the other targets. All throw
 * DomainError `channel-not-found`, and where a target is named `target-not-found`.
 */
export class TargetEdits {
  readonly #context: EditContext;
  readonly #underTest = new Set<TargetId>();

  constructor(context: EditContext) {
    this.#context = context;
  }

  /** Throws DomainError `too-many-targets` where the plan has no room for another. */
  async add(channelId: ChannelId, settings: TargetSettings): Promise<TargetDetail> {
    const { store, planLimits, readTarget } = this.#context;
    const channel = await store.addTarget(channelId, settings, ({ planType, targetCount }) =>
      checkPlan(planLimits, planType, targetCount + 1),
    );
    const added = channel?.targets.at(-1);
    if (channel === undefined || added === undefined) throw new DomainError({ kind: "channel-not-found" });
    this.#publish("target-added", channel, added);
    return readTarget(channelId, added.targetId);
  }

  /** Throws DomainError `channel-publishing` while on air unless `isOnAirAllowed`: the target connects anew. */
  async edit(
    channelId: ChannelId,
    targetId: TargetId,
    change: TargetChange,
    isOnAirAllowed: boolean,
  ): Promise<TargetDetail> {
    const { runtime, readTarget } = this.#context;
    await readTarget(channelId, targetId);
    if (runtime.live(channelId)?.isPublishing === true && !isOnAirAllowed) {
      throw new DomainError({ kind: "channel-publishing" });
    }
    await this.#change(channelId, targetId, change, "target-edited");
    return readTarget(channelId, targetId);
  }

  /** Ends the target's link properly; answers what it did up to then. */
  async remove(channelId: ChannelId, targetId: TargetId): Promise<TargetDetail> {
    const { store, readTarget } = this.#context;
    const { live: _over, ...rest } = await readTarget(channelId, targetId);
    const channel = await store.removeTarget(channelId, targetId);
    if (channel === undefined) throw new DomainError({ kind: "target-not-found" });
    this.#publish("target-removed", channel, rest);
    return { ...rest, isChannelPublishing: false };
  }

  /** Switched on, a target joins a broadcast that is on air; switched off, it is ended properly and waits. */
  async setEnabled(channelId: ChannelId, targetId: TargetId, isEnabled: boolean): Promise<TargetDetail> {
    const { runtime, view, readTarget } = this.#context;
    const present = await readTarget(channelId, targetId);
    if (present.isEnabled === isEnabled) return present;
    await this.#change(channelId, targetId, { isEnabled }, isEnabled ? "target-turned-on" : "target-turned-off");
    await view.until(() => {
      const isReady = (runtime.live(channelId)?.targets.get(targetId)?.status.status ?? "READY") === "READY";
      return isReady !== (isEnabled && runtime.live(channelId)?.isPublishing === true);
    }, EFFECT_DEADLINE_MS);
    return readTarget(channelId, targetId);
  }

  /**
   * Makes a target that failed try now, also one whose link stalls; one that did not fail is left as it is. Throws DomainError
   * `target-off` where it is switched off, since then nothing would happen however long one waited.
   */
  async retry(channelId: ChannelId, targetId: TargetId): Promise<TargetDetail> {
    const { runtime, view, readTarget } = this.#context;
    const present = await readTarget(channelId, targetId);
    if (!present.isEnabled) throw new DomainError({ kind: "target-off" });
    if (present.live?.status.status !== "FAIL") return present;
    runtime.retryTarget(channelId, targetId);
    const now = () => runtime.live(channelId)?.targets.get(targetId)?.status.status;
    await view.until(() => now() !== "FAIL", EFFECT_DEADLINE_MS);
    return readTarget(channelId, targetId);
  }

  /**
   * Tries a target as if for real, sending no media. Throws DomainError `target-linked` while the target's own link is up
   * or being made, since a second publish with its key could end the broadcast, `twin-linked` while that of another with its
   * address and key is, and `target-under-test` while another test of it runs.
   */
  async test(channelId: ChannelId, targetId: TargetId): Promise<TargetTest> {
    const { runtime, clock, readTarget, readChannel } = this.#context;
    const target = await readTarget(channelId, targetId);
    if (isLinked(target.live?.status)) throw new DomainError({ kind: "target-linked" });
    const { targets } = await readChannel(channelId);
    const live = runtime.live(channelId)?.targets;
    if (twinsOf(target, targets).some((twin) => isLinked(live?.get(twin.targetId)?.status))) {
      throw new DomainError({ kind: "twin-linked" });
    }
    if (this.#underTest.has(targetId)) throw new DomainError({ kind: "target-under-test" });
    this.#underTest.add(targetId);
    try {
      const { isOk, stage, error, durationMs } = await runtime.testTarget(targetSpec(target));
      const failure = error === undefined ? {} : { error: { ...error, time: clock.wallNow() } };
      return { isOk, stage, durationMs, ...failure };
    } finally {
      this.#underTest.delete(targetId);
    }
  }

  async #change(channelId: ChannelId, targetId: TargetId, change: TargetChange, reason: ChangeReason): Promise<void> {
    const channel = await this.#context.store.changeTarget(channelId, targetId, change);
    if (channel === undefined) throw new DomainError({ kind: "target-not-found" });
    this.#publish(reason, channel, targetOf(channel, targetId));
  }

  /** Also when nobody publishes: an encoder may be on its way in with the spec as it was a moment ago. */
  #publish(reason: ChangeReason, channel: Channel, target: Target): void {
    this.#context.runtime.apply(channelSpec(channel));
    this.#context.publish(reason, channel, target);
  }
}

/** Its link stands, or is being made. */
function isLinked(status: TargetStatus | undefined): boolean {
  return status !== undefined && status.status !== "READY" && !isWaiting(status);
}

/** A target that failed and has an attempt before it; one that stalls has failed, but its link still stands. */
function isWaiting(status: TargetStatus | undefined): boolean {
  return status?.status === "FAIL" && status.nextRetryTime !== undefined;
}
