import type { ChannelId } from "../thread-protocol/channel-spec.ts";

type Home<Thread> = { readonly thread: Thread; grants: number };

/**
 * Where each channel lives: in the thread that its first encoder came to, until that thread has let go of it. Encoders that are
 * admitted are counted on both sides, so that a thread that lets go of a channel just as another encoder is sent to it keeps it.
 */
export class ChannelPlacement<Thread> {
  readonly #homes = new Map<ChannelId, Home<Thread>>();

  of(channelId: ChannelId): Thread | undefined {
    return this.#homes.get(channelId)?.thread;
  }

  /** An encoder that came to this thread is admitted now; answers where to. */
  grant(channelId: ChannelId, asking: Thread): Thread {
    const home = this.#homes.get(channelId) ?? { thread: asking, grants: 0 };
    this.#homes.set(channelId, home);
    home.grants += 1;
    return home.thread;
  }

  /** A thread let go of a channel, having heard of so many encoders that were admitted. */
  left(channelId: ChannelId, thread: Thread, grants: number): void {
    const home = this.#homes.get(channelId);
    if (home?.thread !== thread) return;
    home.grants -= grants;
    if (home.grants <= 0) this.#homes.delete(channelId);
  }

  /** The channel is no more. */
  removed(channelId: ChannelId): void {
    this.#homes.delete(channelId);
  }

  /** The thread is no more; answers what was at home there. */
  died(thread: Thread): readonly ChannelId[] {
    const lost = [...this.#homes].filter(([, home]) => home.thread === thread).map(([channelId]) => channelId);
    for (const channelId of lost) this.#homes.delete(channelId);
    return lost;
  }
}
