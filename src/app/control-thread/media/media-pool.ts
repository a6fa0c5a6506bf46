import { randomBytes } from "node:crypto";
import { MessageChannel } from "node:worker_threads";
import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { Admitted } from "../../../control/access/admission.ts";
import { AdmissionFreshness } from "../../../control/access/admission-freshness.ts";
import type { PreviewAccess, PreviewPlace } from "../../../control/access/preview-access.ts";
import { SpentChallenges } from "../../../control/access/spent-challenges.ts";
import { ChannelPlacement } from "../../../control/channel-placement.ts";
import type { LiveState } from "../../../control/live/live-state.ts";
import { RunningTotals } from "../../../control/live/running-totals.ts";
import type { ChannelLive, PreviewClient, PreviewClientSink, Runtime } from "../../../control/runtime.ts";
import type {
  AdmissionAnswer,
  AdmissionRequest,
  IngestUser,
  LoginQuestion,
  ProvenLogin,
} from "../../../thread-protocol/admission.ts";
import type { CertificatePair } from "../../../thread-protocol/certificate.ts";
import type {
  ChannelId,
  ChannelSpec,
  IngestSlot,
  TargetId,
  TargetSpec,
} from "../../../thread-protocol/channel-spec.ts";
import type { Fact } from "../../../thread-protocol/facts.ts";
import type { HoldChange } from "../../../thread-protocol/hold-limits.ts";
import type { LoopDelay } from "../../../thread-protocol/loop-delay.ts";
import type { ShutdownMode } from "../../../thread-protocol/messages.ts";
import type { PreflightResult } from "../../../thread-protocol/preflight.ts";
import type { PreviewAnswer } from "../../../thread-protocol/preview.ts";
import type { ChannelSample } from "../../../thread-protocol/samples.ts";
import type { MediaOptions, ThreadOptions } from "../../threads/media-options.ts";
import { newSharedCounters, SharedCounters } from "../../threads/shared-counters.ts";
import { MediaRuntime, type Reply, type Told } from "./media-runtime.ts";

const SECRET_BYTES = 32;

export type MediaPoolDeps = {
  readonly options: MediaOptions;
  readonly view: LiveState;
  readonly clock: Clock;
  readonly log: Log;
  /** The channel this key may publish to. A rejection counts as no answer: the encoder tries again. */
  readonly admit: (key: string, login?: ProvenLogin) => Promise<Admitted | undefined>;
  /** Who logs in to an ingest with this name. A rejection counts as no answer. */
  readonly findIngestUser: (userId: string) => Promise<IngestUser | undefined>;
  /** Who may open a preview. */
  readonly previewAccess: PreviewAccess;
  /** Called with every fact. */
  readonly onFact: (fact: Fact) => void;
  readonly onThread: (news: ThreadNews) => void;
  /** Called with every batch of samples; counters never go down. */
  readonly onSamples: (samples: readonly ChannelSample[]) => void;
};

/** What is told of the threads themselves. */
export type ThreadNews =
  /** How late its event loop was, every few seconds. */
  | { readonly kind: "loop-delay"; readonly thread: string; readonly delay: LoopDelay }
  /** An encoder or a player came to another thread than its channel's. */
  | { readonly kind: "handed-over"; readonly what: "encoder" | "player" }
  /** An encoder of this thread is not read for a while: its channel's home is behind. */
  | { readonly kind: "hand-over-waits"; readonly thread: string };

type PlayerQuestion = { readonly requestId: number; readonly channelId: string; readonly token: string };

/**
 * The media threads as the control thread sees them: one data plane. They listen on the same port, and the kernel says which of them
 * gets a connection. A channel lives in one of them; what comes for it to another is led there.
 */
export class MediaPool implements Runtime {
  readonly #deps: MediaPoolDeps;
  readonly #threads: readonly MediaRuntime[];
  readonly #board: SharedArrayBuffer;
  readonly #challengeSecret = randomBytes(SECRET_BYTES);
  readonly #admissions = new AdmissionFreshness();
  readonly #homes = new ChannelPlacement<MediaRuntime>();
  readonly #totals = new RunningTotals();
  readonly #spentChallenges: SpentChallenges;
  #options: MediaOptions;
  #hasListened = false;

  constructor(deps: MediaPoolDeps) {
    this.#deps = deps;
    this.#options = deps.options;
    const { threads } = deps.options;
    this.#board = newSharedCounters(threads);
    this.#spentChallenges = new SpentChallenges(deps.clock);
    this.#threads = Array.from({ length: threads }, (_, index) => this.#newThread(index));
  }

