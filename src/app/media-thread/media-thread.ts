import assert from "node:assert";
import { randomBytes } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { processNow, systemClock } from "../../base/clock.ts";
import { machineTroubleOf, systemCode } from "../../base/system-errors.ts";
import { SharedWallSteps } from "../../base/wall-steps.ts";
import { RtmpDialer } from "../../egress/dialer.ts";
import { CAN_SHARE_PORTS, claimPort, type ListenAddress } from "../../ingest/claim-port.ts";
import type { ConnectionLimits } from "../../ingest/connection-limiter.ts";
import type { ChallengeBasis } from "../../ingest/rtmp/login-challenges.ts";
import { RtmpListener } from "../../ingest/rtmp/rtmp-listener.ts";
import { SrtListener } from "../../ingest/srt/srt-listener.ts";
import { parseCidrList } from "../../net/cidr-list.ts";
import { createResolver } from "../../net/dns/resolver.ts";
import { Descriptors } from "../../net/kernel/descriptors.ts";
import { DirectSockets } from "../../net/kernel/direct-sockets.ts";
import { isCutOff } from "../../net/kernel/machine-trouble.ts";
import { loginSecrets } from "../../node-link/link-secret.ts";
import { PeerFaults } from "../../node-link/peer-faults.ts";
import { TsDemuxer } from "../../protocol/mpegts/ts-demuxer.ts";
import { Engine } from "../../relay/engine.ts";
import { OwnedChannels } from "../../remote-publish/owned-channels.ts";
import { RemotePublishers } from "../../remote-publish/remote-publisher.ts";
import { RemotePublisherHost } from "../../remote-publish/remote-publisher-host.ts";
import { LoopWatch } from "../../telemetry/loop-watch.ts";
import { Overload } from "../../telemetry/overload.ts";
import type { Fact } from "../../thread-protocol/facts.ts";
import type { ShutdownMode, ToControl, ToMedia } from "../../thread-protocol/messages.ts";
import { SharedCounters } from "../threads/shared-counters.ts";
import { collectStartGarbage } from "../threads/start-garbage.ts";
import type { Envelope } from "../threads/transport-ends.ts";
import { TroubleReporter } from "../threads/trouble-reporter.ts";
import { Admissions } from "./admissions.ts";
import { Commands } from "./commands.ts";
import { ControlRequests } from "./control-requests.ts";
import { DelayClient } from "./delay-client.ts";
import { MovesAway } from "./moves-away.ts";
import { NodeLinks } from "./node-links.ts";
import { transportOpener } from "./open-transport.ts";
import { PlayPermits } from "./play-permits.ts";
import { RecorderClient } from "./recorder-client.ts";
import { startOptions } from "./start-options.ts";
import { TestPatterns } from "./test-patterns.ts";
import { ThreadTraces } from "./thread-traces.ts";
import { waitingBytesMax } from "./waiting-bytes.ts";

// The root of a media thread: ingest, relay and egress. Nothing here waits for a disk.

/**
 * At shutdown, encoders that were asked to reconnect elsewhere have this long, in milliseconds. They leave at a
 * keyframe, and platforms ask for one every 2 s.
 */
const MOVE_DEADLINE_MS = 2_500;
/**
 * After this, pending bytes are sent and targets may close their side, in milliseconds from the start: it includes the
 * time of the encoders.
 */
const DRAIN_DEADLINE_MS = 3_000;
/** Targets have at least this much of it, however long the encoders took. */
const FAREWELL_MS_MIN = 1_000;

/**
 * How far the clocks of two servers may be apart for a login of which each of them gets a step, in milliseconds. What is
 * remembered of challenges (`CHALLENGE_REMEMBERED_MS`) allows for it.
 */
const CHALLENGE_SKEW_MS = 60_000;

/** How often this tries to get the SRT port while the process before this one has it, in milliseconds. */
const SRT_PORT_RETRY_MS = 1_000;

/** How often this thread reports how late its event loop was, in milliseconds. */
const LOOP_DELAY_INTERVAL_MS = 5_000;

assert(parentPort !== null, "this file runs as a worker thread only");
const port = parentPort;
const post = (message: ToControl, transferred: readonly ArrayBuffer[] = []) => port.postMessage(message, transferred);
const clock = systemClock;
const clockSteps = new SharedWallSteps(clock);
const postFact = (fact: Fact) => post({ kind: "fact", fact, clockMark: clockSteps.mark() });
const starting = startOptions(port, post);
// What loading left behind, while the thread has nothing to carry.
collectStartGarbage(clock, 0);
const options = await starting;
const { place } = options;
const counters = new SharedCounters(place.sharedMemory, place.index);

const troubles = new TroubleReporter({
  clock,
  isCutOff,
  onTrouble: (trouble) => postFact({ kind: "server-trouble", time: clock.wallNow(), trouble }),
});
const descriptors = new Descriptors(clock);

const { sampling } = options;
const traces =
  sampling === undefined
    ? undefined
    : new ThreadTraces({ clock, randomBytes, sampling, onSpan: (span) => post({ kind: "span", span }) });

