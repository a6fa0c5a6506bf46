import type { Log } from "../../../base/log.ts";
import type { ChannelPlacement, PlacementChange } from "../../../control/ports/channel-placement.ts";
import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";
import type { ToMedia } from "../../../thread-protocol/messages.ts";
import type { MediaWorker } from "./media-worker.ts";

type Route = { readonly worker: MediaWorker; readonly epoch: number; admissions: number };

export type ChannelRoutesDeps = {
  readonly placement: ChannelPlacement;
  readonly workers: readonly MediaWorker[];
  readonly log: Log;
};

/**
 * Finds the media thread for messages about a channel: the thread that owns it. The placement decides that, and this
 * follows its changes. Admitted encoders are counted here and in the thread: a thread that releases a channel while
 * another encoder is on its way keeps the channel.
 */
export class ChannelRoutes {
  readonly #deps: ChannelRoutesDeps;
  readonly #routes = new Map<ChannelId, Route>();

  constructor(deps: ChannelRoutesDeps) {
    this.#deps = deps;
    deps.placement.changes((change) => this.#changed(change));
  }

  /** The thread that owns a channel; undefined where none does. */
  of(channelId: ChannelId): MediaWorker | undefined {
    return this.#routes.get(channelId)?.worker;
  }

  /** Posts a message to the thread that owns the channel; drops it where none does. */
  post(channelId: ChannelId, message: ToMedia): void {
    this.of(channelId)?.post(message);
  }

  /** An encoder came to this thread: it becomes the owner, unless the channel has one. */
  async claim(channelId: ChannelId, candidate: MediaWorker): Promise<void> {
    await this.#deps.placement.claim(channelId, { thread: candidate.index });
  }

  /** Counts an encoder that is admitted to a claimed channel. Returns the owner; throws if the channel lost it since the claim. */
  admit(channelId: ChannelId): MediaWorker {
    const route = this.#routes.get(channelId);
    if (route === undefined) throw new Error("the channel's media thread is gone");
    route.admissions += 1;
    return route.worker;
  }

  /** A claim was not used: its encoder was refused. Releases the channel where no encoder is admitted to it. */
  refused(channelId: ChannelId): void {
    const route = this.#routes.get(channelId);
    if (route?.admissions === 0) this.#release(channelId, route);
  }

  /**
   * A thread has forgotten a channel, and knew of this many encoders. Returns false where more were admitted: the
   * thread keeps the channel.
   */
  released(channelId: ChannelId, worker: MediaWorker, admissions: number): boolean {
    const route = this.#routes.get(channelId);
    if (route?.worker !== worker) return false;
    route.admissions -= admissions;
    if (route.admissions > 0) return false;
    this.#release(channelId, route);
    return true;
  }

  /** The channel was deleted. */
  removed(channelId: ChannelId): void {
    const route = this.#routes.get(channelId);
    if (route !== undefined) this.#release(channelId, route);
  }

  /** The thread died. Returns the channels that it owned. */
  died(worker: MediaWorker): readonly ChannelId[] {
    const lost = [...this.#routes].filter(([, route]) => route.worker === worker);
    for (const [channelId, route] of lost) this.#release(channelId, route);
    return lost.map(([channelId]) => channelId);
  }

  #changed({ channelId, epoch, owner }: PlacementChange): void {
    const present = this.#routes.get(channelId);
    if (present !== undefined && present.epoch > epoch) return;
    const worker = owner === undefined ? undefined : this.#deps.workers[owner.thread];
    if (worker === undefined) {
      this.#routes.delete(channelId);
      return;
    }
    this.#routes.set(channelId, { worker, epoch, admissions: 0 });
    if (this.#deps.workers.length > 1)
      this.#deps.log.debug("channel placed", { channelId, thread: worker.name, epoch });
  }

  /** From here on no message goes to the thread, even if the placement takes a while to note it. */
  #release(channelId: ChannelId, { epoch }: Route): void {
    this.#routes.delete(channelId);
    this.#deps.placement.release(channelId, epoch).catch((error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error);
      this.#deps.log.error("a channel's placement could not be released", { channelId, epoch, detail });
    });
  }
}
