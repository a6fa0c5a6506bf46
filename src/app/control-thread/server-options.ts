import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type Clock, systemClock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { DashboardAccess } from "../../control/access/dashboard-access.ts";
import type { PreviewSeals } from "../../control/access/preview-access.ts";
import type { SharedClock } from "../../control/schedules/shared-clock.ts";
import { API_CONNECTIONS_MAX } from "../../http/server/connection-guard.ts";
import { HostNames } from "../../http/server/host-names.ts";
import { parseCidrList } from "../../net/cidr-list.ts";
import { INSTALL_FOLDER } from "../../net/install-folder.ts";
import { descriptorLimit } from "../../net/kernel/descriptors.ts";
import { parseTargetUrl } from "../../protocol/rtmp/url.ts";
import { SqlDashboardStore } from "../../store/access/dashboard-store.ts";
import { SecretError } from "../../store/secrets/secrets.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Config } from "../config/settings/settings.ts";
import { samplingOf } from "../config/trace-sampling.ts";
import { DATA_FOLDERS } from "../data-folder/data-folders.ts";
import { dataPaths, type Storage } from "../data-folder/storage.ts";
import type { MediaOptions } from "../threads/media-options.ts";
import { descriptorShares } from "./descriptor-shares.ts";
import type { TraceExport } from "./observing/trace-export.ts";
import { Argon2Hasher } from "./password-hash.ts";
import type { TlsFiles } from "./tls-files.ts";

const MS_PER_DAY = 86_400_000;

/** How many file descriptors this process may open; undefined where the system does not say. */
export const DESCRIPTORS = descriptorLimit();
const SHARES = descriptorShares(DESCRIPTORS);

const BYTES_PER_MB = 1_000_000;

/** The build of the dashboard. */
const DASHBOARD_FOLDER = join(INSTALL_FOLDER, "dist-web");

/** The parts from which a server is composed. */
export type Foundations = {
  readonly config: Config;
  readonly log: Log;
  readonly storage: Storage;
  readonly tls: TlsFiles;
  /** The name of this installation, different from every other one's. */
  readonly instance: string;
  /** Where traces go; undefined where none are wanted. */
  readonly traces: TraceExport | undefined;
};

/** The dashboard's password and sessions in this data folder. */
export function dashboardOver({ database }: Storage): DashboardAccess {
  return new DashboardAccess({
    store: new SqlDashboardStore(database),
    hasher: new Argon2Hasher(),
    clock: systemClock,
    randomBytes,
  });
}

/** Nodes of a cluster open each other's tokens of previews; a single server keeps its tokens in memory. */
export function previewSeals({ config, storage }: Foundations): { readonly seals?: PreviewSeals } {
  if (config.databaseUrl === undefined) return {};
  const { secrets } = storage.database;
  const place = (row: ChannelId) => ({ table: "preview", column: "token", row });
  const open = (token: string, channelId: ChannelId) => {
    try {
      return secrets.open(token, place(channelId));
    } catch (error) {
      if (error instanceof SecretError) return undefined;
      throw error;
    }
  };
  return { seals: { seal: (text, channelId) => secrets.seal(text, place(channelId)), open } };
}

/** The options of the HTTP server that follow from the settings. */
export function httpOptions({ config, storage, log, tls, instance }: Foundations) {
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
    applicationFolder: DASHBOARD_FOLDER,
    limits: {
      requestsPerSecond: config.rateLimit,
      trustedProxies: config.trustedProxies,
      eventStreamsPerKey: config.eventStreamsPerKey,
      replayProtection: config.replayProtection,
      ...(storage.sharedGuards === undefined ? {} : { sharedGuards: storage.sharedGuards }),
      ...(SHARES.clients < API_CONNECTIONS_MAX ? { places: { connectionsMax: SHARES.clients } } : {}),
    },
    ...(tls.certificate === undefined ? {} : { tls: tls.certificate.pair }),
    areMetricsHere: config.metricsListen === undefined,
    hosts: hostNames(config),
  };
}

