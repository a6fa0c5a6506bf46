import type { KnownOwner, OwnerAnswer } from "../control/ports/owner-question.ts";
import type { ChannelOwner, Incarnation, NodeState, OwnershipRow } from "../control/ports/ownership-store.ts";

/** A visitor's node is this one. What it does next, from what the database says about the channel. */
export type Step =
  /** Become the owner, if the epoch is still this one. */
  | { readonly kind: "claim"; readonly seenEpoch: number }
  /** Ask the owner whether it lives. */
  | { readonly kind: "ask"; readonly owner: ChannelOwner; readonly epoch: number };

/**
 * `self` is this process, and does not hold the channel: where the database says that it does, the answer to its claim
 * was lost. `stateOf`: undefined for a node that nothing is known of.
 */
export function nextStep(
  self: Incarnation,
  row: OwnershipRow | undefined,
  stateOf: (incarnation: Incarnation) => NodeState | undefined,
): Step {
  if (row?.owner === undefined) return { kind: "claim", seenEpoch: row?.epoch ?? 0 };
  const { owner, epoch } = row;
  const state = owner.incarnation === self ? "left" : stateOf(owner.incarnation);
  // One that counts as lost may serve again since: it is asked too. One that left never comes back.
  if (state === undefined || state === "left") return { kind: "claim", seenEpoch: epoch };
  return { kind: "ask", owner, epoch };
}

/** The answers that came so far, by way. */
export type Answers = { readonly link?: OwnerAnswer; readonly bus?: OwnerAnswer };

/**
 * `attach`: the owner takes the visitor over the node link. `read-again`: the database has changed, or will. `claim`: the
 * owner is gone or silent. `move`: the owner is alive and gives the channel away, with its broadcast. `try-again`: the owner
 * is on air and cannot be reached by a link; a broken link must not end a healthy broadcast.
 */
export type Verdict = "wait" | "attach" | "read-again" | "claim" | "move" | "try-again";

/** Judges what came back. `isTimeUp`: the owner had as long to answer as an owner gets. */
export function verdictOf({ link, bus }: Answers, { epoch }: Pick<KnownOwner, "epoch">, isTimeUp: boolean): Verdict {
  for (const answer of [link, bus]) {
    if (answer?.kind === "not-owner") return "read-again";
    // A higher epoch than the database's: a failover of it lost the claim, which its owner will write again.
    if (answer?.kind === "owner" && answer.epoch < epoch) return "read-again";
  }
  if (link?.kind === "owner") return givesAway(link) ? "move" : "attach";
  const isLinkOver = link?.kind === "gone" || isTimeUp;
  if (bus?.kind === "owner") return !isLinkOver ? "wait" : bus.isOnAir ? "try-again" : "move";
  if (isTimeUp) return "claim";
  // A refused connection proves it, unless the bus may still say otherwise.
  return link?.kind === "gone" && bus !== undefined ? "claim" : "wait";
}

/** A draining node keeps what is on air and gives away the rest: channels that are off, or whose encoder is lost. */
function givesAway({ isDraining, isOnAir }: Extract<OwnerAnswer, { kind: "owner" }>): boolean {
  return isDraining && !isOnAir;
}
