import type { Placed } from "../../../src/control/ports/channel-placement.ts";
import type { Cluster, SimNode } from "./sim-node.ts";

const CONNECT_MIN_MS = 100;
const CONNECT_MAX_MS = 2_500;
/** It leaves a server that takes nothing after this long. */
const PATIENCE_MS = 4_000;
/** Its server asks an owner that takes nothing for this long, and asks it again after a while. In milliseconds. */
const SUSPECT_MS = 150;
const ASK_PAUSE_MS = 1_000;
/** The peer of a link that is cut ends it after this long, in milliseconds. */
const LINK_LOST_MS = 10_000;
const LOOK_MS = 250;
let sessions = 0;

/** One encoder that wants to stay on air: it comes back, to any node, whenever it is lost. */
export class Encoder {
  readonly channelId: string;
  readonly #cluster: Cluster;
  #session = 0;
  #entry: SimNode | undefined;
  #owner: SimNode | undefined;
  #stuckMs = 0;
  /** The epoch of the present owner, when that last took something, and when it was last asked. */
  #epoch = 0;
  #takenMs = 0;
  #askedMs = 0;

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
      if (owner?.attach(this.channelId, epoch, session) === true) this.#joined(owner, epoch);
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

  #joined(owner: SimNode, epoch: number): void {
    this.#owner = owner;
    this.#epoch = epoch;
    this.#takenMs = this.#cluster.world.nowMs;
  }

  /** The encoder's server asks an owner that takes nothing, and brings the stream to another one where there is one. */
  #suspect(entry: SimNode, silentOwner: SimNode): void {
    const { world, nodes } = this.#cluster;
    const [session, epoch, silentMs] = [this.#session, this.#epoch, world.nowMs - this.#takenMs];
    if (silentMs < SUSPECT_MS || world.nowMs - this.#askedMs < ASK_PAUSE_MS) return;
    this.#askedMs = world.nowMs;
    const take = (placed: Placed) => {
      if (placed.kind === "try-again" || placed.epoch === epoch) return;
      const owner = placed.kind === "here" ? entry : nodes.get(placed.incarnation);
      if (owner === undefined || owner.process.isDead || (owner !== entry && !this.#isLinked(entry, owner))) return;
      owner.process.run(() => {
        if (this.#session !== session || this.#owner !== silentOwner) return;
        this.#endAt(silentOwner, session);
        if (owner.attach(this.channelId, placed.epoch, session)) this.#joined(owner, placed.epoch);
        else this.#leave();
      });
    };
    entry.process.run(() => void entry.claim(this.channelId, { epoch, silentMs }).then(take, () => undefined));
  }

  #isLinked(one: SimNode, other: SimNode): boolean {
    const { network } = this.#cluster;
    return network.hasLink(one.incarnation, other.incarnation) && network.hasLink(other.incarnation, one.incarnation);
  }

  /** Notices a dead server at once, and a stuck one after a while. */
  #look(): void {
    const [entry, owner] = [this.#entry, this.#owner];
    if (entry === undefined) return;
    const isLinked = owner === undefined || owner === entry || this.#isLinked(entry, owner);
    const isReset = isLinked && owner?.process.isDead === true;
    if (entry.process.isDead || isReset) return this.#leave();
    const { nowMs } = this.#cluster.world;
    const isTaken = owner !== undefined && isLinked && !owner.process.isFrozen;
    if (isTaken && !entry.process.isFrozen) this.#stuckMs = nowMs;
    // Its server counts the time in which it runs itself.
    if (isTaken || entry.process.isFrozen) this.#takenMs = nowMs;
    else if (owner !== undefined && owner !== entry) this.#suspect(entry, owner);
    if (nowMs - this.#stuckMs > PATIENCE_MS) this.#leave();
  }

  #leave(awayMs = 0): void {
    const [owner, entry, session] = [this.#owner, this.#entry, this.#session];
    this.#entry = undefined;
    this.#owner = undefined;
    this.#session = 0;
    if (owner !== undefined) this.#endAt(owner, session, entry);
    this.#connectLater(awayMs);
  }

  /** An owner that cannot be reached notices the end by itself. */
  #endAt(owner: SimNode, session: number, entry = this.#entry): void {
    const { world } = this.#cluster;
    // It may be back by then, at a later ownership.
    const epoch = this.#epoch;
    const end = () => owner.process.run(() => owner.sessionOver(this.channelId, epoch, session));
    if (entry === undefined || entry === owner || this.#isLinked(entry, owner)) end();
    else world.after(LINK_LOST_MS, end);
  }
}
