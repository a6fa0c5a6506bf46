import type { Log } from "../../base/log.ts";
import type { ChannelEvent } from "../../control/events/events.ts";
import type { FactBus } from "../../control/facts/fact-bus.ts";
import type { RunningBroadcasts } from "../../control/facts/running-broadcasts.ts";
import type { ServerFact } from "../../control/facts/server-fact.ts";
import type { IngestChecks } from "../../control/ingest-check/ingest-checks.ts";
import type { LiveState } from "../../control/live/live-state.ts";
import { eventAnswer, refusedEncoderAnswer } from "../../http/answers/event-answers.ts";
import type { LiveStream } from "../../http/live/live-stream.ts";
import { logFact } from "../../telemetry/fact-log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { ChannelSample } from "../../thread-protocol/samples.ts";
import type { ClusterNode } from "./cluster/cluster-node.ts";
import type { Joined } from "./cluster/join-cluster.ts";
import type { Notifications } from "./notifications.ts";
import type { OwnTroubles } from "./own-troubles.ts";
import type { TotalsKeeper } from "./totals-keeper.ts";

/** The buses of the control thread. */
export type Buses = {
  readonly facts: FactBus<ServerFact>;
  /** The samples of all channels on air in one media thread, once a second. */
  readonly samples: FactBus<readonly ChannelSample[]>;
  /** Events that this process just stored. */
  readonly events: FactBus<ChannelEvent>;
};

export type Subscribers = {
  readonly log: Log;
  readonly liveState: LiveState;
  readonly ingestChecks: IngestChecks;
  readonly liveStream: LiveStream;
  readonly metrics: Metrics;
  readonly notifications: Notifications;
  readonly troubles: OwnTroubles;
  readonly totals: TotalsKeeper;
  readonly running: RunningBroadcasts;
  /** False where another process decides, and logs. */
  readonly isLogged: () => boolean;
};

/** Subscribes everything, in the order of delivery: the live state first, because others read from it. */
export function subscribeAll({ facts, samples, events }: Buses, to: Subscribers): void {
  facts.subscribe("live state", (fact) => to.liveState.fact(fact));
  facts.subscribe("ingest check", (fact) => to.ingestChecks.fact(fact));
  facts.subscribe("running broadcasts", (fact) => to.running.fact(fact));
  facts.subscribe("log", (fact) => {
    if (to.isLogged()) logFact(to.log, fact);
  });
  facts.subscribe("live stream", (fact) => to.liveStream.fact(fact));
  facts.subscribe("metrics", (fact) => to.metrics.fact(fact));
  facts.subscribe("events", (fact) => to.notifications.events.fact(fact));
  facts.subscribe("reports", (fact) => to.notifications.reports.fact(fact));
  facts.subscribe("refused encoders", (fact) => {
    const refused = to.notifications.refusedEncoders.fact(fact);
    if (refused !== undefined) to.liveStream.refused(refused.channelId, refusedEncoderAnswer(refused));
  });
  facts.subscribe("history", (fact) => to.notifications.history.fact(fact));
  facts.subscribe("alerts", (fact) => to.notifications.alerts.fact(fact));
  facts.subscribe("troubles", (fact) => to.troubles.fact(fact));
  facts.subscribe("totals", (fact) => to.totals.fact(fact));

  samples.subscribe("live state", (batch) => to.liveState.samples(batch));
  samples.subscribe("ingest check", (batch) => to.ingestChecks.samples(batch));
  samples.subscribe("live stream", (batch) => to.liveStream.samples(batch));
  samples.subscribe("metrics", (batch) => to.metrics.samples(batch));
  samples.subscribe("history", (batch) => to.notifications.history.samples(batch));
  samples.subscribe("alerts", (batch) => to.notifications.alerts.samples(batch));
  samples.subscribe("reports", (batch) => to.notifications.reports.samples(batch));

  events.subscribe("webhooks", () => to.notifications.deliverer.wake());
  events.subscribe("contacts", () => to.notifications.eventStored());
  events.subscribe("alerts", (event) => to.notifications.alerts.event(event));
  events.subscribe("live stream", (event) => to.liveStream.event(event.channelId, eventAnswer(event)));
}

/** What a node tells the others, and notes for them, comes last. */
export function subscribeCluster({ facts, events }: Buses, node: ClusterNode, { states, moves }: Joined): void {
  facts.subscribe("moved broadcasts", (fact) => moves.fact(fact));
  facts.subscribe("node", (fact) => node.fact(fact));
  facts.subscribe("other nodes", (fact) => states.fact(fact));
  events.subscribe("other nodes", (event) => states.hints.eventStored(event));
}
