import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { systemClock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { type AccessKey, ensureManagerKey } from "../../control/access/access-key.ts";
import { PreviewAccess } from "../../control/access/preview-access.ts";
import type { ChannelNotice } from "../../control/channels/channel-notice.ts";
import { StoreUnavailableError } from "../../control/errors.ts";
import type { ChannelEvent } from "../../control/events/events.ts";
import { LiveState } from "../../control/live/live-state.ts";
import { Service } from "../../control/service.ts";
import { eventAnswer } from "../../http/answers/event-answers.ts";
import { buildMetricsServer } from "../../http/routes/health.ts";
import { Health } from "../../http/server/health.ts";
import { buildHttpServer } from "../../http/server/server.ts";
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
import { watchDatabase } from "./database-watch.ts";
import { warnOfFew } from "./descriptor-shares.ts";
import { closeHttp, listenHttp } from "./http-listening.ts";
import { MediaPool } from "./media/media-pool.ts";
import { Notifications } from "./notifications.ts";
import { Observers } from "./observers.ts";
import { OwnTroubles } from "./own-troubles.ts";
import {
  DESCRIPTORS,
  dashboardOver,
  type Foundations,
  hostNames,
  httpOptions,
  ingestAccess,
  mediaOptions,
  notificationsOptions,
  serviceOptions,
} from "./server-options.ts";
import { followTlsFiles, readTlsFiles } from "./tls-files.ts";
import { TotalsKeeper } from "./totals-keeper.ts";

/** Length of the name that this process's live stream has. The stream of the next process has another. */
const LIVE_EPOCH_BYTES = 6;

/** A server that runs. */
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
 * `stopping` if that signal comes before the server is ready. A start that rejects leaves nothing behind.
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
    // The RTMP port first: a client that reads an address from the API must be able to connect to it.
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
    // After everything that can fail or be cancelled: a secret that was made here must be shown.
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

/** Makes something that must be stored. Returns undefined, and logs it, if the store takes no write: the start goes on. */
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
  readonly notifications: Notifications;
  readonly metrics: Metrics;
  addresses: Addresses;
  /** Adds a port of this server: neither targets nor webhooks may connect to it. */
  addOwnPort(port: number): void;
  readonly totals: TotalsKeeper;
  stop(): Promise<void>;
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

/** Stops in the order in which data flows: media threads, then totals, then events, then the database. */
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
