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
import type { ChannelOwner, ClaimResult, Incarnation, OwnershipStore } from "../control/ports/ownership-store.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import { nextStep } from "./admission-steps.ts";
import type { NodeDirectory } from "./node-directory.ts";
import { type Differences, type OwnedChannel, OwnedEpochs } from "./owned-epochs.ts";
import type { Asked, OwnerAsker } from "./owner-asker.ts";

/** How often an answer of the database may be out of date before the visitor has to come again. */
const TRIES_MAX = 3;

const MS_PER_SECOND = 1_000;
const OUTCOMES = { here: "claimed", elsewhere: "attached", "try-again": "try-again" } as const;
const ignore = () => undefined;

export type SharedPlacementDeps = {
  readonly self: Incarnation;
  readonly store: OwnershipStore;
  readonly nodes: NodeDirectory;
  readonly asker: Pick<OwnerAsker, "ask">;
  readonly board: ClaimBoard;
  readonly clock: Pick<Clock, "now">;
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
  readonly #listeners = new Set<(change: PlacementChange) => void>();
  /** The last claim of each channel that is under way. */
  readonly #claims = new Map<ChannelId, Promise<void>>();
  /** Claims of which the other nodes were not told, since the bus was away. */
  readonly #untold = new Map<ChannelId, number>();
  /** Releases that the database did not take. */
  readonly #unreleased = new Map<ChannelId, number>();

  constructor(deps: SharedPlacementDeps) {
    this.#deps = deps;
  }

  /** Finds the owner for a visitor, or makes this node's thread the owner. Rejects where the database cannot be asked. */
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
    const { self, store, nodes } = this.#deps;
    let askedEpoch: number | undefined;
    for (let count = 0; count < TRIES_MAX; count += 1) {
      const mine = this.#here(channelId);
      if (mine !== undefined) return mine;
      const row = await store.findOwner(channelId);
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
      const result = await store.claim(channelId, this.#ownerOf(candidate), seenEpoch);
      if (await this.#take(channelId, candidate, result)) return this.#here(channelId) ?? { kind: "try-again" };
    }
    return { kind: "try-again" };
  }

  /** The node that owns a channel, by the database; undefined where none does, or this one. */
  async findElsewhere(channelId: ChannelId): Promise<KnownOwner | undefined> {
    if (this.#owned.get(channelId) !== undefined) return undefined;
    const row = await this.#deps.store.findOwner(channelId);
    if (row?.owner === undefined || row.owner.incarnation === this.#deps.self) return undefined;
    return await this.#locate(channelId, row.owner, row.epoch);
  }

  async release(channelId: ChannelId, epoch: number): Promise<void> {
    if (!this.#owned.delete(channelId, epoch)) return;
    this.#untold.delete(channelId);
    this.#publish({ channelId, epoch });
    await this.#release(channelId, epoch);
  }

  async owner(channelId: ChannelId): Promise<Ownership | undefined> {
    const owned = this.#owned.get(channelId);
    return owned === undefined ? undefined : { owner: { thread: owned.home }, epoch: owned.epoch };
  }

  changes(take: (change: PlacementChange) => void): () => void {
    this.#listeners.add(take);
    return () => this.#listeners.delete(take);
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
  heard({ channelId, epoch, incarnation }: ClaimNews, by: string): void {
    if (incarnation === this.#deps.self) return;
    const fenced = this.#owned.heard(channelId, epoch);
    if (fenced !== undefined) this.#fence(fenced, by);
  }

  /** Another node asks which of these channels are ours with a higher epoch. */
  answer(channels: readonly Pick<ClaimNews, "channelId" | "epoch">[]): void {
    const { self, board } = this.#deps;
    for (const { channelId, epoch } of channels) {
      const mine = this.#owned.get(channelId);
      if (mine !== undefined && mine.epoch > epoch) board.publish({ channelId, epoch: mine.epoch, incarnation: self });
    }
  }

  /** Asks the other nodes for claims that this one may have missed, and tells of its own that they have missed. */
  question(): void {
    const untold = [...this.#untold];
    this.#untold.clear();
    for (const [channelId, epoch] of untold) if (this.epochOf(channelId) === epoch) this.#tell(channelId, epoch);
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
      if (await store.assertOwner(channelId, { incarnation: self, home }, epoch)) {
        log.warn("the database had lost an ownership", { channelId, epoch });
        this.#tell(channelId, epoch);
      } else if (this.#owned.delete(channelId, epoch)) {
        // The channel was deleted, or another node owns it since.
        this.#fence(each, "database");
      }
    }
  }

  #tell(channelId: ChannelId, epoch: number): void {
    const { self, board } = this.#deps;
    if (!board.publish({ channelId, epoch, incarnation: self })) this.#untold.set(channelId, epoch);
  }

  #here(channelId: ChannelId): Placed | undefined {
    const owned = this.#owned.get(channelId);
    return owned === undefined ? undefined : { kind: "here", owner: { thread: owned.home }, epoch: owned.epoch };
  }

  #ownerOf({ thread }: PlacementOwner): ChannelOwner {
    return { incarnation: this.#deps.self, home: thread };
  }

  async #locate(
    channelId: ChannelId,
    { incarnation, home }: ChannelOwner,
    epoch: number,
  ): Promise<KnownOwner | undefined> {
    const address = await this.#deps.nodes.addressOf(incarnation, home);
    return address === undefined ? undefined : { channelId, epoch, incarnation, home, address };
  }

  /** Returns false where somebody else was faster. */
  async #take(channelId: ChannelId, { thread }: PlacementOwner, result: ClaimResult): Promise<boolean> {
    if (result.kind === "taken") return false;
    const { onTakenOver, meter } = this.#deps;
    const { epoch, revision, former } = result;
    this.#unreleased.delete(channelId);
    if (!this.#owned.add({ channelId, epoch, home: thread, revision })) return false;
    this.#tell(channelId, epoch);
    if (former !== undefined) {
      meter.tookOver();
      this.#tellFormer(channelId, former);
    }
    this.#publish({ channelId, epoch, owner: { thread } });
    if (former !== undefined) await onTakenOver(channelId, former);
    return true;
  }

  #tellFormer(
    channelId: ChannelId,
    { incarnation, epoch }: { readonly incarnation: Incarnation; readonly epoch: number },
  ): void {
    const { self, nodes, board } = this.#deps;
    const address = incarnation === self ? undefined : nodes.knownAddressOf(incarnation, 0);
    if (address !== undefined) board.release({ channelId, epoch, incarnation, home: 0, address });
  }

  async #release(channelId: ChannelId, epoch: number): Promise<void> {
    const { self, store } = this.#deps;
    this.#unreleased.set(channelId, epoch);
    await store.release(channelId, self, epoch);
    if (this.#unreleased.get(channelId) === epoch) this.#unreleased.delete(channelId);
  }

  #fence({ channelId, epoch }: OwnedChannel, by: string): void {
    this.#untold.delete(channelId);
    this.#deps.log.warn("another node owns the channel now: stopped here", { channelId, epoch, by });
    this.#deps.meter.fenced(by);
    this.#publish({ channelId, epoch, isFenced: true });
  }

  #publish(change: PlacementChange): void {
    for (const take of this.#listeners) {
      try {
        take(change);
      } catch (error) {
        const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#deps.log.error("placement listener failed", { channelId: change.channelId, detail });
      }
    }
  }
}

function epochOf(asked: Asked | undefined): { readonly epoch?: number } {
  return asked === undefined ? {} : { epoch: asked.epoch };
}
