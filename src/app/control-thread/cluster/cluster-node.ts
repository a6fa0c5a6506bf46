import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import { NatsError } from "../../../cluster/nats-address.ts";
import { openNatsBus } from "../../../cluster/nats-bus.ts";
import { NodeRpc } from "../../../cluster/node-rpc.ts";
import { Admission, type AdmissionStore } from "../../../control/access/admission.ts";
import { RememberedAdmissions } from "../../../control/access/remembered-admissions.ts";
import type { ServerFact } from "../../../control/facts/server-fact.ts";
import type { Bus } from "../../../control/ports/bus.ts";
import type { KnownOwner, NodePeers } from "../../../control/ports/owner-question.ts";
import type {
  Incarnation,
  NewNode,
  ClusterNode as NodeRow,
  OwnershipStore,
} from "../../../control/ports/ownership-store.ts";
import type { GivenBroadcast, MovedBroadcast } from "../../../control/reports/moved-broadcast.ts";
import { LinkDialer } from "../../../node-link/link-dialer.ts";
import { OwnershipWatch } from "../../../placement/fencing/ownership-watch.ts";
import { type Flow, ISOLATED_STOP_MS, type IsolatedMode } from "../../../placement/fencing/wake-guard.ts";
import { NodeDirectory } from "../../../placement/node-directory.ts";
import { LEASE_MS, NodeMembership } from "../../../placement/node-membership.ts";
import { OwnerAsker } from "../../../placement/owner-asker.ts";
import { SharedPlacement } from "../../../placement/shared-placement.ts";
import { newestStep } from "../../../store/migrations/migrate.ts";
import { PostgresOwnershipStore } from "../../../store/ownership/ownership-store.ts";
import { ClusterMetrics } from "../../../telemetry/cluster-metrics.ts";
import type { LinkSilence, OwnerQuestionReply } from "../../../thread-protocol/admission.ts";
import type { ChannelId, ChannelSpec, IngestSlot } from "../../../thread-protocol/channel-spec.ts";
import { ConfigError } from "../../config/config-error.ts";
import type { Config } from "../../config/settings/settings.ts";
import type { Storage } from "../../data-folder/storage.ts";
import { releaseVersion } from "../../release.ts";
import { linkTls } from "../../threads/link-tls.ts";
import type { NodeLinkOptions } from "../../threads/media-options.ts";
import type { ClusterHooks } from "../media/cluster-hooks.ts";
import type { NotificationsOptions } from "../notifications.ts";
import type { TraceExport } from "../observing/trace-export.ts";
import { claimBoard, takeClaims } from "./claim-news.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import { SocketHostSigns } from "./host-signs.ts";
import { OwnerViews } from "./owner-views.ts";
import { busQuestion, hearNode, LOST_QUESTION_MS, linkQuestion, type NodeSign, type NodeWays } from "./owner-ways.ts";
import { TracedBus } from "./traced-bus.ts";

type NodeParts = {
  readonly config: Config;
  readonly cluster: ClusterConfig;
  readonly storage: Storage;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly traces: TraceExport | undefined;
};

/** The part of them that the node itself needs. */
type ComposedParts = Pick<NodeParts, "config" | "cluster" | "clock" | "log"> & {
  readonly storage: { readonly store: AdmissionStore };
};

/** What a node does with the rest of the server; set once that is composed. */
export type NodeListeners = {
  /** Whether the media threads may send. */
  readonly letSend: (isAllowed: boolean) => void;
  /** The settings of a channel have a newer revision in the database. */
  readonly onNewer: (channelId: ChannelId) => void;
  /** What other nodes told may have been missed: there is a connection to the bus again, or somebody on it. */
  readonly onMissed: () => void;
  /** A key of a channel is none any more. */
  readonly onRevoked: (channelId: ChannelId, slot: IngestSlot) => void;
  /** A channel was taken over from a process that had not released it: finishes its broadcast. Never rejects. */
  readonly onTakenOver: (channelId: ChannelId, formerEpoch: number) => Promise<void>;
  /** Others have ended this node's broadcast of a channel that it still owns: tells that it goes on. Never rejects. */
  readonly onGivenUp: (channelId: ChannelId, epoch: number) => Promise<void>;
  /** Only this node noticed that another is lost. */
  readonly onLost: (node: NodeRow) => void;
  readonly isOnAir: (channelId: ChannelId) => boolean;
  /** Whether another node was heard on the bus within six seconds. */
  readonly isHeard: (incarnation: Incarnation) => boolean;
  /** Asks a living owner for its broadcast. Never rejects. */
  readonly takeBroadcast: (owner: KnownOwner) => Promise<GivenBroadcast>;
  /** A broadcast of another node goes on here. Its encoders wait for this. Never rejects. */
  readonly onMoved: (channelId: ChannelId, formerEpoch: number, moved: MovedBroadcast) => Promise<void>;
};

