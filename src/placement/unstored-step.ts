import type { Clock } from "../base/clock.ts";
import type { Placed } from "../control/ports/channel-placement.ts";
import type { ClaimBoard } from "../control/ports/owner-question.ts";
import type { Incarnation, OwnershipRow } from "../control/ports/ownership-store.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { KnownOwnerships } from "./known-ownerships.ts";
import type { NodeDirectory } from "./node-directory.ts";
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