const ownPorts = [...options.ownPorts];
const directSockets = new DirectSockets(options.directSockets);
const dialer = new RtmpDialer({
  clock,
  randomBytes,
  resolver: createResolver(),
  policy: { allowed: parseCidrList(options.targetAllow), ownPorts, ownHosts: options.ownHosts },
  onFault: (error) => reportFault("link", error),
  onTrouble: (trouble) => troubles.met(trouble),
  directSockets,
  takeDescriptor: () => descriptors.take(),
  ...(traces === undefined ? {} : { traces }),
  ...(options.extraCa === undefined ? {} : { extraCa: options.extraCa }),
});

const waiting = waitingBytesMax(place.count);
const recorder = new RecorderClient({
  ...{ clock, waitingBytesMax: waiting.recordings },
  onWanted: () => post({ kind: "recorder-wanted" }),
  onConnected: () => engine.lookAtRecordings(),
});

const { delays } = options;
const shelves = new DelayClient({
  settings: { ...delays, bytesMax: delays.bytesMax / place.count, name: `${process.pid}-${place.index}` },
  onFault: (error) => reportFault("link", error),
});

const engine: Engine = new Engine({
  ...{ clock, waitingBytesMax: waiting.targets, delayedBytesMax: waiting.delayed },
  recordings: recorder,
  shelves,
  random: Math.random,
  dialer,
  onFact: postFact,
  report: (samples) => post({ kind: "samples", samples }),
  // Each thread has an equal share, so that all together respect the setting.
  retriesPerSecond: options.retriesPerSecond / place.count,
  ingestIds: { first: place.index + 1, step: place.count },
  shareUplink: (own) => counters.shareUplink(own),
  ...(options.nodeLink === undefined ? {} : { onWoke: () => post({ kind: "woke" }) }),
});

const requests = new ControlRequests(clock, post);
const permits = new PlayPermits();

const hosted = new RemotePublisherHost({ clock, engine });
const remote = new RemotePublishers({
  clock,
  afterReads: (run) => listener.afterReads(run),
  onWait: () => post({ kind: "remote-publisher-waits" }),
  onCount: (count) => counters.relayed(count),
});
const owned = new OwnedChannels({
  clock,
  engine,
  onReleased: (channelId, admissions) => post({ kind: "channel-released", channelId, admissions }),
  ...keptMs(),
});
const peerFaults = new PeerFaults(clock, ({ detail, count }) =>
  postFact({ kind: "node-link-fault", time: clock.wallNow(), detail, count }),
);
const links = new NodeLinks({
  ...{ clock, engine, hosted, owned, requests },
  onFault: (error) => {
    if (!peerFaults.take(error)) reportFault("ingest", error);
  },
  onRelease: (channelId, epoch) => post({ kind: "release-wanted", channelId, epoch }),
  ...(options.nodeLink === undefined
    ? {}
    : { node: { ...options.nodeLink, port: options.nodeLink.port + place.index } }),
});

const loopWatch = new LoopWatch();
const overload = new Overload(options.loadMax);
// Above the limit the thread refuses new channels and keeps the present ones.
const takesNew = () => !overload.isBusy;

const moves = new MovesAway();
const openTransport = transportOpener((error) => reportFault("ingest", error));
const admissions = new Admissions({
  ...{ clock, engine, requests, permits, remote, takesNew, openTransport, links },
  ...(options.nodeLink === undefined ? {} : { moves }),
  onFailover: (channelId) => post({ kind: "failed-over", channelId }),
  onPlayLeft: (requestId) => post({ kind: "play-left", requestId }),
});

const listener = new RtmpListener({
  clock,
  proxies: parseCidrList(options.proxyProtocolFrom ?? ""),
  challenges: challengeBasis(),
  randomBytes,
  flush: () => {
    remote.flush();
    engine.flush();
  },
  onAcceptError: (error) => troubles.met(machineTroubleOf(systemCode(error)) ?? "descriptors"),
  admit: (key, login) => admissions.admit(key, login),
  ...(options.connectionLimits === undefined ? {} : { limits: shareOf(options.connectionLimits) }),
  tally: counters.connections,
  directSockets,
  findUser: (userId, challenge) => admissions.findUser(userId, challenge),
  permitPlayer: (channelId, token) => admissions.permitPlayer(channelId, token),
  onFact: postFact,
});

const srtListener =
  options.srt === undefined || place.index > 0
    ? undefined
    : new SrtListener({
        clock,
        randomBytes,
        passphrase: options.srt.passphrase,
        latencyMs: options.srt.latencyMs,
        newReader: () => new TsDemuxer(),
        admit: (key, login) => admissions.admit(key, login),
        ...(options.connectionLimits === undefined ? {} : { limits: options.connectionLimits }),
        afterReads: (run) => setImmediate(run),
        onLinks: (links) => post({ kind: "srt-links", links }),
        onFact: postFact,
      });

// Node would write the warning to standard error and wait until it is read.
process.removeAllListeners("warning");
process.on("warning", ({ name, message }) => post({ kind: "warning", name, detail: message }));

