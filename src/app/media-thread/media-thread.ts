import assert from "node:assert";
import { randomBytes } from "node:crypto";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { processNow, systemClock } from "../../base/clock.ts";
import { machineTroubleOf, systemCode } from "../../base/system-errors.ts";
import { RtmpDialer } from "../../egress/dialer.ts";
import { preflight } from "../../egress/preflight.ts";
import { claimPort, type ListenAddress } from "../../ingest/claim-port.ts";
import type { ConnectionLimits } from "../../ingest/connection-limiter.ts";
import type { Admission } from "../../ingest/publish/publish-session.ts";
import type { FoundUser } from "../../ingest/rtmp/ingest-logins.ts";
import { RtmpListener } from "../../ingest/rtmp/rtmp-listener.ts";
import type { PlayPermit } from "../../ingest/rtmp/rtmp-player.ts";
import { parseCidrList } from "../../net/cidr-list.ts";
import { createResolver } from "../../net/dns/resolver.ts";
import { Descriptors } from "../../net/kernel/descriptors.ts";
import { isCutOff } from "../../net/kernel/machine-trouble.ts";
import { Engine } from "../../relay/engine.ts";
import { openPreviewSession } from "../../relay/preview-session.ts";
import { gatewayTo } from "../../relay/publish-gateway.ts";
import { type MessageTransport, portTransport } from "../../remote-publish/message-transport.ts";
import { OwnedChannels } from "../../remote-publish/owned-channels.ts";
import { hostPlayer, showFromAfar } from "../../remote-publish/remote-players.ts";
import { RemotePublishers } from "../../remote-publish/remote-publisher.ts";
import { RemotePublisherHost } from "../../remote-publish/remote-publisher-host.ts";
import { LoopWatch } from "../../telemetry/loop-watch.ts";
import { Overload } from "../../telemetry/overload.ts";
import type { AdmissionAnswer, LoginAnswer, ProvenLogin } from "../../thread-protocol/admission.ts";
import type { ChannelId, IngestSlot } from "../../thread-protocol/channel-spec.ts";
import type { ShutdownMode, ToControl, ToMedia } from "../../thread-protocol/messages.ts";
import type { PreflightRequest } from "../../thread-protocol/preflight.ts";
import type { PreviewAnswer } from "../../thread-protocol/preview.ts";
import type { FromEncoder, FromPlayer, ToEncoder, ToPlayer } from "../../thread-protocol/remote-publish.ts";
import type { ThreadOptions } from "../threads/media-options.ts";
import { PendingRequests } from "../threads/pending-requests.ts";
import { SharedCounters } from "../threads/shared-counters.ts";
import { TroubleTeller } from "../threads/trouble-teller.ts";
import { PlayPermits } from "./play-permits.ts";
import { PreviewHost } from "./preview-host.ts";

/** A media thread's root: ingest, relay and egress, and nothing that could wait for a disk. */

/** An encoder waits this long for the answer about its key; then it is sent away to try again. */
const ADMISSION_DEADLINE_MS = 5_000;
/** At shutdown: for encoders that were asked to connect elsewhere to do so. Platforms want a keyframe every 2 s: that is when they leave. */
const MOVE_DEADLINE_MS = 2_500;
/** … then, for what is pending to leave, and for targets to close their side; with what encoders took of it, in all. */
const DRAIN_DEADLINE_MS = 3_000;
/** … and of that, however long encoders took. */
const FAREWELL_MS_MIN = 1_000;

/** How often this thread tells how late its event loop was. */
const LOOP_DELAY_INTERVAL_MS = 5_000;

assert(parentPort !== null, "runs as a worker thread only");
const port = parentPort;
const options = workerData as ThreadOptions;
const { place } = options;
const clock = systemClock;
const tell = (message: ToControl) => port.postMessage(message);
const board = new SharedCounters(place.board, place.index);

const troubles = new TroubleTeller({
  clock,
  isCutOff,
  tell: (trouble) => tell({ kind: "fact", fact: { kind: "server-trouble", time: clock.wallNow(), trouble } }),
});
const descriptors = new Descriptors(clock);

const ownPorts = [...options.ownPorts];
const dialer = new RtmpDialer({
  clock,
  randomBytes,
  resolver: createResolver(),
  policy: { allowed: parseCidrList(options.targetAllow), ownPorts, ownHosts: options.ownHosts },
  onFault: (error) => tellFault("link", error),
  onTrouble: (trouble) => troubles.met(trouble),
  takeDescriptor: () => descriptors.take(),
  ...(options.extraCa === undefined ? {} : { extraCa: options.extraCa }),
});

const engine = new Engine({
  clock,
  random: Math.random,
  dialer,
  tell: (fact) => tell({ kind: "fact", fact }),
  report: (samples) => tell({ kind: "samples", samples }),
  // Each thread has its share, so that together they keep to the setting.
  retriesPerSecond: options.retriesPerSecond / place.count,
  ingestIds: { first: place.index + 1, step: place.count },
  shareUplink: (own) => board.shareUplink(own),
});

