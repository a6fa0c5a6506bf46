import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import type { ChannelId } from "../exchange/channel-spec.ts";
import type { FromPlayer, ToPlayer } from "../exchange/hand-over.ts";
import type { Engine } from "../relay/engine.ts";
import { type Showing, showToPlayer } from "../relay/showing.ts";
import type { WatcherSink } from "../relay/watcher.ts";
import type { Carrier } from "./carrier.ts";

/** The home answers at once; one that does not is as good as dead. In milliseconds. */
const SHOWING_DEADLINE_MS = 5_000;

/** Shows a channel that is at home behind this carrier; undefined where it is not on air, or its home does not say. */
export function showFromAfar(
  carrier: Carrier<FromPlayer, ToPlayer>,
  clock: Clock,
  streamId: number,
  sink: WatcherSink,
): Promise<Showing | undefined> {
  const showing: Showing = {
    taken: (bytes) => carrier.post({ kind: "taken", bytes }),
    pause: (isPaused) => carrier.post({ kind: "pause", isPaused }),
    end: () => carrier.close(),
  };
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel();
      carrier.close();
      resolve(undefined);
      sink.end();
    };
    const timer = startDeadline(clock, SHOWING_DEADLINE_MS, end);
    carrier.listen((message) => {
      if (message.kind === "shown") return sink.take(message.bytes);
      timer.cancel();
      resolve(showing);
    }, end);
    carrier.post({ kind: "show", streamId });
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
  carrier: Carrier<ToPlayer, FromPlayer>,
): void {
  let showing: Showing | undefined;
  const sink: WatcherSink = {
    take: (bytes) => carrier.post({ kind: "shown", bytes }, [bytes.buffer]),
    end: () => carrier.close(),
  };
  carrier.listen(
    (message) => {
      switch (message.kind) {
        case "show":
          showing = showToPlayer(engine, clock, { channelId, streamId: message.streamId }, sink);
          if (showing === undefined) carrier.close();
          else carrier.post({ kind: "showing" });
          return;
        case "taken":
          return showing?.taken(message.bytes);
        case "pause":
          return showing?.pause(message.isPaused);
      }
    },
    () => showing?.end(),
  );
}
