import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { channelSpec } from "../control/channels/channel.ts";
import type { ChannelEvent } from "../control/events/events.ts";
import type { RefusedEncoder } from "../control/facts/refusal-list.ts";
import type { ServerFact } from "../control/facts/server-fact.ts";
import type { IngestChecks } from "../control/ingest-check/ingest-checks.ts";
import type { Bus } from "../control/ports/bus.ts";
import type { Incarnation, NodeState } from "../control/ports/ownership-store.ts";
import type { Runtime } from "../control/ports/runtime.ts";
import type { SourceCommand, SourcePeers } from "../control/ports/source-player.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import { applyStored, type ReadChannel } from "./changed-channel.ts";
import { ClusterRuntime } from "./cluster-runtime.ts";
import { type Command, type CommandOutcome, CommandSender, CommandTaker } from "./commands/commands.ts";
import { SourceCommands } from "./commands/source-commands.ts";
import { type ChannelHint, Hints } from "./hints.ts";
import type { NodeReport } from "./node-report.ts";
import type { NodeRpc } from "./node-rpc.ts";
import { ClusterLiveState } from "./state/cluster-live-state.ts";
import { type OwnSources, StateFeed } from "./state/state-feed.ts";
import type { ToldChannel } from "./state/told-channel.ts";

export type ClusterStatesDeps = {
  readonly self: Incarnation;
  readonly bus: Bus;
  readonly rpc: NodeRpc;
  readonly clock: Clock;
  readonly log: Log;
  readonly newRequestId: () => string;
  /** This node's own media threads, and its ingest check. */
  readonly own: Runtime;
  /** Previews and keyframes of channels that other nodes own. */
  readonly elsewhere: Pick<Runtime, "watch" | "keyframe">;
  readonly ownChecks: Pick<IngestChecks, "warnings" | "state">;
  /** The sources that play at this node. */
  readonly sources: OwnSources;
  /** Does what another node asks for the source of a channel; see `SharedSources.run`. */
  readonly runSource: (channelId: ChannelId, command: SourceCommand) => Promise<boolean>;
  /** The other nodes that take channels, the best one first. */
  readonly takers: () => readonly Incarnation[];
  /** Whether this node gives its channels away. */
  readonly isDraining: () => boolean;
  /** The channels that this node owns, with their epochs. */
  readonly owned: () => ReadonlyMap<ChannelId, number>;
  readonly nodeState: (incarnation: Incarnation) => NodeState | undefined;
  /** A node is heard for the first time. */
  readonly onNew: (incarnation: Incarnation) => void;
  readonly storedOwner: (channelId: ChannelId) => Promise<Incarnation | undefined>;
  readonly report: () => Omit<NodeReport, "no">;
  readonly readChannel: ReadChannel;
  /** Whether this node has the channel, or may be about to: it reads what changed of it. */
  readonly concerns: (channelId: ChannelId) => boolean;
  readonly hasReaders: () => boolean;
  /** Channels of other nodes have another state. */
  readonly onChanged: (channelIds: readonly ChannelId[]) => void;
  readonly onSamples: (channels: readonly ToldChannel[]) => void;
  /** A channel was changed or deleted at another node. */
  readonly onHint: (hint: ChannelHint) => void;
  readonly onKeys: () => void;
  readonly onDeliveries: () => void;
  /** Another node stored an event. */
  readonly onHeardEvent: (event: ChannelEvent) => void;
  /** Another node rejected encoders; latest first. */
  readonly onHeardRefusals: (attempts: readonly RefusedEncoder[]) => void;
};

/** What makes every node answer for all channels: it tells its own states, joins those of the others, and passes commands on. */
export class ClusterStates {
  readonly runtime: ClusterRuntime;
  readonly others: ClusterLiveState;
  readonly hints: Hints;
  readonly feed: StateFeed;
  /** The findings of the ingest check of whichever node owns a channel. */
  readonly ingestChecks: Pick<IngestChecks, "warnings" | "state">;
  /** The sources of other nodes. */
  readonly sourcePeers: SourcePeers;
  readonly #deps: ClusterStatesDeps;

