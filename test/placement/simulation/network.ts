import type { Incarnation } from "../../../src/control/ports/ownership-store.ts";
import type { World } from "./world.ts";

/** What lies between the nodes, the database and the bus, and what is broken there. */
export class Network {
  isBusAway = false;
  readonly lossShare: number;
  readonly #world: World;
  readonly #busCuts = new Set<Incarnation>();
  readonly #databaseCuts = new Map<Incarnation, number>();
  readonly #linkCuts = new Set<string>();
  /** When something was last broken or repaired. */
  changedMs = 0;
  /** Since when the database was reachable for a node. */
  readonly databaseSinceMs = new Map<Incarnation, number>();

  constructor(world: World, lossShare: number) {
    this.#world = world;
    this.lossShare = lossShare;
  }

  setBusAway(isAway: boolean): void {
    this.changedMs = this.#world.nowMs;
    this.isBusAway = isAway;
  }

  isBusUp(node: Incarnation): boolean {
    return !this.isBusAway && !this.#busCuts.has(node);
  }

  hasDatabase(node: Incarnation): boolean {
    return !this.#databaseCuts.has(node);
  }

  hasLink(from: Incarnation, to: Incarnation): boolean {
    return !this.#linkCuts.has(`${from}>${to}`);
  }

  cutBus(node: Incarnation, isCut: boolean): void {
    this.changedMs = this.#world.nowMs;
    if (isCut) this.#busCuts.add(node);
    else this.#busCuts.delete(node);
  }

  cutDatabase(node: Incarnation, isCut: boolean): void {
    this.changedMs = this.#world.nowMs;
    if (isCut) this.#databaseCuts.set(node, this.#world.nowMs);
    else {
      this.#databaseCuts.delete(node);
      this.databaseSinceMs.set(node, this.#world.nowMs);
    }
  }

  cutLink(from: Incarnation, to: Incarnation, isCut: boolean): void {
    this.changedMs = this.#world.nowMs;
    if (isCut) this.#linkCuts.add(`${from}>${to}`);
    else this.#linkCuts.delete(`${from}>${to}`);
  }

  /** Delivers after a short while, or never. */
  send(deliver: () => void): void {
    if (!this.#world.chance(this.lossShare)) this.#world.after(this.#world.between(0.2, 20), deliver);
  }
}
