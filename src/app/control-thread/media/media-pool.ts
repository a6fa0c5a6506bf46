import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import { RunningBroadcasts } from "../../../control/facts/running-broadcasts.ts";
import type { LiveState } from "../../../control/live/live-state.ts";
import { RunningTotals } from "../../../control/live/running-totals.ts";
import type { ChannelPlacement } from "../../../control/ports/channel-placement.ts";
import { ChannelElsewhereError } from "../../../control/ports/errors.ts";
import type { ChannelLive, PreviewClient, PreviewClientSink, Runtime } from "../../../control/ports/runtime.ts";
import { TargetSwitches } from "../../../control/schedules/target-switches.ts";
import type { PublishGateway } from "../../../relay/publish-gateway.ts";
import { openRemotePreview } from "../../../remote-publish/remote-preview.ts";
import { RemotePublishers } from "../../../remote-publish/remote-publisher.ts";
import type { CertificatePair } from "../../../thread-protocol/certificate.ts";
import type {
  ChannelId,
  ChannelSpec,
  IngestSlot,
  Latency,
  TargetId,
  TargetSpec,
} from "../../../thread-protocol/channel-spec.ts";
import type { Fact } from "../../../thread-protocol/facts.ts";
import type { HoldChange } from "../../../thread-protocol/hold-limits.ts";
import type { Keyframe } from "../../../thread-protocol/keyframe.ts";
import type { ControlRequest, MediaReply, ShutdownMode, ToControl } from "../../../thread-protocol/messages.ts";
import type { PreflightResult } from "../../../thread-protocol/preflight.ts";
import type { ChannelSample } from "../../../thread-protocol/samples.ts";
import type { TestPatternRequest, TestPatternResult } from "../../../thread-protocol/test-pattern.ts";
import type { MediaOptions } from "../../threads/media-options.ts";
import { PendingRequests, type Unanswered } from "../../threads/pending-requests.ts";
import type { PoolWorker } from "../../threads/pool-worker.ts";
import type { TransportEnd } from "../../threads/transport-ends.ts";
import { ChannelRoutes, type Claim, type OwnedChannel } from "./channel-routes.ts";
import { LinkSockets } from "./link-sockets.ts";
import { lostFacts } from "./lost-facts.ts";
import { MediaWorkers } from "./media-workers.ts";
import { OwnerLinks, type PublisherTransport } from "./owner-links.ts";
import { SrtLinks } from "./srt-links.ts";
import type { ThreadNews } from "./thread-news.ts";
import { ThreadRequests, type ThreadRequestsDeps } from "./thread-requests.ts";
import { ToldFacts } from "./told-facts.ts";

/** More than the deadlines of all stages together: this bounds a thread that runs and does not reply. In milliseconds. */
const PREFLIGHT_DEADLINE_MS = 90_000;
/** A thread replies from memory, at once: one that takes longer stands still. */
const REPLY_DEADLINE_MS = 5_000;

export type MediaPoolDeps = Pick<
  ThreadRequestsDeps,
  "admit" | "readSpec" | "findIngestUser" | "cluster" | "previewAccess" | "sharedGuards"
> & {
  readonly options: MediaOptions;
  readonly placement: ChannelPlacement;
  readonly view: LiveState;
  readonly clock: Clock;
  readonly log: Log;
  readonly onFact: (fact: Fact) => void;
  readonly onThread: (news: ThreadNews) => void;
  /** Returns a link to the recorder for a thread that asked for one; undefined where it does not run. */
  readonly linkRecorder: () => TransportEnd | undefined;
  /** Called with every batch of samples; counters never go down. */
  readonly onSamples: (samples: readonly ChannelSample[]) => void;
};

/**
 * All media threads as one data plane. They listen on the same port, and the kernel chooses the thread of each connection. One
 * thread owns a channel; encoders and players of that channel that come to other threads are connected to it by a transport.
 */
