import type { ChangeReason } from "../../api-contract/event-words.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { PreflightStage } from "../../thread-protocol/preflight.ts";
import type { TargetStatus } from "../../thread-protocol/targets/target-status.ts";
import { type Channel, channelSpec, type Target, type TargetSettings, targetSpec } from "../channels/channel.ts";
import { twinsOf } from "../channels/target-twins.ts";
import { isOn, nextOpening, windowState } from "../channels/target-windows.ts";
import { DomainError } from "../ports/errors.ts";
import type { ChannelCheck, TargetChange, TargetDecision } from "../ports/store.ts";
import { found, targetOf } from "./channel-reads.ts";
import type { ChannelDetail, TargetDetail } from "./details.ts";
import { checkPlan, type EditContext, EFFECT_DEADLINE_MS } from "./edit-context.ts";

/** A target after a change, and its channel. */
export type ChangedTarget = { readonly channel: ChannelDetail; readonly target: TargetDetail };

/** The result of a target's test. */
export type TargetTest = {
  readonly isOk: boolean;
  /** The stage that failed, or the last one. */
  readonly stage: PreflightStage;
  readonly error?: NonNullable<TargetStatus["lastError"]>;
  readonly durationMs: number;
};

/**
 * The changes of one target of a channel, on air or off; the other targets are not affected. All methods throw
 * DomainError `channel-not-found`, and where a target is named `target-not-found`.
 */
export class TargetEdits {
  readonly #context: EditContext;
  readonly #underTest = new Set<TargetId>();

  constructor(context: EditContext) {
    this.#context = context;
  }

