import type { Clock } from "../../../src/base/clock.ts";
import type { Log } from "../../../src/base/log.ts";
import type { Placed } from "../../../src/control/ports/channel-placement.ts";
import type { HostSigns, KnownOwner, OwnerAnswer, OwnerQuestion } from "../../../src/control/ports/owner-question.ts";
import type { Incarnation, OwnershipStore } from "../../../src/control/ports/ownership-store.ts";
import type { GivenBroadcast, MovedBroadcast } from "../../../src/control/reports/moved-broadcast.ts";
import { OwnershipWatch } from "../../../src/placement/fencing/ownership-watch.ts";
import { FREEZE_MS } from "../../../src/placement/fencing/wake-guard.ts";
import { NodeDirectory } from "../../../src/placement/node-directory.ts";
import { LEASE_MS, NodeMembership } from "../../../src/placement/node-membership.ts";
import { OwnerAsker } from "../../../src/placement/owner-asker.ts";
import { SharedPlacement } from "../../../src/placement/shared-placement.ts";
import type { LinkSilence } from "../../../src/thread-protocol/admission.ts";
import { HEARTBEAT_MS, type Network, PEER_SILENT_MS } from "./network.ts";
import { type Mutant, type SharedDatabase, unreachable } from "./shared-database.ts";
import { Process, type World } from "./world.ts";

const nothing = () => undefined;
const NO_METER = { placed: nothing, tookOver: nothing, ownerSilent: nothing, answered: nothing, fenced: nothing };

export const SILENT_MS = 1_000;
const HOST_SILENT_MS = 350;
/** When the host of an owner is dialled, in milliseconds after the question. */
const DIALS_MS = [0, 60, 120] as const;
const FLUSH_MS = 250;
/** A former owner is told no longer than this. */
const RELEASE_MS = 2_000;
/** An owner that does not give its broadcast in this time gives none. */
const GIVE_MS = 1_500;
const MOVED: MovedBroadcast = {
  broadcast: { channelId: "", facts: [] },
  report: { channelId: "", startTime: 0, endTime: 0, interruptions: { list: [], count: 0 }, targets: [] },
  onAirMs: [],
};
const ignore = () => undefined;
const NO_LOG: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

export type Cluster = {
  readonly world: World;
  readonly network: Network;
  readonly database: SharedDatabase;
  readonly mutant: Mutant;
  /** A channel without an encoder is held, and sent, for this long. Then it is released. */
  readonly keptMs: number;
  /** Whether nodes give channels to each other. */
  readonly hasMoves: boolean;
  readonly nodes: Map<Incarnation, SimNode>;
  readonly onFlush: (node: SimNode, channelId: string, epoch: number) => void;
};

type Running = {
  readonly epoch: number;
  readonly beganMs: number;
  readonly sessions: Set<number>;
  heldSinceMs: number | undefined;
  /** Since when an encoder is there. */
  fedSinceMs: number;
};

