import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import type { Engine } from "../relay/engine.ts";
import { openPreviewSession, type PreviewSession } from "../relay/preview-session.ts";
import type { PreviewSink } from "../relay/subscriber/preview/preview-subscriber.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { FromViewer, PreviewFormat, ToViewer } from "../thread-protocol/preview.ts";
import type { MessageTransport } from "./message-transport.ts";

/** A thread that does not reply within this time counts as dead, in milliseconds. */
const START_DEADLINE_MS = 5_000;

/** A preview of a channel in another thread, from the request for it on. */
export type RemotePreview = PreviewSession & {
  /** False where the channel is not on air, or its thread does not reply in time. Never rejects. */
  readonly started: Promise<boolean>;
};

/** Opens a preview of the channel behind this transport. Calls `sink.end` unless this side ends it first. */
export function openRemotePreview(
  transport: MessageTransport<FromViewer, ToViewer>,
  clock: Clock,
  format: PreviewFormat,
  sink: PreviewSink,
): RemotePreview {
  const started = Promise.withResolvers<boolean>();
  const end = () => {
    timer.cancel();
    transport.close();
    started.resolve(false);
    sink.end();
  };
  const timer = startDeadline(clock, START_DEADLINE_MS, end);
  transport.listen((message) => {
    if (message.kind === "bytes") return sink.take(message.bytes);
    timer.cancel();
    started.resolve(true);
  }, end);
  transport.post({ kind: "start", format });
  return {
    started: started.promise,
    taken: (bytes) => transport.post({ kind: "taken", bytes }),
    pause: (isPaused) => transport.post({ kind: "pause", isPaused }),
    end: () => {
      timer.cancel();
      started.resolve(false);
      transport.close();
    },
  };
}

/**
 * Shows a channel of this engine to a viewer of another thread. The preview's limits hold: bytes that the viewer has
 * not taken count, wherever they wait.
 */
export function hostPreview(
  engine: Pick<Engine, "subscribe">,
  clock: Clock,
  channelId: ChannelId,
  transport: MessageTransport<ToViewer, FromViewer>,
): void {
  let session: PreviewSession | undefined;
  const sink: PreviewSink = {
    take: (bytes) => transport.post({ kind: "bytes", bytes }, [bytes.buffer]),
    end: () => transport.close(),
  };
  transport.listen(
    (message) => {
      switch (message.kind) {
        case "start":
          session = openPreviewSession(engine, clock, { channelId, format: message.format }, sink);
          if (session === undefined) transport.close();
          else transport.post({ kind: "started" });
          return;
        case "taken":
          return session?.taken(message.bytes);
        case "pause":
          return session?.pause(message.isPaused);
      }
    },
    () => session?.end(),
  );
}