  /** Throws DomainError `too-many-targets` where the plan allows no more. */
  async add(channelId: ChannelId, settings: TargetSettings): Promise<ChangedTarget> {
    const { store, planLimits, reads } = this.#context;
    const check: ChannelCheck = ({ planType, targetCount }) => checkPlan(planLimits, planType, targetCount + 1);
    const state = windowState(settings, this.#context.clock.wallNow());
    const write = () => store.addTarget(channelId, { ...settings, ...state }, check);
    const channel = found(
      await reads.afterWrite(write, (stored) => {
        const added = stored.targets.at(-1);
        if (added !== undefined) this.#publish("target-added", stored, added);
      }),
    );
    const target = channel.targets.at(-1);
    if (target === undefined) throw new DomainError({ kind: "target-not-found" });
    return { channel, target };
  }

  /**
   * `decide` gets the target as it is in the transaction that changes it. Throws DomainError `channel-publishing` while
   * on air unless `isOnAirAllowed`: the change makes the target reconnect.
   */
  async edit(
    channelId: ChannelId,
    targetId: TargetId,
    decide: (present: Target) => TargetChange,
    isOnAirAllowed: boolean,
  ): Promise<ChangedTarget> {
    const { runtime, clock } = this.#context;
    return this.#change(channelId, targetId, "target-edited", (present) => {
      const change = withWindowState(decide(present), present, clock.wallNow());
      if (runtime.live(channelId)?.isPublishing === true && !isOnAirAllowed) {
        throw new DomainError({ kind: "channel-publishing" });
      }
      return change;
    });
  }

  /** Ends the target's link properly; returns what it did up to then. */
  async remove(channelId: ChannelId, targetId: TargetId): Promise<TargetDetail> {
    const { store, reads } = this.#context;
    const { removed, channel } = await reads.removing(channelId, () => store.removeTarget(channelId, targetId));
    this.#publish("target-removed", channel, removed);
    return { ...removed, isChannelPublishing: false };
  }

  /**
   * A target that is switched on joins a running broadcast; one that is switched off is ended properly. Outside of its
   * windows it is on until the next one opens; from then on they decide again.
   */
  async setEnabled(channelId: ChannelId, targetId: TargetId, isEnabled: boolean): Promise<TargetDetail> {
    const { runtime, view, reads, clock } = this.#context;
    let isChanged = false;
    const reason = isEnabled ? "target-turned-on" : "target-turned-off";
    const { target } = await this.#change(channelId, targetId, reason, (present) => {
      const { windows, isOutsideWindows = false } = present;
      const opens = isEnabled && isOutsideWindows && windows !== undefined;
      isChanged = present.isEnabled !== isEnabled || opens;
      if (!isChanged) return undefined;
      return { isEnabled, ...(opens ? openedUntil(nextOpening(windows, clock.wallNow())) : {}) };
    });
    if (!isChanged) return target;
    await view.until(() => {
      const isReady = (runtime.live(channelId)?.targets.get(targetId)?.status.status ?? "READY") === "READY";
      return isReady !== (isEnabled && runtime.live(channelId)?.isPublishing === true);
    }, EFFECT_DEADLINE_MS);
    return targetOf(await reads.get(channelId), targetId);
  }

  /** Turns the target on or off as its windows say at `nowMs`, milliseconds since the Unix epoch. Does nothing where it is so already. */
  async followWindows(channelId: ChannelId, targetId: TargetId, nowMs: number): Promise<void> {
    let reason: ChangeReason = "window-opened";
    await this.#change(
      channelId,
      targetId,
      () => reason,
      (present) => {
        const state = windowState(present, nowMs);
        reason = state.isOutsideWindows ? "window-closed" : "window-opened";
        return state.isOutsideWindows === (present.isOutsideWindows ?? false) ? undefined : state;
      },
    );
  }

  /**
   * Dials a failed target now, even if its link stalls; does nothing to one that did not fail. Throws DomainError
   * `target-off` where it is switched off, since nothing would ever happen then.
   */
  async retry(channelId: ChannelId, targetId: TargetId): Promise<TargetDetail> {
    const { runtime, view, reads } = this.#context;
    const present = targetOf(await reads.get(channelId), targetId);
    if (!isOn(present)) throw new DomainError({ kind: "target-off" });
    if (present.live?.status.status !== "FAIL") return present;
    await runtime.retryTarget(channelId, targetId);
    const now = () => runtime.live(channelId)?.targets.get(targetId)?.status.status;
    await view.until(() => now() !== "FAIL", EFFECT_DEADLINE_MS);
    return targetOf(await reads.get(channelId), targetId);
  }

  /**
   * Drops what is delayed of a target: it goes on live at the next keyframe, until the broadcast ends. Does nothing to one
   * without a delay. Throws DomainError `target-off` where it is switched off.
   */
  async cutDelay(channelId: ChannelId, targetId: TargetId): Promise<TargetDetail> {
    const { runtime, reads } = this.#context;
    const present = targetOf(await reads.get(channelId), targetId);
    if (!present.isEnabled) throw new DomainError({ kind: "target-off" });
    await runtime.cutDelay(channelId, targetId);
    return present;
  }

  /**
   * Connects to a target as for a broadcast, but sends no media. Throws DomainError `target-linked` while the target's
   * own link is connected or connecting, since a second publish with its key could end the broadcast; `twin-linked`
   * while that of another target with the same address and key is; and `target-under-test` while another test of it
   * runs. A failure during which a link began says nothing: the platform had two publishers.
   */
  async test(channelId: ChannelId, targetId: TargetId): Promise<TargetTest> {
    const { runtime, clock, publish } = this.#context;
    const { channel, target } = await this.#unlinked(channelId, targetId);
    if (this.#underTest.has(targetId)) throw new DomainError({ kind: "target-under-test" });
    this.#underTest.add(targetId);
    try {
      const { isOk, stage, error, durationMs } = await runtime.testTarget(targetSpec(target));
      if (!isOk) await this.#unlinked(channelId, targetId);
      publish("target-tested", channel, { target, ...(error === undefined ? {} : { error }) });
      const failure = error === undefined ? {} : { error: { ...error, time: clock.wallNow() } };
      return { isOk, stage, durationMs, ...failure };
    } finally {
      this.#underTest.delete(targetId);
    }
  }

  async #unlinked(channelId: ChannelId, targetId: TargetId) {
    const channel = await this.#context.reads.get(channelId);
    const target = targetOf(channel, targetId);
    if (isLinked(target.live?.status)) throw new DomainError({ kind: "target-linked" });
    if (twinsOf(target, channel.targets).some((twin) => isLinked(twin.live?.status))) {
      throw new DomainError({ kind: "twin-linked" });
    }
    return { channel, target };
  }

  /**
   * Returns the target after the change, as the transaction left it. A decision of undefined changes and publishes
   * nothing.
   */
  async #change(
    channelId: ChannelId,
    targetId: TargetId,
    reason: ChangeReason | (() => ChangeReason),
    decide: TargetDecision,
  ): Promise<ChangedTarget> {
    const { store, reads } = this.#context;
    let isChanged = false;
    const write = () =>
      store.changeTarget(channelId, targetId, (present) => {
        const change = decide(present);
        isChanged = change !== undefined;
        return change;
      });
    const changed = await reads.afterWrite(write, (channel) => {
      const what = typeof reason === "function" ? reason() : reason;
      if (isChanged) this.#publish(what, channel, targetOf(channel, targetId));
    });
    // If nothing was changed, the channel does not exist, or only the target does not.
    const channel = changed ?? (await reads.get(channelId));
    return { channel, target: targetOf(channel, targetId) };
  }

  /** Also without an encoder: one may be arriving with the former spec. */
  #publish(reason: ChangeReason, channel: Channel, target: Target): void {
    this.#context.runtime.apply(channelSpec(channel));
    this.#context.publish(reason, channel, { target });
  }
}

/** Other windows hold from this moment on. The same ones are no change: what a person turned on outside of them stays on. */
function withWindowState(change: TargetChange, present: Target, nowMs: number): TargetChange {
  const { windows } = change;
  if (windows === undefined || JSON.stringify(windows) === JSON.stringify(present.windows)) return change;
  return { ...change, ...windowState(windows === "none" ? {} : { windows }, nowMs) };
}

function openedUntil(openUntil: number): TargetChange {
  return { isOutsideWindows: false, openUntil };
}

/** Its link is connected or connecting. */
function isLinked(status: TargetStatus | undefined): boolean {
  return status !== undefined && status.status !== "READY" && !isWaiting(status);
}

/** A target that failed and waits for its next attempt. A stalled one has failed, but its link is still connected. */
function isWaiting(status: TargetStatus | undefined): boolean {
  return status?.status === "FAIL" && status.nextRetryTime !== undefined;
}