const NOT_YET: NodeListeners = {
  letSend: () => undefined,
  onNewer: () => undefined,
  onRevoked: () => undefined,
  onMissed: () => undefined,
  onTakenOver: async () => undefined,
  onGivenUp: async () => undefined,
  onLost: () => undefined,
  isOnAir: () => false,
  isHeard: () => true,
  takeBroadcast: async () => undefined,
  onMoved: async () => undefined,
};

/** Connects to NATS and registers this process. Throws ConfigError where NATS refuses the login. */
export async function openClusterNode(parts: NodeParts): Promise<ClusterNode> {
  const { config, cluster, storage, instance, clock, log, traces } = parts;
  const nats = await openNatsBus({
    ...{ address: cluster.nats, cluster: instance, clientName: `fanfare ${config.nodeId}`, clock, log },
    random: Math.random,
  }).catch((error: unknown) => {
    throw error instanceof NatsError ? new ConfigError(`FANFARE_NATS_URL: ${error.message}`) : error;
  });
  const bus = traces === undefined ? nats : new TracedBus(nats, traces.spans);
  try {
    const store = new PostgresOwnershipStore(storage.database);
    const { secrets } = storage.database;
    const node = {
      nodeId: config.nodeId,
      advertise: cluster.advertise,
      version: releaseVersion(),
      schemaStep: newestStep(secrets),
    };
    const registered = () => ({ ...node, keyIds: secrets.keyIds });
    const self = await store.addNode(registered(), LEASE_MS);
    log.info("node registered", { node: config.nodeId, incarnation: self, address: cluster.advertise[0] });
    return new ClusterNode(parts, bus, store, { self, registered });
  } catch (error) {
    await bus.close();
    throw error;
  }
}

/** This process as one of the nodes that share a database: its number, what it owns, and how it hears of the others. */
export class ClusterNode implements ClusterHooks, NodePeers {
  readonly self: Incarnation;
  readonly bus: Bus;
  readonly rpc: NodeRpc;
  readonly store: OwnershipStore;
  readonly nodes: NodeDirectory;
  readonly placement: SharedPlacement;
  readonly linkOptions: NodeLinkOptions;
  readonly metrics = new ClusterMetrics();
  readonly admissions: RememberedAdmissions;
  /** Previews and keyframes of channels that other nodes own. */
  readonly views: OwnerViews;
  readonly #log: Log;
  readonly #watch: OwnershipWatch;
  readonly #membership: NodeMembership;
  readonly #heldSinceMs = new Map<ChannelId, number>();
  /** Former broadcasts that are being finished in the database. */
  readonly #finishing = new Map<ChannelId, Promise<void>>();
  readonly #clock: Clock;
  readonly #lateWays: NodeWays;
  readonly #stops: (() => void)[];
  #listeners = NOT_YET;

