import type { Network } from "./network.ts";
import type { SharedDatabase } from "./shared-database.ts";
import { type Cluster, SILENT_MS, type SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

/** Where nothing of the other's message was lost, the old owner stops this soon. */
const HEARS_MS = 1_000;
/** Where only the database says so: its query, and what a slow one takes. */
const DATABASE_MS = 9_000;
/** Where the database lost a claim, the newer owner has to write it again first. */
const AGAIN_MS = 5_000;
/**
 * A node that hears nothing knows that it is isolated after this long: a dead connection to the bus is noticed after 8 s, other
 * nodes count as silent after 6 s, and then it waits for 5 s.
 */
const ISOLATED_MS = 8_000 + 5_000 + 1_000;
/** Then it holds a channel whose encoder is lost for ten seconds. With an encoder it goes on for as long as it hears nothing. */
const HELD_MS = 10_000 + 1_000;
/**
 * Nobody holds a lost encoder for longer beside a newer owner, whatever it may hear: that one may be isolated itself. Unless
 * the database, which decides, says that it is the owner.
 */
const HELD_MS_MAX = 25_000;
/** Where it may hear by one way or another, of which each may lose messages. With an encoder, one that hears nothing goes on. */
const HEARING_MS = 15_000;

/** Where only a link says so: the newer owner tries again every few seconds. */
const LINKED_MS = 9_000;

/** A node sends several times a second. */
const STILL_SENDS_MS = 600;
/** The answer to a claim is still on its way. */
const NEW_MS = 50;

/**
 * `deafMs`: when it last could not hear of the newer owner in any way. `heardMs`: when it last had the database or the bus.
 * `unlinkedMs`: when the newer owner last had no link to it. `namedMs`: when the database last told it that it is the owner.
 */
type Sender = {
  readonly node: SimNode;
  readonly sinceMs: number;
  lastMs: number;
  deafMs: number;
  heardMs: number;
  unlinkedMs: number;
  namedMs: number;
};

/** Where the nodes send to: sees two senders of one channel. */
export class Targets {
  readonly violations: string[] = [];
  nodes: Cluster["nodes"] = new Map();
  readonly #world: World;
  readonly #network: Network;
  readonly #database: SharedDatabase;
  /** Who sent with which epoch, by channel. */
  readonly #senders = new Map<string, Map<number, Sender>>();

  constructor(world: World, network: Network, database: SharedDatabase) {
    this.#world = world;
    this.#network = network;
    this.#database = database;
    database.onTake = (channelId, former, epoch, by) => this.#taken(channelId, former, epoch, by);
  }

  #broken(what: string): void {
    if (!this.violations.includes(what)) this.#world.trace(what);
    this.violations.push(what);
  }

  flush(node: SimNode, channelId: string, epoch: number): void {
    const senders = this.#senders.get(channelId) ?? new Map<number, Sender>();
    this.#senders.set(channelId, senders);
    const { nowMs } = this.#world;
    for (const [each, { lastMs }] of senders) if (nowMs - lastMs > STILL_SENDS_MS) senders.delete(each);
    const same = senders.get(epoch);
    const own = same ?? { node, sinceMs: nowMs, lastMs: nowMs, deafMs: 0, heardMs: nowMs, unlinkedMs: 0, namedMs: 0 };
    if (same === undefined) senders.set(epoch, own);
    else if (same.node === node) same.lastMs = nowMs;
    else if (!this.#database.hasLostCommits) {
      this.#broken(`I1: two nodes send ${channelId} with epoch ${epoch}`);
    }
    const newest = [...senders].reduce((left, right) => (right[0] > left[0] ? right : left));
    if (newest[0] > epoch) this.#overlap(node, channelId, epoch, newest, own);
  }

  /** `own`: the older owner's sending. A claim that was made without the database may be the earlier one. */
  #overlap(node: SimNode, channelId: string, epoch: number, newest: readonly [number, Sender], own: Sender): void {
    const [newestEpoch, { node: other, sinceMs }] = newest;
    const ownMs = own.sinceMs;
    const { nowMs } = this.#world;
    const network = this.#network;
    const forMs = nowMs - Math.max(sinceMs, ownMs);
    const what = `${channelId} with epoch ${epoch}, ${Math.round(forMs)} ms beside a newer owner`;
    const [from, to] = [other.incarnation, node.incarnation];
    // Both times pass only while it runs, and the newer owner is there.
    const isDeaf =
      !network.hasBus(node.incarnation) && (this.#database.isAway || !network.hasDatabase(node.incarnation));
    if (!isDeaf) own.heardMs = nowMs;
    const heldMs = node.heldMs(channelId);
    const besideMs = Math.min(forMs, heldMs);
    if (besideMs > HELD_MS && nowMs - Math.max(own.heardMs, node.wokeMs) > ISOLATED_MS)
      this.#broken(`I4: isolated, held and sent ${what}`);
    const row = this.#database.ownerOf(channelId);
    const isNamed = row?.incarnation === to && row.epoch === epoch;
    if (isNamed && !this.#database.isAway && network.hasDatabase(to)) own.namedMs = nowMs;
    if (Math.min(besideMs, nowMs - own.namedMs) > HELD_MS_MAX) this.#broken(`I4: held and sent ${what}`);
    if (!network.hasLink(from, to) || !network.hasLink(to, from)) own.unlinkedMs = nowMs;
    // Owners between them may have ended without having told it.
    const replaced = other.replaced.get(channelId);
    const isKnown = replaced?.incarnation === to && replaced.epoch >= epoch;
    const linkedMs = Math.max(sinceMs, ownMs, own.unlinkedMs, node.resumedMs, other.resumedMs);
    if (isKnown && network.lossShare === 0 && nowMs - linkedMs > LINKED_MS)
      this.#broken(`I4: had a link and sent ${what}`);
    // A claim that was made without the database is written into it later.
    const isStored = row !== undefined && row.epoch >= newestEpoch;
    const databaseMs = Math.max(
      isStored ? row.writtenMs : 0,
      network.databaseSinceMs.get(node.incarnation) ?? 0,
      this.#database.sinceMs,
      node.wokeMs,
    );
    const hasDatabase = isStored && !this.#database.isAway && network.hasDatabase(node.incarnation);
    const limitMs = this.#database.hasLostCommits ? DATABASE_MS + AGAIN_MS : DATABASE_MS;
    if (hasDatabase && nowMs - Math.max(databaseMs, sinceMs) > limitMs) {
      this.#broken(`I4: the database was there, and sent ${what}`);
    }
    // A frozen owner that wakes asks before it sends.
    const wasOwner = (node.running.get(channelId)?.beganMs ?? 0) < node.wokeMs;
    if (hasDatabase && wasOwner && node.wokeMs > sinceMs && databaseMs <= node.wokeMs) {
      this.#broken(`I4: woke and sent ${what}`);
    }
    // What was told while one of them was deaf or stood still is told again.
    const heardMs = Math.max(sinceMs, ownMs, network.changedMs, node.resumedMs, other.resumedMs);
    // A claim that the database lost is told again once its owner has noticed.
    const isTold = sinceMs - this.#database.lostMs > DATABASE_MS;
    const isBus = network.hasBus(node.incarnation) && network.hasBus(other.incarnation);
    if (!isBus && !hasDatabase) own.deafMs = nowMs;
    if (nowMs - Math.max(sinceMs, ownMs, own.deafMs, node.resumedMs, other.resumedMs) > HEARING_MS)
      this.#broken(`I4: heard and sent ${what}`);
    if (isBus && network.lossShare === 0 && isTold && nowMs - heardMs > HEARS_MS)
      this.#broken(`I4: was told and sent ${what}`);
  }

  /** A living owner that answers keeps its channel, and one that stands still keeps it for the time of an answer. */
  #taken(channelId: string, former: number, epoch: number, by: number): void {
    const node = this.nodes.get(former);
    const network = this.#network;
    if (node?.given.get(channelId) === epoch) return;
    if (node === undefined || former === by || node.process.isDead || node.isDraining) return;
    const nowMs = this.#world.nowMs;
    const isPaused = node.process.isFrozen;
    if (isPaused && nowMs - node.frozenMs > SILENT_MS - NEW_MS) return;
    const quietMs = Math.max(network.changedMs, node.wokeMs, isPaused ? node.resumedMs : node.frozenMs);
    const isQuiet = network.lossShare === 0 && nowMs - quietMs > 2 * SILENT_MS;
    const isLinked = network.hasLink(by, former) && network.hasLink(former, by);
    // Over the bus alone an owner is heard only while it runs, and keeps only what is on air.
    const isHeard = network.hasBus(by) && network.hasBus(former) && !isPaused && node.fedMs(channelId) > 2 * SILENT_MS;
    const isReached = isLinked || isHeard;
    const isNew = isLinked && nowMs - (this.#database.ownerOf(channelId)?.claimedMs ?? 0) < NEW_MS;
    const isOwner = isNew || (node.placement.epochOf(channelId) === epoch && node.isOnAir(channelId));
    const asker = this.nodes.get(by);
    const isAskerQuiet = asker !== undefined && nowMs - Math.max(asker.wokeMs, asker.frozenMs) > 2 * SILENT_MS;
    if (isQuiet && isReached && isOwner && isAskerQuiet) {
      this.#broken(`a healthy owner of ${channelId} with epoch ${epoch} was replaced`);
    }
  }
}
