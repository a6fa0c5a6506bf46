import { type Clock, systemClock } from "../../../base/clock.ts";
import type { SourceStatus } from "../../../control/channels/source.ts";
import { FactBus } from "../../../control/facts/fact-bus.ts";
import type { ServerFact } from "../../../control/facts/server-fact.ts";
import type { ChannelHealth } from "../../../control/health/channel-health.ts";
import { channelHealth } from "../../../control/health/channel-health.ts";
import { IngestChecks } from "../../../control/ingest-check/ingest-checks.ts";
import { LiveState } from "../../../control/live/live-state.ts";
import type { SlateState } from "../../../control/ports/slate-maker.ts";
import { SharedClock } from "../../../control/schedules/shared-clock.ts";
import { Metrics } from "../../../telemetry/metrics.ts";
import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";
import { OwnTroubles } from "../own-troubles.ts";
import type { Foundations } from "../server-options.ts";
import type { Buses } from "../subscriptions.ts";
import { ThreadWatch } from "../thread-watch.ts";

/** The buses of a server, and what it knows from them: live state, ingest check, metrics, troubles, threads. */
export type Observers = {
  readonly clock: Clock;
  /** The clock of the database where servers share it. */
  readonly sharedClock: SharedClock;
  readonly buses: Buses;
  readonly publish: (fact: ServerFact) => void;
  readonly liveState: LiveState;
  readonly ingestChecks: IngestChecks;
  readonly healthOf: (channelId: ChannelId) => ChannelHealth;
  readonly metrics: Metrics;
  readonly troubles: OwnTroubles;
  readonly threads: ThreadWatch;
};

type MediaVerdicts = {
  readonly own: { readonly status: (channelId: ChannelId) => SourceStatus | undefined };
  readonly slateTrouble: (channelId: ChannelId) => SlateState | undefined;
};

/** Makes them; nothing is subscribed yet. `media`: what channels' sources and slates do. */
export function newObservers(foundations: Foundations, media: () => MediaVerdicts): Observers {
  const { config, log, storage } = foundations;
  const clock = systemClock;
  const sharedClock = new SharedClock(clock);
  if (storage.database.isShared) storage.database.countDueBy(sharedClock);
  const buses: Buses = { facts: new FactBus(log), samples: new FactBus(log), events: new FactBus(log) };
  const publish = (fact: ServerFact) => buses.facts.publish(fact);
  const liveState = new LiveState(clock);
  const readTargets = async (channelId: ChannelId) => (await storage.store.findChannel(channelId))?.targets;
  const ingestChecks = new IngestChecks({ clock, readTargets, publish });
  const healthOf = (channelId: ChannelId) =>
    channelHealth({
      ...{ state: "live", live: liveState.live(channelId), source: media().own.status(channelId) },
      slate: media().slateTrouble(channelId),
      warnings: ingestChecks.warnings(channelId),
    });
  const metrics = new Metrics((channelId) => healthOf(channelId).state);
  const troubles = OwnTroubles.watching(clock, publish);
  const threads = new ThreadWatch({
    ...{ clock, metrics: metrics.threads, loadMax: config.loadMaxPercent / 100 },
    onOverload: (isThere) => troubles.set("overloaded", isThere),
  });
  if (foundations.traces !== undefined) metrics.include(foundations.traces.metrics);
  return { clock, sharedClock, buses, publish, liveState, ingestChecks, healthOf, metrics, troubles, threads };
}