  constructor(
    { config, cluster, storage, clock, log }: ComposedParts,
    bus: Bus,
    store: OwnershipStore,
    { self, registered }: { readonly self: Incarnation; readonly registered: () => NewNode },
  ) {
    this.self = self;
    this.bus = bus;
    this.store = store;
    this.#clock = clock;
    this.#log = log;
    const isolatedMs = () => this.#watch.isolatedMs;
    this.admissions = new RememberedAdmissions({
      ...{ admission: new Admission(storage.store), clock, isolatedMs },
      ...(config.isolated === "stop" ? { stopsAfterMs: ISOLATED_STOP_MS } : {}),
      onRevoked: (channelId, slot) => this.#listeners.onRevoked(channelId, slot),
    });
    this.linkOptions = { ...config.nodeListen, secretText: cluster.secretText, incarnation: self };
    const onFault = (error: unknown) => log.debug("node link", { detail: String(error) });
    const dialer = new LinkDialer({ clock, onFault, tls: linkTls(this.linkOptions) });
    this.views = new OwnerViews({ clock, dialer, findElsewhere: (channelId) => this.findElsewhere(channelId) });
    const silentMs = config.ownerSilentMs;
    const [link, byBus] = [linkQuestion(dialer, clock, silentMs), busQuestion(bus, clock, silentMs)];
    this.nodes = new NodeDirectory(store);
    this.placement = new SharedPlacement({
      ...{ self, store, nodes: this.nodes, log },
      ...{ clock, meter: this.metrics, random: Math.random, isServing: () => !this.isDraining },
      wakes: () => this.#watch.countWakes(),
      asker: new OwnerAsker({
        ...{ clock, link, bus: byBus, host: new SocketHostSigns(bus, clock), meter: this.metrics },
        ...{ silentMs, hostSilentMs: config.hostSilentMs },
      }),
      board: claimBoard(bus, dialer),
      onTakenOver: (channelId, former) => {
        log.warn("channel taken over", { channelId, from: former.incarnation });
        void this.#finish(channelId, this.#listeners.onTakenOver(channelId, former.epoch));
      },
      onGivenUp: (channelId, epoch) => {
        // Nodes that count as lost have their broadcasts ended again.
        this.#membership.renewNow();
        void this.#finish(channelId, this.#listeners.onGivenUp(channelId, epoch));
      },
      takeBroadcast: (owner) => this.#listeners.takeBroadcast(owner),
      onMoved: (channelId, former, moved) => this.#listeners.onMoved(channelId, former.epoch, moved),
      onRefused: () => this.#membership.renewNow(),
      onNewer: (channelId) => {
        this.admissions.changed(channelId);
        this.#listeners.onNewer(channelId);
      },
    });
    this.#watch = this.#newWatch(config.isolated);
    this.#lateWays = {
      link: linkQuestion(dialer, clock, LOST_QUESTION_MS),
      bus: busQuestion(bus, clock, LOST_QUESTION_MS),
    };
    this.#membership = new NodeMembership({
      ...{ self, clock, log, store, nodes: this.nodes, node: registered },
      isHeard: async (node) => (await this.#hear(node)) === "alive",
      onLost: (node) => this.#listeners.onLost(node),
    });
    this.rpc = new NodeRpc(bus, self);
    this.rpc.on("alive", async ({ channelId }) => this.answerQuestion(String(channelId)));
    this.#stops = [
      takeClaims(bus, {
        heard: (news) => this.placement.heard(news, "bus"),
        questioned: (channels) => this.placement.questioned(channels),
      }),
      bus.onConnection((isUp) => this.#watch.bus(isUp)),
      () => this.rpc.stop(),
    ];
    this.#watch.bus(bus.isConnected);
  }

  /** The ownership in which this node tells of a channel, and the end of its former owner's broadcast while that is stored. */
  get eventHooks(): Required<Pick<NotificationsOptions, "epochOf" | "finishing">> {
    return {
      epochOf: (channelId) => this.placement.lastEpochOf(channelId),
      finishing: (channelId) => this.#finishing.get(channelId),
    };
  }

  get agreement(): OwnershipWatch["agreement"] {
    return this.#watch.agreement;
  }

  get isDraining(): boolean {
    return this.#membership.state === "draining";
  }

  /** Joins the rest of the server. Rejects where the database cannot be asked. */
  async start(listeners: NodeListeners): Promise<void> {
    this.#listeners = listeners;
    await this.#membership.start();
  }

  /** Follows which channels have lost their encoder, and which were changed. */
  fact(fact: ServerFact): void {
    if (fact.kind === "channel-changed") this.admissions.changed(fact.channelId);
    if (fact.kind === "ingest-held") this.#heldSinceMs.set(fact.channelId, this.#clock.now());
    if (fact.kind === "publisher-active") this.#heldSinceMs.delete(fact.channelId);
    if (fact.kind === "ingest-ended" && fact.isBroadcastOver) this.#heldSinceMs.delete(fact.channelId);
  }

  get unconfirmedMs(): number {
    return this.#watch.agreement.ageMs;
  }

  others(): readonly Incarnation[] {
    return this.nodes.othersOf(this.self);
  }

  /**
   * A node says for the first time that it lives. One that has joined since the last list is read now: whether this node is cut off is judged
   * by those that it knows of. Without the database the next renewal of the lease reads it.
   */
  heardFirst(incarnation: Incarnation): void {
    if (this.nodes.listedStateOf(incarnation) === undefined) this.nodes.refresh().catch(() => undefined);
  }

  abandon(channelId: ChannelId): void {
    this.placement.abandon(channelId);
  }

  async isAlive(incarnation: Incarnation): Promise<boolean> {
    const known = () => this.nodes.known.find((node) => node.incarnation === incarnation);
    if (known() === undefined) await this.nodes.refresh();
    const node = known();
    if (node === undefined || node.state === "left" || node.state === "lost") return false;
    return (await this.#hear(node)) === "alive";
  }

  async isSilent(incarnation: Incarnation): Promise<boolean> {
    const node = this.nodes.known.find((each) => each.incarnation === incarnation);
    return node !== undefined && (await this.#hear(node)) === "silent";
  }

  async isElsewhere(channelId: ChannelId): Promise<boolean> {
    if (this.isDraining) return true;
    const owner = await this.findElsewhere(channelId);
    return owner !== undefined && (await this.isAlive(owner.incarnation));
  }

  expect(channelId: ChannelId, silence?: LinkSilence): void {
    this.placement.expect(channelId, silence);
  }

  findElsewhere(channelId: ChannelId): Promise<KnownOwner | undefined> {
    return this.placement.findElsewhere(channelId);
  }

  answerQuestion(channelId: ChannelId): Omit<OwnerQuestionReply, "kind"> {
    const epoch = this.placement.epochOf(channelId);
    // A channel whose encoder is lost can go on at any node.
    const isOnAir = this.#listeners.isOnAir(channelId) && !this.#heldSinceMs.has(channelId);
    return { ...(epoch === undefined ? {} : { epoch }), isOnAir, isDraining: this.isDraining };
  }

  applied({ channelId, revision }: ChannelSpec): void {
    this.placement.revised(channelId, revision);
  }

  take(message: Parameters<ClusterHooks["take"]>[0]): void {
    if (message.kind === "woke") return this.#watch.woke();
    const { channelId, epoch } = message;
    // Only a claim ends an ownership, and its epoch is the next one.
    this.placement.heard({ channelId, epoch: epoch + 1, incarnation: 0 }, "link");
  }

  /** Takes no more channels: visitors of other nodes claim them. Never rejects. */
  async drain(): Promise<void> {
    await this.#membership.setState("draining").catch((error: unknown) => this.#logFailure(error));
  }

  /** The node has ended: others take its channels without a question. Never rejects. */
  async leave(): Promise<void> {
    this.#watch.stop();
    this.#membership.stop();
    for (const stop of this.#stops) stop();
    await this.#membership.setState("left").catch((error: unknown) => this.#logFailure(error));
    await this.bus.close();
  }

  #hear({ incarnation, advertise }: NodeRow): Promise<NodeSign> {
    const [address = ""] = advertise;
    return hearNode({ channelId: "-", epoch: 0, incarnation, home: 0, address }, this.#lateWays, this.#clock);
  }

  /** Events of the channel wait until this is stored. */
  async #finish(channelId: ChannelId, finished: Promise<void>): Promise<void> {
    this.#finishing.set(channelId, finished);
    await finished;
    if (this.#finishing.get(channelId) === finished) this.#finishing.delete(channelId);
  }

  #newWatch(mode: IsolatedMode): OwnershipWatch {
    return new OwnershipWatch({
      ...{ clock: this.#clock, log: this.#log, placement: this.placement, mode },
      peers: () => new Map(this.others().map((each) => [each, this.#listeners.isHeard(each)])),
      // Hints of changes were lost meanwhile. The channels of this node are compared with the database all the same.
      onMissed: () => {
        this.admissions.missed((channelId) => this.placement.epochOf(channelId) !== undefined);
        this.#listeners.onMissed();
      },
      heldSinceMs: (channelId) => this.#heldSinceMs.get(channelId),
      onFlow: (flow) => this.#applyFlow(flow),
    });
  }

  #applyFlow(flow: Flow): void {
    this.#listeners.letSend(flow === "flow");
    if (flow !== "stop") return;
    for (const { channelId } of this.placement.all()) this.placement.abandon(channelId);
  }

  #logFailure(error: unknown): void {
    this.#log.warn("the node's state was not stored", {
      detail: error instanceof Error ? error.message : String(error),
    });
  }
}
