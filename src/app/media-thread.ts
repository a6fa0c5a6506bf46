import assert from "node:assert";
import { randomBytes } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../base/clock.ts";
import { RtmpDialer } from "../egress/dialer.ts";
import { preflight } from "../egress/preflight.ts";
import type { AdmissionAnswer, IngestUser, LoginAnswer, ProvenLogin } from "../exchange/admission.ts";
import type { ChannelId, IngestSlot } from "../exchange/channel-spec.ts";
import type { ShutdownMode, ToControl, ToMedia } from "../exchange/messages.ts";
import type { PreflightRequest } from "../exchange/preflight.ts";
import type { PreviewAnswer } from "../exchange/watching.ts";
import type { Admission } from "../ingest/rtmp-connection.ts";
import { RtmpListener } from "../ingest/rtmp-listener.ts";
import type { Seat } from "../ingest/rtmp-playback.ts";
import { parseCidrList } from "../net/cidr-list.ts";
import { createResolver } from "../net/resolver.ts";
import { Engine } from "../relay/engine.ts";
import { entranceTo } from "../relay/entrance.ts";
import { showToPlayer } from "../relay/showing.ts";
import { LoopWatch } from "../telemetry/loop-watch.ts";
import type { MediaOptions } from "./media-options.ts";
import { Questions } from "./questions.ts";
import { WatchDesk } from "./watch-desk.ts";

/** The media thread's root: ingest, relay and egress, and nothing that could wait for a disk. */

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
const options = workerData as MediaOptions;
const clock = systemClock;
const tell = (message: ToControl) => port.postMessage(message);

const ownPorts = [...options.ownPorts];
const dialer = new RtmpDialer({
  clock,
  randomBytes,
  resolver: createResolver(),
  policy: { allowed: parseCidrList(options.targetAllow), ownPorts, ownHosts: options.ownHosts },
  onFault: (error) => tell({ kind: "fact", fact: linkFault(error) }),
  ...(options.extraCa === undefined ? {} : { extraCa: options.extraCa }),
});

const engine = new Engine({
  clock,
  random: Math.random,
  dialer,
  tell: (fact) => tell({ kind: "fact", fact }),
  report: (samples) => tell({ kind: "samples", samples }),
  retriesPerSecond: options.retriesPerSecond,
});

const admissions = new Questions<AdmissionAnswer>(clock, ADMISSION_DEADLINE_MS);
const logins = new Questions<LoginAnswer>(clock, ADMISSION_DEADLINE_MS);
const previews = new Questions<PreviewAnswer>(clock, ADMISSION_DEADLINE_MS);
const watchDesk = new WatchDesk(engine, clock, (message, transfer) => port.postMessage(message, transfer));

const listener = new RtmpListener({
  clock,
  randomBytes,
  flush: () => engine.flush(),
  admit,
  ...(options.door === undefined ? {} : { limits: options.door }),
  findUser,
  seatPlayer,
  tell: (fact) => tell({ kind: "fact", fact }),
});

const loopWatch = new LoopWatch();
const tellLoopDelay = () => {
  tell({ kind: "loop-delay", delay: loopWatch.take() });
  clock.startTimer(LOOP_DELAY_INTERVAL_MS, tellLoopDelay);
};
clock.startTimer(LOOP_DELAY_INTERVAL_MS, tellLoopDelay);

port.on("message", (message: ToMedia) => {
  switch (message.kind) {
    case "channel":
      return engine.apply(message.spec);
    case "channel-removed":
      return engine.remove(message.channelId);
    case "admission":
      return admissions.answered(message.answer.requestId, message.answer);
    case "login":
      return logins.answered(message.answer.requestId, message.answer);
    case "preview":
      return previews.answered(message.answer.requestId, message.answer);
    case "end":
      return engine.end(message.channelId);
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
    case "shutdown":
      void stop(message.mode);
  }
});

try {
  const bound = await listener.listen({ host: options.rtmpHost, port: options.rtmpPort });
  ownPorts.push(bound.port);
  const { rtmpHost: host, rtmps } = options;
  const secured = rtmps === undefined ? undefined : await listener.listenTls({ host, port: rtmps.port }, rtmps.pair);
  if (secured !== undefined) ownPorts.push(secured.port);
  tell({ kind: "listening", ...bound, ...(secured === undefined ? {} : { tlsPort: secured.port }) });
} catch (error) {
  tell({ kind: "listen-failed", message: error instanceof Error ? error.message : String(error) });
}

/** Behind what the encoder said before: one that has just stopped is over, and nothing to hold the targets for. */
function cutSource(channelId: ChannelId, slot: IngestSlot): void {
  const { lastIngestId } = engine;
  listener.afterReads(() => engine.cutSource(channelId, slot, lastIngestId));
}

async function admit(key: string, login: ProvenLogin | undefined): Promise<Admission> {
  const answer = await admissions.ask((requestId) =>
    tell({ kind: "admission", request: { requestId, key, ...(login === undefined ? {} : { login }) } }),
  );
  if (answer === undefined) return "unavailable";
  if (answer.decision === "admit") return { entrance: entranceTo(engine, answer.spec, answer.slot), slot: answer.slot };
  return answer.loginOf === undefined ? "refused" : { loginOf: answer.loginOf };
}

async function findUser(userId: string): Promise<IngestUser | "unavailable" | undefined> {
  const answer = await logins.ask((requestId) => tell({ kind: "login", question: { requestId, userId } }));
  return answer === undefined ? "unavailable" : answer.user;
}

async function seatPlayer(channelId: string, token: string): Promise<Seat> {
  let requestId = 0;
  const answer = await previews.ask((id) => {
    requestId = id;
    tell({ kind: "preview", requestId, channelId, token });
  });
  const leave = () => tell({ kind: "preview-left", requestId });
  if (answer?.decision === "admit") {
    const { channelId: known } = answer;
    return { leave, show: async (streamId, sink) => showToPlayer(engine, clock, { channelId: known, streamId }, sink) };
  }
  // The answer may still come, and with it a place.
  if (answer === undefined) leave();
  return answer?.decision ?? "unavailable";
}

async function answerPreflight({ requestId, target }: PreflightRequest): Promise<void> {
  tell({ kind: "preflight", requestId, result: await preflight(target, dialer, clock) });
}

function linkFault(error: unknown) {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: "internal-fault", time: clock.wallNow(), where: "link", detail } as const;
}

async function stop(mode: ShutdownMode): Promise<void> {
  const startedMs = clock.now();
  // A broadcast that is to be over is carried on nowhere.
  if (mode === "cut") await listener.drain(MOVE_DEADLINE_MS);
  listener.close();
  engine.shutDown(mode);
  const leftMs = Math.max(FAREWELL_MS_MIN, DRAIN_DEADLINE_MS - (clock.now() - startedMs));
  await Promise.race([dialer.idle(), new Promise<void>((resolve) => clock.startTimer(leftMs, resolve))]);
  tell({ kind: "stopped" });
  port.close();
}
