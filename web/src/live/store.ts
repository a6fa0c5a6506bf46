import { batch, computed, type Signal, signal } from "@preact/signals";
import { setServerTime, startClock, stopClock } from "../base/clock.ts";
import type { Channel, ChannelEvent, Platform, RefusedEncoder, Sample, ServerTrouble } from "../base/model.ts";
import { noteSignedOut } from "../base/session.ts";
import {
  HISTORY_SECONDS,
  type HubMessage,
  isSameBroadcast,
  type StreamState,
  withPlatform,
  withRefused,
  withSample,
} from "./changes.ts";
import type { RateSample } from "./rate-samples.ts";
import type { TabMessage } from "./tab.ts";

/** One channel on the page. Its parts are separate signals, so that a change renders little. */
export type LiveChannel = {
  readonly channel: Signal<Channel>;
  readonly samples: Signal<readonly Sample[]>;
  /** The rates of the last minute from before the samples, as read from the server's history. */
  readonly earlier: Signal<readonly RateSample[]>;
  /** The channel with the totals of this second. Only pages that show totals read it. */
  readonly counted: Signal<Channel>;
};

function newLive(channel: Channel): LiveChannel {
  return {
    channel: signal(channel),
    samples: signal<readonly Sample[]>([]),
    earlier: signal<readonly RateSample[]>([]),
    counted: signal(channel),
  };
}

function setChannel(live: LiveChannel, channel: Channel): void {
  if (!isSameBroadcast(channel, live.channel.peek())) {
    live.samples.value = [];
    live.earlier.value = [];
  }
  live.channel.value = channel;
  live.counted.value = channel;
}

const ALIVE_MS = 20_000;
/** How many events are kept for the timeline of the open page. */
const RECENT_EVENTS_MAX = 200;

const channels = signal<ReadonlyMap<string, LiveChannel>>(new Map());
/** The state of the connection, `connecting` at first. */
export const streamState = signal<StreamState>("connecting");
export const hasSnapshot = signal(false);
/** Whether this tab makes the sounds and notifications of this browser: one of its tabs does. */
export const isLead = signal(false);
/** The server is gone: what the page shows is as old as `now`, which stands still. */
export const isStale = computed(() => streamState.value === "lost");
/**
 * How often something may have been missed: the connection came back, or the server began anew with a snapshot. What is not in the live
 * stream is read again when it changes.
 */
export const returns = signal(0);
/** The connection has just been opened, and told nothing yet. */
let isNew = false;
/** The server's own troubles, the oldest first. */
export const serverTroubles = signal<readonly ServerTrouble[]>([]);
/** Events of all channels since this tab was opened, newest first. */
export const recentEvents = signal<readonly ChannelEvent[]>([]);

/** The encoders that the server refused lately, the latest first: as the page read them, and as the stream tells since. */
export const refusedEncoders = signal<readonly RefusedEncoder[]>([]);

/** Every channel, newest first. */
export const allChannels = computed(() =>
  [...channels.value.values()].sort((a, b) => b.channel.value.createdTime - a.channel.value.createdTime),
);

export function liveChannel(channelId: string): LiveChannel | undefined {
  return channels.value.get(channelId);
}

/** Bytes per second now: from all encoders, and to all platforms. */
export const totals = computed(() => {
  let inbound = 0;
  let outbound = 0;
  for (const { channel, samples } of channels.value.values()) {
    const last = samples.value.at(-1);
    if (last === undefined || !channel.value.isPublishing) continue;
    inbound += last.ingest.bytesPerSecond;
    for (const { bytesPerSecond } of last.platforms) outbound += bytesPerSecond;
  }
  return { inbound, outbound };
});

function receive(message: HubMessage): void {
  if (message.kind === "state") {
    setState(message.state, message.heardTime);
    return;
  }
  if (message.kind === "lead") {
    isLead.value = message.isLead;
    return;
  }
  if (message.kind === "server") {
    serverTroubles.value = message.server.troubles;
    return;
  }
  batch(() => {
    setServerTime(message.time);
    if (message.kind === "snapshot" && !isNew && hasSnapshot.peek()) returns.value += 1;
    isNew = false;
    if (message.kind === "snapshot") applySnapshot(message.channels, message.samples);
    else for (const change of message.changes) applyChange(change);
  });
}

function setState(state: StreamState, heardTime: number | undefined): void {
  batch(() => {
    if (state === "lost") stopClock(heardTime);
    if (state === "connected") {
      startClock();
      isNew = true;
      // Also the session may have ended in between, and begun again.
      if (isStale.peek() || hasSnapshot.peek()) returns.value += 1;
    }
    streamState.value = state;
  });
  if (state === "refused") noteSignedOut();
}

