import type { Log } from "../../../base/log.ts";
import type { ChannelPlacement, Placed, PlacementChange } from "../../../control/ports/channel-placement.ts";
import type { LinkSilence } from "../../../thread-protocol/admission.ts";
import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";
import type { ToMedia } from "../../../thread-protocol/messages.ts";
import type { PoolWorker } from "../../threads/pool-worker.ts";

type Route = {
  readonly worker: PoolWorker;
  readonly epoch: number;
  /** Encoders that were admitted, as far as this thread knows. */
  admissions: number;
  /** Claims that have not ended. */
  claims: number;
  /** The encoder that was admitted last is connected to another process. */
  isFedElsewhere: boolean;
  /** Another process had the channel before this ownership, and its broadcast may come here. */
  readonly isTakenOver: boolean;
};

/** A channel that a thread owns, and how many encoders were admitted to it. */
export type OwnedChannel = { readonly channelId: ChannelId; readonly admissions: number };

/** How often a channel may lose its owner just as it is claimed. */
const CLAIMS_MAX = 3;

/** The node that owns a channel; or the encoder has to come again. */
export type ClaimElsewhere = Exclude<Placed, { kind: "here" }>;

/** Keeps a channel's owner for an encoder that is on its way to the channel. End every claim. */
export interface Claim {
  readonly kind: "here";
  /** Counts an encoder that is admitted. Returns the owner; throws if the channel lost it since the claim. */
  admit(): PoolWorker;
  /** The owner and the number of its ownership, without counting an encoder. */
  readonly owner: Pick<Route, "worker" | "epoch" | "isTakenOver">;
  /** Releases the channel where no encoder was admitted to it and none is on its way. Idempotent. */
  end(): void;
}

export type ChannelRoutesDeps = {
  readonly placement: ChannelPlacement;
  /** By their index. Threads of earlier processes may be added. */
  readonly workers: readonly PoolWorker[];
  readonly log: Log;
};

/**
 * Finds the media thread for messages about a channel: the thread that owns it. The placement decides that, maybe
 * slowly, and this follows its changes. Admitted encoders are counted here and in the thread: a thread that releases a
 * channel while another encoder is on its way keeps the channel.
 */
export class ChannelRoutes {
  readonly #deps: ChannelRoutesDeps;
  readonly #routes = new Map<ChannelId, Route>();
  /** The last call of the placement about each channel: the next one waits for it, so that no answer is out of date. */
  readonly #turns = new Map<ChannelId, Promise<unknown>>();
  /** Ownerships that ended here and that the placement has not released yet. */
  readonly #ended = new Map<ChannelId, number>();