/** One process: the real placement, over a network and a database that fail. */
export class SimNode {
  readonly process = new Process();
  readonly incarnation: Incarnation;
  readonly placement: SharedPlacement;
  readonly running = new Map<string, Running>();
  isDraining = false;
  frozenMs = Number.NEGATIVE_INFINITY;
  wokeMs = Number.NEGATIVE_INFINITY;
  /** The end of the last freeze, however short. */
  resumedMs = Number.NEGATIVE_INFINITY;
  /** Called when the encoder of a session has to leave, or to go on at the channel's next owner. */
  onDismissed: (session: number, isMoved: boolean) => void = ignore;
  /** Channels that this node gave away, with the epoch of its ownership. */
  readonly given = new Map<string, number>();
  /** The last owner of each channel that this node replaced, as far as it knows. */
  readonly replaced = new Map<string, KnownOwner>();
  /** When other nodes were last heard on the bus. */
  readonly #heardMs = new Map<Incarnation, number>();
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #watch: OwnershipWatch;
  readonly #membership: NodeMembership;
  #isFlowing = true;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    const { world, database, network } = cluster;
    this.#clock = world.clockOf(this.process);
    const node = { nodeId: "n", advertise: ["host:1"], version: "1", schemaStep: "1", keyIds: [] };
    this.incarnation = database.addNode(node, LEASE_MS);
    network.databaseSinceMs.set(this.incarnation, world.nowMs);
    const store = this.#store();
    const nodes = new NodeDirectory(store);
    this.placement = new SharedPlacement({
      ...{ clock: this.#clock, meter: NO_METER, random: world.random, isServing: () => !this.isDraining },
      ...{ self: this.incarnation, store, nodes, log: NO_LOG, wakes: () => this.#watch.countWakes() },
      asker: new OwnerAsker({
        clock: this.#clock,
        link: this.#link(),
        bus: this.#bus(),
        host: this.#hostSigns(),
        ...{ silentMs: SILENT_MS, hostSilentMs: HOST_SILENT_MS },
        meter: NO_METER,
      }),
      board: {
        publish: (news) => this.#toAll((other) => other.placement.heard(news, "bus")),
        question: (channels) => void this.#toAll((other) => other.placement.questioned(channels)),
        release: (former) => this.#release(former),
      },
      onTakenOver: async () => undefined,
      takeBroadcast: (owner) => (cluster.hasMoves ? this.#fetch(owner) : Promise.resolve(undefined)),
      onMoved: async () => undefined,
      onRefused: () => this.#membership.renewNow(),
      onGivenUp: () => undefined,
      onNewer: (channelId) => this.#clock.startTimer(10, () => this.placement.revised(channelId, database.revision)),
    });
    this.placement.changes(({ channelId, epoch, owner, isMoved = false }) => {
      this.#trace(`${channelId} epoch ${epoch} ${owner === undefined ? "ends" : "begins"}${isMoved ? ", moved" : ""}`);
      if (owner === undefined) return this.#forget(channelId, epoch, isMoved);
      const { nowMs } = world;
      this.running.set(channelId, { epoch, beganMs: nowMs, sessions: new Set(), heldSinceMs: nowMs, fedSinceMs: 0 });
    });
    this.#watch = new OwnershipWatch({
      ...{ clock: this.#clock, log: NO_LOG, placement: this.placement, mode: "keep", onMissed: ignore },
      peers: () => (cluster.mutant === "nobody-counts-as-silent" ? new Map() : this.#peers(nodes)),
      heldSinceMs: (channelId) =>
        cluster.mutant === "no-end-of-hold" ? undefined : this.running.get(channelId)?.heldSinceMs,
      onFlow: (flow) => {
        this.#trace(flow);
        this.#isFlowing = flow === "flow";
      },
    });
    this.#membership = new NodeMembership({
      ...{ self: this.incarnation, clock: this.#clock, log: NO_LOG, store, nodes, onLost: ignore, node: () => node },
      isHeard: async (lost) => this.#isUp(cluster.nodes.get(lost.incarnation)),
    });
    void this.#membership.start().catch(ignore);
    this.#watch.bus(network.isBusUp(this.incarnation));
    this.#startFlush();
    this.#startBeat();
  }

  /** The bus was cut or mended. */
  busChanged(): void {
    this.process.run(() => this.#watch.bus(this.#cluster.network.isBusUp(this.incarnation)));
  }

  freeze(): void {
    // One that stands still already has done so for longer.
    if (this.process.isFrozen) return;
    this.#trace("freezes");
    this.process.isFrozen = true;
    this.frozenMs = this.#cluster.world.nowMs;
  }

  wake(): void {
    if (!this.process.isFrozen) return;
    this.#trace("wakes");
    if (this.#cluster.world.nowMs - this.frozenMs > FREEZE_MS) this.wokeMs = this.#cluster.world.nowMs;
    this.resumedMs = this.#cluster.world.nowMs;
    this.process.stoodStillMs += this.resumedMs - this.frozenMs;
    this.process.wake();
  }

  drain(): void {
    this.#trace("drains");
    this.isDraining = true;
    this.process.run(() => void this.#membership.setState("draining").catch(ignore));
  }

  die(): void {
    this.#trace("dies");
    this.process.isDead = true;
    this.process.isFrozen = false;
    this.#watch.stop();
    this.#membership.stop();
  }

  claim(channelId: string, silence?: LinkSilence): Promise<Placed> {
    return this.placement.claim(channelId, { thread: 0 }, silence);
  }

  /** This node takes a channel from its owner. */
  takeFrom(owner: KnownOwner): void {
    this.process.run(() => void this.placement.takeFrom(owner, { thread: 0 }).catch(ignore));
  }

  /** An encoder's session begins here. Returns false where this node does not own the channel with that epoch. */
  attach(channelId: string, epoch: number, session: number): boolean {
    const running = this.running.get(channelId);
    if (running?.epoch !== epoch) return false;
    this.#trace(`${channelId} session ${session} begins`);
    if (running.sessions.size === 0) running.fedSinceMs = this.#cluster.world.nowMs;
    running.sessions.add(session);
    running.heldSinceMs = undefined;
    return true;
  }

  sessionOver(channelId: string, epoch: number, session: number): void {
    const running = this.running.get(channelId);
    if (running?.epoch !== epoch) return;
    if (running.sessions.has(session)) this.#trace(`${channelId} session ${session} over`);
    if (running.sessions.delete(session) && running.sessions.size === 0) running.heldSinceMs = this.#clock.now();
  }

  isOnAir(channelId: string): boolean {
    return (this.running.get(channelId)?.sessions.size ?? 0) > 0;
  }

  /** For how long the channel has had no encoder, in milliseconds; 0: one is there. */
  heldMs(channelId: string): number {
    const sinceMs = this.running.get(channelId)?.heldSinceMs;
    return sinceMs === undefined ? 0 : this.#cluster.world.nowMs - sinceMs;
  }

  /** For how long an encoder has been there, in milliseconds; 0: none is. */
  fedMs(channelId: string): number {
    const running = this.running.get(channelId);
    return running === undefined || running.sessions.size === 0 ? 0 : this.#cluster.world.nowMs - running.fedSinceMs;
  }

  answer(channelId: string): OwnerAnswer {
    const epoch = this.placement.epochOf(channelId);
    if (epoch === undefined) return { kind: "not-owner" };
    const isOnAir = this.isOnAir(channelId);
    return { kind: "owner", epoch, isOnAir, isDraining: this.isDraining };
  }

  #trace(what: string): void {
    this.#cluster.world.trace(`node ${this.incarnation}: ${what}`);
  }

  #forget(channelId: string, epoch: number, isMoved: boolean): void {
    const running = this.running.get(channelId);
    if (running?.epoch !== epoch) return;
    this.running.delete(channelId);
    for (const session of running.sessions) this.onDismissed(session, isMoved);
  }

  #startFlush(): void {
    this.#clock.startTimer(FLUSH_MS, () => {
      this.#startFlush();
      const { mutant, onFlush } = this.#cluster;
      if (mutant !== "no-check-after-freeze") this.#watch.notice();
      for (const [channelId, { epoch, heldSinceMs }] of this.running) {
        if (heldSinceMs !== undefined && this.#clock.now() - heldSinceMs > this.#cluster.keptMs) {
          void this.placement.release(channelId, epoch).catch(ignore);
        } else if (this.#isFlowing || mutant === "no-check-after-freeze") onFlush(this, channelId, epoch);
      }
    });
  }

