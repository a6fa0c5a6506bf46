import { randomBytes } from "node:crypto";
import { systemClock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import { ClusterStates } from "../../../cluster/cluster-states.ts";
import type { NodeReport } from "../../../cluster/node-report.ts";
import type { ChannelEvent } from "../../../control/events/events.ts";
import type { IngestChecks } from "../../../control/ingest-check/ingest-checks.ts";
import { SqlEventStore } from "../../../store/events/event-store.ts";
import type { ChannelId, ChannelSpec } from "../../../thread-protocol/channel-spec.ts";
import type { Config } from "../../config/settings/settings.ts";
import type { Storage } from "../../data-folder/storage.ts";
import { releaseVersion } from "../../release.ts";
import type { MediaPool } from "../media/media-pool.ts";
import type { ThreadWatch } from "../thread-watch.ts";
import type { ClusterNode } from "./cluster-node.ts";
import { FinishLost } from "./finish-lost.ts";

const REQUEST_ID_BYTES = 12;
const BITS = 8;
const MS_PER_SECOND = 1_000;

export type JoinParts = {
  readonly config: Config;
  readonly log: Log;
  readonly storage: Storage;
  readonly node: ClusterNode;
  readonly pool: MediaPool;
  readonly ingestChecks: IngestChecks;
  readonly threads: ThreadWatch;
  readonly readSpec: (channelId: ChannelId) => Promise<ChannelSpec | undefined>;
  /** Channels of other nodes have another state. */
  readonly onChanged: (channelIds: readonly ChannelId[]) => void;
  /** Somebody follows the state of all channels. */
  readonly hasReaders: () => boolean;
  /** An event was stored, here for another node, or at another node. */
  readonly onEvent: (event: ChannelEvent) => void;
  readonly onDeliveries: () => void;
};

/** A joined node. `start`: rejects where the database cannot be asked. */
export type Joined = { readonly states: ClusterStates; start(): Promise<void>; stop(): void };

/** Joins a node to the parts of its server: every node then answers for all channels. */
export function joinCluster(parts: JoinParts): {
  readonly states: ClusterStates;
  start(): Promise<void>;
  stop(): void;
} {
  const { log, storage, node, pool, ingestChecks, readSpec, onChanged, hasReaders, onEvent, onDeliveries } = parts;
  const { placement, store } = node;
  const finish = new FinishLost({ events: new SqlEventStore(storage.database), store, log, onEvent });
  const states = new ClusterStates({
    ...{ self: node.self, bus: node.bus, rpc: node.rpc, clock: systemClock, log, own: pool, ownChecks: ingestChecks },
    newRequestId: () => randomBytes(REQUEST_ID_BYTES).toString("base64url"),
    owned: () => placement.epochs,
    nodeState: (incarnation) => node.nodes.stateOf(incarnation),
    storedOwner: async (channelId) => (await store.findOwner(channelId))?.owner?.incarnation,
    report: () => reportOf(parts),
    ...{ readSpec, hasReaders, onChanged, onEvent, onDeliveries },
    onSamples: (channels) => onChanged(channels.map(({ channelId }) => channelId)),
    onHint: ({ channelId }) => onChanged([channelId]),
    // Keys and sessions are read from the database at every request.
    onKeys: () => undefined,
  });
  const readAgain = async (channelId: ChannelId) => {
    const spec = await readSpec(channelId);
    if (spec === undefined) return;
    pool.apply(spec);
    placement.revised(channelId, spec.revision);
  };
  return {
    states,
    start: async () => {
      await node.start({
        letSend: (isAllowed) => pool.workers.letSend(isAllowed),
        onNewer: (channelId) =>
          void readAgain(channelId).catch((error: unknown) =>
            log.warn("a changed channel could not be read", {
              channelId,
              detail: error instanceof Error ? error.message : String(error),
            }),
          ),
        onTakenOver: (channelId, epoch) => void finish.channel(channelId, epoch),
        onLost: ({ incarnation }) => void finish.node(incarnation),
        isOnAir: (channelId) => pool.live(channelId)?.isPublishing === true,
      });
      states.start();
    },
    stop: () => states.stop(),
  };
}

function reportOf({ config, node, pool, threads }: JoinParts): Omit<NodeReport, "no"> {
  let bytesPerSecond = 0;
  for (const channelId of pool.publishingChannels()) {
    for (const { sample } of pool.live(channelId)?.targets.values() ?? [])
      bytesPerSecond += sample?.bytesPerSecond ?? 0;
  }
  return {
    nodeId: config.nodeId,
    state: node.isDraining ? "draining" : "serving",
    version: releaseVersion(),
    load: {
      channels: node.placement.epochs.size,
      egressBitsPerSecond: bytesPerSecond * BITS,
      loopDelayMs: threads.loopDelaySeconds * MS_PER_SECOND,
      relayed: pool.workers.relayed,
    },
  };
}