export class MediaPool implements Runtime {
  readonly #deps: MediaPoolDeps;
  /** The threads of this process. */
  readonly workers: MediaWorkers;
  readonly routes: ChannelRoutes;
  readonly requests: ThreadRequests;
  readonly #links: OwnerLinks;
  /** All threads by their index: those of this process, then those of earlier ones. */
  readonly #members: PoolWorker[];
  readonly #pending = new Map<PoolWorker, PendingRequests<MediaReply>>();
  readonly #totals = new RunningTotals();
  /** Publishers in this thread: sources that the server plays. */
  readonly #publishers: RemotePublishers;
  readonly #srtLinks: SrtLinks;
  /** Targets that are on or off by their windows while the database is away. */
  readonly switches: TargetSwitches;
  /** What the next process needs to go on with the broadcasts. */
  readonly running: RunningBroadcasts;
  readonly #facts: ToldFacts;
  readonly linkSockets: LinkSockets;
  #divert: ((worker: PoolWorker, message: ToControl | "gone") => void) | undefined;

  constructor(deps: MediaPoolDeps) {
    this.#deps = deps;
    const { options, clock, log, placement, onThread } = deps;
    this.running = new RunningBroadcasts(clock);
    this.#facts = new ToldFacts(clock);
    const nothing = () => undefined;
    this.#publishers = new RemotePublishers({ clock, afterReads: (run) => run(), onWait: nothing, onCount: nothing });
    this.#srtLinks = new SrtLinks(clock);
    this.workers = new MediaWorkers({
      ...{ options, clock, log },
      onMessage: (worker, message) => this.#take(worker, message),
      onGone: (worker, hasDied) => this.#gone(worker, hasDied),
    });
    this.#members = [...this.workers.all];
    for (const worker of this.#members) this.#pending.set(worker, new PendingRequests(clock));
    this.routes = new ChannelRoutes({ placement, workers: this.#members, log });
    this.#links = new OwnerLinks(clock, log);
    this.switches = new TargetSwitches((message) => this.routes.post(message.channelId, message));
    this.linkSockets = new LinkSockets({ log, ask: (worker, ask) => this.#ask(worker, REPLY_DEADLINE_MS, ask) });
    this.requests = new ThreadRequests({
      ...deps,
      socketOf: (worker) => this.linkSockets.of(worker),
      asInForce: (spec) => this.switches.on(spec),
      routes: this.routes,
      onRemoteConnection: (what) => onThread({ kind: "remote-connection", what }),
    });
  }

  /** Lets the threads begin, as `MediaWorkers.start` says. */
  start(predecessorPorts: readonly number[] = []): Promise<number> {
    return this.workers.start(predecessorPorts);
  }

  /** Leaves targets and encoders and stops the threads. Their last samples have arrived when this resolves. Idempotent. */
  stop(mode: ShutdownMode): Promise<void> {
    return this.workers.stop(mode);
  }

  /** The thread that owns a channel; undefined where none does. */
  owner(channelId: ChannelId): PoolWorker | undefined {
    return this.routes.of(channelId);
  }

  /** The channels that a thread owns. */
  ownedBy(worker: PoolWorker): readonly OwnedChannel[] {
    return this.routes.ownedBy(worker);
  }

  /** The index of the next thread of an earlier process. */
  get nextIndex(): number {
    return this.#members.length;
  }

  /** Takes over a thread of an earlier process, with the channels that it owns. */
  async adopt(worker: PoolWorker, channels: readonly OwnedChannel[]): Promise<void> {
    this.#members.push(worker);
    this.#pending.set(worker, new PendingRequests(this.#deps.clock));
    await this.routes.adopt(worker, channels);
  }

  /** From now on this gets what the threads report: another process is to decide. Undefined: this one decides again. */
  divert(take: ((worker: PoolWorker, message: ToControl | "gone") => void) | undefined): void {
    this.#divert = take;
  }

  /** The port that accepts encoders over TLS; undefined where there is none. */
  get tlsPort(): number | undefined {
    return this.workers.tlsPort;
  }

  /** The UDP port that accepts encoders over SRT; undefined where there is none. */
  get srtPort(): number | undefined {
    return this.workers.srtPort;
  }

  /** Sets the certificate that encoders are shown from now on. */
  setCertificate(pair: CertificatePair): void {
    this.workers.setCertificate(pair);
  }

  /** Adds a port of this server: no target may lead back to it. */
  addOwnPort(port: number): void {
    this.workers.addOwnPort(port);
  }

  apply(spec: ChannelSpec): void {
    this.requests.changed(spec);
    this.routes.post(spec.channelId, { kind: "channel", spec: this.switches.on(spec) });
  }

  remove(channelId: ChannelId): void {
    this.requests.freshness.removed(channelId);
    this.routes.post(channelId, { kind: "channel-removed", channelId });
    this.routes.removed(channelId);
    this.#totals.forget(channelId);
  }

  end(channelId: ChannelId): void {
    this.routes.post(channelId, { kind: "end", channelId });
  }

  changeHold(channelId: ChannelId, how: HoldChange): void {
    this.routes.post(channelId, { kind: "hold", channelId, how });
  }

  disconnectPublisher(channelId: ChannelId, slot: IngestSlot): void {
    this.routes.post(channelId, { kind: "disconnect-publisher", channelId, slot });
  }

  retryTarget(channelId: ChannelId, targetId: TargetId): void {
    this.routes.post(channelId, { kind: "retry-target", channelId, targetId });
  }

  cutDelay(channelId: ChannelId, targetId: TargetId): void {
    this.routes.post(channelId, { kind: "cut-delay", channelId, targetId });
  }

  async testTarget(target: TargetSpec): Promise<PreflightResult> {
    // Any thread can: the test does not concern a channel.
    const reply = await this.#ask(this.#runningWorker(), PREFLIGHT_DEADLINE_MS, { kind: "preflight", target });
    if (reply.kind !== "preflight") throw new Error("the media thread gave another reply");
    return reply.result;
  }

  /**
   * Opens a way into the channel for a publisher in this thread. `read` finds the channel's spec, and again where the
   * channel changes meanwhile; rejects as it does.
   */
  async publish(channelId: ChannelId, read: () => Promise<ChannelSpec>): Promise<PublishGateway> {
    let opened: { readonly latency: Latency; readonly transport: Promise<PublisherTransport | undefined> } | undefined;
    await this.#claimed(channelId, read, (spec, claim) => {
      opened = { latency: spec.latency ?? "efficient", transport: this.#links.into(spec, claim) };
    });
    const transport = await opened?.transport;
    if (opened === undefined || transport === undefined) throw new Error("the channel is gone");
    return this.#publishers.to({ channelId, latency: opened.latency }, transport);
  }

  async startTestPattern(
    channelId: ChannelId,
    read: () => Promise<ChannelSpec>,
    how: Omit<TestPatternRequest, "kind" | "spec">,
  ): Promise<TestPatternResult> {
    let asked: Promise<MediaReply> | undefined;
    await this.#claimed(channelId, read, (spec, claim) => {
      asked = this.#ask(claim.admit(), REPLY_DEADLINE_MS, { kind: "test-pattern", spec, ...how });
    });
    const reply = await asked;
    if (reply?.kind !== "test-pattern") throw new Error("the media thread gave another reply");
    return reply.result;
  }

  /** Calls `use` with the channel's present spec, and with a claim that lasts until then. */
  async #claimed(
    channelId: ChannelId,
    read: () => Promise<ChannelSpec>,
    use: (spec: ChannelSpec, claim: Claim) => void,
  ): Promise<void> {
    let claim: Claim | undefined;
    const lookUp = async () => {
      const spec = await read();
      const before = claim;
      const placed = await this.routes.claim(channelId, this.#runningWorker());
      before?.end();
      if (placed.kind !== "here") throw new ChannelElsewhereError("another node owns the channel");
      claim = placed;
      return { spec };
    };
    try {
      await this.requests.freshness.answer(lookUp, (found) => {
        if (found !== undefined && claim !== undefined) use(found.spec, claim);
      });
    } finally {
      claim?.end();
    }
  }

  stopTestPattern(channelId: ChannelId): void {
    this.routes.post(channelId, { kind: "stop-test-pattern", channelId });
  }

  async keyframe(channelId: ChannelId, knownTime?: number): Promise<Keyframe> {
    const owner = this.routes.of(channelId);
    if (owner === undefined) return { found: "none" };
    const known = knownTime === undefined ? {} : { knownTime };
    const outcome = await this.#outcome(owner, REPLY_DEADLINE_MS, { kind: "keyframe", channelId, ...known });
    // A thread that died ended the broadcast.
    if (outcome === "gone") return { found: "none" };
    if (outcome === "timed-out" || outcome.kind !== "keyframe") throw new Error("the media thread did not answer");
    return outcome.keyframe;
  }

  watch(channelId: ChannelId, sink: PreviewClientSink): PreviewClient {
    const transport = this.#links.watch(channelId, this.routes.of(channelId));
    const preview = openRemotePreview(transport, this.#deps.clock, { kind: "flv" }, sink);
    return { taken: (bytes) => preview.taken(bytes), leave: () => preview.end() };
  }

  live(channelId: ChannelId): ChannelLive | undefined {
    return this.#deps.view.live(channelId);
  }

  publishingChannels(): readonly ChannelId[] {
    return this.#deps.view.publishingChannels();
  }

  #runningWorker(): PoolWorker {
    const worker = this.workers.running;
    if (worker === undefined) throw new Error("no media thread is running");
    return worker;
  }

  /** Rejects where the thread does not reply. */
  async #ask(worker: PoolWorker, deadlineMs: number, request: ControlRequest): Promise<MediaReply> {
    const outcome = await this.#outcome(worker, deadlineMs, request);
    if (outcome === "timed-out") throw new Error("the media thread did not answer");
    if (outcome === "gone") throw new Error("the media thread died");
    return outcome;
  }

  async #outcome(worker: PoolWorker, deadlineMs: number, request: ControlRequest): Promise<MediaReply | Unanswered> {
    const pending = this.#pending.get(worker);
    const post = (requestId: number) => worker.post({ kind: "request", requestId, request });
    return pending === undefined || worker.life === undefined ? "gone" : pending.ask(deadlineMs, post);
  }

