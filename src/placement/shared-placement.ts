import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type {
  ChannelPlacement,
  Ownership,
  Placed,
  PlacementChange,
  PlacementMeter,
  PlacementOwner,
  PlacingOutcome,
} from "../control/ports/channel-placement.ts";
import type { ClaimBoard, ClaimNews, KnownOwner } from "../control/ports/owner-question.ts";
import type {
  ChannelOwner,
  ClaimResult,
  Incarnation,
  OwnershipRow,
  OwnershipStore,
} from "../control/ports/ownership-store.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import { nextStep } from "./admission-steps.ts";
import { isUnreachable, KnownOwnerships, provisionalEpoch } from "./known-ownerships.ts";
import type { NodeDirectory } from "./node-directory.ts";
import { type Differences, type OwnedChannel, OwnedEpochs } from "./owned-epochs.ts";
import type { Asked, OwnerAsker } from "./owner-asker.ts";
import { PlacementListeners } from "./placement-listeners.ts";
import { unstoredStep } from "./unstored-step.ts";

/** How often an answer of the database may be out of date before the visitor has to come again. */
const TRIES_MAX = 3;

const MS_PER_SECOND = 1_000;
const OUTCOMES = { here: "claimed", elsewhere: "attached", "try-again": "try-again" } as const;
const ignore = () => undefined;

type FormerOwner = NonNullable<Extract<ClaimResult, { kind: "owned" }>["former"]>;

export type SharedPlacementDeps = {
  readonly self: Incarnation;
  readonly store: OwnershipStore;
  readonly nodes: NodeDirectory;
  readonly asker: Pick<OwnerAsker, "ask">;
  readonly board: ClaimBoard;
  readonly clock: Pick<Clock, "now" | "startTimer">;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Whether this node may take channels. */
  readonly isServing: () => boolean;
  /** How often this node has stood still so far: what it asked before that may be out of date. */
  readonly wakes: () => number;
  readonly meter: PlacementMeter;
  readonly log: Log;
  /**
   * This node took a channel over from a process that did not release it. The visitor is placed once this has resolved:
   * the end of the former broadcast is stored before the start of the next one. It must not reject.
   */
  readonly onTakenOver: (
    channelId: ChannelId,
    former: { readonly incarnation: Incarnation; readonly epoch: number },
  ) => Promise<void>;
  /** The settings of a channel of ours have this revision, which is newer than the one that was read. */
  readonly onNewer: (channelId: ChannelId) => void;
};

/**
 * Places channels among the nodes that share a database. The database decides who owns a channel; a visitor's node asks
 * the owner whether it lives, and takes the channel over from one that is gone or silent.
 */
export class SharedPlacement implements ChannelPlacement {
  readonly #deps: SharedPlacementDeps;
  readonly #owned = new OwnedEpochs();
  readonly #listeners: PlacementListeners;
  /** The last claim of each channel that is under way. */
  readonly #claims = new Map<ChannelId, Promise<void>>();
  /** Claims of which the other nodes were not told, since the bus was away. */
  readonly #untold = new Map<ChannelId, number>();
  /** Releases that the database did not take. */
  readonly #unreleased = new Map<ChannelId, number>();
  /** What is known without the database, which may be behind it or ahead of it. */
  readonly #known = new KnownOwnerships();
  /** Claims that the database does not know yet, by channel: the epoch, and the ownership that each replaced. */
  readonly #provisional = new Map<ChannelId, { readonly epoch: number; readonly former: FormerOwner | undefined }>();

  constructor(deps: SharedPlacementDeps) {
    this.#deps = deps;
    this.#listeners = new PlacementListeners(deps.log);
  }

  /**
   * Finds the owner for a visitor, or makes this node's thread the owner. Where the database cannot be reached, that goes by
   * what this node knows of the channel, and the database is told later. Rejects where it knows nothing.
   */
  async claim(channelId: ChannelId, candidate: PlacementOwner): Promise<Placed> {
    // One at a time: the claim under way would look like one whose answer was lost.
    const before = this.#claims.get(channelId);
    const turn =
      before === undefined ? this.#claim(channelId, candidate) : before.then(() => this.#claim(channelId, candidate));
    const settled = turn.then(ignore, ignore);
    this.#claims.set(channelId, settled);
    const { clock, meter } = this.#deps;
    const startedMs = this.#owned.get(channelId) === undefined ? clock.now() : undefined;
    const placed = (outcome: PlacingOutcome) => {
      if (startedMs !== undefined) meter.placed(outcome, (clock.now() - startedMs) / MS_PER_SECOND);
    };
    try {
      const result = await turn;
      placed(OUTCOMES[result.kind]);
      return result;
    } catch (error) {
      placed("failed");
      throw error;
    } finally {
      if (this.#claims.get(channelId) === settled) this.#claims.delete(channelId);
    }
  }

  async #claim(channelId: ChannelId, candidate: PlacementOwner): Promise<Placed> {
    for (let count = 0; count < TRIES_MAX; count += 1) {
      const placed = await this.#claimOnce(channelId, candidate, this.#deps.wakes());
      if (placed !== undefined) return placed;
    }
    return { kind: "try-again" };
  }