/** The options of events and webhooks that follow from the settings. */
export function notificationsOptions(config: Config, storage: Storage, log: Log, sharedClock: Clock) {
  return {
    database: storage.database,
    clock: systemClock,
    sharedClock,
    randomBytes,
    random: Math.random,
    log,
    auditKeptMs: config.auditDays * MS_PER_DAY,
    targetAllow: config.targetAllow,
    ...outsideNames(config),
    ...(config.smtpUrl === undefined ? {} : { mail: { url: config.smtpUrl, from: config.smtpFrom } }),
  };
}

/** The options of media files and sources that follow from the settings. Sources may be where targets may be. */
export function mediaSourcesOptions(
  config: Config,
  { extraCa = "" }: Pick<TlsFiles, "extraCa">,
  sharedClock: SharedClock,
) {
  const reach = { allowed: parseCidrList(config.targetAllow), ...outsideNames(config), extraCa };
  return {
    ...{ folder: dataPaths(config).media, quotaMb: config.mediaQuotaMb, watchFolder: config.watchFolder, reach },
    ...{ random: Math.random, randomBytes, sharedClock },
  };
}

/** The options of the media threads that follow from the settings. */
export function mediaOptions(config: Config, tls: TlsFiles): MediaOptions {
  const sampling = samplingOf(config);
  return {
    ...(config.rtmpHost === undefined ? {} : { rtmpHost: config.rtmpHost }),
    rtmpPort: config.rtmpPort,
    proxyProtocolFrom: config.proxyProtocolFrom,
    threads: config.mediaThreads,
    retriesPerSecond: config.retriesPerSecond,
    loadMax: config.loadMaxPercent / 100,
    delays: {
      folder: join(config.dataDir, DATA_FOLDERS.delays),
      keepFreeBytes: config.recordingKeepFreeMb * BYTES_PER_MB,
      bytesMax: config.delayMb * BYTES_PER_MB,
    },
    directSockets: config.directSockets === "on",
    targetAllow: config.targetAllow,
    ...(sampling === undefined ? {} : { sampling }),
    ...(tls.certificate === undefined ? {} : { rtmps: { port: config.rtmpsPort, pair: tls.certificate.pair } }),
    ...(tls.extraCa === undefined ? {} : { extraCa: tls.extraCa }),
    ...(config.srtPort === undefined ? {} : { srt: srtOptions(config, config.srtPort) }),
    connectionLimits: {
      connectionsMax: Math.min(config.connectionsMax, SHARES.encoders),
      unauthenticatedPerAddressMax: config.strangersPerAddressMax,
    },
    ...outsideNames(config),
  };
}

function srtOptions({ srtPassphrase, srtLatencyMs }: Config, port: number): NonNullable<MediaOptions["srt"]> {
  return { port, latencyMs: srtLatencyMs, ...(srtPassphrase === undefined ? {} : { passphrase: srtPassphrase }) };
}

/** The host names that a request to the API may have. */
export function hostNames(config: Config): HostNames {
  const { ownHosts } = outsideNames(config);
  return new HostNames([
    ...ownHosts,
    ...(config.httpHost === undefined ? [] : [config.httpHost]),
    ...config.allowedHosts,
  ]);
}

/** Names and ports at which the outside reaches this server. No target may lead back to them. */
export function outsideNames(config: Config): Pick<MediaOptions, "ownHosts" | "ownPorts"> {
  const published = [config.publishUrl, config.securePublishUrl]
    .map((url) => (url === undefined ? undefined : parseTargetUrl(url)))
    .filter((address) => typeof address === "object");
  const ownHosts = config.publicHost === undefined ? [] : [config.publicHost.toLowerCase()];
  return {
    ownHosts: [...ownHosts, ...published.map(({ host }) => host.replace(/^\[|\]$/g, ""))],
    ownPorts: published.map(({ port }) => port),
  };
}
