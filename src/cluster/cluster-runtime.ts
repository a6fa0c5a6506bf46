import { DomainError } from "../control/ports/errors.ts";
import type { ChannelLive, PreviewClient, PreviewClientSink, Runtime } from "../control/ports/runtime.ts";
import type { ChannelId, ChannelSpec, IngestSlot, TargetId, TargetSpec } from "../thread-protocol/channel-spec.ts";
import type { HoldChange } from "../thread-protocol/hold-limits.ts";
import type { Keyframe } from "../thread-protocol/keyframe.ts";
import type { PreflightResult } from "../thread-protocol/preflight.ts";
import type { TestPatternRequest, TestPatternResult } from "../thread-protocol/test-pattern.ts";
import type { Command, CommandSender } from "./commands/commands.ts";
import type { ClusterLiveState } from "./state/cluster-live-state.ts";

export type ClusterRuntimeDeps = {
  /** This node's own media threads. */
  readonly own: Runtime;
  readonly others: Pick<ClusterLiveState, "live" | "publishingChannels" | "freshen" | "livingOwnerOf">;
  readonly commands: Pick<CommandSender, "send">;
  /** The same of channels that other nodes own. */
  readonly elsewhere: Pick<Runtime, "watch" | "keyframe">;
  /** The epoch with which this node owns a channel; undefined where it does not. */
  readonly epochOf: (channelId: ChannelId) => number | undefined;
};

const TEST_PATTERN_RESULTS: readonly TestPatternResult[] = ["started", "on-air", "overloaded"];

/**
 * The data planes of all nodes as one: what concerns a channel is done by its owner, and everything that is asked about a
 * channel is answered from what its owner told.
 */
export class ClusterRuntime implements Runtime {
  readonly #deps: ClusterRuntimeDeps;

  constructor(deps: ClusterRuntimeDeps) {
    this.#deps = deps;
  }

  /** The other nodes read the change from the database, once they hear of it. */
  apply(spec: ChannelSpec): void {
    this.#deps.own.apply(spec);
  }

  remove(channelId: ChannelId): void {
    this.#deps.own.remove(channelId);
  }

  end(channelId: ChannelId): void | Promise<void> {
    return this.#doneBy(channelId, { do: "end", channelId }) ?? this.#deps.own.end(channelId);
  }

  changeHold(channelId: ChannelId, how: HoldChange): void | Promise<void> {
    return this.#doneBy(channelId, { do: "hold", channelId, how }) ?? this.#deps.own.changeHold(channelId, how);
  }

  disconnectPublisher(channelId: ChannelId, slot: IngestSlot): void | Promise<void> {
    const elsewhere = this.#doneBy(channelId, { do: "cut", channelId, slot });
    return elsewhere ?? this.#deps.own.disconnectPublisher(channelId, slot);
  }

  retryTarget(channelId: ChannelId, targetId: TargetId): void | Promise<void> {
    const elsewhere = this.#doneBy(channelId, { do: "retry", channelId, targetId });
    return elsewhere ?? this.#deps.own.retryTarget(channelId, targetId);
  }

  cutDelay(channelId: ChannelId, targetId: TargetId): void | Promise<void> {
    const elsewhere = this.#doneBy(channelId, { do: "cut-delay", channelId, targetId });
    return elsewhere ?? this.#deps.own.cutDelay(channelId, targetId);
  }

  stopTestPattern(channelId: ChannelId): void | Promise<void> {
    return this.#doneBy(channelId, { do: "stop-test", channelId }) ?? this.#deps.own.stopTestPattern(channelId);
  }

  async startTestPattern(
    channelId: ChannelId,
    read: () => Promise<ChannelSpec>,
    how: Omit<TestPatternRequest, "kind" | "spec">,
  ): Promise<TestPatternResult> {
    if (!this.#isElsewhere(channelId)) return await this.#deps.own.startTestPattern(channelId, read, how);
    // Its checks are made here too: the owner's answer is only whether it began.
    await read();
    const { endTime, forMs, targetIds } = how;
    const length = { channelId, endTime, forMs };
    const result = await this.#deps.commands.send(
      targetIds === undefined
        ? { do: "start-test", ...length }
        : { do: "start-test-of", ...length, targetIds: [...targetIds] },
    );
    const known = TEST_PATTERN_RESULTS.find((each) => each === result);
    if (known === undefined) throw new DomainError({ kind: "encoder-on-air" });
    return known;
  }

  /** Any node can: the test does not concern a channel. */
  testTarget(target: TargetSpec): Promise<PreflightResult> {
    return this.#deps.own.testTarget(target);
  }

  watch(channelId: ChannelId, sink: PreviewClientSink): PreviewClient {
    const { own, elsewhere } = this.#deps;
    return (this.#isElsewhere(channelId) ? elsewhere : own).watch(channelId, sink);
  }

  keyframe(channelId: ChannelId, knownTime?: number): Promise<Keyframe> {
    const { own, elsewhere } = this.#deps;
    return (this.#isElsewhere(channelId) ? elsewhere : own).keyframe(channelId, knownTime);
  }

  freshen(channelIds: readonly ChannelId[]): Promise<void> {
    const { others, epochOf } = this.#deps;
    return others.freshen(channelIds.filter((channelId) => epochOf(channelId) === undefined));
  }

  live(channelId: ChannelId): ChannelLive | undefined {
    const { own, others, epochOf } = this.#deps;
    const epoch = epochOf(channelId);
    if (epoch === undefined) return others.live(channelId) ?? withoutOwner(own.live(channelId));
    const live = own.live(channelId);
    return live === undefined ? undefined : { ...live, owner: { state: "SERVING", ageMs: 0 } };
  }

  publishingChannels(): readonly ChannelId[] {
    const { own, others, epochOf } = this.#deps;
    const ours = own.publishingChannels();
    return [...new Set([...ours, ...others.publishingChannels().filter((each) => epochOf(each) === undefined)])];
  }

  #isElsewhere(channelId: ChannelId): boolean {
    const { others, epochOf } = this.#deps;
    return epochOf(channelId) === undefined && others.livingOwnerOf(channelId) !== undefined;
  }

  /** Undefined: it is this node's to do. */
  #doneBy(channelId: ChannelId, command: Command): Promise<void> | undefined {
    if (!this.#isElsewhere(channelId)) return undefined;
    return this.#deps.commands.send(command).then(() => undefined);
  }
}

/** A channel that this node released: it may be on air only while this node still ends it. */
function withoutOwner(live: ChannelLive | undefined): ChannelLive | undefined {
  return live?.isPublishing === true ? live : undefined;
}