  async #claimOnce(channelId: ChannelId, candidate: PlacementOwner, wakes: number): Promise<Placed | undefined> {
    try {
      return await this.#claimStored(channelId, candidate, wakes);
    } catch (error) {
      const isKnown = isUnreachable(error) && this.#known.get(channelId) !== undefined;
      if (!isKnown || !this.#deps.isServing()) throw error;
      return this.#here(channelId) ?? this.#claimKnown(channelId, candidate, wakes);
    }
  }

  /**
   * Claims a channel by what is known of it without the database. Undefined where this node stood still since it had woken
   * `wakes` times: another node may own the channel since, and the database may know that by now.
   */
  async #claimKnown(channelId: ChannelId, candidate: PlacementOwner, wakes: number): Promise<Placed | undefined> {
    if (this.#deps.wakes() !== wakes) return undefined;
    const step = await unstoredStep(channelId, { ...this.#deps, known: this.#known });
    if (step.kind !== "own") return step;
    return this.#deps.wakes() === wakes ? this.#own(channelId, candidate, step.row) : undefined;
  }

  /** Makes this node the owner without the database, which gets to know it at the next comparison. */
  #own(channelId: ChannelId, { thread }: PlacementOwner, { epoch: before, owner }: OwnershipRow): Placed {
    const { self, random, log } = this.#deps;
    const epoch = provisionalEpoch({ epoch: before }, random);
    if (!this.#owned.add({ channelId, epoch, home: thread, revision: 0 })) return { kind: "try-again" };
    const former = owner === undefined || owner.incarnation === self ? undefined : { ...owner, epoch: before };
    this.#provisional.set(channelId, { epoch, former });
    this.#unreleased.delete(channelId);
    log.warn("channel taken without the database", { channelId, epoch, from: owner?.incarnation });
    this.#announce(channelId, thread, epoch, former);
    return { kind: "here", owner: { thread }, epoch };
  }

  /** Tells everybody of an ownership of ours. */
  #announce(channelId: ChannelId, thread: number, epoch: number, former: FormerOwner | undefined): void {
    this.#known.note({ channelId, epoch, owner: { incarnation: this.#deps.self, home: thread } });
    this.#tell(channelId, epoch, thread);
    if (former !== undefined) {
      this.#deps.meter.tookOver();
      this.#tellFormer(channelId, former);
    }
    this.#listeners.publish({ channelId, epoch, owner: { thread } });
  }

  async #findOwner(channelId: ChannelId): Promise<OwnershipRow | undefined> {
    const row = await this.#deps.store.findOwner(channelId);
    if (row !== undefined) this.#known.note(row);
    return row;
  }

