import { systemClock } from "../../../base/clock.ts";
import { Admission } from "../../../control/access/admission.ts";
import type { RefusedEncoder } from "../../../control/facts/refusal-list.ts";
import { eventAnswer, refusedEncoderAnswer } from "../../../http/answers/event-answers.ts";
import type { LiveStream } from "../../../http/live/live-stream.ts";
import { LocalPlacement } from "../../../placement/local-placement.ts";
import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";
import { MediaPool, type MediaPoolDeps } from "../media/media-pool.ts";
import type { MediaSources } from "../media-sources.ts";
import type { Notifications } from "../notifications.ts";
import type { Observers } from "../observing/observers.ts";
import { type Foundations, mediaOptions } from "../server-options.ts";
import type { Succession } from "../succession/succession.ts";
import type { TotalsKeeper } from "../totals-keeper.ts";
import type { ClusterNode } from "./cluster-node.ts";
import { type Joined, joinCluster } from "./join-cluster.ts";

/** What a server is built on, with the processes before it and the nodes beside it. */
export type AllFoundations = Foundations & {
  readonly succession: Succession;
  /** Where several nodes share the database. */
  readonly node?: ClusterNode;
};

/** The media threads, whose requests about encoders the database answers. */
export function poolOver(
  { config, log, storage, tls, node }: AllFoundations,
  more: Pick<MediaPoolDeps, "view" | "previewAccess" | "linkRecorder" | "onFact" | "onSamples" | "onThread">,
): MediaPool {
  const stored = new Admission(storage.store);
  const admission = node?.admissions ?? stored;
  return new MediaPool({
    options: {
      ...mediaOptions(config, tls),
      ...(node === undefined ? {} : { nodeLink: node.linkOptions }),
    },
    placement: node?.placement ?? new LocalPlacement(log),
    ...(node === undefined ? {} : { cluster: node }),
    ...{ clock: systemClock, log, ...more },
    ...(storage.sharedGuards === undefined ? {} : { sharedGuards: storage.sharedGuards }),
    admit: (key, login) => admission.admit(key, login),
    findIngestUser: (userId) => stored.findIngestUser(userId),
    readSpec: (channelId) => admission.readSpec(channelId),
  });
}

/**
 * Where several nodes share the database: how this one answers for the channels of all. `receivers`: what is told of other
 * nodes; they are made later.
 */
export function clusterOver(
  { config, log, storage, node }: AllFoundations,
  { ingestChecks, threads, buses, metrics, liveState }: Observers,
  pool: MediaPool,
  receivers: () => {
    readonly liveStream: LiveStream;
    readonly notifications: Notifications;
    readonly totals: TotalsKeeper;
    readonly media: MediaSources;
  },
): Joined | undefined {
  if (node === undefined) return undefined;
  const joined = joinCluster({
    ...{ config, log, storage, node, pool, ingestChecks, threads, liveState, metrics },
    notifications: () => receivers().notifications,
    media: () => receivers().media,
    storeTotals: () => receivers().totals.storeLast(),
    readChannel: (channelId) => storage.store.findChannel(channelId),
    onChanged: (channelIds) => {
      for (const channelId of channelIds) receivers().liveStream.changed(channelId);
      // A command that was given here to another node's channel is answered once it shows.
      liveState.look();
    },
    onSamples: (samples) => {
      receivers().liveStream.samplesElsewhere(samples);
      liveState.look();
    },
    onMissed: () => receivers().liveStream.missed(),
    hasReaders: () => receivers().liveStream.readerCount > 0,
    onEvent: (event) => buses.events.publish(event),
    onHeardEvent: (event) => receivers().liveStream.event(event.channelId, eventAnswer(event)),
    onHeardRefusals: (attempts) => {
      const { liveStream, notifications } = receivers();
      for (const entry of notifications.refusedEncoders.heard(attempts))
        liveStream.refused(entry.channelId, refusedEncoderAnswer(entry));
    },
    onDeliveries: () => receivers().notifications.deliverer.wake(),
  });
  metrics.include(node.metrics);
  return joined;
}

/** What events, rejected encoders and history have to do with the other nodes. */
export function notificationHooks(node: ClusterNode, { states, history }: Joined) {
  return {
    ...node.eventHooks,
    historyElsewhere: (channelId: ChannelId) => history.ask(channelId),
    tellRefusals: (attempts: readonly RefusedEncoder[]) => states.hints.refused(attempts),
  };
}
