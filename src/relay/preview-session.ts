import type { Clock } from "../base/clock.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { PreviewFormat } from "../thread-protocol/preview.ts";
import type { Engine } from "./engine.ts";
import { FLV_FILE, playedMessages } from "./subscriber/preview/preview-encoding.ts";
import { type PreviewSink, PreviewSubscriber } from "./subscriber/preview/preview-subscriber.ts";

/** A running preview as its viewer's side uses it, in whatever thread the channel is. */
export interface PreviewSession {
  /** This many more bytes have been sent to the viewer. */
  taken(bytes: number): void;
  /** While paused only headers are sent; after the pause the preview continues at the next keyframe. */
  pause(isPaused: boolean): void;
  /** The viewer has left. Idempotent. */
  end(): void;
}

/** Starts a preview of a channel of this engine; undefined where the channel is not on air. */
export function openPreviewSession(
  engine: Pick<Engine, "subscribe">,
  clock: Clock,
  { channelId, format }: { readonly channelId: ChannelId; readonly format: PreviewFormat },
  sink: PreviewSink,
): PreviewSession | undefined {
  const encoding = format.kind === "flv" ? FLV_FILE : playedMessages(format.streamId);
  const preview = new PreviewSubscriber(sink, clock, encoding);
  return engine.subscribe(channelId, preview) ? preview : undefined;
}