const testPatterns = new TestPatterns({ clock, engine, takesNew });
const postLoopDelay = () => {
  const delay = loopWatch.take();
  overload.take(delay);
  post({ kind: "loop-delay", delay, directSockets: directSockets.count });
  clock.startTimer(LOOP_DELAY_INTERVAL_MS, postLoopDelay);
};
clock.startTimer(LOOP_DELAY_INTERVAL_MS, postLoopDelay);

let stopStartedMs: number | undefined;

const commands = new Commands({
  ...{ clock, engine, hosted, owned, links, requests, permits, listener, dialer, testPatterns, openTransport },
  ...{ recorder, moves, admissions },
  reply: (requestId, reply, transferred) => post({ kind: "reply", requestId, reply }, transferred),
  onOwnPort: (ownPort) => void ownPorts.push(ownPort),
  onDrain: () => void drain(),
  onShutdown: (mode) => void stop(mode),
});
port.on("message", (envelope: Envelope<ToMedia>) => {
  if (traces === undefined) commands.take(envelope);
  else traces.carryOut(envelope, () => commands.take(envelope));
});

try {
  await links.listen();
  const bound = await listener.listen(await addressAt(options.rtmpPort));
  ownPorts.push(bound.port);
  const { rtmps } = options;
  const secured = rtmps === undefined ? undefined : await listener.listenTls(await addressAt(rtmps.port), rtmps.pair);
  if (secured !== undefined) ownPorts.push(secured.port);
  const srtPort = await listenSrt();
  if (srtPort !== undefined) ownPorts.push(srtPort);
  post({
    kind: "listening",
    ...bound,
    ...(secured === undefined ? {} : { tlsPort: secured.port }),
    ...(srtPort === undefined ? {} : { srtPort }),
  });
} catch (error) {
  post({ kind: "listen-failed", message: error instanceof Error ? error.message : String(error) });
}

/**
 * Connections are counted over all threads. Each thread counts the unauthenticated ones of one address by itself, so it
 * gets a share of that limit.
 */
function shareOf(limits: ConnectionLimits): ConnectionLimits {
  const { unauthenticatedPerAddressMax } = limits;
  if (unauthenticatedPerAddressMax === undefined) return limits;
  return { ...limits, unauthenticatedPerAddressMax: Math.ceil(unauthenticatedPerAddressMax / place.count) };
}

/**
 * UDP has no connections that could stay with the process before this one: while it has the port, encoders over SRT
 * reach it.
 */
async function listenSrt(): Promise<number | undefined> {
  const { srt, rtmpHost, predecessorPorts = [] } = options;
  if (srtListener === undefined || srt === undefined) return undefined;
  if (!predecessorPorts.includes(srt.port)) return await srtListener.listen(rtmpHost, srt.port);
  const tryLater = () => {
    clock.startTimer(SRT_PORT_RETRY_MS, () => srtListener.listen(rtmpHost, srt.port).catch(tryLater));
  };
  tryLater();
  return srt.port;
}

/** Each step of an encoder's login may come to another server, so all of them accept what any of them asked. */
function challengeBasis(): ChallengeBasis {
  if (options.nodeLink === undefined) return { secrets: [place.challengeSecret], now: processNow, skewMs: 0 };
  return { secrets: loginSecrets(options.nodeLink.secretText), now: clock.wallNow, skewMs: CHALLENGE_SKEW_MS };
}

/** A single thread keeps its channels while no other thread could own them. */
function keptMs(): { readonly keptMs?: number } {
  if (place.count === 1 && options.nodeLink === undefined) return { keptMs: Number.POSITIVE_INFINITY };
  return options.channelKeptMs === undefined ? {} : { keptMs: options.channelKeptMs };
}

/**
 * Where this thread listens. The first thread makes sure that the port is free, or that the process before this one has
 * it; then the threads share it, with each other and with the next process.
 */
async function addressAt(wanted: number): Promise<ListenAddress> {
  const host = options.rtmpHost;
  if (!CAN_SHARE_PORTS) return { host, port: wanted };
  const isClaimed = !place.isFirst || options.predecessorPorts?.includes(wanted) === true;
  return { host, port: isClaimed ? wanted : await claimPort({ host, port: wanted }), isShared: true };
}

function reportFault(where: "ingest" | "link", error: unknown): void {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  postFact({ kind: "internal-fault", time: clock.wallNow(), where, detail });
}

async function drain(): Promise<void> {
  stopStartedMs = clock.now();
  srtListener?.drain();
  await listener.drain(MOVE_DEADLINE_MS);
  post({ kind: "drained" });
}

async function stop(mode: ShutdownMode): Promise<void> {
  stopStartedMs ??= clock.now();
  listener.close();
  srtListener?.close();
  links.close();
  engine.shutDown(mode);
  const leftMs = Math.max(FAREWELL_MS_MIN, DRAIN_DEADLINE_MS - (clock.now() - stopStartedMs));
  await Promise.race([dialer.idle(), new Promise<void>((resolve) => clock.startTimer(leftMs, resolve))]);
  post({ kind: "stopped" });
  port.close();
}
