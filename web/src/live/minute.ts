import { api, content } from "../base/api.ts";
import { now } from "../base/clock.ts";
import { HISTORY_SECONDS } from "./changes.ts";
import { lastMinuteOf, type RateSample, rateSamplesOf } from "./rate-samples.ts";
import { type LiveChannel, returns } from "./store.ts";

/** So many requests run at a time: a page may show the lines of many channels. */
const AT_A_TIME_MAX = 3;
/** For which opening or return of the stream each channel's last minute was read. */
const readAt = new WeakMap<LiveChannel, number>();
const waiting: LiveChannel[] = [];
let runningCount = 0;

/** The last minute of a channel as far as it is known. */
export const minuteOf = (live: LiveChannel): readonly RateSample[] =>
  lastMinuteOf(live.earlier.value, live.samples.value);

/** Reads the last minute of a channel on air from the server's history: once, and again when the server was away. */
export function fillMinute(live: LiveChannel): void {
  const isKnown = readAt.get(live) === returns.peek() || live.samples.peek().length >= HISTORY_SECONDS;
  if (isKnown || !live.channel.peek().isPublishing) return;
  readAt.set(live, returns.peek());
  waiting.push(live);
  readNext();
}

function readNext(): void {
  if (runningCount >= AT_A_TIME_MAX) return;
  const live = waiting.shift();
  if (live === undefined) return;
  runningCount += 1;
  read(live)
    // The line then fills by itself within a minute.
    .catch(() => undefined)
    .finally(() => {
      runningCount -= 1;
      readNext();
    });
}

async function read(live: LiveChannel): Promise<void> {
  const { channelId, recentPublishStartTime } = live.channel.peek();
  const fromTime = Math.round(now.peek()) - HISTORY_SECONDS * 1_000;
  const params = { path: { channelId }, query: { fromTime, stepSeconds: 1 } };
  const history = await content(api.GET("/re-stream/channels/{channelId}/history", { params }));
  // Of a broadcast that ended meanwhile nothing is shown.
  if (live.channel.peek().recentPublishStartTime !== recentPublishStartTime) return;
  live.earlier.value = rateSamplesOf(history, recentPublishStartTime ?? 0);
}