  constructor(deps: ClusterStatesDeps) {
    this.#deps = deps;
    const { self, bus, rpc, clock, log, own, ownChecks, owned, newRequestId, storedOwner } = deps;
    const epochOf = (channelId: ChannelId) => owned().get(channelId);
    this.others = new ClusterLiveState(deps);
    this.feed = new StateFeed({ ...deps, live: (channelId) => own.live(channelId), ingestChecks: ownChecks });
    const toldOwner = (channelId: ChannelId) => this.others.livingOwnerOf(channelId)?.incarnation;
    const commands = new CommandSender({ bus, newRequestId, toldOwner, storedOwner });
    this.runtime = new ClusterRuntime({ own, elsewhere: deps.elsewhere, others: this.others, commands, epochOf });
    this.hints = new Hints(bus, self, log);
    this.ingestChecks = {
      warnings: (channelId) => this.#checksOf(channelId)?.warnings ?? ownChecks.warnings(channelId),
      state: (channelId) =>
        epochOf(channelId) === undefined ? this.others.checks(channelId)?.state : ownChecks.state(channelId),
    };
    const sourceCommands = new SourceCommands({ bus, rpc, run: deps.runSource });
    const others = this.others;
    this.sourcePeers = {
      get isDraining() {
        return deps.isDraining();
      },
      source: (channelId) => others.source(channelId),
      slate: (channelId) => (epochOf(channelId) === undefined ? others.slate(channelId) : undefined),
      owner: (channelId) => (epochOf(channelId) === undefined ? toldOwner(channelId) : undefined),
      takers: deps.takers,
      freshen: (channelId) => others.freshen([channelId]),
      ask: (node, channelId, command) => sourceCommands.ask(node, channelId, command),
    };
    const taker = new CommandTaker(clock, (command) => this.#run(command));
    rpc.on("command", (message) => taker.take(message));
    rpc.on("snapshot", async ({ after }) => this.feed.snapshot(typeof after === "string" ? after : undefined));
    rpc.on("status", async ({ channels }) => this.feed.status(textsOf(channels)));
  }

  start(): void {
    const { onHint, onKeys, onDeliveries, onHeardEvent, onHeardRefusals } = this.#deps;
    this.hints.start({
      channel: (hint) => {
        const applied = this.#apply(hint);
        onHint(hint);
        return applied;
      },
      keys: onKeys,
      deliveries: onDeliveries,
      event: onHeardEvent,
      refusals: onHeardRefusals,
    });
    this.others.start();
    this.feed.start();
  }

  stop(): void {
    this.feed.stop();
    this.others.stop();
    this.hints.stop();
  }

  /** Takes every fact of this node. */
  fact(fact: ServerFact): void {
    this.feed.fact(fact);
    if (fact.kind === "channel-changed") this.hints.channelChanged(fact);
  }

  #checksOf(channelId: ChannelId) {
    return this.#deps.owned().has(channelId) ? undefined : this.others.checks(channelId);
  }

  /** Applies a change that another node stored. */
  async #apply({ channelId, isDeleted }: ChannelHint): Promise<void> {
    const { own, readChannel, concerns, log } = this.#deps;
    try {
      if (isDeleted === true) return own.remove(channelId);
      // Whoever gets the channel later reads it then.
      if (concerns(channelId)) await applyStored(channelId, readChannel, own);
    } catch (error) {
      // The comparison with the database follows within seconds.
      log.warn("a changed channel could not be read", {
        channelId,
        detail: error instanceof Error ? error.message : "",
      });
    }
  }

  async #run(command: Command): Promise<CommandOutcome> {
    const { own, owned, readChannel } = this.#deps;
    const { channelId } = command;
    if (!owned().has(channelId)) return { kind: "not-owner" };
    switch (command.do) {
      case "end":
        await own.end(channelId);
        break;
      case "hold":
        await own.changeHold(channelId, command.how);
        break;
      case "cut":
        await own.disconnectPublisher(channelId, command.slot);
        break;
      case "retry":
        await own.retryTarget(channelId, command.targetId);
        break;
      case "cut-delay":
        await own.cutDelay(channelId, command.targetId);
        break;
      case "stop-test":
        await own.stopTestPattern(channelId);
        break;
      case "start-test":
      case "start-test-of": {
        const read = async () => {
          const channel = await readChannel(channelId);
          if (channel?.state !== "live") throw new Error("no encoder may publish to the channel");
          return channelSpec(channel);
        };
        return { kind: "done", result: await own.startTestPattern(channelId, read, command) };
      }
    }
    return { kind: "done" };
  }
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
