import type { Clock } from "../../../src/base/clock.ts";
import type { Log } from "../../../src/base/log.ts";
import type { Placed } from "../../../src/control/ports/channel-placement.ts";
import type { KnownOwner, OwnerAnswer, OwnerQuestion } from "../../../src/control/ports/owner-question.ts";
import type { Incarnation, OwnershipStore } from "../../../src/control/ports/ownership-store.ts";
import type { MovedBroadcast } from "../../../src/control/reports/moved-broadcast.ts";
import { NodeDirectory } from "../../../src/placement/node-directory.ts";
import { LEASE_MS, NodeMembership } from "../../../src/placement/node-membership.ts";
import { OwnerAsker } from "../../../src/placement/owner-asker.ts";
import { OwnershipWatch } from "../../../src/placement/ownership-watch.ts";
import { SharedPlacement } from "../../../src/placement/shared-placement.ts";
import { FREEZE_MS } from "../../../src/placement/wake-guard.ts";
import type { Network } from "./network.ts";
import { type Mutant, type SharedDatabase, unreachable } from "./shared-database.ts";
import { Process, type World } from "./world.ts";

const nothing = () => undefined;
const NO_METER = { placed: nothing, tookOver: nothing, ownerSilent: nothing, answered: nothing, fenced: nothing };

const SILENT_MS = 300;
const FLUSH_MS = 250;
/** A channel without an encoder is released after this long. */
const KEPT_MS = 5_000;
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
  /** Whether nodes give channels to each other. */
  readonly hasMoves: boolean;
  readonly nodes: Map<Incarnation, SimNode>;
  readonly onFlush: (node: SimNode, channelId: string, epoch: number) => void;
};

type Running = { readonly epoch: number; readonly sessions: Set<number>; heldSinceMs: number | undefined };

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
        silentMs: SILENT_MS,
        meter: NO_METER,
      }),
      board: {
        publish: (news) => this.#toAll((other) => other.placement.heard(news, "bus")),
        question: (channels) => void this.#toAll((other) => other.placement.talk.answer(channels)),
        release: (former) => this.#release(former),
      },
      onTakenOver: async () => undefined,
      takeBroadcast: (owner) => (cluster.hasMoves ? this.#fetch(owner) : Promise.resolve(undefined)),
      onMoved: async () => undefined,
      onNewer: (channelId) => this.#clock.startTimer(10, () => this.placement.revised(channelId, database.revision)),
    });
    this.placement.changes(({ channelId, epoch, owner, isMoved = false }) => {
      if (owner === undefined) return this.#forget(channelId, epoch, isMoved);
      this.running.set(channelId, { epoch, sessions: new Set(), heldSinceMs: world.nowMs });
    });
    this.#watch = new OwnershipWatch({
      ...{ clock: this.#clock, log: NO_LOG, placement: this.placement, mode: "keep" },
      heldSinceMs: (channelId) => this.running.get(channelId)?.heldSinceMs,
      onFlow: (flow) => {
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
  }

  /** The bus was cut or mended. */
  busChanged(): void {
    this.process.run(() => this.#watch.bus(this.#cluster.network.isBusUp(this.incarnation)));
  }

  freeze(): void {
    // One that stands still already has done so for longer.
    if (this.process.isFrozen) return;
    this.process.isFrozen = true;
    this.frozenMs = this.#cluster.world.nowMs;
  }

  wake(): void {
    if (!this.process.isFrozen) return;
    if (this.#cluster.world.nowMs - this.frozenMs > FREEZE_MS) this.wokeMs = this.#cluster.world.nowMs;
    this.resumedMs = this.#cluster.world.nowMs;
    this.process.stoodStillMs += this.resumedMs - this.frozenMs;
    this.process.wake();
  }

  drain(): void {
    this.isDraining = true;
    this.process.run(() => void this.#membership.setState("draining").catch(ignore));
  }

  die(): void {
    this.process.isDead = true;
    this.process.isFrozen = false;
    this.#watch.stop();
    this.#membership.stop();
  }

  claim(channelId: string): Promise<Placed> {
    return this.placement.claim(channelId, { thread: 0 });
  }

  /** This node takes a channel from its owner. */
  takeFrom(owner: KnownOwner): void {
    this.process.run(() => void this.placement.takeFrom(owner, { thread: 0 }).catch(ignore));
  }

  /** An encoder's session begins here. Returns false where this node does not own the channel with that epoch. */
  attach(channelId: string, epoch: number, session: number): boolean {
    const running = this.running.get(channelId);
    if (running?.epoch !== epoch) return false;
    running.sessions.add(session);
    running.heldSinceMs = undefined;
    return true;
  }

  sessionOver(channelId: string, session: number): void {
    const running = this.running.get(channelId);
    if (running?.sessions.delete(session) === true && running.sessions.size === 0)
      running.heldSinceMs = this.#clock.now();
  }

  isOnAir(channelId: string): boolean {
    return (this.running.get(channelId)?.sessions.size ?? 0) > 0;
  }

  answer(channelId: string): OwnerAnswer {
    const epoch = this.placement.epochOf(channelId);
    if (epoch === undefined) return { kind: "not-owner" };
    const isOnAir = this.isOnAir(channelId);
    return { kind: "owner", epoch, isOnAir, isDraining: this.isDraining };
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
        if (heldSinceMs !== undefined && this.#clock.now() - heldSinceMs > KEPT_MS) {
          void this.placement.release(channelId, epoch).catch(ignore);
        } else if (this.#isFlowing || mutant === "no-check-after-freeze") onFlush(this, channelId, epoch);
      }
    });
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
    if (!network.isBusUp(this.incarnation)) return false;
    for (const other of nodes.values()) {
      if (other === this) continue;
      network.send(() => {
        if (network.isBusUp(other.incarnation)) other.process.run(() => deliver(other));
      });
    }
    return true;
  }

  #release({ incarnation, channelId, epoch }: KnownOwner): void {
    const { nodes, network } = this.#cluster;
    const former = nodes.get(incarnation);
    if (former === undefined || !network.hasLink(this.incarnation, incarnation)) return;
    const news = { channelId, epoch: epoch + 1, incarnation: this.incarnation };
    network.send(() => former.process.run(() => former.placement.heard(news, "link")));
  }

  /** Asks an owner for its broadcast, over the bus. */
  #fetch({ incarnation, channelId, epoch }: KnownOwner): Promise<MovedBroadcast | undefined> {
    const { nodes, network } = this.#cluster;
    return new Promise((resolve) => {
      const other = nodes.get(incarnation);
      this.#clock.startTimer(GIVE_MS, () => resolve(undefined));
      if (!network.isBusUp(this.incarnation) || other === undefined) return resolve(undefined);
      const give = () => {
        if (!other.placement.give(channelId, epoch)) return;
        other.given.set(channelId, epoch);
        network.send(() => network.isBusUp(this.incarnation) && this.process.run(() => resolve(MOVED)));
      };
      network.send(() => network.isBusUp(incarnation) && other.process.run(give));
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
            network.send(() => network.isBusUp(self) && this.process.run(() => resolve(answer)));
          network.send(() => {
            if (other === undefined || other.process.isDead || !network.isBusUp(incarnation)) back({ kind: "gone" });
            else other.process.run(() => back(other.answer(channelId)));
          });
        }),
    };
  }
}