  constructor(deps: ChannelRoutesDeps) {
    this.#deps = deps;
    deps.placement.changes((change) => this.#changed(change));
  }

  /** The thread that owns a channel; undefined where none does. */
  of(channelId: ChannelId): PoolWorker | undefined {
    return this.#routes.get(channelId)?.worker;
  }

  /** Posts a message to the thread that owns the channel; drops it where none does. */
  post(channelId: ChannelId, message: ToMedia): void {
    this.of(channelId)?.post(message);
  }

  /**
   * An encoder came to this thread: it becomes the owner, unless the channel has one. `silence`: the encoder has a link to the
   * owner, which takes nothing.
   */
  async claim(channelId: ChannelId, candidate: PoolWorker, silence?: LinkSilence): Promise<Claim | ClaimElsewhere> {
    const { placement } = this.#deps;
    const thread = candidate.index;
    for (let count = 0; count < CLAIMS_MAX; count += 1) {
      const placed = await this.#inTurn(channelId, () => placement.claim(channelId, { thread }, silence));
      if (placed.kind !== "here") return placed;
      const { kind: _, ...ownership } = placed;
      // The release of this owner waits for its turn: claim again behind it.
      if (this.#ended.get(channelId) === ownership.epoch) continue;
      this.#changed({ channelId, ...ownership });
      const route = this.#routes.get(channelId);
      if (route !== undefined) return this.#claimOf(channelId, route);
    }
    throw new Error("the channel loses its media thread again and again");
  }

  #claimOf(channelId: ChannelId, route: Route): Claim {
    let hasEnded = false;
    route.claims += 1;
    return {
      kind: "here",
      owner: route,
      admit: () => {
        if (this.#routes.get(channelId) !== route) throw new Error("the channel's media thread is gone");
        route.admissions += 1;
        route.isFedElsewhere = false;
        return route.worker;
      },
      end: () => {
        if (hasEnded) return;
        hasEnded = true;
        route.claims -= 1;
        this.#releaseIdle(channelId, route);
      },
    };
  }

  /** Counts an encoder that came to this thread from another process. Returns false where the thread is not the owner. */
  admitTo(channelId: ChannelId, worker: PoolWorker): boolean {
    const route = this.#routes.get(channelId);
    if (route?.worker !== worker) return false;
    route.admissions += 1;
    route.isFedElsewhere = true;
    return true;
  }

  /** Whether the encoder that was admitted last to a channel of this process is connected to another process. */
  isFedElsewhere(channelId: ChannelId): boolean {
    return this.#routes.get(channelId)?.isFedElsewhere === true;
  }

  /** The channels that a thread owns. */
  ownedBy(worker: PoolWorker): readonly OwnedChannel[] {
    return [...this.#routes]
      .filter(([, route]) => route.worker === worker)
      .map(([channelId, { admissions }]) => ({ channelId, admissions }));
  }

  /** A thread of an earlier process owns these channels. */
  async adopt(worker: PoolWorker, channels: readonly OwnedChannel[]): Promise<void> {
    for (const { channelId, admissions } of channels) {
      const claim = await this.claim(channelId, worker);
      if (claim.kind !== "here") continue;
      const route = this.#routes.get(channelId);
      if (route?.worker === worker) route.admissions += admissions;
      claim.end();
    }
  }

  /**
   * A thread has forgotten a channel, and knew of this many encoders. Returns false where more were admitted: the
   * thread keeps the channel.
   */
  released(channelId: ChannelId, worker: PoolWorker, admissions: number): boolean {
    const route = this.#routes.get(channelId);
    if (route?.worker !== worker) return false;
    route.admissions -= admissions;
    return this.#releaseIdle(channelId, route);
  }

  /** Releases the channel if this is its route, and no encoder is admitted or on its way. Returns whether it did. */
  #releaseIdle(channelId: ChannelId, route: Route): boolean {
    if (this.#routes.get(channelId) !== route || route.admissions > 0 || route.claims > 0) return false;
    this.#release(channelId, route);
    return true;
  }

  /** The channel was deleted. */
  removed(channelId: ChannelId): void {
    const route = this.#routes.get(channelId);
    if (route !== undefined) this.#release(channelId, route);
  }

  /** The thread died. Returns the channels that it owned. */
  died(worker: PoolWorker): readonly ChannelId[] {
    const lost = [...this.#routes].filter(([, route]) => route.worker === worker);
    for (const [channelId, route] of lost) this.#release(channelId, route);
    return lost.map(([channelId]) => channelId);
  }

  #changed({ channelId, epoch, owner, isFenced, isMoved, isTakenOver = false }: PlacementChange): void {
    const present = this.#routes.get(channelId);
    if (present !== undefined && (present.epoch > epoch || (present.epoch === epoch && owner !== undefined))) return;
    const worker = owner === undefined ? undefined : this.#deps.workers[owner.thread];
    if (worker === undefined) {
      this.#routes.delete(channelId);
      if (isFenced === true) present?.worker.post({ kind: "fenced", channelId, isMoved: isMoved === true });
      return;
    }
    this.#routes.set(channelId, { worker, epoch, admissions: 0, claims: 0, isFedElsewhere: false, isTakenOver });
    if (this.#deps.workers.length > 1)
      this.#deps.log.debug("channel placed", { channelId, thread: worker.name, epoch });
  }

  /** From here on no message goes to the thread, even if the placement takes a while to note it. */
  #release(channelId: ChannelId, { epoch }: Route): void {
    this.#routes.delete(channelId);
    this.#ended.set(channelId, epoch);
    this.#inTurn(channelId, () => this.#deps.placement.release(channelId, epoch))
      .catch((error: unknown) => {
        const detail = error instanceof Error ? error.message : String(error);
        this.#deps.log.error("a channel's placement could not be released", { channelId, epoch, detail });
      })
      .finally(() => {
        if (this.#ended.get(channelId) === epoch) this.#ended.delete(channelId);
      });
  }

  /** Calls the placement when its calls about this channel before are over. */
  async #inTurn<Result>(channelId: ChannelId, call: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(channelId);
    const turn = before === undefined ? call() : before.then(call, call);
    this.#turns.set(channelId, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(channelId) === turn) this.#turns.delete(channelId);
    }
  }
}
