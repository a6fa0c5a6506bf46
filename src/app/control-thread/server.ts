import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { systemClock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { ensureManagerKey } from "../../control/access/access-key.ts";
import { Admission } from "../../control/access/admission.ts";
import { PreviewAccess } from "../../control/access/preview-access.ts";
import { FactBus } from "../../control/facts/fact-bus.ts";
import type { ServerFact } from "../../control/facts/server-fact.ts";
import { channelHealth } from "../../control/health/channel-health.ts";
import { IngestChecks } from "../../control/ingest-check/ingest-checks.ts";
import { LiveState } from "../../control/live/live-state.ts";
import type { AccessKey } from "../../control/ports/access-key-store.ts";
import { StoreUnavailableError } from "../../control/ports/errors.ts";
import { Service } from "../../control/service.ts";
import { withActor } from "../../http/auth/request-actor.ts";
import { buildHttpServer } from "../../http/http-server.ts";
import { LiveStream } from "../../http/live/live-stream.ts";
import { buildMetricsServer } from "../../http/routes/health.ts";
import { Health } from "../../http/server/health.ts";
import { LocalPlacement } from "../../placement/local-placement.ts";
import { instanceName } from "../../store/database/instance-name.ts";
import { probeWrite } from "../../store/database/write-probe.ts";
import { createLogger } from "../../telemetry/logger.ts";
import { Metrics } from "../../telemetry/metrics.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ShutdownMode } from "../../thread-protocol/messages.ts";
import { type Addresses, addressesOf } from "../config/addresses.ts";
import type { Config } from "../config/settings/settings.ts";
import { dataPaths, openStorage, type Storage } from "../data-folder/storage.ts";
import { logLastWords, type Outputs } from "../process/outputs.ts";
import { watchClock } from "./clock-watch.ts";
import { watchDatabase } from "./database-watch.ts";
import { warnOfFew } from "./descriptor-shares.ts";
import { closeHttp, listenHttp } from "./http-listening.ts";
import { MediaPool } from "./media/media-pool.ts";
import { MediaSources } from "./media-sources.ts";
import { Notifications } from "./notifications.ts";
import { OwnTroubles } from "./own-troubles.ts";
import type { RecordingWorker } from "./recording/recording-worker.ts";
import { recordingsOf } from "./recording/recordings-of.ts";
import {
  DESCRIPTORS,
  dashboardOver,
  type Foundations,
  hostNames,
  httpOptions,
  mediaOptions,
  notificationsOptions,
} from "./server-options.ts";
import { type Buses, subscribeAll } from "./subscriptions.ts";
import { ThreadWatch } from "./thread-watch.ts";
import { followTlsFiles, readTlsFiles } from "./tls-files.ts";
import { TotalsKeeper } from "./totals-keeper.ts";

/** Length of the name of this process's live stream, in bytes. The next process uses another name. */
const LIVE_EPOCH_BYTES = 6;

/** A running server. */
export type RunningServer = {
  readonly addresses: Addresses;
  /** The manager key, where this start made one. */
  readonly firstKey: AccessKey | undefined;
  /** The encryption key file, where this start made one. */
  readonly newKeyFile: string | undefined;
  /** The token of the dashboard's set-up link, while no password is set. */
  readonly setupToken: string | undefined;
  /** Stops as configured: within 5 seconds, with everything stored. Idempotent. */
  stop(): Promise<void>;
};

/**
 * Composes the server and starts it: the root of the control thread. Rejects if it cannot start, and with the reason of
 * `stopping` if that signal comes before the server is ready. A rejected start leaves nothing behind.
 */
export async function startServer(
  config: Config,
  outputs: Outputs,
  stopping: AbortSignal = new AbortController().signal,
): Promise<RunningServer> {
  const log = createLogger({ level: config.logLevel, destination: outputs.standard });
  logLastWords(log, outputs);
  warnOfFew(DESCRIPTORS, log);
  stopping.throwIfAborted();
  const storage = await openStorage(config);
  const { newKeyFile, folderProblem } = storage;
  if (folderProblem !== undefined) log.warn("the data folder is not private", { detail: folderProblem });
  if (newKeyFile !== undefined) log.warn("encryption key file made: keep a copy of it", { file: newKeyFile });
  const [tls, instance] = await Promise.all([readTlsFiles(config), instanceName(storage.database)]).catch(
    async (error: unknown) => {
      await storage.close();
      throw error;
    },
  );
  const parts = assemble({ config, log, storage, tls, instance });
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= stopAll(parts, config.shutdown, storage, log);
    return stopped;
  };
  outputs.standard.onLost((count) => parts.metrics.logLinesLost(count));
  try {
    stopping.throwIfAborted();
    // The RTMP port first: a client that reads an address from the API must be able to connect to it.
    const rtmpPort = await parts.runtime.start();
    stopping.throwIfAborted();
    const { tlsPort: rtmpsPort, srtPort } = parts.runtime;
    parts.addresses.now = addressesOf(config, config.httpPort, rtmpPort, { rtmpsPort, srtPort });
    const httpPort = await listenHttp(parts.http, config);
    for (const port of [rtmpPort, httpPort, rtmpsPort, srtPort]) if (port !== undefined) addOwnPort(parts, port);
    if (config.metricsListen !== undefined) {
      await parts.metricsHttp.listen(config.metricsListen);
      addOwnPort(parts, config.metricsListen.port);
    }
    parts.addresses.now = addressesOf(config, httpPort, rtmpPort, { rtmpsPort, srtPort });
    stopping.throwIfAborted();
    // After everything that can fail or be cancelled: a secret that was made here must be shown.
    const firstKey = await unlessUnwritable(log, "manager key", () => managerKey(config, storage));
    const setupToken = await unlessUnwritable(log, "set-up link", () => dashboardOver(storage).offerSetup());
    parts.totals.start();
    parts.recorder.start();
    parts.notifications.start();
    storage.followKeyFile(log);
    followTlsFiles(config, tls, parts, log);
    parts.media.start();
    log.info("ready", { httpPort, rtmpPort, rtmpsPort, srtPort });
    return { addresses: parts.addresses.now, firstKey, newKeyFile, setupToken, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function managerKey({ accessKey, secretKey }: Config, { store }: Storage): Promise<AccessKey | undefined> {
  const isConfigured = accessKey !== undefined && secretKey !== undefined;
  return ensureManagerKey({
    store,
    nowMs: systemClock.wallNow(),
    randomBytes,
    ...(isConfigured ? { configured: { accessKeyId: accessKey, secretKey } } : {}),
  });
}

/**
 * Makes something that must be stored. Returns undefined, and logs it, if the store accepts no writes: the start goes
 * on.
 */
async function unlessUnwritable<Value>(log: Log, what: string, make: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    log.error("not stored at this start", { what, detail: error.message });
    return undefined;
  }
}

type Parts = {
  readonly http: FastifyInstance;
  /** Listens only if the settings name an address for it. */
  readonly metricsHttp: FastifyInstance;
  readonly runtime: MediaPool;
  readonly media: MediaSources;
  readonly recorder: RecordingWorker;
  readonly notifications: Notifications;
  readonly metrics: Metrics;
  readonly totals: TotalsKeeper;
  /** The addresses of the server; the ports are known once it listens. */
  readonly addresses: { now: Addresses };
};

function assemble({ config, log, storage, tls, instance }: Foundations): Parts {
  const clock = systemClock;
  const { store } = storage;
  const buses: Buses = { facts: new FactBus(log), samples: new FactBus(log), events: new FactBus(log) };
  const publish = (fact: ServerFact) => buses.facts.publish(fact);
  const addresses = { now: addressesOf(config, config.httpPort, config.rtmpPort) };
  const liveState = new LiveState(clock);
  const readTargets = async (channelId: ChannelId) => (await store.findChannel(channelId))?.targets;
  const ingestChecks = new IngestChecks({ clock, readTargets, publish });
  const healthOf = (channelId: ChannelId) =>
    channelHealth({ state: "live", live: liveState.live(channelId), warnings: ingestChecks.warnings(channelId) });
  const metrics = new Metrics((channelId) => healthOf(channelId).state);
  metrics.recordings.readFrom(() => recording.recordings.totals);
  const troubles = OwnTroubles.watching(clock, publish);
  const threads = new ThreadWatch({
    ...{ clock, metrics, loadMax: config.loadMaxPercent / 100 },
    onOverload: (isThere) => troubles.set("overloaded", isThere),
  });
  const recording = recordingsOf(config, {
    ...{ clock, log },
    onDeleted: (deleted) => publish(withActor(deleted)),
    readName: async (channelId) => (await store.findChannel(channelId))?.name,
  });
  const previewAccess = new PreviewAccess({ clock, randomBytes });
  const admission = new Admission(store);
  const runtime = new MediaPool({
    ...{ options: mediaOptions(config, tls), placement: new LocalPlacement(log) },
    ...{ view: liveState, clock, log, previewAccess },
    ...(storage.sharedGuards === undefined ? {} : { sharedGuards: storage.sharedGuards }),
    linkRecorder: () => recording.worker.link(),
    admit: (key, login) => admission.admit(key, login),
    findIngestUser: (userId) => admission.findIngestUser(userId),
    onFact: publish,
    onSamples: (batch) => buses.samples.publish(batch),
    onThread: (news) => threads.take(news),
  });
  const service = new Service({
    ...{ store, runtime, view: liveState, ingestChecks, clock, randomBytes, planLimits: config.planLimits },
    publish: (fact) => publish(withActor(fact)),
  });
  const media = new MediaSources({
    ...{ store, runtime, clock, log, database: storage.database },
    ...{ folder: dataPaths(config).media, quotaMb: config.mediaQuotaMb },
    publish: (fact) => publish(fact.kind === "channel-changed" ? withActor(fact) : fact),
    isOverloaded: () => troubles.current.some(({ name }) => name === "overloaded"),
  });
  buses.facts.subscribe("sources", (fact) => media.fact(fact));
  const totals = new TotalsKeeper(() => service.flushTotals(), log);
  const notifications = new Notifications({
    ...notificationsOptions(config, storage, log),
    publish: (fact) => publish(fact.kind === "channel-changed" ? withActor(fact) : fact),
    onEvent: (event) => buses.events.publish(event),
    onTrouble: (trouble) => troubles.met(trouble),
    healthOf,
    readChannel: (channelId) => service.getChannel(channelId),
  });
  const liveStream = new LiveStream({
    ...{ service, ingestChecks, clock, log, epoch: randomBytes(LIVE_EPOCH_BYTES).toString("hex") },
    troubles: () => troubles.current,
    answerContext: (isViewer) => ({ ...addresses.now, publishStatusName: config.publishStatusName, isViewer }),
  });
  subscribeAll(buses, { log, liveState, ingestChecks, liveStream, metrics, notifications, troubles, totals });
  watchDatabase(storage, troubles, log, clock);
  watchClock(clock, log, () => {
    // The wall clock was set: send the times of what lasts again, by the new clock.
    for (const channelId of liveState.publishingChannels()) liveStream.changed(channelId);
  });
  const http = buildHttpServer({
    ...httpOptions({ config, log, storage, tls, instance }),
    health: new Health({ clock, probe: () => probeWrite(storage.database), troubles: () => troubles.current }),
    onAcceptError: (error) => troubles.acceptFailed(error),
    publishAddresses: () => addresses.now,
    ...{ service, runtime, previewAccess, live: liveStream, events: notifications.useCases, metrics },
    recordings: recording.recordings,
    push: notifications.pushUseCases,
    media,
  });
  const metricsHttp = buildMetricsServer({ source: metrics, clock, log, hosts: hostNames(config) });
  const { worker: recorder } = recording;
  return { http, metricsHttp, runtime, recorder, media, notifications, metrics, addresses, totals };
}

/** Adds a port of this server: neither targets nor webhooks may connect to it. */
function addOwnPort({ runtime, notifications }: Parts, port: number): void {
  runtime.addOwnPort(port);
  notifications.addOwnPort(port);
}

/** Stops in the order in which data flows: media threads, then totals, then events, then the database. */
async function stopAll(parts: Parts, mode: ShutdownMode, storage: Storage, log: Log): Promise<void> {
  log.info("stopping", { mode });
  const { http, metricsHttp, runtime, media, recorder, notifications, totals } = parts;
  totals.stop();
  // First of all, so that a source leaves like an encoder that stops.
  await media.close();
  await Promise.all([closeHttp(http), closeHttp(metricsHttp), runtime.stop(mode)]);
  await Promise.all([recorder.stop(), totals.storeLast()]);
  await notifications.close();
  await storage.close();
  log.info("stopped");
}
