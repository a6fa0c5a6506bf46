import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { newerSource, type SourceStatus } from "../../control/channels/source.ts";
import type { CheckState, IngestWarning } from "../../control/ingest-check/ingest-checks.ts";
import type { Bus, BusMessage } from "../../control/ports/bus.ts";
import type { Incarnation, NodeState } from "../../control/ports/ownership-store.ts";
import type { ChannelLive, OwnerLive } from "../../control/ports/runtime.ts";
import type { SlateState } from "../../control/ports/slate-maker.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { incarnationOf, isNodeReport, messageNumber, type NodeReport, subjectsOf } from "../node-report.ts";
import { asLost } from "./lost-channel.ts";
import { NodeView } from "./node-view.ts";
import { STATUS_CHANNELS_MAX } from "./state-feed.ts";
import { hearLive, readToldChannels, type ToldChannel } from "./told-channel.ts";

/** The most nodes that are listened to: a cluster has at most 50, and some of those that ended. */
const NODES_MAX = 200;
/** How long a node may take to answer, in milliseconds. */
const ANSWER_MS = 800;
/** How often silent nodes are looked for, and missing snapshots asked for again, in milliseconds. */
const LOOK_MS = 1_000;
/** Counters are followed for this long after somebody asked for them, in milliseconds. */
const READ_MS = 60_000;
/** A silent node that no list of the database has is over after this long: the list is read every 10 s. In milliseconds. */
const UNLISTED_MS = 30_000;
/** A lost node's channels are shown as lost for this long, in milliseconds. */
const LOST_SHOWN_MS = 600_000;
/** Parts of one snapshot. */
const PARTS_MAX = 2_000;

export type ClusterLiveStateDeps = {
  readonly self: Incarnation;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  /** The state of a node by the last list of the database; undefined where that does not have it. */
  readonly nodeState: (incarnation: Incarnation) => NodeState | undefined;
  /** A node says for the first time that it lives: the last list of the database may not have it yet. */
  readonly onNew: (incarnation: Incarnation) => void;
  /** The state of these channels is another one now. */
  readonly onChanged: (channelIds: readonly ChannelId[]) => void;
  /** New counters of these channels came. */
  readonly onSamples: (channels: readonly ToldChannel[]) => void;
  /** Whether somebody follows the counters of all channels now. */
  readonly hasReaders: () => boolean;
};

/** A node as another one sees it. */
export type NodeSeen = { readonly incarnation: Incarnation; readonly report: NodeReport; readonly heardAgoMs: number };

/** What the source of a channel does at another node, or did last. */
type ToldSource = { readonly node: Incarnation; readonly status: SourceStatus };

/** What the other nodes tell about their channels, joined: of each channel the state of its newest ownership. */
export class ClusterLiveState {
  readonly #deps: ClusterLiveStateDeps;
  readonly #nodes = new Map<Incarnation, NodeView>();
  /** Which node told the newest ownership of a channel. */
  readonly #owners = new Map<ChannelId, Incarnation>();
  readonly #silent = new Set<Incarnation>();
  readonly #lostMs = new Map<Incarnation, number>();
  readonly #reading = new Set<Incarnation>();
  #readMs = Number.NEGATIVE_INFINITY;
  #stopSamples: (() => void) | undefined;
  #samplesSinceMs = Number.POSITIVE_INFINITY;
  #stops: (() => void)[] = [];
  #timer: Timer | undefined;

