import { randomBytes, randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { systemClock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { ensureManagerKey } from "../../control/access/access-key.ts";
import { PreviewAccess } from "../../control/access/preview-access.ts";
import { ownScope } from "../../control/audit/audit.ts";
import type { ChannelChanged } from "../../control/facts/server-fact.ts";
import type { LiveState } from "../../control/live/live-state.ts";
import type { AccessKey } from "../../control/ports/access-key-store.ts";
import { StoreUnavailableError } from "../../control/ports/errors.ts";
import { Service } from "../../control/service.ts";
import { runAs, withActor } from "../../http/auth/request-actor.ts";
import { buildHttpServer } from "../../http/http-server.ts";
import { LiveStream } from "../../http/live/live-stream.ts";
import { buildMetricsServer } from "../../http/routes/health.ts";
import { ApiPause } from "../../http/server/api-pause.ts";
import { Health } from "../../http/server/health.ts";
import { instanceName } from "../../store/database/instance-name.ts";
import { probeWrite } from "../../store/database/write-probe.ts";
import { createLogger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { ShutdownMode } from "../../thread-protocol/messages.ts";
import { type Addresses, addressesOf } from "../config/addresses.ts";
import type { Config } from "../config/settings/settings.ts";
import { openStorage, openStorageOfOther, type Storage } from "../data-folder/storage.ts";
import { logLastWords, type Outputs } from "../process/outputs.ts";
import { releaseVersion } from "../release.ts";
import { HandoverListener } from "../upgrade/handover.ts";
import { watchClock } from "./clock-watch.ts";
import { readClusterConfig } from "./cluster/cluster-config.ts";
import type { ClusterNode } from "./cluster/cluster-node.ts";
import { type AllFoundations, clusterOver, notificationHooks, poolOver } from "./cluster/data-plane.ts";
import type { Joined } from "./cluster/join-cluster.ts";
import { watchDatabase } from "./database-watch.ts";
import { warnOfFew } from "./descriptor-shares.ts";
import { closeHttp, listenHttp, listenShared } from "./http-listening.ts";
import type { MediaPool } from "./media/media-pool.ts";
import { MediaSources, mediaVerdicts } from "./media-sources.ts";
import { Notifications } from "./notifications.ts";
import { newObservers } from "./observing/observers.ts";
import { type TraceExport, traceExportOf } from "./observing/trace-export.ts";
import type { OwnTroubles } from "./own-troubles.ts";
import type { RecordingWorker } from "./recording/recording-worker.ts";
import { recordingsOf } from "./recording/recordings-of.ts";
import {
  DESCRIPTORS,
  dashboardOver,
  hostNames,
  httpOptions,
  mediaSourcesOptions,
  notificationsOptions,
  previewSeals,
} from "./server-options.ts";
import { subscribeAll, subscribeCluster } from "./subscriptions.ts";
import { goOnWith, leaveUndecided } from "./succession/going-on.ts";
import { type HandoverParts, handoverServer } from "./succession/handover-server.ts";
import { Succession } from "./succession/succession.ts";
import { followTlsFiles, readTlsFiles } from "./tls-files.ts";
import { TotalsKeeper } from "./totals-keeper.ts";

/** Length of the name of this process's live stream, in bytes. The next process uses another name. */
const LIVE_EPOCH_BYTES = 6;
const MS_PER_SECOND = 1_000;

/** A running server. */
export type RunningServer = {
  readonly addresses: Addresses;
  /** The manager key, where this start made one. */
  readonly firstKey: AccessKey | undefined;
  /** The encryption key file, where this start made one. */
  readonly newKeyFile: string | undefined;
  /** The token of the dashboard's set-up link, while no password is set. */
  readonly setupToken: string | undefined;
  /** Resolves when nothing is on air at this node of a cluster, which takes no more channels from now on; at once elsewhere. */
  empty(): Promise<void>;
  /** Stops as configured: within 5 seconds, with everything stored. Idempotent. */
  stop(): Promise<void>;
  /** Resolves where the server stops because another process has taken over and its own broadcasts are over. */
  readonly ended: Promise<void>;
};

/**
 * Composes the server and starts it: the root of the control thread. Rejects if it cannot start, and with the reason of
 * `stopping` if that signal comes before the server listens. A rejected start leaves nothing behind.
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
  const foundations = await layFoundations(config, log);
  const { storage, tls, succession } = foundations;
  const { newKeyFile, folderProblem } = storage;
  if (folderProblem !== undefined) log.warn("the data folder is not private", { detail: folderProblem });
  if (newKeyFile !== undefined) log.warn("encryption key file made: keep a copy of it", { file: newKeyFile });
  const parts = assemble(foundations);
  let stopped: Promise<void> | undefined;
  const stop = (mode: ShutdownMode = config.shutdown) => {
    stopped ??= stopAll(parts, mode, log);
    return stopped;
  };
  const ended = Promise.withResolvers<void>();
  parts.handover = handoverOf(parts, foundations, {
    isStopping: () => stopped !== undefined,
    stop: (mode) => stop(mode).then(ended.resolve, ended.reject),
  });
  outputs.standard.onLost((count) => parts.metrics.logLinesLost(count));
  try {
    // Everything that takes time and needs no data folder comes before an earlier process gives it up.
    await Promise.all([parts.runtime.workers.load(), parts.http.ready(), parts.metricsHttp.ready()]);
    stopping.throwIfAborted();
    await succession.takeOver(() => storage.take());
    await succession.findOthers();
    parts.media.load();
    await goOnWith(parts);
    await parts.cluster?.start();
    // The RTMP port first: a client that reads an address from the API must be able to connect to it.
    const rtmpPort = await parts.runtime.start(succession.ports);
    stopping.throwIfAborted();
    const { tlsPort: rtmpsPort, srtPort } = parts.runtime;
    parts.addresses.now = addressesOf(config, config.httpPort, rtmpPort, { rtmpsPort, srtPort });
    const httpPort = await listenHttp(parts.http, config, succession.ports);
    for (const port of [rtmpPort, httpPort, rtmpsPort, srtPort]) if (port !== undefined) addOwnPort(parts, port);
    if (config.metricsListen !== undefined) {
      await listenShared(parts.metricsHttp, config.metricsListen, succession.ports);
      addOwnPort(parts, config.metricsListen.port);
    }
    // From here on this process decides: a request to stop ends the earlier ones too, and is obeyed once the start is over.
    stopping.throwIfAborted();
    succession.taken();
    parts.addresses.now = addressesOf(config, httpPort, rtmpPort, { rtmpsPort, srtPort });
    // After everything that can fail or be cancelled: a secret that was made here must be shown.
    const firstKey = await unlessUnwritable(log, "manager key", () => managerKey(config, storage));
    const setupToken = await unlessUnwritable(log, "set-up link", () => dashboardOver(storage).offerSetup());
    // Without it the clock of this server counts until the windows are read.
    await parts.media.setClock().catch(() => undefined);
    parts.totals.start();
    await succession.released(stopping, () => parts.recorder.start());
    parts.notifications.start();
    storage.followKeys(log, parts.node?.self);
    followTlsFiles(config, tls, parts, log);
    parts.media.start();
    await parts.handover?.listen();
    log.info("ready", { httpPort, rtmpPort, rtmpsPort, srtPort });
    return {
      addresses: parts.addresses.now,
      firstKey,
      newKeyFile,
      setupToken,
      empty: async () => {
        if (config.drainSeconds > 0) await parts.cluster?.empty();
      },
      stop: () => stop(),
      ended: ended.promise,
    };
  } catch (error) {
    await leaveUndecided(parts);
    // Broadcasts of earlier processes go on without this one.
    succession.leave();
    await stop();
    throw error;
  }
}

/**
 * Opens what the server is built on, and checks everything that can be wrong. A server that is to be taken over still has
 * the data folder then.
 */
async function layFoundations(config: Config, log: Log): Promise<AllFoundations> {
  const cluster = readClusterConfig(config);
  const tls = await readTlsFiles(config);
  const succession = new Succession(config, log);
  const takesOver = config.takeOver === "yes" && (await succession.meetServing());
  let storage: Storage | undefined;
  try {
    storage = await (takesOver ? openStorageOfOther(config) : openStorage(config));
    const instance = await instanceName(storage.database);
    const foundations = { config, log, storage, tls, instance, traces: traceExportOf(config, log) };
    if (cluster === undefined) return { ...foundations, succession };
    const { openClusterNode } = await import("./cluster/cluster-node.ts");
    return { ...foundations, succession, node: await openClusterNode({ ...foundations, cluster, clock: systemClock }) };
  } catch (error) {
    succession.leave();
    await storage?.close();
    throw error;
  }
}

/** What hands this server over to a newer process. Nodes of a cluster are drained instead. */
function handoverOf(
  parts: Parts,
  { config, log }: AllFoundations,
  process: Pick<HandoverParts, "isStopping" | "stop">,
): HandoverListener | undefined {
  if (config.databaseUrl !== undefined) return undefined;
  return new HandoverListener({
    ...{ dataFolder: config.dataDir, release: releaseVersion(), clock: systemClock, log },
    drainMs: config.upgradeDrainSeconds * MS_PER_SECOND,
    server: handoverServer({ ...parts, ...process, log, ports: () => parts.ports }),
  });
}

function managerKey({ accessKey, secretKey }: Config, { store }: Storage): Promise<AccessKey | undefined> {
  const isConfigured = accessKey !== undefined && secretKey !== undefined;
  const scope = ownScope("storeManagerKey", "server", randomUUID(), systemClock.wallNow());
  const ensure = () =>
    ensureManagerKey({
      store,
      nowMs: systemClock.wallNow(),
      randomBytes,
      ...(isConfigured ? { configured: { accessKeyId: accessKey, secretKey } } : {}),
    });
  return runAs(undefined, scope, ensure);
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
  readonly pause: ApiPause;
  readonly runtime: MediaPool;
  readonly media: MediaSources;
  readonly recorder: RecordingWorker;
  readonly liveState: LiveState;
  readonly notifications: Notifications;
  readonly metrics: Metrics;
  readonly totals: TotalsKeeper;
  readonly storage: Storage;
  readonly succession: Succession;
  readonly node: ClusterNode | undefined;
  readonly cluster: Joined | undefined;
  readonly traces: TraceExport | undefined;
  /** Hands this server over to a newer process. */
  handover: HandoverListener | undefined;
  /** The ports at which this process accepts connections. */
  readonly ports: number[];
  /** The addresses of the server; the ports are known once it listens. */
  readonly addresses: { now: Addresses };
};

function assemble(foundations: AllFoundations): Parts {
  const { config, log, storage, succession, node, traces } = foundations;
  const { store } = storage;
  const observers = newObservers(foundations, () => media);
  const { clock, buses, publish, liveState, ingestChecks, healthOf, metrics, troubles, threads } = observers;
  const addresses = { now: addressesOf(config, config.httpPort, config.rtmpPort) };
  metrics.recordings.readFrom(() => recording.recordings.totals);
  const recording = recordingsOf(config, {
    ...{ clock, log },
    ...{ onDeleted: (deleted: ChannelChanged) => publish(withActor(deleted)), onUpload: publish },
    readName: async (channelId) => (await store.findChannel(channelId))?.name,
  });
  const previewAccess = new PreviewAccess({ clock: observers.sharedClock, randomBytes, ...previewSeals(foundations) });
  const runtime = poolOver(foundations, {
    ...{ view: liveState, previewAccess, onFact: publish },
    linkRecorder: () => recording.worker.link(),
    onSamples: (batch) => buses.samples.publish(batch),
    onThread: (news) => (news.kind === "span" ? traces?.add(news.span) : threads.take(news)),
  });
  const cluster = clusterOver(foundations, observers, runtime, () => ({ liveStream, notifications, totals, media }));
  const all = cluster?.states.runtime ?? runtime;
  const checks = cluster?.states.ingestChecks ?? ingestChecks;
  const service = new Service({
    ...{ store, runtime: all, view: liveState, ingestChecks: checks },
    ...mediaVerdicts(() => media),
    ...{ clock, randomBytes, planLimits: config.planLimits },
    publish: (fact) => publish(withActor(fact)),
  });
  const media = new MediaSources({
    ...{ store, runtime, clock, log, liveState, database: storage.database, peers: node, cluster: cluster?.states },
    followWindows: (...target) => service.targetEdits.followWindows(...target),
    ...mediaSourcesOptions(config, foundations.tls, observers.sharedClock),
    publish: (fact) => publish(fact.kind === "channel-changed" ? withActor(fact) : fact),
    isOverloaded: () => troubles.current.some(({ name }) => name === "overloaded"),
  });
  media.subscribe(buses);
  const totals = new TotalsKeeper({
    ...{ clock, log, flush: () => service.flushTotals() },
    ...(node === undefined ? {} : { countOnAir: () => liveState.publishingChannels().length }),
  });
  const notifications = new Notifications({
    ...notificationsOptions(config, storage, log, observers.sharedClock),
    auditCounts: metrics.audit,
    publish: (fact) => publish(fact.kind === "channel-changed" ? withActor(fact) : fact),
    onEvent: (event) => buses.events.publish(event),
    ...(node === undefined || cluster === undefined ? {} : notificationHooks(node, cluster)),
    onTrouble: (trouble) => troubles.met(trouble),
    healthOf,
    readChannel: (channelId) => service.getChannel(channelId),
  });
  const liveStream = new LiveStream({
    ...{ service, ingestChecks, clock, log, epoch: randomBytes(LIVE_EPOCH_BYTES).toString("hex") },
    troubles: () => troubles.current,
    answerContext: (isViewer) => ({ ...addresses.now, publishStatusName: config.publishStatusName, isViewer }),
  });
  const parts: { handover: HandoverListener | undefined } = { handover: undefined };
  subscribeAll(buses, {
    ...{ log, liveState, ingestChecks, liveStream, metrics, notifications, troubles, totals },
    running: runtime.running,
    isLogged: () => parts.handover?.hasGiven !== true,
  });
  if (node !== undefined && cluster !== undefined) subscribeCluster(buses, node, cluster);
  watchDatabase(storage, troubles, log, clock);
  watchClock(clock, log, () => {
    // The wall clock was set: send the times of what lasts again, by the new clock.
    for (const channelId of liveState.publishingChannels()) liveStream.changed(channelId);
  });
  const pause = new ApiPause();
  const http = buildHttpServer({
    ...{ pause, publishAddresses: () => addresses.now },
    ...httpOptions(foundations),
    ...outsideOf(foundations, troubles, cluster),
    onAcceptError: (error) => troubles.acceptFailed(error),
    ...{ service, runtime: all, previewAccess, live: liveStream, events: notifications.useCases, metrics },
    ...{ recordings: recording.recordings, push: notifications.pushUseCases, media, audit: notifications.audit },
    ...(traces === undefined ? {} : { traces: traces.spans }),
  });
  const metricsHttp = buildMetricsServer({ source: metrics, onAir: service, clock, log, hosts: hostNames(config) });
  return Object.assign(parts, {
    ...{ http, metricsHttp, pause, runtime, recorder: recording.worker, media, liveState, notifications },
    ...{ metrics, addresses, totals, storage, succession, ports: [], node, cluster, traces },
  });
}

/** What load balancers and operators see of this server, and of the others on its database. */
function outsideOf({ storage }: AllFoundations, troubles: OwnTroubles, cluster: Joined | undefined) {
  const health = { probe: () => probeWrite(storage.database), troubles: () => troubles.current, clock: systemClock };
  if (cluster === undefined) return { health: new Health(health) };
  return {
    health: new Health({ ...health, ingestLoad: () => cluster.load() }),
    nodes: cluster.nodes,
    keyNews: cluster.keyNews,
  };
}

/** Adds a port of this server: neither targets, webhooks nor sources may connect to it. */
function addOwnPort({ runtime, notifications, media, ports }: Parts, port: number): void {
  ports.push(port);
  runtime.addOwnPort(port);
  notifications.addOwnPort(port);
  media.addOwnPort(port);
}

/** Stops in the order in which data flows: media threads, then totals, then events, then the database. */
async function stopAll(parts: Parts, mode: ShutdownMode, log: Log): Promise<void> {
  log.info("stopping", { mode });
  const { http, metricsHttp, runtime, media, recorder, notifications, totals, storage, succession } = parts;
  const { handover, node, cluster, traces } = parts;
  totals.stop();
  await node?.drain();
  // First of all, so that a source leaves like an encoder that stops.
  await media.close();
  await Promise.all([closeHttp(http), closeHttp(metricsHttp), runtime.stop(mode), succession.stop(mode)]);
  // Another process has stored what was there then, and gets the rest.
  await Promise.all([recorder.stop(), handover?.hasGiven === true ? undefined : totals.storeLast()]);
  await Promise.all([notifications.close(), traces?.close()]);
  cluster?.stop();
  await node?.leave();
  await storage.close();
  await handover?.close();
  log.info("stopped");
}