  async #claimStored(channelId: ChannelId, candidate: PlacementOwner, wakes: number): Promise<Placed | undefined> {
    const { self, nodes } = this.#deps;
    let askedEpoch: number | undefined;
    for (let count = 0; count < TRIES_MAX; count += 1) {
      const mine = this.#here(channelId);
      if (mine !== undefined) return mine;
      const row = await this.#findOwner(channelId);
      // Another node owns it, or did, by an epoch that the database does not know: not yet, or no more.
      if ((this.#known.get(channelId)?.epoch ?? 0) > (row?.epoch ?? 0))
        return this.#deps.isServing() ? await this.#claimKnown(channelId, candidate, wakes) : { kind: "try-again" };
      const step = nextStep(self, row, (incarnation) => nodes.stateOf(incarnation));
      let seenEpoch = step.kind === "claim" ? step.seenEpoch : step.epoch;
      if (step.kind === "ask") {
        const owner = await this.#locate(channelId, step.owner, step.epoch);
        // It said that it is not the owner, and the database still names it: its release was lost.
        const asked = owner === undefined ? undefined : await this.#deps.asker.ask(owner);
        const verdict = asked?.verdict ?? "claim";
        if (verdict === "try-again") return { kind: "try-again" };
        if (verdict === "attach" && owner !== undefined) return { kind: "elsewhere", ...owner, ...epochOf(asked) };
        if (verdict === "read-again" && askedEpoch !== step.epoch) {
          askedEpoch = step.epoch;
          continue;
        }
        seenEpoch = step.epoch;
      }
      const result = await this.#claimRow(channelId, candidate, seenEpoch);
      if (await this.#take(channelId, candidate, result)) return this.#here(channelId) ?? { kind: "try-again" };
    }
    return { kind: "try-again" };
  }

  /** Claims in the database. What it said before this node stood still is checked: others may have claimed since. */
  async #claimRow(channelId: ChannelId, { thread }: PlacementOwner, seenEpoch: number): Promise<ClaimResult> {
    const { self, store } = this.#deps;
    let wakes = this.#deps.wakes();
    const result = await store.claim(channelId, { incarnation: self, home: thread }, seenEpoch);
    while (result.kind === "owned" && wakes !== this.#deps.wakes()) {
      wakes = this.#deps.wakes();
      if ((await this.#findOwner(channelId))?.epoch !== result.epoch) return { kind: "taken" };
    }
    return result;
  }

  /** The node that owns a channel, by the database; undefined where none does, or this one. */
  async findElsewhere(channelId: ChannelId): Promise<KnownOwner | undefined> {
    if (this.#owned.get(channelId) !== undefined) return undefined;
    const row = await this.#findOwner(channelId).catch((error: unknown) => {
      const known = this.#known.get(channelId);
      if (known === undefined || !isUnreachable(error)) throw error;
      return known;
    });
    if (row?.owner === undefined || row.owner.incarnation === this.#deps.self) return undefined;
    return await this.#locate(channelId, row.owner, row.epoch);
  }

  async release(channelId: ChannelId, epoch: number): Promise<void> {
    if (!this.#owned.delete(channelId, epoch)) return;
    this.#untold.delete(channelId);
    this.#known.released(channelId, epoch);
    this.#listeners.publish({ channelId, epoch });
    await this.#release(channelId, epoch);
  }

  async owner(channelId: ChannelId): Promise<Ownership | undefined> {
    const owned = this.#owned.get(channelId);
    return owned === undefined ? undefined : { owner: { thread: owned.home }, epoch: owned.epoch };
  }

  changes(take: (change: PlacementChange) => void): () => void {
    return this.#listeners.add(take);
  }

  /** The epoch with which this node owns a channel; undefined where it does not. */
  epochOf(channelId: ChannelId): number | undefined {
    return this.#owned.get(channelId)?.epoch;
  }

  /** The same, also of an ownership that has ended: its last moments are still being told. */
  lastEpochOf(channelId: ChannelId): number | undefined {
    return this.#owned.lastEpoch(channelId);
  }

  /** The channels that this node owns now, with the epoch of each. */
  get epochs(): ReadonlyMap<ChannelId, number> {
    return this.#owned.epochs;
  }

  /** The channels that this node owns. */
  all(): readonly OwnedChannel[] {
    return this.#owned.all();
  }

  /** Another node told of its claim, or asks for a release. `by`: for the log. */
  heard({ channelId, epoch, incarnation, home = 0 }: ClaimNews, by: string): void {
    if (incarnation === this.#deps.self) return;
    if (incarnation > 0) this.#known.note({ channelId, epoch, owner: { incarnation, home } });
    const fenced = this.#owned.heard(channelId, epoch);
    if (fenced !== undefined) this.#fence(fenced, by);
    // It claimed by a database that does not know our claim, and has not heard of it.
    else if (incarnation > 0) this.answer([{ channelId, epoch }]);
  }

  /** Another node asks which of these channels are ours with a higher epoch. */
  answer(channels: readonly Pick<ClaimNews, "channelId" | "epoch">[]): void {
    const { self, board } = this.#deps;
    for (const { channelId, epoch } of channels) {
      const mine = this.#owned.get(channelId);
      if (mine === undefined || mine.epoch <= epoch) continue;
      board.publish({ channelId, epoch: mine.epoch, incarnation: self, home: mine.home });
    }
  }

  /** Asks the other nodes for claims that this one may have missed, and tells of its own that they have missed. */
  question(): void {
    const untold = [...this.#untold];
    this.#untold.clear();
    for (const [channelId, epoch] of untold) {
      const owned = this.#owned.get(channelId);
      if (owned?.epoch === epoch) this.#tell(channelId, epoch, owned.home);
    }
    const mine = this.#owned.all();
    if (mine.length > 0) this.#deps.board.question(mine.map(({ channelId, epoch }) => ({ channelId, epoch })));
  }

  /** Stops a channel that another node probably owns by now. The database keeps the row: this node's release follows. */
  abandon(channelId: ChannelId): void {
    const owned = this.#owned.get(channelId);
    if (owned === undefined || !this.#owned.delete(channelId, owned.epoch)) return;
    this.#unreleased.set(channelId, owned.epoch);
    this.#fence({ channelId, ...owned }, "isolated");
  }

  /** The settings of a channel were read again. */
  revised(channelId: ChannelId, revision: number): void {
    this.#owned.revised(channelId, revision);
  }

  /**
   * Compares all ownerships with the database: stops what another node owns, writes again what the database lost, and
   * releases what it did not take. Rejects where the database cannot be asked.
   */
  async compare(): Promise<void> {
    const { self, store } = this.#deps;
    const asked = this.#owned.all();
    const rows = asked.length === 0 ? [] : await store.compare(asked.map(({ channelId }) => channelId));
    const { fenced, missing, newer } = this.#owned.compare(self, asked, rows);
    for (const each of fenced) this.#fence(each, "database");
    for (const channelId of newer) this.#deps.onNewer(channelId);
    await this.#writeAgain(missing);
    for (const [channelId, epoch] of [...this.#unreleased]) await this.#release(channelId, epoch);
  }

  async #writeAgain(missing: Differences["missing"]): Promise<void> {
    const { self, store, log } = this.#deps;
    for (const each of missing) {
      const { channelId, epoch, home } = each;
      const claimed = this.#provisional.get(channelId);
      if (await store.assertOwner(channelId, { incarnation: self, home }, epoch)) {
        log.warn("the database did not know an ownership", { channelId, epoch });
        this.#tell(channelId, epoch, home);
        if (claimed?.epoch !== epoch) continue;
        this.#provisional.delete(channelId);
        if (claimed.former !== undefined) await this.#deps.onTakenOver(channelId, claimed.former);
      } else if (this.#owned.delete(channelId, epoch)) {
        // The channel was deleted, or another node owns it since.
        this.#fence(each, "database");
      }
    }
  }

  #tell(channelId: ChannelId, epoch: number, home: number): void {
    const { self, board } = this.#deps;
    if (!board.publish({ channelId, epoch, incarnation: self, home })) this.#untold.set(channelId, epoch);
  }

  #here(channelId: ChannelId): Placed | undefined {
    const owned = this.#owned.get(channelId);
    return owned === undefined ? undefined : { kind: "here", owner: { thread: owned.home }, epoch: owned.epoch };
  }

  async #locate(channelId: ChannelId, owner: ChannelOwner, epoch: number): Promise<KnownOwner | undefined> {
    const address = await this.#deps.nodes.addressOf(owner.incarnation, owner.home);
    return address === undefined ? undefined : { channelId, epoch, ...owner, address };
  }

  /** Returns false where somebody else was faster. */
  async #take(channelId: ChannelId, { thread }: PlacementOwner, result: ClaimResult): Promise<boolean> {
    if (result.kind === "taken") return false;
    const { epoch, revision, former } = result;
    this.#unreleased.delete(channelId);
    this.#provisional.delete(channelId);
    if (!this.#owned.add({ channelId, epoch, home: thread, revision })) return false;
    this.#announce(channelId, thread, epoch, former);
    if (former !== undefined) await this.#deps.onTakenOver(channelId, former);
    return true;
  }

  #tellFormer(channelId: ChannelId, { incarnation, epoch }: FormerOwner): void {
    const { self, nodes, board } = this.#deps;
    const address = incarnation === self ? undefined : nodes.knownAddressOf(incarnation, 0);
    if (address !== undefined) board.release({ channelId, epoch, incarnation, home: 0, address });
  }

  async #release(channelId: ChannelId, epoch: number): Promise<void> {
    const { self, store } = this.#deps;
    this.#unreleased.set(channelId, epoch);
    // The epochs behind it must be higher, also where the database never knew this one.
    const claimed = this.#provisional.get(channelId);
    if (claimed?.epoch === epoch) await store.assertOwner(channelId, { incarnation: self, home: 0 }, epoch);
    await store.release(channelId, self, epoch);
    if (this.#provisional.get(channelId)?.epoch === epoch) this.#provisional.delete(channelId);
    if (this.#unreleased.get(channelId) === epoch) this.#unreleased.delete(channelId);
  }

  #fence({ channelId, epoch }: OwnedChannel, by: string): void {
    this.#untold.delete(channelId);
    this.#deps.log.warn("another node owns the channel now: stopped here", { channelId, epoch, by });
    this.#deps.meter.fenced(by);
    this.#listeners.publish({ channelId, epoch, isFenced: true });
  }
}

function epochOf(asked: Asked | undefined): { readonly epoch?: number } {
  return asked === undefined ? {} : { epoch: asked.epoch };
}
