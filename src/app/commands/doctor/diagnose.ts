import { systemClock } from "../../../base/clock.ts";
import { isSrtUrl, parseSrtUrl } from "../../../base/srt-url.ts";
import { type NatsAddress, NatsError, readNatsAddress } from "../../../cluster/nats-address.ts";
import { probeNats } from "../../../cluster/nats-probe.ts";
import { reachTarget } from "../../../egress/reach-target.ts";
import { parseCidrList } from "../../../net/cidr-list.ts";
import { createResolver } from "../../../net/dns/resolver.ts";
import { parseTargetUrl } from "../../../protocol/rtmp/url.ts";
import { serverName } from "../../../store/postgres/server-check.ts";
import { ConfigError } from "../../config/config-error.ts";
import type { Config } from "../../config/settings/settings.ts";
import { readClusterConfig } from "../../control-thread/cluster/cluster-config.ts";
import { outsideNames } from "../../control-thread/server-options.ts";
import { readTlsFiles, type TlsFiles } from "../../control-thread/tls-files.ts";
import { dataPaths } from "../../data-folder/storage.ts";
import { examineData, ffmpegFinding } from "./data-checks.ts";
import type { Finding } from "./finding.ts";
import { checkDescriptors, checkDisks } from "./machine-checks.ts";
import { checkClock, checkDns, checkNats, clockOf, type OtherClock } from "./network-checks.ts";
import { checkPorts, claimListener, listenersOf } from "./port-checks.ts";
import { findHolder } from "./port-holders.ts";
import { checkTargets, type TryTarget } from "./target-checks.ts";

/** The longest time for names and targets, in milliseconds. */
const NETWORK_MS = 60_000;
const DAY_MS = 86_400_000;
const EXPIRY_WARNING_MS = 14 * DAY_MS;

const NO_TARGETS: Finding = {
  check: "target",
  state: "unknown",
  text: "platforms: not tried, because the database and its keys did not show their addresses.",
};

/**
 * Looks at everything that a server with these settings needs: data, keys, machine, network and targets. A server may run.
 * Changes nothing, and sends no stream. `clockUrl`: an HTTP address whose server is asked for the time.
 */
export async function diagnose(config: Config, clockUrl?: string): Promise<readonly Finding[]> {
  const data = await examineData(config);
  const natsAddress = natsAddressOf(config);
  const { tls, findings: tlsFindings } = await readTls(config);
  const { databaseUrl } = config;
  const lockPath = databaseUrl === undefined ? dataPaths(config).lock : undefined;
  const ports = await checkPorts(listenersOf(config), {
    claim: claimListener,
    findHolder: (protocol, port) => findHolder(protocol, port, { lockPath }),
  });
  const signal = AbortSignal.timeout(NETWORK_MS);
  const resolver = createResolver();
  const targets = data.targets ?? { targets: [], leftOut: 0 };
  const hosts = [
    ...targets.targets.map(({ url }) => hostOf(url)),
    ...[databaseUrl, config.s3Url, config.smtpUrl].map((url) => URL.parse(url ?? "")?.hostname ?? ""),
    ...(natsAddress?.servers ?? []).map((server) => server.replace(/:\d+$/, "")),
  ];
  const dns = await checkDns(hosts, resolver, signal);
  const clock = checkClock(await clocksOf(config, data.clockAheadMs, clockUrl));
  const nats = natsAddress === undefined ? [] : [await checkNats(natsAddress, probeNats)];
  const reached = await checkTargets(targets, targetTrier(config, tls, resolver), signal);
  return [
    ...data.findings,
    ffmpegFinding(),
    ...clusterFindings(config),
    ...tlsFindings,
    ...ports.findings,
    checkDescriptors(ports.server),
    ...checkDisks(config),
    dns,
    clock,
    ...nats,
    ...(data.targets === undefined ? [NO_TARGETS] : reached),
  ];
}

function clusterFindings(config: Config): readonly Finding[] {
  try {
    const cluster = readClusterConfig(config);
    if (cluster === undefined) return [];
    const text = `cluster: this node is known to the others as ${cluster.advertise.join(", ")}.`;
    return [{ check: "cluster", state: "ok", text }];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [{ check: "cluster", state: "failed", text: error.message }];
  }
}

/** Undefined where there is none, or it is wrong: the settings of the cluster say so. */
function natsAddressOf({ natsUrl }: Config): NatsAddress | undefined {
  try {
    return natsUrl === undefined ? undefined : readNatsAddress(natsUrl);
  } catch (error) {
    if (error instanceof NatsError) return undefined;
    throw error;
  }
}

async function readTls(config: Config): Promise<{ readonly tls: TlsFiles; readonly findings: readonly Finding[] }> {
  try {
    const tls = await readTlsFiles(config);
    return { tls, findings: tls.certificate === undefined ? [] : [certificateFinding(tls.certificate.expiryTime)] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { tls: {}, findings: [{ check: "certificate", state: "failed", text: error.message }] };
  }
}

function certificateFinding(expiryTime: number): Finding {
  const leftMs = expiryTime - Date.now();
  const text = `the certificate of FANFARE_TLS_CERT is valid until ${new Date(expiryTime).toISOString()}`;
  if (leftMs >= EXPIRY_WARNING_MS) return { check: "certificate", state: "ok", text: `${text}.` };
  return { check: "certificate", state: leftMs > 0 ? "warning" : "failed", text: `${text}: renew it.` };
}

/** The clock of the database, else that of a server which is known or named. */
async function clocksOf(
  config: Pick<Config, "databaseUrl" | "s3Url">,
  databaseAheadMs: number | undefined,
  clockUrl: string | undefined,
): Promise<readonly OtherClock[]> {
  const urls = [clockUrl, config.s3Url].filter((url) => url !== undefined);
  const { databaseUrl } = config;
  return [
    ...(databaseUrl === undefined ? [] : [{ name: serverName(databaseUrl), aheadMs: databaseAheadMs }]),
    ...(await Promise.all(urls.map((url) => clockOf(url)))),
  ];
}

function targetTrier(
  config: Config,
  { extraCa = "" }: TlsFiles,
  resolver: ReturnType<typeof createResolver>,
): TryTarget {
  const { ownHosts, ownPorts } = outsideNames(config);
  const listening = [config.httpPort, config.rtmpPort, config.rtmpsPort, config.srtPort].filter(
    (port) => port !== undefined,
  );
  const policy = { allowed: parseCidrList(config.targetAllow), ownHosts, ownPorts: [...ownPorts, ...listening] };
  return (target, signal) => reachTarget(target, { clock: systemClock, resolver, policy, extraCa }, signal);
}

function hostOf(url: string): string {
  const address = isSrtUrl(url) ? parseSrtUrl(url) : parseTargetUrl(url);
  return typeof address === "string" ? "" : address.host;
}
