import type { Clock } from "../base/clock.ts";
import { encodePlayed } from "../protocol/rtmp/server/play.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { PreviewFormat } from "../thread-protocol/preview.ts";
import type { Engine } from "./engine.ts";
import {
  FLV_FORM,
  type PreviewForm,
  type PreviewSink,
  PreviewSubscriber,
} from "./subscriber/preview/preview-subscriber.ts";

/** A running preview as its viewer's side holds it, whichever thread has the channel. */
export interface PreviewSession {
  /** This many more bytes have left for the viewer. */
  taken(bytes: number): void;
  /** While paused only headers are sent; after the pause the preview goes on at the next keyframe. */
  pause(isPaused: boolean): void;
  /** The viewer is gone. Idempotent. */
  end(): void;
}

/** Starts a preview of a channel of this engine; undefined where the channel is not on air. */
export function openPreviewSession(
  engine: Pick<Engine, "watch">,
  clock: Clock,
  { channelId, format }: { readonly channelId: ChannelId; readonly format: PreviewFormat },
  sink: PreviewSink,
): PreviewSession | undefined {
  const preview = new PreviewSubscriber(sink, clock.awakeNow(), formOf(format));
  if (!engine.watch(channelId, preview)) return undefined;
  return {
    taken: (bytes) => preview.taken(bytes, clock.awakeNow()),
    pause: (isPaused) => preview.pause(isPaused),
    end: () => preview.end(),
  };
}

function formOf(format: PreviewFormat): PreviewForm {
  if (format.kind === "flv") return FLV_FORM;
  return { start: Buffer.alloc(0), encode: (tag) => encodePlayed(format.streamId, tag) };
}