const admissions = new PendingRequests<AdmissionAnswer>(clock, ADMISSION_DEADLINE_MS);
const logins = new PendingRequests<LoginAnswer>(clock, ADMISSION_DEADLINE_MS);
const playerSeats = new PlayPermits();
const previews = new PendingRequests<PreviewAnswer>(clock, ADMISSION_DEADLINE_MS);
const watchDesk = new PreviewHost(engine, clock, (message, transfer) => port.postMessage(message, transfer));

const hosted = new RemotePublisherHost({ clock, engine });
const distant = new RemotePublishers({
  clock,
  afterReads: (run) => listener.afterReads(run),
  onWait: () => tell({ kind: "hand-over-waits" }),
});
// A thread that is alone keeps its channels: there is nowhere else for them to begin.
const residents =
  place.count === 1
    ? undefined
    : new OwnedChannels({
        clock,
        engine,
        onLeft: (channelId, grants) => tell({ kind: "channel-left", channelId, grants }),
        ...(options.homeKeptMs === undefined ? {} : { keptMs: options.homeKeptMs }),
      });

const listener = new RtmpListener({
  clock,
  processNow,
  challengeSecret: place.challengeSecret,
  randomBytes,
  flush: () => {
    distant.flush();
    engine.flush();
  },
  onAcceptError: (error) => troubles.met(machineTroubleOf(systemCode(error)) ?? "descriptors"),
  admit,
  ...(options.door === undefined ? {} : { limits: shareOf(options.door) }),
  tally: board.connections,
  findUser,
  permitPlayer,
  tell: (fact) => tell({ kind: "fact", fact }),
});

// Node's own way to tell of it waits for whoever reads standard error.
process.removeAllListeners("warning");
process.on("warning", ({ name, message }) => tell({ kind: "warning", name, detail: message }));

let stopStartedMs: number | undefined;

const loopWatch = new LoopWatch();
const overload = new Overload(options.loadMax);
// Past the limit new is refused, and old is kept.
const takesNew = () => !overload.isBusy;
const tellLoopDelay = () => {
  const delay = loopWatch.take();
  overload.take(delay);
  tell({ kind: "loop-delay", delay });
  clock.startTimer(LOOP_DELAY_INTERVAL_MS, tellLoopDelay);
};
clock.startTimer(LOOP_DELAY_INTERVAL_MS, tellLoopDelay);

port.on("message", (message: ToMedia) => {
  switch (message.kind) {
    case "channel":
      engine.apply(message.spec);
      return hosted.changed(message.spec.channelId);
    case "channel-removed":
      return remove(message.channelId);
    case "admission":
      if (message.answer.decision === "admit") residents?.granted(message.answer.spec);
      return takeAnswer(admissions, message.answer);
    case "host-encoder":
      residents?.granted(message.spec);
      return hosted.take(message.spec, message.slot, wayOf<ToEncoder, FromEncoder>(message.port));
    case "host-player":
      return hostPlayer(engine, clock, message.channelId, wayOf<ToPlayer, FromPlayer>(message.port));
    case "login":
      return takeAnswer(logins, message.answer);
    case "preview":
      return takeAnswer(previews, message.answer);
    case "unseat-player":
      return playerSeats.takeAway(message.requestId);
    case "end":
      hosted.dismissWaiting(message.channelId);
      return engine.end(message.channelId);
    case "hold":
      return engine.changeHold(message.channelId, message.how);
    case "cut-source":
      return cutSource(message.channelId, message.slot);
    case "retry-target":
      return engine.retryTarget(message.channelId, message.targetId);
    case "preflight":
      void answerPreflight(message.request);
      return;
    case "certificate":
      return listener.setCertificate(message.pair);
    case "watch":
    case "watch-taken":
    case "unwatch":
      return watchDesk.take(message);
    case "own-port":
      ownPorts.push(message.port);
      return;
    case "drain":
      void drain();
      return;
    case "shutdown":
      void stop(message.mode);
  }
});

try {
  const bound = await listener.listen(await addressAt(options.rtmpPort));
  ownPorts.push(bound.port);
  const { rtmps } = options;
  const secured = rtmps === undefined ? undefined : await listener.listenTls(await addressAt(rtmps.port), rtmps.pair);
  if (secured !== undefined) ownPorts.push(secured.port);
  tell({ kind: "listening", ...bound, ...(secured === undefined ? {} : { tlsPort: secured.port }) });
} catch (error) {
  tell({ kind: "listen-failed", message: error instanceof Error ? error.message : String(error) });
}

