import type { ChannelChange } from "../api-contract/event-words.ts";
import type { Clock } from "../base/clock.ts";
import type { ChannelId, TargetId } from "../thread-protocol/channel-spec.ts";
import { AccessKeys } from "./access/access-keys.ts";
import type { RandomBytes } from "./access/ids.ts";
import { newChannelId, newStreamKey } from "./access/ids.ts";
import type { ChannelRecord, ChannelSettings, TargetSettings } from "./channels/channel.ts";
import { targetNameOf } from "./channels/channel.ts";
import type { PlanLimits } from "./channels/plan.ts";
import type { SourceStatus } from "./channels/source.ts";
import { windowState } from "./channels/target-windows.ts";
import type { ChannelChanged } from "./facts/server-fact.ts";
import type { ChannelHealth } from "./health/channel-health.ts";
import type { IngestChecks } from "./ingest-check/ingest-checks.ts";
import type { LiveState } from "./live/live-state.ts";
import { Totals } from "./live/totals.ts";
import { DomainError } from "./ports/errors.ts";
import type { ChannelLive, Runtime } from "./ports/runtime.ts";
import type { SlateState } from "./ports/slate-maker.ts";
import type { Page, Store } from "./ports/store.ts";
import { ChannelEdits } from "./use-cases/channel-edits.ts";
import { ChannelReads, found, type ListFilter, targetOf } from "./use-cases/channel-reads.ts";
import type { ChannelDetail, ChannelSummary, TargetDetail } from "./use-cases/details.ts";
import { type ChangeDetails, checkPlan, type EditContext } from "./use-cases/edit-context.ts";
import { TargetEdits } from "./use-cases/target-edits.ts";
import { TestPatterns } from "./use-cases/test-patterns.ts";

export type ServiceOptions = {
  readonly store: Store;
  readonly runtime: Runtime;
  /** Its counters complete the stored totals. */
  readonly view: LiveState;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly planLimits: PlanLimits;
  /** Its warnings are part of a channel's answer. */
  readonly ingestChecks: Pick<IngestChecks, "warnings" | "state">;
  /** What a channel's source does, or did last; undefined where none was started. A part of the verdict. */
  readonly sourceOf: (channelId: ChannelId) => SourceStatus | undefined;
  /** How a channel's slate is; undefined where it has none. A part of the verdict. */
  readonly slateOf: (channelId: ChannelId) => SlateState | undefined;
  /** Called with every change that a use case made, once it is stored. Must not throw. */
  readonly publish: (fact: ChannelChanged) => void;
};

/** The use cases of channels and targets, for the API and the command line. */
export class Service {
  readonly #options: ServiceOptions;
  readonly #totals: Totals;
  readonly #reads: ChannelReads;
  readonly channelEdits: ChannelEdits;
  readonly targetEdits: TargetEdits;
  readonly testPatterns: TestPatterns;
  readonly accessKeys: AccessKeys;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#totals = new Totals(options.store, options.view);
    this.#reads = new ChannelReads({ ...options, totals: this.#totals });
    const context: EditContext = {
      ...options,
      reads: this.#reads,
      publish: (change, channel, more) => this.#publish(change, channel, more),
    };
    this.channelEdits = new ChannelEdits(context);
    this.targetEdits = new TargetEdits(context);
    this.testPatterns = new TestPatterns(context);
    this.accessKeys = new AccessKeys(options);
  }

  /** Throws DomainError `too-many-targets` where the plan does not allow that many. */
  async createChannel(
    settings: ChannelSettings,
    targets: readonly TargetSettings[],
    hasBackup = false,
  ): Promise<ChannelDetail> {
    const { store, clock, randomBytes, planLimits } = this.#options;
    checkPlan(planLimits, settings.planType, targets.length);
    const createdTime = clock.wallNow();
    const create = () =>
      store.createChannel({
        ...settings,
        channelId: newChannelId(createdTime, randomBytes),
        streamKey: newStreamKey(randomBytes),
        ...(hasBackup ? { backupStreamKey: newStreamKey(randomBytes) } : {}),
        createdTime,
        targets: targets.map((target) => ({ ...target, ...windowState(target, createdTime) })),
      });
    return found(await this.#reads.afterWrite(create, (channel) => this.#publish("created", channel)));
  }

  /** The ids of all channels at one moment, newest first. */
  listChannelIds(): Promise<readonly ChannelId[]> {
    return this.#options.store.listChannelIds();
  }

  /** Newest first; `total` counts all pages. */
  listChannels(
    filter: ListFilter,
    page: Page,
  ): Promise<{ readonly channels: readonly ChannelSummary[]; readonly total: number }> {
    return this.#reads.list(filter, page);
  }

  /** Throws DomainError `channel-not-found`. */
  getChannel(channelId: ChannelId): Promise<ChannelDetail> {
    return this.#reads.get(channelId);
  }

  /** Throws DomainError `channel-not-found`, or `channel-publishing` while an encoder is connected. */
  async deleteChannel(channelId: ChannelId): Promise<ChannelSummary> {
    const { store, runtime } = this.#options;
    found(await store.findChannel(channelId));
    if (runtime.live(channelId)?.isPublishing === true) throw new DomainError({ kind: "channel-publishing" });
    // So that the answer and the deleted row include the totals of the last broadcast.
    await this.#totals.flush();
    const deleted = found(await store.deleteChannel(channelId));
    runtime.remove(channelId);
    this.#publish("deleted", deleted);
    return { ...deleted, isPublishing: false, warnings: [], health: this.#reads.health(deleted) };
  }

  /** The targets in the order of their ids. Throws DomainError `channel-not-found`. */
  async listTargets(channelId: ChannelId): Promise<readonly TargetDetail[]> {
    return (await this.#reads.get(channelId)).targets;
  }

  /** Throws DomainError `channel-not-found` or `target-not-found`. */
  async getTarget(channelId: ChannelId, targetId: TargetId): Promise<TargetDetail> {
    return targetOf(await this.#reads.get(channelId), targetId);
  }

  /** Every channel on air, also while its encoder is lost and the last frame is held. */
  onAir(): readonly { readonly channelId: ChannelId; readonly live: ChannelLive }[] {
    const { runtime } = this.#options;
    return runtime.publishingChannels().flatMap((channelId) => {
      const live = runtime.live(channelId);
      return live === undefined ? [] : [{ channelId, live }];
    });
  }

  /** The verdict on a channel that is not turned off, from what is known without the database. */
  liveHealth(channelId: ChannelId): ChannelHealth {
    return this.#reads.health({ channelId, state: "live" });
  }

  /**
   * Stores what the live state counted since the last call. Call it every few seconds, when an encoder left, and before
   * the process ends. Rejects with StoreUnavailableError; the next call stores what this one could not.
   */
  flushTotals(): Promise<void> {
    return this.#totals.flush();
  }

  #publish(change: ChannelChange, { channelId, name }: ChannelRecord, more: ChangeDetails = {}): void {
    const { target, ...rest } = more;
    this.#options.publish({
      kind: "channel-changed",
      change,
      time: this.#options.clock.wallNow(),
      channelId,
      channelName: name,
      ...rest,
      ...(target === undefined ? {} : { target: { targetId: target.targetId, ...targetNameOf(target) } }),
    });
  }
}
