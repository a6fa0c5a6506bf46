import type { Clock, Timer } from "../base/clock.ts";
import type { KnownOwner } from "../control/ports/owner-question.ts";
import type { Incarnation } from "../control/ports/ownership-store.ts";
import type { LinkSilence } from "../thread-protocol/admission.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { KnownOwnerships } from "./known-ownerships.ts";
import type { NodeDirectory } from "./node-directory.ts";
import type { Asked, OwnerAsker } from "./owner-asker.ts";

/** What an owner said, or that it said nothing, counts for this long, in milliseconds: then it is asked anew. */
const COUNTS_MS = 100;

export type EarlyQuestionsDeps = {
  readonly self: Incarnation;
  readonly known: Pick<KnownOwnerships, "get">;
  readonly nodes: Pick<NodeDirectory, "stateOf" | "knownAddressOf">;
  readonly asker: Pick<OwnerAsker, "ask">;
  readonly clock: Pick<Clock, "now" | "startTimer">;
  /** How often this node has stood still so far. */
  readonly wakes: () => number;
};

type Early = {
  readonly owner: KnownOwner;
  readonly wakes: number;
  readonly answer: Promise<Asked>;
  readonly ending: AbortController;
  answeredMs: number | undefined;
  /** Forgets an answer that nobody took. */
  timer: Timer | undefined;
};

/**
 * Questions to the owners that this node knows of, asked while the database is still being asked who owns the channel. What
 * is known is nearly always right; an answer counts only where the database then names that same ownership.
 */
export class EarlyQuestions {
  readonly #deps: EarlyQuestionsDeps;
  readonly #asked = new Map<ChannelId, Early>();

  constructor(deps: EarlyQuestionsDeps) {
    this.#deps = deps;
  }

  /**
   * Asks the owner that is known of a channel. Does nothing where none is known, or that owner is being asked. `silence`: as for
   * `OwnerAsker.ask`.
   */
  begin(channelId: ChannelId, silence?: LinkSilence): void {
    const owner = this.#ownerOf(channelId);
    const present = this.#asked.get(channelId);
    if (present !== undefined) {
      if (owner !== undefined && isSame(present.owner, owner)) return;
      this.end(channelId);
    }
    if (owner === undefined) return;
    const { clock, asker, wakes } = this.#deps;
    const ending = new AbortController();
    const answer = asker.ask(owner, silence, ending.signal);
    const early: Early = { owner, wakes: wakes(), answer, ending, answeredMs: undefined, timer: undefined };
    this.#asked.set(channelId, early);
    void answer.then(() => {
      early.answeredMs = clock.now();
      if (this.#asked.get(channelId) !== early) return;
      early.timer = clock.startTimer(COUNTS_MS, () => this.#asked.delete(channelId));
    });
  }

  /**
   * The answer to a question that was asked of this owner, for one caller. Undefined where none was asked, the answer is too
   * old, or this node stood still meanwhile.
   */
  take(owner: KnownOwner): Promise<Asked> | undefined {
    const early = this.#asked.get(owner.channelId);
    if (early === undefined) return undefined;
    const { clock, wakes } = this.#deps;
    const isOld = early.answeredMs !== undefined && clock.now() - early.answeredMs > COUNTS_MS;
    if (isOld || !isSame(early.owner, owner) || early.wakes !== wakes()) {
      this.end(owner.channelId);
      return undefined;
    }
    this.#forget(owner.channelId, early);
    return early.answer;
  }

  /** The answer about this channel is not wanted. */
  end(channelId: ChannelId): void {
    const early = this.#asked.get(channelId);
    if (early === undefined) return;
    this.#forget(channelId, early);
    early.ending.abort();
  }

  #forget(channelId: ChannelId, { timer }: Early): void {
    this.#asked.delete(channelId);
    timer?.cancel();
  }

  #ownerOf(channelId: ChannelId): KnownOwner | undefined {
    const { self, known, nodes } = this.#deps;
    const { epoch, owner } = known.get(channelId) ?? { epoch: 0 };
    if (owner === undefined || owner.incarnation === self || nodes.stateOf(owner.incarnation) === "left")
      return undefined;
    const address = nodes.knownAddressOf(owner.incarnation, owner.home);
    return address === undefined ? undefined : { channelId, epoch, ...owner, address };
  }
}

function isSame(one: KnownOwner, other: KnownOwner): boolean {
  return one.epoch === other.epoch && one.incarnation === other.incarnation && one.address === other.address;
}
