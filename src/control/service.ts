import type { ChannelChange } from "../api-contract/event-words.ts";
import type { Clock } from "../base/clock.ts";
import type { ChannelId, TargetId } from "../thread-protocol/channel-spec.ts";
import { AccessKeys } from "./access/access-keys.ts";
import type { RandomBytes } from "./access/ids.ts";
import { newChannelId, newStreamKey } from "./access/ids.ts";
import type {
  Channel,
  ChannelRecord,
  ChannelSettings,
  Target,
  TargetSettings,
  TargetTotals,
} from "./channels/channel.ts";
import { targetNameOf } from "./channels/channel.ts";
import { ChannelEdits } from "./channels/channel-edits.ts";
import { type ChannelDetail, type ChannelSummary, type TargetDetail, targetOf } from "./channels/details.ts";
import { checkPlan, type EditContext } from "./channels/edit-context.ts";
import type { PlanLimits } from "./channels/plan.ts";
import { DomainError } from "./errors.ts";
import type { ChannelChanged } from "./facts/server-fact.ts";
import { type ChannelHealth, channelHealth } from "./health/channel-health.ts";
import type { IngestChecks } from "./ingest-check/ingest-checks.ts";
import type { LiveState } from "./live/live-state.ts";
import { Totals } from "./live/totals.ts";
import type { Runtime } from "./runtime.ts";
import type { ChannelFilter, Page, Store } from "./store.ts";
import { TargetEdits } from "./targets/target-edits.ts";
import { besideTwin, twinsOf } from "./targets/target-twins.ts";

export type ServiceOptions = {
  readonly store: Store;
  readonly runtime: Runtime;
  /** The view the runtime answers from: its counters complete the stored totals. */
  readonly view: LiveState;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly planLimits: PlanLimits;
  /** Its warnings are part of a channel's answer. */
  readonly ingestChecks: Pick<IngestChecks, "warnings" | "state">;
  /** Called with every change that a use case made, once it is stored. Must not throw. */
  readonly publish: (fact: ChannelChanged) => void;
};

/** Which channels a list holds. */
export type ListFilter = Pick<ChannelFilter, "channelId" | "namePart" | "state"> & { readonly isPublishing?: boolean };

