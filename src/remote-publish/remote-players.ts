import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import type { Engine } from "../relay/engine.ts";
import { openPreviewSession, type PreviewSession } from "../relay/preview-session.ts";
import type { PreviewSink } from "../relay/subscriber/preview/preview-subscriber.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { FromPlayer, ToPlayer } from "../thread-protocol/remote-publish.ts";
import type { MessageTransport } from "./message-transport.ts";

/** The home answers at once; one that does not is as good as dead. In milliseconds. */
const SHOWING_DEADLINE_MS = 5_000;

/** Shows a channel that is at home behind this transport; undefined where it is not on air, or its home does not say. */
export function showFromAfar(
  transport: MessageTransport<FromPlayer, ToPlayer>,
  clock: Clock,
  streamId: number,
  sink: PreviewSink,
): Promise<PreviewSession | undefined> {
  const session: PreviewSession = {
    taken: (bytes) => transport.post({ kind: "taken", bytes }),
    pause: (isPaused) => transport.post({ kind: "pause", isPaused }),
    end: () => transport.close(),
  };
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel();
      transport.close();
      resolve(undefined);
      sink.end();
    };
    const timer = startDeadline(clock, SHOWING_DEADLINE_MS, end);
    transport.listen((message) => {
      if (message.kind === "shown") return sink.take(message.bytes);
      timer.cancel();
      resolve(session);
    }, end);
    transport.post({ kind: "show", streamId });
  });
}

/**
 * Shows a channel of this engine to a player whose connection another thread has. Bounded as any preview is: what the player
 * has not taken counts, wherever it waits.
 */
export function hostPlayer(
  engine: Pick<Engine, "watch">,
  clock: Clock,
  channelId: ChannelId,
  transport: MessageTransport<ToPlayer, FromPlayer>,
): void {
  let session: PreviewSession | undefined;
  const sink: PreviewSink = {
    take: (bytes) => transport.post({ kind: "shown", bytes }, [bytes.buffer]),
    end: () => transport.close(),
  };
  transport.listen(
    (message) => {
      switch (message.kind) {
        case "show":
          session = openPreviewSession(engine, clock, { channelId, streamId: message.streamId }, sink);
          if (session === undefined) transport.close();
          else transport.post({ kind: "showing" });
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