  /** Starts the threads; answers the port encoders are accepted on, rejects where it cannot be had. */
  async start(): Promise<number> {
    const [first, ...others] = this.#threads;
    if (first === undefined) throw new Error("no media thread");
    const { port, tlsPort } = await first.start();
    // The others, and whoever is started again, must be found where the first one was.
    const { rtmps } = this.#options;
    this.#options = {
      ...this.#options,
      rtmpPort: port,
      ...(rtmps === undefined ? {} : { rtmps: { ...rtmps, port: tlsPort ?? rtmps.port } }),
    };
    this.#hasListened = true;
    await Promise.all(others.map((thread) => thread.start()));
    return port;
  }

  /** Leaves targets and encoders as asked and ends the threads; what they counted has arrived when this resolves. Idempotent. */
  async stop(mode: ShutdownMode): Promise<void> {
    // In all threads before any of them leaves its targets: an encoder that moves elsewhere may be another thread's. A broadcast that is
    // to be over is carried on nowhere.
    if (mode === "cut") await Promise.all(this.#threads.map((thread) => thread.drain()));
    await Promise.all(this.#threads.map((thread) => thread.stop(mode)));
  }

  /** The port encoders are accepted on behind TLS; undefined where there is none. */
  get tlsPort(): number | undefined {
    return this.#options.rtmps?.port;
  }

  /** What encoders are shown from now on. */
  setCertificate(pair: CertificatePair): void {
    const { rtmps } = this.#options;
    if (rtmps === undefined) return;
    this.#options = { ...this.#options, rtmps: { ...rtmps, pair } };
    for (const thread of this.#threads) thread.post({ kind: "certificate", pair });
  }

  /** Another port of ours is known now: no target may lead back to it. */
  addOwnPort(port: number): void {
    this.#options = { ...this.#options, ownPorts: [...this.#options.ownPorts, port] };
    for (const thread of this.#threads) thread.post({ kind: "own-port", port });
  }

  apply(spec: ChannelSpec): void {
    this.#admissions.changed(spec);
    this.#homes.of(spec.channelId)?.post({ kind: "channel", spec });
  }

  remove(channelId: ChannelId): void {
    this.#admissions.removed(channelId);
    this.#homes.of(channelId)?.post({ kind: "channel-removed", channelId });
    this.#homes.removed(channelId);
    this.#totals.forget(channelId);
  }

  end(channelId: ChannelId): void {
    this.#homes.of(channelId)?.post({ kind: "end", channelId });
  }

  changeHold(channelId: ChannelId, how: HoldChange): void {
    this.#homes.of(channelId)?.post({ kind: "hold", channelId, how });
  }

  cutSource(channelId: ChannelId, slot: IngestSlot): void {
    this.#homes.of(channelId)?.post({ kind: "cut-source", channelId, slot });
  }

  retryTarget(channelId: ChannelId, targetId: TargetId): void {
    this.#homes.of(channelId)?.post({ kind: "retry-target", channelId, targetId });
  }

  testTarget(target: TargetSpec): Promise<PreflightResult> {
    // Whichever does: it has nothing to do with a channel.
    const thread = this.#threads.find(({ isRunning }) => isRunning);
    return thread === undefined ? Promise.reject(new Error("no media thread is running")) : thread.testTarget(target);
  }

  watch(channelId: ChannelId, sink: PreviewClientSink): PreviewClient {
    return this.#homes.of(channelId)?.watch(channelId, sink) ?? previewNothing(sink);
  }

  live(channelId: ChannelId): ChannelLive | undefined {
    return this.#deps.view.live(channelId);
  }

  publishingChannels(): readonly ChannelId[] {
    return this.#deps.view.publishingChannels();
  }

  #newThread(index: number): MediaRuntime {
    const { clock, log, options } = this.#deps;
    const thread: MediaRuntime = new MediaRuntime({
      name: options.threads === 1 ? "media" : `media-${index + 1}`,
      options: () => this.#threadOptions(index),
      clock,
      log,
      onAdmission: (request, reply) => this.#admit(thread, request, reply),
      onLogin: (question) => this.#findUser(question),
      onPlayer: (question) => this.#seatPlayer(thread, question),
      onTold: (told) => this.#take(thread, told),
      onDied: () => {
        new SharedCounters(this.#board, index).clear();
        this.#died(thread);
      },
    });
    return thread;
  }

  #threadOptions(index: number): ThreadOptions {
    return {
      ...this.#options,
      place: {
        ...{ index, count: this.#options.threads, isFirst: index === 0 && !this.#hasListened },
        ...{ board: this.#board, challengeSecret: this.#challengeSecret },
      },
    };
  }

  #admit(asking: MediaRuntime, { requestId, key, login }: AdmissionRequest, reply: Reply<AdmissionAnswer>) {
    return this.#admissions.answer(
      () => this.#deps.admit(key, login),
      (admitted) => {
        if (reply.isWanted()) reply.send({ requestId, ...this.#admission(asking, admitted) });
      },
    );
  }

  #admission(asking: MediaRuntime, admitted: Admitted | undefined): AdmissionDecision {
    if (admitted === undefined) return { decision: "refuse" };
    const { spec, slot, isLoginMissing } = admitted;
    if (isLoginMissing === true) return { decision: "refuse", loginOf: spec.channelId };
    const { channelId, latency = "efficient" } = spec;
    if (this.#threads.length > 1 && this.#homes.of(channelId) === undefined) {
      this.#deps.log.debug("channel at home", { channelId, thread: asking.name });
    }
    const home = this.#homes.grant(channelId, asking);
    if (home === asking) return { decision: "admit", spec, slot };
    const { port1, port2 } = new MessageChannel();
    home.post({ kind: "host-encoder", spec, slot, port: port1 });
    this.#handedOver("encoder", channelId, asking, home);
    return { decision: "admit-elsewhere", channelId, slot, latency, port: port2 };
  }

  async #findUser({ requestId, userId, challenge }: LoginQuestion) {
    const isFirstUse = challenge !== undefined && this.#spentChallenges.spend(challenge);
    const user = await this.#deps.findIngestUser(userId);
    return { requestId, isFirstUse, ...(user === undefined ? {} : { user }) };
  }

  #seatPlayer(asking: MediaRuntime, { requestId, channelId: wanted, token }: PlayerQuestion): SeatedPlayer {
    const place = this.#deps.previewAccess.enter(token, wanted);
    if (place === "full") return { answer: { requestId, decision: "full" } };
    if (place === "refused") return { answer: { requestId, decision: "refuse" } };
    const { channelId } = place;
    const home = this.#homes.of(channelId) ?? asking;
    if (home === asking) return { answer: { requestId, decision: "admit", channelId }, place };
    const { port1, port2 } = new MessageChannel();
    home.post({ kind: "host-player", channelId, port: port1 });
    this.#handedOver("player", channelId, asking, home);
    return { answer: { requestId, decision: "admit", channelId, port: port2 }, place };
  }

  #handedOver(what: "encoder" | "player", channelId: ChannelId, from: MediaRuntime, to: MediaRuntime): void {
    this.#deps.log.info(`${what} handed over`, { channelId, from: from.name, to: to.name });
    this.#deps.onThread({ kind: "handed-over", what });
  }

  #take(thread: MediaRuntime, told: Told): void {
    switch (told.kind) {
      case "fact":
        return this.#deps.onFact(told.fact);
      case "samples":
        return this.#takeSamples(thread, told.samples);
      case "loop-delay":
      case "hand-over-waits":
        return this.#deps.onThread({ ...told, thread: thread.name });
      case "channel-left":
        this.#deps.log.debug("channel left its home", { channelId: told.channelId, thread: thread.name });
        this.#homes.left(told.channelId, thread, told.grants);
        return this.#totals.startOver([told.channelId]);
    }
  }

  #takeSamples(thread: MediaRuntime, samples: readonly ChannelSample[]): void {
    // The last ones of a channel that was removed are nobody's.
    const whole = this.#totals.samples(samples.filter(({ channelId }) => this.#homes.of(channelId) === thread));
    this.#deps.onSamples(whole);
  }

  /** Nothing that lived in the thread is on air any more, and encoders come back by themselves. */
  #died(thread: MediaRuntime): void {
    const { view, clock } = this.#deps;
    const time = clock.wallNow();
    const lost = this.#homes.died(thread);
    this.#totals.startOver(lost);
    for (const channelId of lost) {
      const live = view.live(channelId);
      if (live?.isPublishing !== true) continue;
      for (const [targetId, { status }] of live.targets) {
        const ready = { status: "READY", sinceTime: time } as const;
        this.#deps.onFact({ kind: "target-status", time, channelId, targetId, from: status.status, status: ready });
      }
      this.#deps.onFact({
        kind: "ingest-ended",
        time,
        channelId,
        ingestId: 0,
        slot: "main",
        end: "connection-lost",
        isBroadcastOver: true,
      });
    }
  }
}

type WithoutRequest<Answer> = Answer extends AdmissionAnswer ? Omit<Answer, "requestId"> : never;
type AdmissionDecision = WithoutRequest<AdmissionAnswer>;
type SeatedPlayer = { readonly answer: PreviewAnswer; readonly place?: PreviewPlace };

/** A preview of a channel that is nowhere: over as soon as it has begun. */
function previewNothing(sink: PreviewClientSink): PreviewClient {
  let isOver = false;
  const leave = () => {
    isOver = true;
  };
  queueMicrotask(() => {
    if (!isOver) sink.end();
  });
  return { taken: () => undefined, leave };
}