/** The use cases: every door (HTTP, command line, media thread) comes through here. */
export class Service {
  readonly #options: ServiceOptions;
  readonly #totals: Totals;
  readonly channelEdits: ChannelEdits;
  readonly targetEdits: TargetEdits;
  readonly accessKeys: AccessKeys;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#totals = new Totals(options.store, options.view);
    const context: EditContext = {
      ...options,
      publish: (change, channel, target) => this.#publish(change, channel, target),
      readChannel: (channelId) => this.getChannel(channelId),
      readTarget: async (channelId, targetId) => targetOf({ targets: await this.listTargets(channelId) }, targetId),
    };
    this.channelEdits = new ChannelEdits(context);
    this.targetEdits = new TargetEdits(context);
    this.accessKeys = new AccessKeys(options);
  }

  /** Throws DomainError `too-many-targets` where the plan does not allow as many. */
  async createChannel(
    settings: ChannelSettings,
    targets: readonly TargetSettings[],
    hasBackup = false,
  ): Promise<ChannelDetail> {
    const { store, clock, randomBytes, planLimits } = this.#options;
    checkPlan(planLimits, settings.planType, targets.length);
    const createdTime = clock.wallNow();
    const channel = await store.createChannel({
      ...settings,
      channelId: newChannelId(createdTime, randomBytes),
      streamKey: newStreamKey(randomBytes),
      ...(hasBackup ? { backupStreamKey: newStreamKey(randomBytes) } : {}),
      createdTime,
      targets,
    });
    this.#publish("created", channel);
    return this.#summary(channel);
  }

  /** The ids of all channels at one moment, newest first. */
  listChannelIds(): Promise<readonly ChannelId[]> {
    return this.#options.store.listChannelIds();
  }

  async listChannels(
    filter: ListFilter,
    page: Page,
  ): Promise<{ readonly channels: readonly ChannelSummary[]; readonly total: number }> {
    const { isPublishing, ...rest } = filter;
    const read = () => {
      const among =
        isPublishing === undefined
          ? {}
          : { among: { channelIds: this.#options.runtime.publishingChannels(), isInside: isPublishing } };
      return this.#options.store.listChannels({ ...rest, ...among }, page);
    };
    return this.#totals.readBeside(read, ({ channels, total }) => ({
      channels: channels.map((channel) => this.#summary(channel)),
      total,
    }));
  }

  /** Throws DomainError `channel-not-found`. */
  async getChannel(channelId: ChannelId): Promise<ChannelDetail> {
    return this.#totals.readBeside(
      () => this.#channel(channelId),
      (channel) => this.#summary(channel),
    );
  }

  /** Throws DomainError `channel-not-found`, or `channel-publishing` while an encoder is there. */
  async deleteChannel(channelId: ChannelId): Promise<ChannelSummary> {
    const { store, runtime } = this.#options;
    await this.#channel(channelId);
    if (this.#isPublishing(channelId)) throw new DomainError({ kind: "channel-publishing" });
    // What the last broadcast did belongs to the answer, and to whoever looks at the rows later.
    await this.#totals.flush();
    const deleted = await store.deleteChannel(channelId);
    if (deleted === undefined) throw new DomainError({ kind: "channel-not-found" });
    runtime.remove(channelId);
    this.#publish("deleted", deleted);
    return { ...deleted, isPublishing: false, warnings: [], health: this.#health(deleted) };
  }

  /** The targets in the order of their ids. Throws DomainError `channel-not-found`. */
  async listTargets(channelId: ChannelId): Promise<readonly TargetDetail[]> {
    return this.#totals.readBeside(
      () => this.#channel(channelId),
      (channel) => channel.targets.map((target) => this.#detail(channel, target)),
    );
  }

  /** Throws DomainError `channel-not-found` or `target-not-found`. */
  async getTarget(channelId: ChannelId, targetId: TargetId): Promise<Target> {
    return targetOf(await this.#channel(channelId), targetId);
  }

  /** The verdict on a channel that is not turned off, from what is known without the database. */
  liveHealth(channelId: ChannelId): ChannelHealth {
    return this.#health({ channelId, state: "live" });
  }

  /**
   * Stores what the live state counted since the last call. Call it every few seconds, when an encoder left, and before
   * the process ends. Rejects with StoreUnavailableError; the next call stores what this one could not.
   */
  flushTotals(): Promise<void> {
    return this.#totals.flush();
  }

  #publish(change: ChannelChange, { channelId, name }: ChannelRecord, target?: Target): void {
    this.#options.publish({
      kind: "channel-changed",
      change,
      time: this.#options.clock.wallNow(),
      channelId,
      channelName: name,
      ...(target === undefined ? {} : { target: { targetId: target.targetId, ...targetNameOf(target) } }),
    });
  }

  async #channel(channelId: ChannelId): Promise<Channel> {
    const channel = await this.#options.store.findChannel(channelId);
    if (channel === undefined) throw new DomainError({ kind: "channel-not-found" });
    return channel;
  }

  #isPublishing(channelId: ChannelId): boolean {
    return this.#options.runtime.live(channelId)?.isPublishing ?? false;
  }

  #health({ channelId, state }: Pick<ChannelRecord, "channelId" | "state">): ChannelHealth {
    const warnings = this.#options.ingestChecks.warnings(channelId);
    return channelHealth({ state, live: this.#options.runtime.live(channelId), warnings });
  }

  #summary<Stored extends ChannelRecord>(channel: Stored): Stored & ChannelSummary {
    const { runtime, view } = this.#options;
    const live = runtime.live(channel.channelId);
    const checkState = this.#options.ingestChecks.state(channel.channelId);
    const startTime = live?.startTime ?? channel.recentPublishStartTime;
    return {
      ...channel,
      isPublishing: live?.isPublishing ?? false,
      ...(live?.ingest === undefined ? {} : { ingest: live.ingest }),
      ...(live?.hold === undefined ? {} : { hold: live.hold }),
      warnings: this.#options.ingestChecks.warnings(channel.channelId),
      ...(checkState === undefined ? {} : { checkState }),
      health: this.#health(channel),
      publishMs: channel.publishMs + view.unstoredPublishMs(channel.channelId),
      ...(startTime === undefined ? {} : { recentPublishStartTime: startTime }),
    };
  }

  #detail({ channelId, targets }: Channel, target: Target): TargetDetail {
    const live = this.#options.runtime.live(channelId);
    const targetLive = live?.targets.get(target.targetId);
    const status = targetLive?.status;
    // Who did not fail needs no reason, and the others need not be looked through.
    const told = status?.lastError === undefined ? status : besideTwin(status, twinsOf(target, targets));
    return {
      ...target,
      totals: sum(target.totals, this.#options.view.unstoredOfTarget(channelId, target.targetId)),
      isChannelPublishing: live?.isPublishing ?? false,
      ...(targetLive === undefined || told === undefined ? {} : { live: { ...targetLive, status: told } }),
    };
  }
}

function sum(stored: TargetTotals, unstored: TargetTotals): TargetTotals {
  return {
    bytes: stored.bytes + unstored.bytes,
    playMs: stored.playMs + unstored.playMs,
    retryCount: stored.retryCount + unstored.retryCount,
  };
}
