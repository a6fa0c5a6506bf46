import type { Clock } from "../base/clock.ts";
import type { Placed } from "../control/ports/channel-placement.ts";
import type { ClaimBoard } from "../control/ports/owner-question.ts";
import type { Incarnation, OwnershipRow, OwnershipStore } from "../control/ports/ownership-store.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { FormerOwner } from "./claim-talk.ts";
import type { KnownOwnerships } from "./known-ownerships.ts";
import type { NodeDirectory } from "./node-directory.ts";
import type { OwnedChannel } from "./owned-epochs.ts";
import type { OwnerAsker } from "./owner-asker.ts";

/** Nodes that own a channel by a newer epoch have this long to say so, where the database cannot. In milliseconds. */
const QUESTION_MS = 150;

export type UnstoredStepDeps = {
  readonly self: Incarnation;
  readonly known: Pick<KnownOwnerships, "get">;
  readonly nodes: Pick<NodeDirectory, "stateOf" | "knownAddressOf">;
  readonly asker: Pick<OwnerAsker, "ask">;
  readonly board: Pick<ClaimBoard, "question">;
  readonly clock: Pick<Clock, "startTimer">;
};

/** `own`: no other node owns the channel, as far as this one can find out. `row`: what it knows of the channel. */
export type UnstoredStep =
  | { readonly kind: "own"; readonly row: OwnershipRow }
  | Exclude<Placed, { readonly kind: "here" }>;

/**
 * What a visitor's node does where the database cannot say who owns the channel: it asks the other nodes for newer
 * claims, and then the last owner that it knows. Never rejects.
 */
export async function unstoredStep(channelId: ChannelId, deps: UnstoredStepDeps): Promise<UnstoredStep> {
  const { self, known, nodes, asker, board, clock } = deps;
  board.question([{ channelId, epoch: known.get(channelId)?.epoch ?? 0 }]);
  await new Promise<void>((resolve) => clock.startTimer(QUESTION_MS, resolve));
  const { epoch, owner } = known.get(channelId) ?? { epoch: 0 };
  if (owner === undefined || owner.incarnation === self || nodes.stateOf(owner.incarnation) === "left")
    return { kind: "own", row: { channelId, epoch } };
  const { incarnation, home } = owner;
  const address = nodes.knownAddressOf(incarnation, home);
  if (address !== undefined) {
    const place = { channelId, epoch, incarnation, home, address };
    const asked = await asker.ask(place);
    if (asked.verdict === "attach") return { kind: "elsewhere", ...place, epoch: asked.epoch };
    if (asked.verdict === "try-again") return { kind: "try-again" };
  }
  return { kind: "own", row: { channelId, epoch, owner } };
}

/** A claim that the database does not know yet: its epoch, and the ownership that it replaced. */
type UnstoredClaim = { readonly epoch: number; readonly former: FormerOwner | undefined };

/** What the database does not know yet of this node's ownerships: claims made without it, and releases that it did not take. */
export class UnstoredOwnerships {
  readonly #self: Incarnation;
  readonly #store: Pick<OwnershipStore, "assertOwner" | "release">;
  readonly #claims = new Map<ChannelId, UnstoredClaim>();
  readonly #releases = new Map<ChannelId, number>();

  constructor(self: Incarnation, store: Pick<OwnershipStore, "assertOwner" | "release">) {
    this.#self = self;
    this.#store = store;
  }

  /** A channel was claimed without the database. */
  claim(channelId: ChannelId, claim: UnstoredClaim): void {
    this.#claims.set(channelId, claim);
    this.#releases.delete(channelId);
  }

  /** The channels whose claims the database does not know. */
  get claimed(): Iterable<ChannelId> {
    return this.#claims.keys();
  }

  /** A channel was claimed in the database: what was to be written before is out of date. */
  stored(channelId: ChannelId): void {
    this.#claims.delete(channelId);
    this.#releases.delete(channelId);
  }

  /** An ownership has ended, and is released with the others. */
  ended(channelId: ChannelId, epoch: number): void {
    this.#releases.set(channelId, epoch);
  }

  /**
   * Writes an ownership again that the database does not know. Returns `other` where it knows a newer one, or no such
   * channel. `former`: what a claim that was made without the database replaced. Rejects where it cannot be asked.
   */
  async write({ channelId, epoch, home }: OwnedChannel): Promise<"other" | { readonly former?: FormerOwner }> {
    const claim = this.#claims.get(channelId);
    if (!(await this.#store.assertOwner(channelId, { incarnation: this.#self, home }, epoch))) return "other";
    if (claim?.epoch !== epoch) return {};
    this.#claims.delete(channelId);
    return claim.former === undefined ? {} : { former: claim.former };
  }

  /** Releases an ownership. Where the database cannot be asked it rejects, and `releaseAll` does it later. */
  async release(channelId: ChannelId, epoch: number): Promise<void> {
    this.#releases.set(channelId, epoch);
    // The epochs behind it must be higher, also where the database never knew this one.
    if (this.#claims.get(channelId)?.epoch === epoch)
      await this.#store.assertOwner(channelId, { incarnation: this.#self, home: 0 }, epoch);
    await this.#store.release(channelId, this.#self, epoch);
    if (this.#claims.get(channelId)?.epoch === epoch) this.#claims.delete(channelId);
    if (this.#releases.get(channelId) === epoch) this.#releases.delete(channelId);
  }

  /** Releases what the database did not take before. Rejects where it cannot be asked. */
  async releaseAll(): Promise<void> {
    for (const [channelId, epoch] of [...this.#releases]) await this.release(channelId, epoch);
  }
}
