import type {
  ChannelPlacement,
  Ownership,
  Placed,
  PlacementChange,
  PlacementOwner,
  PlacingOutcome,
} from "../control/ports/channel-placement.ts";
import { isDatabaseAway } from "../control/ports/errors.ts";
import type { AskedClaim, ClaimNews, KnownOwner } from "../control/ports/owner-question.ts";
import type { ChannelOwner, ClaimResult, OwnershipRow } from "../control/ports/ownership-store.ts";
import type { MovedBroadcast } from "../control/reports/moved-broadcast.ts";
import type { LinkSilence } from "../thread-protocol/admission.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import { nextStep } from "./admission-steps.ts";
import { ClaimTalk, type FormerOwner } from "./claim-talk.ts";
import { FormerOwners } from "./fencing/former-owners.ts";
import { KnownOwnerships, provisionalEpoch } from "./known-ownerships.ts";
import { type Differences, type OwnedChannel, OwnedEpochs } from "./owned-epochs.ts";
import { type Asked, EarlyQuestions } from "./owner-asker.ts";
import { PlacementListeners } from "./placement-listeners.ts";
import type { Candidate, SharedPlacementDeps } from "./shared-placement-deps.ts";
import { StoredOwners } from "./stored-owners.ts";
import { UnstoredOwnerships, unstoredStep } from "./unstored-ownerships.ts";

/** How often an answer of the database may be out of date before the visitor has to come again. */
const TRIES_MAX = 3;

const MS_PER_SECOND = 1_000;
const OUTCOMES = { here: "claimed", elsewhere: "attached", "try-again": "try-again" } as const;
const ignore = () => undefined;

/**
 * Places channels among the nodes that share a database. The database decides who owns a channel; a visitor's node asks
 * the owner whether it lives, and takes the channel over from one that is gone or silent.
 */
export class SharedPlacement implements ChannelPlacement {
  readonly #deps: SharedPlacementDeps;
  readonly #owned = new OwnedEpochs();
  readonly #listeners: PlacementListeners;
  /** What the nodes tell each other of claims. */
  readonly talk: ClaimTalk;
  readonly #formers: FormerOwners;
  /** The last claim of each channel that is under way. */
  readonly #claims = new Map<ChannelId, Promise<void>>();
  /** What is known without the database, which may be behind it or ahead of it. */
  readonly #known = new KnownOwnerships();
  readonly #stored: StoredOwners;
  readonly #early: EarlyQuestions;
  readonly #unstored: UnstoredOwnerships;
  /** Channels that this node gives away, with the epoch of its ownership. */
  readonly #given = new Map<ChannelId, number>();