  #peers(nodes: NodeDirectory): ReadonlyMap<Incarnation, boolean> {
    const { nowMs } = this.#cluster.world;
    const isHeard = (other: Incarnation) => nowMs - (this.#heardMs.get(other) ?? 0) < PEER_SILENT_MS;
    return new Map(nodes.othersOf(this.incarnation).map((other) => [other, isHeard(other)]));
  }

  #startBeat(): void {
    this.#toAll((other) => other.#heardMs.set(this.incarnation, this.#cluster.world.nowMs));
    this.#clock.startTimer(HEARTBEAT_MS, () => this.#startBeat());
  }

  /** The database as a driver shows it: late, lost on the way there or back, or away. */
  #store(): OwnershipStore {
    const { world, network, database } = this.#cluster;
    const call = (statement: keyof OwnershipStore, values: readonly unknown[]) =>
      new Promise((resolve, reject) => {
        const fail = () => world.after(world.between(5, 2_000), () => this.process.run(() => reject(unreachable())));
        world.after(world.between(0.2, 8), () => {
          if (database.isAway || !network.hasDatabase(this.incarnation)) return void fail();
          const result = database.run(statement, values);
          if (world.chance(network.lossShare / 4)) return void fail();
          world.after(world.between(0.2, 8), () => this.process.run(() => resolve(result)));
        });
      });
    return new Proxy({} as OwnershipStore, {
      get:
        (_, name) =>
        (...values: readonly unknown[]) =>
          call(name as keyof OwnershipStore, values),
    });
  }

  #toAll(deliver: (other: SimNode) => void): boolean {
    const { nodes, network } = this.#cluster;
    const self = this.incarnation;
    if (!network.isBusUp(self)) return false;
    for (const other of nodes.values()) {
      if (other === this) continue;
      const arrive = () => other.process.run(() => deliver(other));
      network.viaBus(self, () => network.send(() => network.viaBus(other.incarnation, arrive)));
    }
    return true;
  }

  #release(owner: KnownOwner): Promise<boolean> {
    const { incarnation, channelId, epoch } = owner;
    const { nodes, network } = this.#cluster;
    this.replaced.set(channelId, owner);
    const former = nodes.get(incarnation);
    const news = { channelId, epoch: epoch + 1, incarnation: 0 };
    return new Promise((resolve) => {
      this.#clock.startTimer(RELEASE_MS, () => resolve(this.#cluster.mutant === "former-told-once"));
      if (former === undefined || !network.hasLink(this.incarnation, incarnation)) return;
      const told = () =>
        network.send(() => network.hasLink(incarnation, this.incarnation) && this.process.run(() => resolve(true)));
      network.send(() => {
        if (former.process.isDead) return told();
        former.process.run(() => {
          former.placement.heard(news, "link");
          told();
        });
      });
    });
  }

  /** Asks an owner for its broadcast, over the bus. */
  #fetch({ incarnation, channelId, epoch }: KnownOwner): Promise<GivenBroadcast> {
    const { nodes, network } = this.#cluster;
    return new Promise((resolve) => {
      const other = nodes.get(incarnation);
      this.#clock.startTimer(GIVE_MS, () => resolve("no-reply"));
      if (!network.isBusUp(this.incarnation) || other === undefined) return resolve("no-reply");
      const give = () => {
        const isGiven = other.placement.give(channelId, epoch);
        if (isGiven) other.given.set(channelId, epoch);
        const given = isGiven ? MOVED : undefined;
        network.send(() => network.viaBus(this.incarnation, () => this.process.run(() => resolve(given))));
      };
      const ask = () => network.viaBus(incarnation, () => other.process.run(give));
      network.viaBus(this.incarnation, () => network.send(ask));
    });
  }

  #isUp(other: SimNode | undefined): boolean {
    return other !== undefined && !other.process.isDead && !other.process.isFrozen;
  }

  #link(): OwnerQuestion {
    const { nodes, network } = this.#cluster;
    return {
      ask: ({ incarnation, channelId }) =>
        new Promise((resolve) => {
          const [self, other] = [this.incarnation, nodes.get(incarnation)];
          if (!network.hasLink(self, incarnation)) return;
          const back = (answer: OwnerAnswer) =>
            network.send(() => network.hasLink(incarnation, self) && this.process.run(() => resolve(answer)));
          network.send(() => {
            if (other === undefined || other.process.isDead) back({ kind: "gone" });
            else other.process.run(() => back(other.answer(channelId)));
          });
        }),
    };
  }

  #bus(): OwnerQuestion {
    const { nodes, network } = this.#cluster;
    return {
      ask: ({ incarnation, channelId }) =>
        new Promise((resolve) => {
          const [self, other] = [this.incarnation, nodes.get(incarnation)];
          if (!network.isBusUp(self)) return resolve({ kind: "unusable" });
          const back = (answer: OwnerAnswer) =>
            network.send(() => network.viaBus(self, () => this.process.run(() => resolve(answer))));
          if (network.isSplit(self) || network.isSplit(incarnation))
            return network.send(() => this.process.run(() => resolve({ kind: "gone" })));
          const arrive = () => {
            // The server has not noticed yet that nothing comes from there any more.
            const isGone = other === undefined || (other.process.isDead && !network.isHostCut(incarnation));
            if (isGone || !network.isBusUp(incarnation)) return back({ kind: "gone" });
            network.viaBus(incarnation, () => other.process.run(() => back(other.answer(channelId))));
          };
          network.viaBus(self, () => network.send(arrive));
        }),
    };
  }

  #hostSigns(): HostSigns {
    const { world, network, mutant } = this.#cluster;
    const self = this.incarnation;
    const isThere = (other: Incarnation) => network.hasLink(self, other) && network.hasLink(other, self);
    /** There and back. */
    const roundTrip = (isPassed: () => boolean, heard: () => void) =>
      network.send(() => isPassed() && network.send(() => isPassed() && this.process.run(heard)));
    return {
      // The kernel answers, whether the process runs, stands still or has ended.
      probe: async ({ incarnation }) => {
        const reached = Promise.withResolvers<void>();
        for (const delayMs of mutant === "no-kernel-asked" ? [] : DIALS_MS)
          world.after(delayMs, () => roundTrip(() => isThere(incarnation), reached.resolve));
        return { reached: reached.promise };
      },
      busHeard: () => new Promise((resolve) => roundTrip(() => network.hasServer(self), resolve)),
    };
  }
}
