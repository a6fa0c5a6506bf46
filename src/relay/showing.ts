import type { Clock } from "../base/clock.ts";
import type { ChannelId } from "../exchange/channel-spec.ts";
import { encodePlayed } from "../protocol/rtmp/play.ts";
import type { Engine } from "./engine.ts";
import { Watcher, type WatcherSink } from "./watcher.ts";

/** A preview as whoever watches it holds it, wherever its channel is. */
export interface Showing {
  /** So many more of the bytes have left. */
  taken(bytes: number): void;
  /** While paused nothing but headers comes; afterwards it goes on at the next keyframe. */
  pause(isPaused: boolean): void;
  /** Nobody watches any more. Idempotent. */
  end(): void;
}

/** Shows a channel of this engine to a player, as messages of this message stream; undefined where it is not on air. */
export function showToPlayer(
  engine: Pick<Engine, "watch">,
  clock: Clock,
  { channelId, streamId }: { readonly channelId: ChannelId; readonly streamId: number },
  sink: WatcherSink,
): Showing | undefined {
  const form = {
    start: Buffer.alloc(0),
    encode: (tag: Parameters<typeof encodePlayed>[1]) => encodePlayed(streamId, tag),
  };
  const watcher = new Watcher(sink, clock.awakeNow(), form);
  if (!engine.watch(channelId, watcher)) return undefined;
  return {
    taken: (bytes) => watcher.taken(bytes, clock.awakeNow()),
    pause: (isPaused) => watcher.pause(isPaused),
    end: () => watcher.end(),
  };
}