/** All threads count connections together. Each counts unauthenticated ones of an address for itself, so each has its share. */
function shareOf(door: ConnectionLimits): ConnectionLimits {
  const { unauthenticatedPerAddressMax } = door;
  if (unauthenticatedPerAddressMax === undefined) return door;
  return { ...door, unauthenticatedPerAddressMax: Math.ceil(unauthenticatedPerAddressMax / place.count) };
}

/** Nobody goes the way that a late answer opens. */
function takeAnswer<Answer extends { readonly requestId: number; readonly port?: MessagePort }>(
  questions: PendingRequests<Answer>,
  answer: Answer,
): void {
  if (!questions.answered(answer.requestId, answer)) answer.port?.close();
}

/** Where this thread listens, alone or, where the first of several has the port, with the others. */
async function addressAt(wanted: number): Promise<ListenAddress> {
  const host = options.rtmpHost;
  if (place.count === 1) return { host, port: wanted };
  return { host, port: place.isFirst ? await claimPort({ host, port: wanted }) : wanted, isShared: true };
}

function remove(channelId: ChannelId): void {
  hosted.dismissWaiting(channelId);
  residents?.removed(channelId);
  engine.remove(channelId);
}

/** Behind what the encoder said before: one that has just stopped is over, and nothing to hold the targets for. */
function cutSource(channelId: ChannelId, slot: IngestSlot): void {
  const { lastIngestId } = engine;
  hosted.dismissWaiting(channelId, slot);
  listener.afterReads(() => {
    hosted.afterReads(channelId, slot, () => engine.cutSource(channelId, slot, lastIngestId));
  });
}

async function admit(key: string, login: ProvenLogin | undefined): Promise<Admission> {
  const answer = await admissions.ask((requestId) =>
    tell({ kind: "admission", request: { requestId, key, ...(login === undefined ? {} : { login }) } }),
  );
  switch (answer?.decision) {
    case undefined:
      return "unavailable";
    case "admit":
      return { gateway: gatewayTo(engine, answer.spec, answer.slot, takesNew), slot: answer.slot };
    case "admit-elsewhere":
      return { gateway: distant.to(answer, wayOf<FromEncoder, ToEncoder>(answer.port)), slot: answer.slot };
    case "refuse":
      return answer.loginOf === undefined ? "refused" : { loginOf: answer.loginOf };
  }
}

async function findUser(userId: string, challenge: string | undefined): Promise<FoundUser | "unavailable"> {
  const answer = await logins.ask((requestId) =>
    tell({ kind: "login", question: { requestId, userId, ...(challenge === undefined ? {} : { challenge }) } }),
  );
  return answer ?? "unavailable";
}

async function permitPlayer(channelId: string, token: string): Promise<PlayPermit> {
  let requestId = 0;
  const answer = await previews.ask((id) => {
    requestId = id;
    tell({ kind: "preview", requestId, channelId, token });
  });
  const leave = () => tell({ kind: "preview-left", requestId });
  // The answer may still come, and with it a place.
  if (answer === undefined) leave();
  if (answer?.decision !== "admit") return answer?.decision ?? "unavailable";
  if (answer.port !== undefined) {
    return playerSeats.give(requestId, distantSeat(wayOf<FromPlayer, ToPlayer>(answer.port), leave));
  }
  const { channelId: known } = answer;
  const show: Exclude<PlayPermit, string>["show"] = async (streamId, sink) =>
    openPreviewSession(engine, clock, { channelId: known, streamId }, sink);
  return playerSeats.give(requestId, { leave, show });
}

function distantSeat(way: MessageTransport<FromPlayer, ToPlayer>, onLeft: () => void): Exclude<PlayPermit, string> {
  return {
    show: (streamId, sink) => showFromAfar(way, clock, streamId, sink),
    leave: () => {
      way.close();
      onLeft();
    },
  };
}

function wayOf<Sent, Received>(messagePort: MessagePort): MessageTransport<Sent, Received> {
  return portTransport(messagePort, (error) => tellFault("ingest", error));
}

async function answerPreflight({ requestId, target }: PreflightRequest): Promise<void> {
  tell({ kind: "preflight", requestId, result: await preflight(target, dialer, clock) });
}

function tellFault(where: "ingest" | "link", error: unknown): void {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  tell({ kind: "fact", fact: { kind: "internal-fault", time: clock.wallNow(), where, detail } });
}

async function drain(): Promise<void> {
  stopStartedMs = clock.now();
  await listener.drain(MOVE_DEADLINE_MS);
  tell({ kind: "drained" });
}

async function stop(mode: ShutdownMode): Promise<void> {
  stopStartedMs ??= clock.now();
  listener.close();
  engine.shutDown(mode);
  const leftMs = Math.max(FAREWELL_MS_MIN, DRAIN_DEADLINE_MS - (clock.now() - stopStartedMs));
  await Promise.race([dialer.idle(), new Promise<void>((resolve) => clock.startTimer(leftMs, resolve))]);
  tell({ kind: "stopped" });
  port.close();
}
