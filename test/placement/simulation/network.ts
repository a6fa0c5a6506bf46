import type { Incarnation } from "../../../src/control/ports/ownership-store.ts";
import type { World } from "./world.ts";

/** A connection to the bus is known to be dead after two pings, in milliseconds. */
const DEAF_MS_MIN = 4_000;
const DEAF_MS_MAX = 8_000;
/** A node that is not heard for this long counts as silent, in milliseconds. */
export const PEER_SILENT_MS = 6_000;
/** Within this time the database is compared, or the other nodes are asked for claims. In milliseconds. */
const COMPARE_MS = 8_000;
/** How often a node says that it lives, in milliseconds. */
export const HEARTBEAT_MS = 2_000;

/** What lies between the nodes, the database and the bus, and what is broken there. */
export class Network {
  isBusAway = false;
  readonly lossShare: number;
  readonly #world: World;
  readonly #busCuts = new Set<Incarnation>();
  readonly #databaseCuts = new Map<Incarnation, number>();
  readonly #linkCuts = new Set<string>();
  /** Hosts from which nothing comes, and to which nothing goes, since when. */
  readonly #hostCuts = new Map<Incarnation, number>();
  /** Connections to the bus on which nothing passes, with what waits there. */
  readonly #stalled = new Map<Incarnation, (() => void)[]>();
  /** Nodes of such hosts that have noticed that their connection to the bus is dead. */
  readonly #deafNodes = new Set<Incarnation>();
  /** Nodes whose server of the bus is cut off from the other servers, since when: they are connected, and alone. */
  readonly #splits = new Map<Incarnation, number>();
  /** When something was last broken or repaired. */
  changedMs = 0;
  /** Since when the database was reachable for a node. */
  readonly databaseSinceMs = new Map<Incarnation, number>();

  constructor(world: World, lossShare: number) {
    this.#world = world;
    this.lossShare = lossShare;
  }

  setBusAway(isAway: boolean): void {
    this.#world.trace(`bus away: ${isAway}`);
    this.#changed();
    this.isBusAway = isAway;
    // Its connection is gone, and no new one comes from there.
    if (isAway) for (const node of this.#hostCuts.keys()) this.#deafNodes.add(node);
  }

  /** Whether the node is connected to the bus, as far as it knows: messages may go nowhere all the same. */
  isBusUp(node: Incarnation): boolean {
    return !this.isBusAway && !this.#busCuts.has(node) && !this.#deafNodes.has(node);
  }

  /** Whether messages of the bus reach the node, and those of the node the bus, without delay. */
  hasBus(node: Incarnation): boolean {
    return this.hasServer(node) && !this.#splits.has(node);
  }

  /** The same of the node and the server of the bus to which it is connected. */
  hasServer(node: Incarnation): boolean {
    return this.isBusUp(node) && !this.#stalled.has(node);
  }

  /** Whether the node's server of the bus is cut off from the others. */
  isSplit(node: Incarnation): boolean {
    return this.#splits.has(node);
  }

  splitBus(node: Incarnation, isSplit: boolean): void {
    this.#world.trace(`node ${node}: bus split: ${isSplit}`);
    const { nowMs } = this.#world;
    const sinceMs = this.#splits.get(node);
    if (isSplit) {
      this.#splits.set(node, sinceMs ?? nowMs);
      return this.#changed();
    }
    this.#splits.delete(node);
    // A client is not told that its server hears the others again: the next heartbeat shows it. A short split shows nothing:
    // messages were lost.
    const isNoticed = sinceMs !== undefined && nowMs - sinceMs > PEER_SILENT_MS + HEARTBEAT_MS;
    this.#changed(isNoticed ? HEARTBEAT_MS : COMPARE_MS);
  }

  /** Passes something over a node's connection to the bus: late where nothing passes there now, never where there is none. */
  viaBus(node: Incarnation, run: () => void): void {
    if (!this.isBusUp(node) || this.#splits.has(node)) return;
    const waiting = this.#stalled.get(node);
    if (waiting === undefined) run();
    else waiting.push(run);
  }

  hasDatabase(node: Incarnation): boolean {
    return !this.#databaseCuts.has(node) && !this.#hostCuts.has(node);
  }

  hasLink(from: Incarnation, to: Incarnation): boolean {
    return !this.#linkCuts.has(`${from}>${to}`) && !this.#hostCuts.has(from) && !this.#hostCuts.has(to);
  }

  isHostCut(node: Incarnation): boolean {
    return this.#hostCuts.has(node);
  }

  /** `onBus`: called when the node notices that its connection to the bus is dead, or has a new one. */
  cutHost(node: Incarnation, isCut: boolean, onBus: () => void): void {
    this.#world.trace(`node ${node}: host cut: ${isCut}`);
    this.#changed();
    if (isCut) {
      const sinceMs = this.#world.nowMs;
      this.#hostCuts.set(node, sinceMs);
      if (!this.#stalled.has(node)) this.#stalled.set(node, []);
      this.#world.after(this.#world.between(DEAF_MS_MIN, DEAF_MS_MAX), () => {
        if (this.#hostCuts.get(node) !== sinceMs) return;
        this.#changed();
        this.#deafNodes.add(node);
        onBus();
      });
      return;
    }
    const cutMs = this.#world.nowMs - (this.#hostCuts.get(node) ?? 0);
    this.#hostCuts.delete(node);
    this.databaseSinceMs.set(node, this.#world.nowMs);
    if (this.#deafNodes.delete(node)) {
      this.#stalled.delete(node);
      return onBus();
    }
    // TCP sends again after pauses that become longer.
    this.#world.after(this.#world.between(0, cutMs), () => this.#resume(node));
  }

  #resume(node: Incarnation): void {
    const waiting = this.#stalled.get(node);
    if (waiting === undefined || this.#hostCuts.has(node)) return;
    this.#changed();
    this.#stalled.delete(node);
    for (const run of waiting) run();
  }

  cutBus(node: Incarnation, isCut: boolean): void {
    this.#world.trace(`node ${node}: bus cut: ${isCut}`);
    this.#changed();
    if (!isCut) this.#busCuts.delete(node);
    else this.#busCuts.add(node);
    if (isCut && this.#hostCuts.has(node)) this.#deafNodes.add(node);
  }

  cutDatabase(node: Incarnation, isCut: boolean): void {
    this.#world.trace(`node ${node}: database cut: ${isCut}`);
    this.#changed();
    if (isCut) this.#databaseCuts.set(node, this.#world.nowMs);
    else {
      this.#databaseCuts.delete(node);
      this.databaseSinceMs.set(node, this.#world.nowMs);
    }
  }

  cutLink(from: Incarnation, to: Incarnation, isCut: boolean): void {
    this.#world.trace(`link ${from}>${to} cut: ${isCut}`);
    this.#changed();
    if (isCut) this.#linkCuts.add(`${from}>${to}`);
    else this.#linkCuts.delete(`${from}>${to}`);
  }

  /** `laterMs`: what follows from it takes so long. */
  #changed(laterMs = 0): void {
    this.changedMs = Math.max(this.changedMs, this.#world.nowMs + laterMs);
  }

  /** Delivers after a short while, or never. */
  send(deliver: () => void): void {
    if (!this.#world.chance(this.lossShare)) this.#world.after(this.#world.between(0.2, 20), deliver);
  }
}
