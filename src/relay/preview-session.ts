import type { Clock } from "../base/clock.ts";
import { encodePlayed } from "../protocol/rtmp/server/play.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { Engine } from "./engine.ts";
import { type PreviewSink, PreviewSubscriber } from "./subscriber/preview/preview-subscriber.ts";

/** A preview as whoever watches it holds it, wherever its channel is. */
export interface PreviewSession {
  /** So many more of the bytes have left. */
  taken(bytes: number): void;
  /** While paused nothing but headers comes; afterwards it goes on at the next keyframe. */
  pause(isPaused: boolean): void;
  /** Nobody watches any more. Idempotent. */
  end(): void;
}

/** Shows a channel of this engine to a player, as messages of this message stream; undefined where it is not on air. */
export function openPreviewSession(
  engine: Pick<Engine, "watch">,
  clock: Clock,
  { channelId, streamId }: { readonly channelId: ChannelId; readonly streamId: number },
  sink: PreviewSink,
): PreviewSession | undefined {
  const form = {
    start: Buffer.alloc(0),
    encode: (tag: Parameters<typeof encodePlayed>[1]) => encodePlayed(streamId, tag),
  };
  const preview = new PreviewSubscriber(sink, clock.awakeNow(), form);
  if (!engine.watch(channelId, preview)) return undefined;
  return {
    taken: (bytes) => preview.taken(bytes, clock.awakeNow()),
    pause: (isPaused) => preview.pause(isPaused),
    end: () => preview.end(),
  };
}
