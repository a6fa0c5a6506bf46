import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { systemClock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { type AccessKey, ensureManagerKey } from "../../control/access/access-key.ts";
import { DashboardAccess } from "../../control/access/dashboard-access.ts";
import { PreviewAccess } from "../../control/access/preview-access.ts";
import type { ChannelNotice } from "../../control/channels/channel-notice.ts";
import { StoreUnavailableError } from "../../control/errors.ts";
import type { ChannelEvent } from "../../control/events/events.ts";
import { LiveState } from "../../control/live/live-state.ts";
import { Service } from "../../control/service.ts";
import { eventAnswer } from "../../http/answers/event-answers.ts";
import { buildMetricsServer } from "../../http/routes/health.ts";
import { API_CONNECTIONS_MAX } from "../../http/server/connection-guard.ts";
import { Health } from "../../http/server/health.ts";
import { HostNames } from "../../http/server/host-names.ts";
import { buildHttpServer } from "../../http/server/server.ts";
import { descriptorLimit } from "../../net/kernel/descriptors.ts";
import { parseTargetUrl } from "../../protocol/rtmp/url.ts";
import { SqlDashboardStore } from "../../store/access/dashboard-store.ts";
import { instanceName } from "../../store/instance-name.ts";
import { probeWrite } from "../../store/write-probe.ts";
import { createLogger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Fact } from "../../thread-protocol/facts.ts";
import type { ShutdownMode } from "../../thread-protocol/messages.ts";
import { type Addresses, addressesOf } from "../config/addresses.ts";
import type { Config } from "../config/config.ts";
import { openStorage, type Storage } from "../data-folder/storage.ts";
import { logLastWords, type Outputs } from "../process/outputs.ts";
import type { MediaOptions } from "../threads/media-options.ts";
import { watchDatabase } from "./database-watch.ts";
import { descriptorShares, warnOfFew } from "./descriptor-shares.ts";
import { closeHttp, listenHttp } from "./http-listening.ts";
import { MediaPool, type MediaPoolDeps } from "./media/media-pool.ts";
import { Notifications } from "./notifications.ts";
import { Observers } from "./observers.ts";
import { OwnTroubles } from "./own-troubles.ts";
import { Argon2Hasher } from "./password-hash.ts";
import { followTlsFiles, readTlsFiles, type TlsFiles } from "./tls-files.ts";
import { TotalsKeeper } from "./totals-keeper.ts";

/** Tells this process's live stream from that of the one before. */
const LIVE_EPOCH_BYTES = 6;
/** This process's file descriptors, and how many of them others may take. */
const DESCRIPTORS = descriptorLimit();
const SHARES = descriptorShares(DESCRIPTORS);

/** What the build of the dashboard makes: beside `src/`, and beside `dist/`. */
const APPLICATION_FOLDER = join(import.meta.dirname, "..", "..", "..", "dist-web");

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
 * The control thread's root: puts the rooms together and starts them. Rejects, leaving nothing behind, if it cannot, and with the signal's
 * reason where it is told to stop before it is ready.
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
  outputs.standard.onLost((count) => parts.metrics.logLinesLost(count));
  try {
    stopping.throwIfAborted();
    // Encoders first: who reads an address from the API must find somebody there.
    const rtmpPort = await parts.runtime.start();
    stopping.throwIfAborted();
    const { tlsPort: rtmpsPort } = parts.runtime;
    parts.addresses = addressesOf(config, config.httpPort, rtmpPort, rtmpsPort);
    const httpPort = await listenHttp(parts.http, config);
    for (const port of [rtmpPort, httpPort, ...(rtmpsPort === undefined ? [] : [rtmpsPort])]) parts.addOwnPort(port);
    if (config.metricsListen !== undefined) {
      await parts.metricsHttp.listen(config.metricsListen);
      parts.addOwnPort(config.metricsListen.port);
    }
    parts.addresses = addressesOf(config, httpPort, rtmpPort, rtmpsPort);
    stopping.throwIfAborted();
    // Last of what can fail or be given up: a secret that was made is shown, whatever else is wrong with this start.
    const firstKey = await unlessUnwritable(log, "manager key", () => managerKey(config, storage));
    const setupToken = await unlessUnwritable(log, "set-up link", () => dashboardOver(storage).offerSetup());
    parts.totals.start();
    parts.notifications.start();
    storage.followKeyFile(log);
    followTlsFiles(config, tls, parts, log);
    log.info("ready", { httpPort, rtmpPort, rtmpsPort });
    return { addresses: parts.addresses, firstKey, newKeyFile, setupToken, stop: () => parts.stop() };
  } catch (error) {
    await parts.stop();
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

/** What is made at a start has to be stored. Where that cannot be, the start goes on with what there is. */
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
  /** Listens only where the settings say so. */
  readonly metricsHttp: FastifyInstance;
  readonly runtime: MediaPool;
  readonly notifications: Notifications;
  readonly metrics: Metrics;
  addresses: Addresses;
  /** Neither targets nor webhooks may lead back to this port. */
  addOwnPort(port: number): void;
  readonly totals: TotalsKeeper;
  stop(): Promise<void>;
};

type Foundations = {
  readonly config: Config;
  readonly log: Log;
  readonly storage: Storage;
  readonly tls: TlsFiles;
  /** Tells this installation from others. */
  readonly instance: string;
};

function assemble({ config, log, storage, tls, instance }: Foundations): Parts {
  const clock = systemClock;
  const view = new LiveState(clock);
  const totals = new TotalsKeeper(() => service.flushTotals(), log);
  const troubles = OwnTroubles.watching(clock, (change) => observers.trouble(change));
  const previewAccess = new PreviewAccess({ clock, randomBytes });
  const runtime = new MediaPool({
    options: mediaOptions(config, tls),
    view,
    clock,
    log,
    previewAccess,
    ...ingestAccess(() => service),
    onSamples: (samples) => {
      notifications.samples(samples, service.ingestChecks.samples(samples));
      observers.samples(samples);
    },
    onThread: (news) => observers.thread(news),
    onFact: (fact: Fact) => {
      service.ingestChecks.fact(fact);
      observers.fact(fact);
      notifications.fact(fact);
      troubles.fact(fact);
      if (fact.kind === "ingest-ended") totals.storeSoon();
    },
  });
  const onNotice = (notice: ChannelNotice) => {
    observers.notice(notice);
    notifications.notice(notice);
  };
  const onEvent = (event: ChannelEvent) => observers.live.event(event.channelId, eventAnswer(event));
  const notifications = new Notifications({
    ...notificationsOptions(config, storage, log),
    onNotice,
    onEvent,
    onTrouble: (trouble) => troubles.met(trouble),
  });
  const service = new Service({ ...serviceOptions(config, storage), runtime, view, onNotice });
  const observers = new Observers({
    publishingChannels: () => view.publishingChannels(),
    ...{ loadMax: config.loadMaxPercent / 100, onOverload: (isThere) => troubles.set("overloaded", isThere) },
    service,
    clock,
    log,
    troubles: () => troubles.current,
    epoch: randomBytes(LIVE_EPOCH_BYTES).toString("hex"),
    answerContext: (isViewer) => ({
      ...parts.addresses,
      publishStatusName: config.publishStatusName,
      isViewer,
    }),
  });
  const parts: Parts = {
    http: buildHttpServer({
      ...httpOptions({ config, log, storage, tls, instance }),
      health: new Health({ clock, probe: () => probeWrite(storage.database), troubles: () => troubles.current }),
      onAcceptError: (error) => troubles.acceptFailed(error),
      service,
      runtime,
      previewAccess,
      publishAddresses: () => parts.addresses,
      live: observers.live,
      events: notifications.useCases,
      metrics: observers.metrics,
    }),
    metricsHttp: buildMetricsServer({ source: observers.metrics, clock, log, hosts: hostNames(config) }),
    runtime,
    notifications,
    addOwnPort: (port) => {
      for (const part of [runtime, notifications]) part.addOwnPort(port);
    },
    addresses: addressesOf(config, config.httpPort, config.rtmpPort),
    totals,
    metrics: observers.metrics,
    stop: () => {
      stopping ??= stopAll(parts, config.shutdown, storage, log);
      return stopping;
    },
  };
  let stopping: Promise<void> | undefined;
  watchDatabase(storage, troubles, log, clock);
  return parts;
}

/** Encoders and targets are left first: what they counted is stored, then the events of all that. */
async function stopAll(parts: Parts, mode: ShutdownMode, storage: Storage, log: Log): Promise<void> {
  log.info("stopping", { mode });
  const { http, metricsHttp, runtime, notifications, totals } = parts;
  totals.stop();
  await Promise.all([closeHttp(http), closeHttp(metricsHttp), runtime.stop(mode)]);
  await totals.storeLast();
  await notifications.close();
  await storage.close();
  log.info("stopped");
}

function serviceOptions({ planLimits }: Config, { store }: Storage) {
  return { store, planLimits, clock: systemClock, randomBytes };
}

/** What the media threads ask about encoders; the service is there by the time they do. */
function ingestAccess(service: () => Service): Pick<MediaPoolDeps, "admit" | "findIngestUser"> {
  return {
    admit: (key, login) => service().admit(key, login),
    findIngestUser: (userId) => service().findIngestUser(userId),
  };
}

function dashboardOver({ database }: Storage): DashboardAccess {
  return new DashboardAccess({
    store: new SqlDashboardStore(database),
    hasher: new Argon2Hasher(),
    clock: systemClock,
    randomBytes,
  });
}

/** Of the HTTP side's options those that follow from the settings. */
function httpOptions({ config, storage, log, tls, instance }: Foundations) {
  const clock = systemClock;
  return {
    clock,
    randomBytes,
    log,
    publishStatusName: config.publishStatusName,
    dashboard: dashboardOver(storage),
    instance,
    basePath: config.basePath,
    allowedOrigins: config.corsOrigins,
    applicationFolder: APPLICATION_FOLDER,
    limits: {
      requestsPerSecond: config.rateLimit,
      trustedProxies: config.trustedProxies,
      eventStreamsPerKey: config.eventStreamsPerKey,
      replayProtection: config.replayProtection,
      ...(SHARES.clients < API_CONNECTIONS_MAX ? { places: { connectionsMax: SHARES.clients } } : {}),
    },
    ...(tls.certificate === undefined ? {} : { tls: tls.certificate.pair }),
    areMetricsHere: config.metricsListen === undefined,
    hosts: hostNames(config),
  };
}

/** The same for events and webhooks. */
function notificationsOptions(config: Config, storage: Storage, log: Log) {
  return {
    database: storage.database,
    clock: systemClock,
    randomBytes,
    random: Math.random,
    log,
    targetAllow: config.targetAllow,
    ...outsideNames(config),
  };
}

function mediaOptions(config: Config, tls: TlsFiles): MediaOptions {
  return {
    ...(config.rtmpHost === undefined ? {} : { rtmpHost: config.rtmpHost }),
    rtmpPort: config.rtmpPort,
    threads: config.mediaThreads,
    retriesPerSecond: config.retriesPerSecond,
    loadMax: config.loadMaxPercent / 100,
    targetAllow: config.targetAllow,
    ...(tls.certificate === undefined ? {} : { rtmps: { port: config.rtmpsPort, pair: tls.certificate.pair } }),
    ...(tls.extraCa === undefined ? {} : { extraCa: tls.extraCa }),
    door: {
      connectionsMax: Math.min(config.connectionsMax, SHARES.encoders),
      strangersPerAddressMax: config.strangersPerAddressMax,
    },
    ...outsideNames(config),
  };
}

/** Under which names browsers and clients may ask. */
function hostNames(config: Config): HostNames {
  const { ownHosts } = outsideNames(config);
  return new HostNames([
    ...ownHosts,
    ...(config.httpHost === undefined ? [] : [config.httpHost]),
    ...config.allowedHosts,
  ]);
}

/** Where the outside finds us: under no name of these may a target lead back to our own ports. */
function outsideNames(config: Config): Pick<MediaOptions, "ownHosts" | "ownPorts"> {
  const published = [config.publishUrl, config.securePublishUrl]
    .map((url) => (url === undefined ? undefined : parseTargetUrl(url)))
    .filter((address) => typeof address === "object");
  const ownHosts = config.publicHost === undefined ? [] : [config.publicHost.toLowerCase()];
  return {
    ownHosts: [...ownHosts, ...published.map(({ host }) => host.replace(/^\[|\]$/g, ""))],
    ownPorts: published.map(({ port }) => port),
  };
}