  #take(worker: PoolWorker, message: ToControl): void {
    if (message.kind === "listening") this.linkSockets.started(worker);
    // The recorder of a process records what its own threads carry.
    if (this.#divert === undefined || message.kind === "recorder-wanted") this.take(worker, message);
    else this.#divert(worker, message);
  }

  /** Takes what a thread reports or asks. */
  take(worker: PoolWorker, message: ToControl): void {
    switch (message.kind) {
      case "fact":
        return this.#deps.onFact(this.#facts.take(message));
      case "samples":
        return this.#takeSamples(worker, message.samples);
      case "srt-links":
        return this.#srtLinks.take(message.links);
      case "loop-delay":
      case "span":
      case "remote-publisher-waits":
        return this.#deps.onThread({ ...message, thread: worker.name });
      case "failed-over":
        return this.#deps.log.warn("encoder goes on at its channel's next node", { channelId: message.channelId });
      case "woke":
      case "release-wanted":
        return this.#deps.cluster?.take(message);
      case "channel-released":
        return this.#released(worker, message.channelId, message.admissions);
      case "request":
        return this.requests.take(worker, message.requestId, message.request);
      case "play-left":
        return this.requests.playLeft(worker, message.requestId);
      case "recorder-wanted": {
        const end = this.#deps.linkRecorder();
        if (end !== undefined) worker.post({ kind: "recorder" }, end);
        return;
      }
      case "reply":
        this.#pending.get(worker)?.reply(message.requestId, message.reply);
        return;
      default:
        // The rest concerns the life of the thread, which its worker looks after.
        return;
    }
  }

