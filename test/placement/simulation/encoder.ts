import type { Cluster, SimNode } from "./sim-node.ts";

const CONNECT_MIN_MS = 100;
const CONNECT_MAX_MS = 2_500;
/** It leaves a server that takes nothing after this long. */
const PATIENCE_MS = 4_000;
const LOOK_MS = 500;
let sessions = 0;

/** One encoder that wants to stay on air: it comes back, to any node, whenever it is lost. */
export class Encoder {
  readonly channelId: string;
  readonly #cluster: Cluster;
  #session = 0;
  #entry: SimNode | undefined;
  #owner: SimNode | undefined;
  #stuckMs = 0;

  constructor(channelId: string, cluster: Cluster) {
    this.channelId = channelId;
    this.#cluster = cluster;
  }

  get isOnAir(): boolean {
    return this.#owner?.running.get(this.channelId)?.sessions.has(this.#session) ?? false;
  }

  start(): void {
    this.#connectLater();
    const look = () => {
      this.#look();
      this.#cluster.world.after(LOOK_MS, look);
    };
    look();
  }

  /** The server closed the connection; `isMoved`: it brings the stream to the channel's next owner. */
  dismissed(session: number, isMoved: boolean): void {
    const entry = this.#entry;
    if (session !== this.#session || entry === undefined) return;
    if (!isMoved) return this.#leave();
    this.#owner = undefined;
    this.#enter(entry, session);
  }

  /** The person behind it stops, and starts again after this long. */
  leave(awayMs: number): void {
    if (this.#entry !== undefined) this.#leave(awayMs);
  }

  #connectLater(awayMs = 0): void {
    const { world } = this.#cluster;
    // Often the same pause: the encoders of a channel then come back together.
    const pauseMs = world.chance(0.3) ? CONNECT_MAX_MS : world.between(CONNECT_MIN_MS, CONNECT_MAX_MS);
    world.after(awayMs + pauseMs, () => this.#connect());
  }

  #connect(): void {
    const { world, nodes } = this.#cluster;
    const entry = world.pick([...nodes.values()].filter(({ process }) => !process.isDead));
    if (entry === undefined) return this.#connectLater();
    sessions += 1;
    const session = sessions;
    this.#session = session;
    this.#entry = entry;
    this.#owner = undefined;
    this.#stuckMs = world.nowMs;
    this.#enter(entry, session);
  }

  #enter(entry: SimNode, session: number): void {
    const { nodes } = this.#cluster;
    const give = (owner: SimNode | undefined, epoch = 0) => {
      if (this.#session !== session || this.#entry !== entry) return;
      if (owner?.attach(this.channelId, epoch, session) === true) this.#owner = owner;
      else this.#leave();
    };
    entry.process.run(() => {
      entry.claim(this.channelId).then(
        (placed) => {
          if (placed.kind === "try-again") return give(undefined);
          if (placed.kind === "here") return give(entry, placed.epoch);
          const owner = nodes.get(placed.incarnation);
          const isReached = owner !== undefined && this.#isLinked(entry, owner) && !owner.process.isDead;
          if (!isReached) return give(undefined);
          owner.process.run(() => give(owner, placed.epoch));
        },
        () => give(undefined),
      );
    });
  }

  #isLinked(one: SimNode, other: SimNode): boolean {
    const { network } = this.#cluster;
    return network.hasLink(one.incarnation, other.incarnation) && network.hasLink(other.incarnation, one.incarnation);
  }

  /** Notices a dead server at once, and a stuck one after a while. */
  #look(): void {
    const [entry, owner] = [this.#entry, this.#owner];
    if (entry === undefined) return;
    if (entry.process.isDead || owner?.process.isDead === true) return this.#leave();
    const isLinked = owner === undefined || owner === entry || this.#isLinked(entry, owner);
    const { nowMs } = this.#cluster.world;
    if (owner !== undefined && isLinked && !entry.process.isFrozen && !owner.process.isFrozen) this.#stuckMs = nowMs;
    if (nowMs - this.#stuckMs > PATIENCE_MS) this.#leave();
  }

  #leave(awayMs = 0): void {
    const [owner, session] = [this.#owner, this.#session];
    this.#entry = undefined;
    this.#owner = undefined;
    this.#session = 0;
    owner?.process.run(() => owner.sessionOver(this.channelId, session));
    this.#connectLater(awayMs);
  }
}