function applySnapshot(all: readonly Channel[], samples: readonly Sample[]): void {
  const known = channels.peek();
  const next = new Map<string, LiveChannel>();
  const byChannel = Map.groupBy(samples, ({ channelId }) => channelId);
  for (const channel of all) {
    const live = known.get(channel.channelId) ?? newLive(channel);
    setChannel(live, channel);
    live.samples.value = byChannel.get(channel.channelId) ?? [];
    next.set(channel.channelId, live);
  }
  channels.value = next;
  hasSnapshot.value = true;
}

function applyChange(change: Extract<HubMessage, { kind: "changes" }>["changes"][number]): void {
  if (change.name === "event") {
    recentEvents.value = [change.data, ...recentEvents.peek()].slice(0, RECENT_EVENTS_MAX);
    return;
  }
  if (change.name === "refused") {
    refusedEncoders.value = withRefused(refusedEncoders.peek(), change.data);
    return;
  }
  const live = channels.peek().get(change.data.channelId);
  if (change.name === "channel") {
    const { data } = change;
    if (!("platforms" in data)) forgetChannel(data.channelId);
    else if (live === undefined) showChannel(data);
    else setChannel(live, data);
  } else if (live !== undefined) {
    if (change.name === "platform") {
      live.channel.value = withPlatform(live.channel.peek(), change.data);
      live.counted.value = withPlatform(live.counted.peek(), change.data);
    } else {
      live.samples.value = [...live.samples.peek(), change.data].slice(-HISTORY_SECONDS);
      live.counted.value = withSample(live.counted.peek(), change.data);
    }
  }
}

/** Shows a channel that this tab created, without waiting for the live stream. */
export function showChannel(channel: Channel): void {
  if (channels.peek().has(channel.channelId)) return;
  channels.value = new Map(channels.peek()).set(channel.channelId, newLive(channel));
}

export function forgetChannel(channelId: string): void {
  const next = new Map(channels.peek());
  if (next.delete(channelId)) channels.value = next;
}

/**
 * Shows what a call about a channel answered, and returns it. An answer may come long after what it says, and the live stream tells
 * every change: where it told something of the channel since the call began, it has the last word.
 */
async function showAnswer<Answer>(
  channelId: string,
  call: Promise<Answer>,
  change: (channel: Channel, answer: Answer) => Channel,
): Promise<Answer> {
  const live = channels.peek().get(channelId);
  const before = live?.channel.peek();
  const answer = await call;
  if (live !== undefined && live.channel.peek() === before) setChannel(live, change(live.channel.peek(), answer));
  return answer;
}

/** Shows a platform as a call answers it. */
export const showPlatform = <Answer extends Platform>(channelId: string, call: Promise<Answer>): Promise<Answer> =>
  showAnswer(channelId, call, (channel, platform) => {
    const isKnown = channel.platforms.some(({ platId }) => platId === platform.platId);
    return isKnown
      ? withPlatform(channel, { channelId, ...platform })
      : { ...channel, platforms: [...channel.platforms, platform], platformCount: channel.platforms.length + 1 };
  });

type Part = Pick<Channel, "recording" | "labels" | "hold" | "backup" | "latency" | "freeze">;

/** Shows some parts of a channel as a call answers them. */
export const showParts = <Answer extends Part>(
  channelId: string,
  call: Promise<Answer>,
  ...names: readonly (keyof Part)[]
): Promise<Answer> =>
  showAnswer(channelId, call, (channel, answer) => ({
    ...channel,
    ...Object.fromEntries(names.map((name) => [name, answer[name]])),
  }));

/** Joins this browser's one connection, or opens one where there are no shared workers. The returned function leaves it. */
export function startLive(): () => void {
  const leave = typeof SharedWorker === "undefined" ? startOwn() : startShared();
  return () => {
    leave();
    streamState.value = "connecting";
  };
}

/** Forgets all that the stream told, for the one who signs in next. */
export function forgetLive(): void {
  channels.value = new Map();
  hasSnapshot.value = false;
  serverTroubles.value = [];
}

function startOwn(): () => void {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<HubMessage>) => receive(data);
  return () => worker.terminate();
}

function startShared(): () => void {
  const { port } = new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "fanfare-live" });
  const say = (message: TabMessage): void => port.postMessage(message);
  port.onmessage = ({ data }: MessageEvent<HubMessage>) => receive(data);
  const alive = setInterval(() => say("alive"), ALIVE_MS);
  const bye = (): void => say("bye");
  addEventListener("pagehide", bye);
  // A page from the back-forward cache has a dead port.
  const restored = (event: PageTransitionEvent): void => {
    if (event.persisted) location.reload();
  };
  addEventListener("pageshow", restored);
  return () => {
    clearInterval(alive);
    removeEventListener("pagehide", bye);
    removeEventListener("pageshow", restored);
    bye();
    port.close();
  };
}