  constructor(deps: SharedPlacementDeps) {
    this.#deps = deps;
    const { self, store, clock } = deps;
    this.#listeners = new PlacementListeners(deps.log);
    this.talk = new ClaimTalk({ ...deps, owned: this.#owned });
    this.#formers = new FormerOwners(deps);
    this.#stored = new StoredOwners({ store, clock, known: this.#known });
    this.#early = new EarlyQuestions({ ...deps, known: this.#known });
    this.#unstored = new UnstoredOwnerships(self, store);
  }

  /** A claim of this channel follows: its owner is asked now, if it is known. `silence`: as for `claim`. */
  expect(channelId: ChannelId, silence?: LinkSilence): void {
    if (this.#owned.get(channelId) === undefined) this.#early.begin(channelId, silence);
  }

  /**
   * Finds the owner for a visitor, or makes this node's thread the owner. Where the database cannot be reached, that goes by
   * what this node knows of the channel, and the database is told later. Rejects where it knows nothing.
   */
  async claim(channelId: ChannelId, candidate: PlacementOwner, silence?: LinkSilence): Promise<Placed> {
    const { clock, meter } = this.#deps;
    const startedMs = this.#owned.get(channelId) === undefined ? clock.now() : undefined;
    const placed = (outcome: PlacingOutcome) => {
      if (startedMs !== undefined) meter.placed(outcome, (clock.now() - startedMs) / MS_PER_SECOND);
    };
    try {
      const result = await this.#inTurn(channelId, () => this.#claim(channelId, { ...candidate, silence }));
      placed(OUTCOMES[result.kind]);
      return result;
    } catch (error) {
      placed("failed");
      throw error;
    }
  }

  /**
   * Takes a channel with its broadcast from its living owner. Returns false where that one does not give it, or the channel
   * changed its owner meanwhile. Rejects where the database cannot be asked.
   */
  takeFrom(owner: KnownOwner, candidate: PlacementOwner): Promise<boolean> {
    const { channelId, epoch } = owner;
    return this.#inTurn(channelId, async () => {
      const { isServing, takeBroadcast } = this.#deps;
      if (this.#owned.get(channelId) !== undefined) return true;
      const moved = isServing() ? await takeBroadcast(owner) : undefined;
      if (moved === undefined || moved === "no-reply") return false;
      return await this.#take(channelId, candidate, await this.#claimRow(channelId, candidate, epoch), moved);
    });
  }

  /**
   * Lets another node take this channel, with its encoders: they go on there once it has claimed it. Returns false where
   * this node does not own it with this epoch.
   */
  give(channelId: ChannelId, epoch: number): boolean {
    if (this.#owned.get(channelId)?.epoch !== epoch) return false;
    this.#given.set(channelId, epoch);
    return true;
  }

  /** One at a time for each channel: the claim under way would look like one whose answer was lost. */
  async #inTurn<Result>(channelId: ChannelId, run: () => Promise<Result>): Promise<Result> {
    const before = this.#claims.get(channelId);
    const turn = before === undefined ? run() : before.then(run);
    const settled = turn.then(ignore, ignore);
    this.#claims.set(channelId, settled);
    try {
      return await turn;
    } finally {
      if (this.#claims.get(channelId) === settled) this.#claims.delete(channelId);
    }
  }

  async #claim(channelId: ChannelId, candidate: Candidate): Promise<Placed> {
    for (let count = 0; count < TRIES_MAX; count += 1) {
      this.expect(channelId, candidate.silence);
      const claimed = this.#claimOnce(channelId, candidate, this.#deps.wakes());
      const placed = await claimed.finally(() => this.#early.end(channelId));
      if (placed !== undefined) return placed;
    }
    return { kind: "try-again" };
  }

  async #claimOnce(channelId: ChannelId, candidate: Candidate, wakes: number): Promise<Placed | undefined> {
    try {
      return await this.#claimStored(channelId, candidate, wakes);
    } catch (error) {
      const isKnown = isDatabaseAway(error) && this.#known.get(channelId) !== undefined;
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
    const { self, random, meter, log } = this.#deps;
    const epoch = provisionalEpoch({ epoch: before }, random);
    if (!this.#owned.add({ channelId, epoch, home: thread, revision: 0 })) return { kind: "try-again" };
    const former = owner === undefined || owner.incarnation === self ? undefined : { ...owner, epoch: before };
    this.#unstored.claim(channelId, { epoch, former });
    if (former !== undefined) meter.tookOver();
    log.warn("channel taken without the database", { channelId, epoch, from: owner?.incarnation });
    this.#announce(channelId, thread, epoch, former);
    return { kind: "here", owner: { thread }, epoch };
  }

  /** Tells everybody of an ownership of ours. */
  #announce(channelId: ChannelId, thread: number, epoch: number, former: FormerOwner | undefined): void {
    this.#known.note({ channelId, epoch, owner: { incarnation: this.#deps.self, home: thread } });
    this.talk.tell(channelId, epoch, thread);
    if (former !== undefined) this.#formers.tell(channelId, former);
    const isTakenOver = former !== undefined;
    this.#listeners.publish({ channelId, epoch, owner: { thread }, ...(isTakenOver ? { isTakenOver } : {}) });
  }

  async #claimStored(channelId: ChannelId, candidate: Candidate, wakes: number): Promise<Placed | undefined> {
    const { self, nodes } = this.#deps;
    let askedEpoch: number | undefined;
    let wasSilent = false;
    for (let count = 0; count < TRIES_MAX; count += 1) {
      const mine = this.#here(channelId);
      if (mine !== undefined) return mine;
      const row = await this.#stored.find(channelId);
      // Another node owns it, or did, by an epoch that the database does not know: not yet, or no more.
      if ((this.#known.get(channelId)?.epoch ?? 0) > (row?.epoch ?? 0))
        return this.#deps.isServing() ? await this.#claimKnown(channelId, candidate, wakes) : { kind: "try-again" };
      const step = nextStep(self, row, (incarnation) => nodes.stateOf(incarnation));
      let seenEpoch = step.kind === "claim" ? step.seenEpoch : step.epoch;
      let moved: MovedBroadcast | undefined;
      if (step.kind === "ask") {
        const owner = await this.#locate(channelId, step.owner, step.epoch);
        // It said that it is not the owner, and the database still names it: its release was lost.
        const early = owner === undefined ? undefined : this.#early.take(owner);
        const asked = owner === undefined ? undefined : await (early ?? this.#deps.asker.ask(owner, candidate.silence));
        const verdict = asked?.verdict ?? "claim";
        if (verdict === "try-again") return { kind: "try-again" };
        if (verdict === "attach" && owner !== undefined) return { kind: "elsewhere", ...owner, ...epochOf(asked) };
        if (verdict === "read-again" && askedEpoch !== step.epoch) {
          askedEpoch = step.epoch;
          continue;
        }
        if (verdict === "move" && owner !== undefined) {
          const given = await this.#deps.takeBroadcast(owner);
          // Its answer is seconds old: an encoder may have come back to it meanwhile.
          if (given === "no-reply" && !wasSilent) {
            wasSilent = true;
            continue;
          }
          moved = given === "no-reply" ? undefined : given;
        }
        seenEpoch = step.epoch;
      }
      const result = await this.#claimRow(channelId, candidate, seenEpoch);
      if (await this.#take(channelId, candidate, result, moved)) return this.#here(channelId) ?? { kind: "try-again" };
    }
    this.#deps.onRefused();
    return { kind: "try-again" };
  }

  /** Claims in the database. What it said before this node stood still is checked: others may have claimed since. */
  async #claimRow(channelId: ChannelId, { thread }: PlacementOwner, seenEpoch: number): Promise<ClaimResult> {
    const { self, store } = this.#deps;
    let wakes = this.#deps.wakes();
    const result = await store.claim(channelId, { incarnation: self, home: thread }, seenEpoch);
    while (result.kind === "owned" && wakes !== this.#deps.wakes()) {
      wakes = this.#deps.wakes();
      if ((await this.#stored.find(channelId))?.epoch !== result.epoch) return { kind: "taken" };
    }
    return result;
  }

  /** The node that owns a channel, by the database; undefined where none does, or this one. */
  async findElsewhere(channelId: ChannelId): Promise<KnownOwner | undefined> {
    if (this.#owned.get(channelId) !== undefined) return undefined;
    const row = await this.#stored.findOrKnown(channelId);
    if (row?.owner === undefined || row.owner.incarnation === this.#deps.self) return undefined;
    return await this.#locate(channelId, row.owner, row.epoch);
  }

  async release(channelId: ChannelId, epoch: number): Promise<void> {
    if (!this.#owned.delete(channelId, epoch)) return;
    this.talk.forget(channelId);
    this.#given.delete(channelId);
    this.#known.released(channelId, epoch);
    this.#listeners.publish({ channelId, epoch });
    await this.#unstored.release(channelId, epoch);
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
    else if (incarnation > 0) this.talk.answer([{ channelId, epoch }]);
  }

  /** Another node asks which of these channels are this one's with a higher epoch, and tells which are its own. */
  questioned(channels: readonly AskedClaim[]): void {
    for (const { incarnation, ...asked } of channels) {
      if (incarnation === undefined) this.talk.answer([asked]);
      else this.heard({ ...asked, incarnation }, "bus");
    }
  }

  /** Stops a channel that another node probably owns by now. The database keeps the row: this node's release follows. */
  abandon(channelId: ChannelId): void {
    const owned = this.#owned.get(channelId);
    if (owned === undefined || !this.#owned.delete(channelId, owned.epoch)) return;
    this.#unstored.ended(channelId, owned.epoch);
    this.#fence({ channelId, ...owned }, "isolated");
  }

  /** The settings of a channel were read again. */
  revised(channelId: ChannelId, revision: number): void {
    this.#owned.revised(channelId, revision);
  }

  /**
   * Compares all ownerships with the database: stops what another node owns, writes again what the database lost, and
   * releases what it did not take. Tells again what other nodes may not have heard. Rejects where the database cannot be asked.
   */
  async compare(): Promise<void> {
    const { self, store } = this.#deps;
    this.talk.tellAgain(this.#unstored.claimed);
    this.#formers.tellAgain();
    const asked = this.#owned.all();
    // A node that owns nothing asks too: else it would never notice that the database is away.
    const rows = await store.compare(asked.map(({ channelId }) => channelId));
    // Also of channels that another node has taken meanwhile: an encoder may come for one while the database fails.
    for (const row of rows) this.#known.note(row);
    const { fenced, givenUp, missing, newer, older } = this.#owned.compare(self, asked, rows);
    for (const each of fenced) this.#fence(each, "database");
    for (const { channelId, epoch } of givenUp) this.#deps.onGivenUp(channelId, epoch);
    for (const { channelId, revision } of older) {
      this.#deps.log.warn("the database lost changes of a channel: its settings count again", { channelId, revision });
      await store.raiseRevision(channelId, revision);
      this.#deps.onNewer(channelId);
    }
    for (const channelId of newer) this.#deps.onNewer(channelId);
    await this.#writeAgain(missing);
    await this.#unstored.releaseAll();
  }

  async #writeAgain(missing: Differences["missing"]): Promise<void> {
    for (const each of missing) {
      const { channelId, epoch, home } = each;
      const written = await this.#unstored.write(each);
      if (written !== "other") {
        this.#deps.log.warn("the database did not know an ownership", { channelId, epoch });
        this.talk.tell(channelId, epoch, home);
        if (written.former !== undefined) this.#deps.onTakenOver(channelId, written.former);
      } else if (this.#owned.delete(channelId, epoch)) {
        // The channel was deleted, or another node owns it since.
        this.#fence(each, "database");
      }
    }
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
  async #take(
    channelId: ChannelId,
    { thread }: PlacementOwner,
    result: ClaimResult,
    moved: MovedBroadcast | undefined,
  ): Promise<boolean> {
    if (result.kind === "taken") return false;
    const { meter, onTakenOver, onMoved } = this.#deps;
    const { epoch, revision, former } = result;
    this.#unstored.stored(channelId);
    if (!this.#owned.add({ channelId, epoch, home: thread, revision })) return false;
    // The former owner stops when it is told: its broadcast is this node's by then.
    if (former !== undefined && moved !== undefined) await onMoved(channelId, former, moved);
    if (this.#owned.get(channelId)?.epoch !== epoch) return false;
    this.#announce(channelId, thread, epoch, former);
    if (former === undefined || moved !== undefined) return true;
    meter.tookOver();
    onTakenOver(channelId, former);
    return true;
  }

  #fence({ channelId, epoch }: OwnedChannel, by: string): void {
    const isMoved = this.#given.get(channelId) === epoch;
    this.#given.delete(channelId);
    this.talk.forget(channelId);
    if (isMoved) this.#deps.log.info("channel moved to another node", { channelId, epoch });
    else this.#deps.log.warn("another node owns the channel now: stopped here", { channelId, epoch, by });
    this.#deps.meter.fenced(isMoved ? "move" : by);
    this.#listeners.publish({ channelId, epoch, isFenced: true, ...(isMoved ? { isMoved } : {}) });
  }
}

function epochOf(asked: Asked | undefined): { readonly epoch?: number } {
  return asked === undefined ? {} : { epoch: asked.epoch };
}
