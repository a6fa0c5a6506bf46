import type { Clock } from "../../base/clock.ts";
import type { ClaimBoard } from "../../control/ports/owner-question.ts";
import type { Incarnation } from "../../control/ports/ownership-store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { FormerOwner } from "../claim-talk.ts";
import type { NodeDirectory } from "../node-directory.ts";

/** Former ownerships that are remembered until their owners know that they are over. */
const FORMERS_MAX = 10_000;
/** A former owner is told for this long, in milliseconds. */
const TOLD_FOR_MS = 10 * 60 * 1_000;

export type FormerOwnersDeps = {
  readonly self: Incarnation;
  readonly clock: Pick<Clock, "now">;
  readonly board: Pick<ClaimBoard, "release">;
  readonly nodes: Pick<NodeDirectory, "knownAddressOf" | "stateOf">;
};

/** An ownership that this node ended. */
type Former = { readonly channelId: ChannelId; readonly epoch: number; readonly sinceMs: number };

/**
 * Tells the processes from which this node took channels, on their links, that they own them no more. One that hears neither
 * the database nor the bus may still be reached so, then or later: it is told until it knows, also once this node lost the channel.
 */
export class FormerOwners {
  readonly #deps: FormerOwnersDeps;
  readonly #untold = new Map<Incarnation, Set<Former>>();
  #count = 0;
  /** Processes that are being told again. */
  readonly #telling = new Set<Incarnation>();

  constructor(deps: FormerOwnersDeps) {
    this.#deps = deps;
  }

  /** Tells a former owner at once. */
  tell(channelId: ChannelId, { incarnation, epoch }: FormerOwner): void {
    if (incarnation === this.#deps.self) return;
    const former = { channelId, epoch, sinceMs: this.#deps.clock.now() };
    if (this.#count < FORMERS_MAX) {
      const untold = this.#untold.get(incarnation) ?? new Set();
      this.#untold.set(incarnation, untold.add(former));
      this.#count += 1;
    }
    void this.#tell(incarnation, former);
  }

  /** Tells those again that may not know it yet: each process one channel after another, as long as it answers. */
  tellAgain(): void {
    for (const [incarnation, untold] of this.#untold) {
      if (this.#telling.has(incarnation)) continue;
      this.#telling.add(incarnation);
      void this.#tellAll(incarnation, untold).finally(() => this.#telling.delete(incarnation));
    }
  }

  async #tellAll(incarnation: Incarnation, untold: ReadonlySet<Former>): Promise<void> {
    const { clock, nodes } = this.#deps;
    for (const former of [...untold]) {
      const isEnded = nodes.stateOf(incarnation) === "left" || nodes.knownAddressOf(incarnation, 0) === undefined;
      if (isEnded || clock.now() - former.sinceMs > TOLD_FOR_MS) this.#forget(incarnation, former);
      else if (!(await this.#tell(incarnation, former))) return;
    }
  }

  /** Returns whether it is certain now that the process does not go on with the channel. */
  async #tell(incarnation: Incarnation, former: Former): Promise<boolean> {
    const { nodes, board } = this.#deps;
    const address = nodes.knownAddressOf(incarnation, 0);
    if (address === undefined) return false;
    const { channelId, epoch } = former;
    const isOver = await board.release({ channelId, epoch, incarnation, home: 0, address });
    if (isOver) this.#forget(incarnation, former);
    return isOver;
  }

  #forget(incarnation: Incarnation, former: Former): void {
    const untold = this.#untold.get(incarnation);
    if (untold?.delete(former) !== true) return;
    this.#count -= 1;
    if (untold.size === 0) this.#untold.delete(incarnation);
  }
}
