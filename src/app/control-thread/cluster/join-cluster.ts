import { randomBytes } from "node:crypto";
import { systemClock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import { applyStored, type ReadChannel } from "../../../cluster/changed-channel.ts";
import { ClusterNodes } from "../../../cluster/cluster-nodes.ts";
import { ClusterStates, type ClusterStatesDeps } from "../../../cluster/cluster-states.ts";
import { Drain } from "../../../cluster/drain.ts";
import type { NodeReport } from "../../../cluster/node-report.ts";
import { sampleOf, type ToldChannel } from "../../../cluster/state/told-channel.ts";
import { ToldHistory } from "../../../cluster/state/told-history.ts";
import { Takers } from "../../../cluster/takers.ts";
import type { ChannelEvent } from "../../../control/events/events.ts";
import type { RefusedEncoder } from "../../../control/facts/refusal-list.ts";
import type { IngestChecks } from "../../../control/ingest-check/ingest-checks.ts";
import type { LiveState } from "../../../control/live/live-state.ts";
import type { SlateState } from "../../../control/ports/slate-maker.ts";
import type { SourceCommand } from "../../../control/ports/source-player.ts";
import type { Sources } from "../../../control/sources/sources.ts";
import type { KeyNews } from "../../../http/http-server.ts";
import { SqlEventStore } from "../../../store/events/event-store.ts";
import type { ClusterReading } from "../../../telemetry/cluster-metrics.ts";
import type { Metrics } from "../../../telemetry/metrics.ts";
import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";
import type { ChannelSample } from "../../../thread-protocol/samples.ts";
import type { Config } from "../../config/settings/settings.ts";
import type { Storage } from "../../data-folder/storage.ts";
import { releaseVersion } from "../../release.ts";
import type { MediaPool } from "../media/media-pool.ts";
import type { Notifications } from "../notifications.ts";
import type { ThreadWatch } from "../thread-watch.ts";
import { BroadcastMoves } from "./broadcast-moves.ts";
import type { ClusterNode, NodeListeners } from "./cluster-node.ts";
import { FinishLost } from "./finish-lost.ts";

const REQUEST_ID_BYTES = 12;
const BITS = 8;
const MS_PER_SECOND = 1_000;
const MBIT = 1_000_000;

/** What plays at this node, as far as other nodes are concerned. */
type NodeMedia = {
  readonly own: Pick<Sources, "channelIds" | "status">;
  slateState(channelId: ChannelId): SlateState | undefined;
  run(channelId: ChannelId, command: SourceCommand): Promise<boolean>;
  refresh(channelId: ChannelId): void;
  forget(channelId: ChannelId): void;
};

export type JoinParts = {
  readonly config: Config;
  readonly log: Log;
  readonly storage: Storage;
  readonly node: ClusterNode;
  readonly pool: MediaPool;
  readonly ingestChecks: IngestChecks;
  readonly liveState: LiveState;
  readonly metrics: Metrics;
  /** Made later than this. */
  readonly notifications: () => Notifications;
  /** Made later than this. */
  readonly media: () => NodeMedia;
  /** Stores the totals. Never rejects. */
  readonly storeTotals: () => Promise<void>;
  readonly threads: ThreadWatch;
  readonly readChannel: ReadChannel;
  /** Channels of other nodes have another state. */
  readonly onChanged: (channelIds: readonly ChannelId[]) => void;
  /** What other nodes told may have been missed. */
  readonly onMissed: () => void;
  /** Somebody follows the state of all channels. */
  readonly hasReaders: () => boolean;
  /** New counters of channels of other nodes came. */
  readonly onSamples: (samples: readonly ChannelSample[]) => void;
  /** An event was stored here, about a broadcast that another node carried. */
  readonly onEvent: (event: ChannelEvent) => void;
  /** Another node stored an event. It alone tells people of it: here it is only shown. */
  readonly onHeardEvent: (event: ChannelEvent) => void;
  /** Another node rejected encoders; latest first. */
  readonly onHeardRefusals: (attempts: readonly RefusedEncoder[]) => void;
  readonly onDeliveries: () => void;
};

/** A joined node. `start`: rejects where the database cannot be asked. */
export type Joined = {
  readonly states: ClusterStates;
  readonly nodes: ClusterNodes;
  readonly moves: BroadcastMoves;
  readonly history: ToldHistory;
  readonly keyNews: KeyNews;
  /** How much the server has to do, for a load balancer in front of it. */
  load(): NodeReport["load"] & { readonly isDraining: boolean; readonly loopDelayMsMax: number };
  start(): Promise<void>;
  /** Drains the node. Resolves when nothing is on air here. */
  empty(): Promise<void>;
  stop(): void;
};

/** Joins a node to the parts of its server: every node then answers for all channels. */
export function joinCluster(parts: JoinParts): Joined {
  const { log, storage, node, pool, ingestChecks, media, onChanged } = parts;
  const { placement, store } = node;
  const keys = { take: (): void => undefined };
  const takers = new Takers({ nodes: () => states.others.nodes(), self: node.self, version: releaseVersion() });
  const moves = new BroadcastMoves({
    ...{ ...parts, takers },
    events: new SqlEventStore(storage.database),
    onChanged: (channelId) => onChanged([channelId]),
  });
  const drain = drainOf(parts, moves);
  const report = () => reportOf(parts, drain);
  const finish = finishOf(parts);
  const deleted = (channelId: ChannelId) => forgetDeleted(parts, states, channelId);
  const states = new ClusterStates({
    ...{ self: node.self, bus: node.bus, rpc: node.rpc, clock: systemClock, log, own: pool, ownChecks: ingestChecks },
    elsewhere: node.views,
    newRequestId: () => randomBytes(REQUEST_ID_BYTES).toString("base64url"),
    ...sourcesOf(media),
    takers: () => takers.ranked().map(({ incarnation }) => incarnation),
    ...{ isDraining: () => drain.isDraining || node.isDraining },
    owned: () => placement.epochs,
    nodeState: (incarnation) => node.nodes.listedStateOf(incarnation),
    onNew: (incarnation) => node.heardFirst(incarnation),
    storedOwner: async (channelId) => (await store.findOwner(channelId))?.owner?.incarnation,
    ...{ report, concerns: (channelId) => pool.requests.concerns(channelId) },
    ...listenersOf(parts),
    onHint: ({ channelId, isDeleted, isSource }) => {
      node.admissions.changed(channelId);
      if (isSource === true) media().refresh(channelId);
      if (isDeleted === true) deleted(channelId);
      onChanged([channelId]);
    },
    onKeys: () => keys.take(),
  });
  const history = historyOf(parts, states);
  const nodes = new ClusterNodes({
    ...{ self: node.self, store, bus: node.bus, rpc: node.rpc, ownReport: report },
    seen: () => states.others.nodes(),
    moveAll: (to) => moves.moveAll(to),
    drain: async () => {
      drain.start();
      states.feed.beatNow();
    },
  });
  node.metrics.readFrom(() => readingOf(node, report().load, nodes, states));
  return {
    states,
    nodes,
    moves,
    history,
    // Requests read keys and sessions from the database. This is for what lasts longer: event streams, previews.
    keyNews: { tell: () => states.hints.keysChanged(), listen: (take) => Object.assign(keys, { take }) },
    load: () => ({
      ...report().load,
      isDraining: drain.isDraining || node.isDraining,
      // A thread that is this late soon leaves the other nodes' questions unanswered: they would take its channels over.
      loopDelayMsMax: parts.config.ownerSilentMs / 2,
    }),
    start: async () => {
      await node.start(nodeListeners(parts, { moves, finish, states, deleted }));
      states.start();
      finish.start();
    },
    empty: async () => {
      const emptied = drain.empty();
      states.feed.beatNow();
      await emptied;
    },
    stop: () => {
      for (const part of [drain, finish, states]) part.stop();
    },
  };
}

type Composed = {
  readonly moves: BroadcastMoves;
  readonly finish: FinishLost;
  readonly states: ClusterStates;
  readonly deleted: (channelId: ChannelId) => void;
};

function nodeListeners(parts: JoinParts, { moves, finish, states, deleted }: Composed): NodeListeners {
  const { pool, onMissed } = parts;
  return {
    letSend: (isAllowed) => pool.workers.letSend(isAllowed),
    onNewer: (channelId) => void readAgain(parts, channelId, deleted),
    onRevoked: (channelId, slot) => pool.workers.dismissRevoked(channelId, slot),
    onMissed,
    onTakenOver: (channelId, epoch) => finish.channel(channelId, epoch),
    onGivenUp: async (channelId, epoch) => {
      // Whatever this node tells of one that is off air says so too.
      if (pool.live(channelId)?.isPublishing === true) await finish.goOn(channelId, epoch);
    },
    onLost: () => void finish.all(),
    isHeard: (incarnation) => states.others.isHeard(incarnation),
    isOnAir: (channelId) => pool.live(channelId)?.isPublishing === true,
    takeBroadcast: (owner) => moves.moves.fetch(owner),
    onMoved: (channelId, epoch, moved) => moves.goOn(channelId, epoch, moved),
  };
}

/** A channel was deleted at another node. */
function forgetDeleted({ media }: JoinParts, { feed }: ClusterStates, channelId: ChannelId): void {
  media().forget(channelId);
  feed.changed(channelId);
}

function finishOf({ storage, node: { store }, log, onEvent }: JoinParts): FinishLost {
  return new FinishLost({ events: new SqlEventStore(storage.database), store, clock: systemClock, log, onEvent });
}

/** Who is told what other nodes tell. */
function listenersOf({
  readChannel,
  hasReaders,
  onChanged,
  onDeliveries,
  onHeardEvent,
  onHeardRefusals,
  onSamples,
}: JoinParts) {
  return {
    ...{ readChannel, hasReaders, onChanged, onDeliveries, onHeardEvent, onHeardRefusals },
    onSamples: (channels: readonly ToldChannel[]) => onSamples(channels.flatMap((channel) => sampleOf(channel) ?? [])),
  };
}

/** The history that the owners of channels have not stored yet. */
function historyOf({ node, notifications }: JoinParts, { others }: ClusterStates): ToldHistory {
  return new ToldHistory({
    ...{ bus: node.bus, rpc: node.rpc, own: () => notifications().history },
    ownerOf: (channelId) =>
      node.placement.epochs.has(channelId) ? undefined : others.livingOwnerOf(channelId)?.incarnation,
  });
}

/** The sources that play at this node. */
function sourcesOf(media: () => NodeMedia): Pick<ClusterStatesDeps, "sources" | "runSource"> {
  return {
    sources: {
      channelIds: () => media().own.channelIds(),
      status: (channelId) => media().own.status(channelId),
      slate: (channelId) => media().slateState(channelId),
    },
    runSource: (channelId, command) => media().run(channelId, command),
  };
}

/** Brings a channel to what is stored of it now: the hint of its change may have been lost. Never rejects. */
async function readAgain(
  { readChannel, pool, onChanged, log }: JoinParts,
  channelId: ChannelId,
  onDeleted: (channelId: ChannelId) => void,
): Promise<void> {
  try {
    const channel = await applyStored(channelId, readChannel, pool);
    if (channel === undefined) onDeleted(channelId);
    onChanged([channelId]);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    log.warn("a changed channel could not be read", { channelId, detail });
  }
}

/** What empties this node where somebody asks for that. */
function drainOf({ config, log, node, pool }: JoinParts, moves: BroadcastMoves): Drain {
  return new Drain({
    ...{ clock: systemClock, log, drainMs: config.drainSeconds * MS_PER_SECOND },
    begin: () => {
      moves.expect();
      return node.drain();
    },
    onAir: () => pool.publishingChannels(),
    relayed: () => pool.workers.relayed,
    cut: (channelId) => moves.moves.leave(channelId),
  });
}

function reportOf({ config, node, pool, threads }: JoinParts, drain: Drain): Omit<NodeReport, "no"> {
  const { capacityMbps } = config;
  let bytesPerSecond = 0;
  for (const channelId of pool.publishingChannels()) {
    for (const { sample } of pool.live(channelId)?.targets.values() ?? [])
      bytesPerSecond += sample?.bytesPerSecond ?? 0;
  }
  return {
    nodeId: config.nodeId,
    state: node.isDraining || drain.isDraining ? "draining" : "serving",
    version: releaseVersion(),
    load: {
      channels: node.placement.epochs.size,
      egressBitsPerSecond: bytesPerSecond * BITS,
      loopDelayMs: threads.loopDelaySeconds * MS_PER_SECOND,
      relayed: pool.workers.relayed,
      ...(capacityMbps === undefined ? {} : { capacityBitsPerSecond: capacityMbps * MBIT }),
      ...(drain.endTime === undefined ? {} : { drainEndTime: drain.endTime }),
    },
  };
}

/** What the metrics of this node show. */
function readingOf(
  node: ClusterNode,
  load: NodeReport["load"],
  nodes: ClusterNodes,
  states: ClusterStates,
): ClusterReading {
  const { ageMs, isDatabaseUp } = node.agreement;
  const capacity = load.capacityBitsPerSecond;
  return {
    nodeStates: nodes.statesOf(node.nodes.known),
    channels: load.channels,
    egressBytesPerSecond: load.egressBitsPerSecond / BITS,
    ...(capacity === undefined ? {} : { capacityBytesPerSecond: capacity / BITS }),
    ...{ isBusUp: node.bus.isConnected, isDatabaseUp },
    reconcileAgeSeconds: ageMs / MS_PER_SECOND,
    projectionAgeSeconds: states.others.ageMs() / MS_PER_SECOND,
  };
}