  #takeSamples(worker: PoolWorker, samples: readonly ChannelSample[]): void {
    // The last samples of a channel that was removed, or has another owner, no longer count.
    const owned = samples.filter(({ channelId }) => this.routes.of(channelId) === worker);
    this.running.samples(owned);
    const whole = this.#totals.samples(owned);
    this.#deps.onSamples(this.#srtLinks.joinedTo(whole));
  }

  #released(worker: PoolWorker, channelId: ChannelId, admissions: number): void {
    const isReleased = this.routes.released(channelId, worker, admissions);
    if (isReleased) this.#deps.log.debug("channel released", { channelId, thread: worker.name });
    this.#totals.startOver([channelId]);
  }

  #gone(worker: PoolWorker, hasDied: boolean): void {
    if (this.#divert === undefined) this.gone(worker, hasDied);
    else this.#divert(worker, "gone");
  }

  /** A thread has ended. `hasDied`: its broadcasts are over. */
  gone(worker: PoolWorker, hasDied: boolean): void {
    this.#pending.get(worker)?.abandon();
    this.requests.gone(worker);
    if (hasDied) this.endLost(this.routes.died(worker));
  }

  /** Reports broadcasts as over whose thread died, or never got their encoders. The encoders reconnect by themselves. */
  endLost(channels: readonly ChannelId[]): void {
    const { view, clock, onFact } = this.#deps;
    this.#totals.startOver(channels);
    for (const fact of lostFacts(channels, view, clock.wallNow())) onFact(fact);
  }
}