  constructor(deps: ClusterLiveStateDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { bus } = this.#deps;
    const of = (take: (view: NodeView, message: BusMessage) => void) => (message: BusMessage, subject: string) => {
      const view = this.#viewOf(incarnationOf(subject));
      if (view !== undefined) take(view, message);
    };
    this.#stops = [
      bus.subscribe(
        "node.*.hb",
        of((view, message) => this.#beat(view, message)),
      ),
      bus.subscribe(
        "node.*.state",
        of((view, message) => this.#changes(view, message)),
      ),
    ];
    this.#lookAgain();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#stopSamples?.();
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** The state of another node's channel; undefined where no node tells of it. */
  live(channelId: ChannelId): ChannelLive | undefined {
    const found = this.#find(channelId);
    if (found === undefined) return undefined;
    const live = hearLive(found.live);
    return found.owner.state === "LOST" ? { ...asLost(live), owner: found.owner } : { ...live, owner: found.owner };
  }

  /** What the ingest check of its owner says. */
  checks(
    channelId: ChannelId,
  ): { readonly warnings: readonly IngestWarning[]; readonly state?: CheckState } | undefined {
    const found = this.#find(channelId);
    if (found === undefined || found.owner.state === "LOST") return undefined;
    const { warnings = [], checkState } = found.told;
    return { warnings, ...(checkState === undefined ? {} : { state: checkState }) };
  }

  /** What another node that is heard tells of the channel's source. */
  source(channelId: ChannelId): ToldSource | undefined {
    const nowMs = this.#deps.clock.now();
    let newest: ToldSource | undefined;
    for (const view of this.#nodes.values()) {
      const status = view.channels.get(channelId)?.source;
      if (status === undefined || view.isSilent(nowMs)) continue;
      if (newerSource(newest?.status, status) === status) newest = { node: view.incarnation, status };
    }
    return newest;
  }

  /** How the channel's slate is at the node that owns it. */
  slate(channelId: ChannelId): SlateState | undefined {
    const found = this.#find(channelId);
    return found === undefined || found.owner.state === "LOST" ? undefined : found.told.slate;
  }

  /** The node that tells of the channel, and the epoch of its ownership. */
  ownerOf(channelId: ChannelId): { readonly incarnation: Incarnation; readonly epoch: number } | undefined {
    const incarnation = this.#owners.get(channelId);
    const told = incarnation === undefined ? undefined : this.#nodes.get(incarnation)?.channels.get(channelId);
    return incarnation === undefined || told === undefined ? undefined : { incarnation, epoch: told.epoch };
  }

  /** The same, unless the node is lost: then nothing of the channel runs anywhere. */
  livingOwnerOf(channelId: ChannelId): { readonly incarnation: Incarnation; readonly epoch: number } | undefined {
    const owner = this.ownerOf(channelId);
    return owner === undefined || this.#find(channelId)?.owner.state === "LOST" ? undefined : owner;
  }

  publishingChannels(): readonly ChannelId[] {
    return [...this.#owners.keys()].filter((channelId) => {
      const found = this.#find(channelId);
      return found !== undefined && found.owner.state !== "LOST" && found.live.isPublishing;
    });
  }

  /** The nodes that were heard, this one not included. */
  nodes(): readonly NodeSeen[] {
    const nowMs = this.#deps.clock.now();
    return [...this.#nodes.values()].flatMap(({ incarnation, report, heardMs }) =>
      report === undefined ? [] : [{ incarnation, report, heardAgoMs: nowMs - heardMs }],
    );
  }

  /** Whether the node was heard within six seconds. */
  isHeard(incarnation: Incarnation): boolean {
    const view = this.#nodes.get(incarnation);
    return view !== undefined && !view.isSilent(this.#deps.clock.now());
  }

  /** The oldest of what is known of nodes that are not lost, in milliseconds. */
  ageMs(): number {
    const nowMs = this.#deps.clock.now();
    const living = [...this.#nodes.values()].filter((view) => !this.#isOver(view));
    return Math.max(0, ...living.map((view) => view.ageMs(nowMs)));
  }

  /** Asks for the present counters of these channels, unless they are followed already. Never rejects. */
  async freshen(channelIds: readonly ChannelId[]): Promise<void> {
    const { bus, clock } = this.#deps;
    const byNode = new Map<Incarnation, ChannelId[]>();
    for (const channelId of channelIds) {
      const incarnation = this.#owners.get(channelId);
      if (incarnation === undefined || !this.isHeard(incarnation)) continue;
      byNode.set(incarnation, [...(byNode.get(incarnation) ?? []), channelId]);
    }
    if (byNode.size === 0) return;
    this.#readMs = clock.now();
    this.#followSamples();
    if (clock.now() - this.#samplesSinceMs > 2 * LOOK_MS || !bus.isConnected) return;
    const asks = [...byNode].flatMap(([incarnation, ids]) =>
      Array.from({ length: Math.ceil(ids.length / STATUS_CHANNELS_MAX) }, (_, index) =>
        this.#askStatus(incarnation, ids.slice(index * STATUS_CHANNELS_MAX, (index + 1) * STATUS_CHANNELS_MAX)),
      ),
    );
    await Promise.all(asks);
  }

  /** A reply has as many channels as fit into it: for those behind them the node is asked again. */
  async #askStatus(incarnation: Incarnation, channelIds: readonly ChannelId[]): Promise<void> {
    const { bus, clock } = this.#deps;
    const { rpc } = subjectsOf(incarnation);
    const untilMs = clock.now() + ANSWER_MS;
    for (let channels = channelIds; channels.length > 0 && clock.now() < untilMs; ) {
      const reply = await bus.request(rpc, { op: "status", channels }, untilMs - clock.now());
      const view = this.#nodes.get(incarnation);
      if (reply.kind !== "reply" || view === undefined) return;
      const told = readToldChannels(reply.message["channels"]);
      // Nobody else is told: who asked shows it, and what is shown to readers would ask again.
      this.#take(view, told);
      const at = channels.indexOf(told.at(-1)?.channelId ?? "");
      channels = at === -1 ? [] : channels.slice(at + 1);
    }
  }

  #viewOf(incarnation: Incarnation | undefined): NodeView | undefined {
    if (incarnation === undefined || incarnation === this.#deps.self) return undefined;
    const known = this.#nodes.get(incarnation);
    if (known !== undefined) return known;
    if (this.#nodes.size >= NODES_MAX) return undefined;
    const view = new NodeView(incarnation, this.#deps.clock.now());
    this.#nodes.set(incarnation, view);
    return view;
  }

  #beat(view: NodeView, message: BusMessage): void {
    if (!isNodeReport(message)) return;
    const before = view.report?.state;
    if (before === undefined) this.#deps.onNew(view.incarnation);
    view.beat(message, this.#deps.clock.now());
    this.#heard(view, before !== message.state);
    this.#askSnapshot(view);
  }

  #changes(view: NodeView, message: BusMessage): void {
    const no = messageNumber(message["no"]);
    if (no === undefined) return;
    const taken = view.changes(no, readToldChannels(message["channels"]), this.#deps.clock.now());
    this.#index(view, taken);
    this.#heard(view, false);
    this.#askSnapshot(view);
    this.#deps.onChanged(taken.map(({ channelId }) => channelId));
  }

  #samples(view: NodeView, message: BusMessage): void {
    const shown = this.#take(view, readToldChannels(message["channels"]));
    if (shown.length > 0) this.#deps.onSamples(shown);
  }

  /** Takes channels with their present counters; returns those whose newest ownership this node has. */
  #take(view: NodeView, told: readonly ToldChannel[]): readonly ToldChannel[] {
    const taken = view.samples(told, this.#deps.clock.now());
    this.#index(view, taken);
    this.#heard(view, false);
    return taken.filter(({ channelId }) => this.#owners.get(channelId) === view.incarnation);
  }

  /** A node that was silent, or that begins or ends to drain, shows its channels differently. */
  #heard(view: NodeView, isOther: boolean): void {
    this.#lostMs.delete(view.incarnation);
    if (this.#silent.delete(view.incarnation) || isOther) this.#deps.onChanged([...view.channels.keys()]);
  }

  #index(view: NodeView, channels: readonly ToldChannel[]): void {
    for (const { channelId, epoch, live } of channels) {
      const owner = this.ownerOf(channelId);
      if (live === undefined) {
        if (this.#owners.get(channelId) === view.incarnation) this.#owners.delete(channelId);
      } else if (owner === undefined || owner.epoch <= epoch) this.#owners.set(channelId, view.incarnation);
    }
  }

  #askSnapshot(view: NodeView): void {
    const { incarnation } = view;
    if (!view.needsSnapshot || this.#reading.has(incarnation) || !this.#deps.bus.isConnected) return;
    this.#reading.add(incarnation);
    void this.#readSnapshot(view).finally(() => this.#reading.delete(incarnation));
  }

  async #readSnapshot(view: NodeView): Promise<void> {
    const { bus, clock, onChanged } = this.#deps;
    view.beginSnapshot();
    const changed: ChannelId[] = [];
    let after: string | undefined;
    let no: number | undefined;
    for (let part = 0; part < PARTS_MAX; part += 1) {
      const question = { op: "snapshot", ...(after === undefined ? {} : { after }) };
      const reply = await bus.request(subjectsOf(view.incarnation).rpc, question, ANSWER_MS);
      if (reply.kind === "none") return view.failSnapshot();
      const { message } = reply;
      no ??= messageNumber(message["no"]);
      if (no === undefined) return view.failSnapshot();
      const taken = view.part(readToldChannels(message["channels"]), clock.now());
      this.#index(view, taken);
      changed.push(...taken.map(({ channelId }) => channelId));
      const { next } = message;
      if (typeof next !== "string" || next <= (after ?? "")) {
        const gone = view.endSnapshot(no, clock.now());
        for (const channelId of gone) {
          if (this.#owners.get(channelId) === view.incarnation) this.#owners.delete(channelId);
        }
        return onChanged([...changed, ...gone]);
      }
      after = next;
    }
    view.failSnapshot();
  }

  #lookAgain(): void {
    this.#timer = this.#deps.clock.startTimer(LOOK_MS, () => {
      this.#look();
      this.#lookAgain();
    });
  }

  #look(): void {
    const { clock, onChanged, hasReaders } = this.#deps;
    const nowMs = clock.now();
    for (const view of this.#nodes.values()) {
      const { incarnation } = view;
      if (!view.isSilent(nowMs)) {
        this.#askSnapshot(view);
        continue;
      }
      const isOver = this.#isOver(view);
      const isNew = !this.#silent.has(incarnation) || (isOver && !this.#lostMs.has(incarnation));
      this.#silent.add(incarnation);
      if (isOver && !this.#lostMs.has(incarnation)) this.#lostMs.set(incarnation, nowMs);
      if (isNew) onChanged([...view.channels.keys()]);
      const lostMs = this.#lostMs.get(incarnation);
      if (lostMs !== undefined && nowMs - lostMs > LOST_SHOWN_MS) this.#forget(view);
    }
    if (hasReaders()) this.#readMs = nowMs;
    if (nowMs - this.#readMs < READ_MS) this.#followSamples();
    else this.#leaveSamples();
  }

  /** The database says that the process has ended, or has it in no list: a node that left and owns nothing. */
  #isOver({ incarnation, heardMs }: NodeView): boolean {
    const { nodeState, clock } = this.#deps;
    const state = nodeState(incarnation);
    return state === "lost" || state === "left" || (state === undefined && clock.now() - heardMs > UNLISTED_MS);
  }

  #forget(view: NodeView): void {
    const channelIds = [...view.channels.keys()];
    for (const channelId of channelIds) {
      if (this.#owners.get(channelId) === view.incarnation) this.#owners.delete(channelId);
    }
    this.#nodes.delete(view.incarnation);
    this.#silent.delete(view.incarnation);
    this.#lostMs.delete(view.incarnation);
    this.#deps.onChanged(channelIds);
  }

  #followSamples(): void {
    if (this.#stopSamples !== undefined) return;
    this.#samplesSinceMs = this.#deps.clock.now();
    this.#stopSamples = this.#deps.bus.subscribe("node.*.samples", (message, subject) => {
      const view = this.#viewOf(incarnationOf(subject));
      if (view !== undefined) this.#samples(view, message);
    });
  }

  #leaveSamples(): void {
    this.#stopSamples?.();
    this.#stopSamples = undefined;
    this.#samplesSinceMs = Number.POSITIVE_INFINITY;
  }

  #find(channelId: ChannelId) {
    const incarnation = this.#owners.get(channelId);
    const view = incarnation === undefined ? undefined : this.#nodes.get(incarnation);
    const told = view?.channels.get(channelId);
    if (view === undefined || told?.live === undefined) return undefined;
    return { told, live: told.live, owner: this.#ownerLive(view) };
  }

  #ownerLive(view: NodeView): OwnerLive {
    const nowMs = this.#deps.clock.now();
    const ageMs = view.ageMs(nowMs);
    if (!view.isSilent(nowMs)) return { state: view.report?.state === "draining" ? "DRAINING" : "SERVING", ageMs };
    return { state: this.#isOver(view) ? "LOST" : "SILENT", ageMs };
  }
}
