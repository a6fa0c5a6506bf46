import { isAlertWanted } from "../../api-contract/alerts/alert-rules.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { alertText, manyText, type ServerAlert, testText } from "../../control/alerts/alert-text.ts";
import type { PushStore, PushSubscription, StoredPush } from "../../control/alerts/push.ts";
import type { Channel } from "../../control/channels/channel.ts";
import type { AttemptResult } from "../../control/events/deliveries.ts";
import { StoreUnavailableError } from "../../control/ports/errors.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Post } from "../http-post.ts";
import { type PushMessage, postPush } from "./push-post.ts";
import { newVapidKey, vapidPublicKey } from "./vapid.ts";

/** Alerts within this time are sent together, in milliseconds. */
const GATHER_MS = 1_000;
/** Alerts about more channels than this become one notification. */
const SINGLE_MAX = 3;
/** Alerts that wait to be sent; the oldest are dropped first. */
const ALERTS_MAX = 300;
/** The most messages under way, over all browsers. */
const IN_FLIGHT_MAX = 8;
/** Messages that wait for one browser; the oldest are dropped first. */
const QUEUE_MAX = 10;
/** How long a message waits after each failed attempt, in milliseconds; after the last it is dropped. */
const RETRY_MS = [5_000, 30_000] as const;
/** A database that does not answer is asked again after this long, in milliseconds. */
const STORE_RETRY_MS = 5_000;
/** How often subscriptions are counted again, in milliseconds: another node may have got one. */
const COUNT_MS = 60_000;

export type PushSenderOptions = {
  readonly store: PushStore;
  readonly post: Post;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly log: Log;
  /** How long a session may be unused, in milliseconds. */
  readonly sessionIdleMs: number;
  /** Reads a channel; rejects where it is gone. */
  readonly readChannel: (channelId: ChannelId) => Promise<Pick<Channel, "channelId" | "name" | "labels" | "targets">>;
};

type Queued = { readonly message: PushMessage; readonly attempts: number };
type Queue = { push: StoredPush; readonly waiting: Queued[]; isBusy: boolean; timer?: Timer | undefined };

/**
 * Sends alerts to the subscribed browsers. An alert that no push service takes after three attempts is dropped: an old
 * alert has no value. Its callers never wait.
 */
export class PushSender {
  readonly #options: PushSenderOptions;
  readonly #closing = new AbortController();
  readonly #queues = new Map<string, Queue>();
  #alerts: ServerAlert[] = [];
  #batchTimer: Timer | undefined;
  #counting: Timer | undefined;
  /** Undefined until they were counted. */
  #subscriptionCount: number | undefined;
  #inFlightCount = 0;

  constructor(options: PushSenderOptions) {
    this.#options = options;
  }

  /** Whether a browser may be subscribed, as far as is known. */
  get hasReaders(): boolean {
    return this.#subscriptionCount !== 0;
  }

  start(): void {
    void this.#count();
  }

  /** Drops what waits and cancels what is under way. Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#batchTimer?.cancel();
    this.#counting?.cancel();
    for (const { timer } of this.#queues.values()) timer?.cancel();
    this.#queues.clear();
  }

  /** Takes an alert; it is sent within a second or two. Never waits. */
  alert(alert: ServerAlert): void {
    if (this.#closing.signal.aborted) return;
    this.#alerts = withNewer(this.#alerts, [alert]);
    this.#flushIn(GATHER_MS);
  }

  #flushIn(delayMs: number): void {
    if (this.#closing.signal.aborted) return;
    this.#batchTimer ??= this.#options.clock.startTimer(delayMs, () => {
      this.#batchTimer = undefined;
      void this.#flush();
    });
  }

  /** The public half of the server's key, made at the first call. */
  async publicKey(): Promise<string> {
    return vapidPublicKey(await this.#options.store.vapidKey(newVapidKey));
  }

  /** Stores a subscription of this session. Returns false where the limit is reached, or the session has ended. */
  async subscribe(push: PushSubscription, sessionHash: string): Promise<boolean> {
    const { store, clock } = this.#options;
    const isStored = await store.put(push, sessionHash, clock.wallNow());
    await this.#count();
    return isStored;
  }

  async unsubscribe(endpoint: string): Promise<void> {
    await this.#options.store.delete(endpoint);
    await this.#count();
  }

  /** Sends one message to a browser at once. Undefined where it is not subscribed, or the server stops. */
  async sendTest(endpoint: string): Promise<AttemptResult | undefined> {
    const push = await this.#options.store.find(endpoint);
    if (push === undefined) return undefined;
    const result = await this.#post(push, { ...testText(push.language), isUrgent: true });
    if (result !== undefined && isGone(result)) await this.#remove(push);
    return result;
  }

  async #count(): Promise<void> {
    const { clock } = this.#options;
    try {
      this.#subscriptionCount = (await this.#list()).length;
    } catch {
      // The database cannot be read: the last count stays.
    }
    this.#counting?.cancel();
    if (this.#closing.signal.aborted) return;
    this.#counting = clock.startTimer(COUNT_MS, () => void this.#count());
  }

  #list(): Promise<readonly StoredPush[]> {
    const { store, clock, sessionIdleMs } = this.#options;
    return store.list(clock.wallNow() - sessionIdleMs);
  }

  async #flush(): Promise<void> {
    const alerts = this.#alerts;
    this.#alerts = [];
    try {
      const pushes = await this.#list();
      this.#subscriptionCount = pushes.length;
      if (pushes.length === 0) return;
      const channelAlerts = await this.#withChannels(alerts);
      for (const push of pushes) for (const message of messagesFor(push, channelAlerts)) this.#enqueue(push, message);
    } catch (error) {
      this.#options.log.warn("alerts could not be sent", { count: alerts.length, detail: textOf(error) });
      if (!(error instanceof StoreUnavailableError)) return;
      // Of each channel the newest alert waits until the database is back.
      this.#alerts = withNewer(alerts, this.#alerts);
      this.#flushIn(STORE_RETRY_MS);
    }
  }

  /** Leaves out channels that are gone. Throws StoreUnavailableError. */
  async #withChannels(alerts: readonly ServerAlert[]): Promise<readonly ChannelAlert[]> {
    const channelAlerts: ChannelAlert[] = [];
    for (const alert of alerts) {
      const channel = await this.#options.readChannel(alert.channelId).catch((error: unknown) => {
        if (error instanceof StoreUnavailableError) throw error;
        return undefined;
      });
      if (channel !== undefined) channelAlerts.push({ alert, channel });
    }
    return channelAlerts;
  }

  #enqueue(push: StoredPush, message: PushMessage): void {
    const queue = this.#queues.get(push.id) ?? { push, waiting: [], isBusy: false };
    this.#queues.set(push.id, queue);
    queue.push = push;
    queue.waiting.push({ message, attempts: 0 });
    if (queue.waiting.length > QUEUE_MAX) queue.waiting.shift();
    this.#sendNext();
  }

  /** Starts the messages that may start. A browser gets one message after another. */
  #sendNext(): void {
    for (const [id, queue] of this.#queues) {
      if (this.#inFlightCount >= IN_FLIGHT_MAX || this.#closing.signal.aborted) return;
      if (queue.isBusy) continue;
      const next = queue.waiting.shift();
      if (next === undefined) this.#queues.delete(id);
      else void this.#send(queue, next);
    }
  }

  async #send(queue: Queue, { message, attempts }: Queued): Promise<void> {
    queue.isBusy = true;
    this.#inFlightCount += 1;
    const result = await this.#post(queue.push, message);
    this.#inFlightCount -= 1;
    if (result === undefined) return;
    const retryMs = await this.#outcome(queue, result, attempts);
    if (retryMs === undefined) queue.isBusy = false;
    else {
      queue.waiting.unshift({ message, attempts: attempts + 1 });
      queue.timer = this.#options.clock.startTimer(retryMs, () => {
        queue.isBusy = false;
        this.#sendNext();
      });
    }
    this.#sendNext();
  }

  /** Returns after how many milliseconds to retry; undefined: not at all. */
  async #outcome(queue: Queue, result: AttemptResult, attempts: number): Promise<number | undefined> {
    const { push } = queue;
    if ("status" in result && result.status >= 200 && result.status < 300) return undefined;
    this.#options.log.warn("push not delivered", { subscriptionId: push.id, attempts: attempts + 1, ...result });
    if (isGone(result)) {
      queue.waiting.length = 0;
      await this.#remove(push);
      return undefined;
    }
    const isHopeless = "status" in result && result.status < 500 && result.status !== 429;
    return isHopeless ? undefined : RETRY_MS[attempts];
  }

  async #remove({ endpoint }: StoredPush): Promise<void> {
    await this.unsubscribe(endpoint).catch((error: unknown) => {
      this.#options.log.warn("a push subscription could not be removed", { detail: textOf(error) });
    });
  }

  /** Undefined only where the server stops. */
  async #post(push: StoredPush, message: PushMessage): Promise<AttemptResult | undefined> {
    const { post, randomBytes, clock, store, log } = this.#options;
    const parts = { post, randomBytes, wallNow: () => clock.wallNow() };
    try {
      return await postPush(parts, await store.vapidKey(newVapidKey), push, message, this.#closing.signal);
    } catch (error) {
      log.warn("a push could not be made", { subscriptionId: push.id, detail: textOf(error) });
      return { problem: "SERVER_TROUBLE" };
    }
  }
}

/** The newest alert of each channel, oldest first. */
function withNewer(alerts: readonly ServerAlert[], newer: readonly ServerAlert[]): ServerAlert[] {
  const told = new Set(newer.map(({ channelId }) => channelId));
  return [...alerts.filter(({ channelId }) => !told.has(channelId)), ...newer].slice(-ALERTS_MAX);
}

type ChannelAlert = {
  readonly alert: ServerAlert;
  readonly channel: Pick<Channel, "channelId" | "name" | "labels" | "targets">;
};

/** The messages for this browser about these alerts: one each, or one for many. */
function messagesFor({ rules, language }: StoredPush, channelAlerts: readonly ChannelAlert[]): readonly PushMessage[] {
  const wanted = channelAlerts.filter(({ alert, channel }) => isAlertWanted(rules, alert.severity, channel));
  const isUrgent = wanted.some(({ alert }) => alert.severity === "broken");
  if (wanted.length > SINGLE_MAX) return [{ ...manyText(wanted.length, language), isUrgent }];
  return wanted.map(({ alert, channel }) => ({
    ...alertText(alert, channel, language),
    channelId: channel.channelId,
    isUrgent: alert.severity === "broken",
  }));
}

/** The push service no longer knows the subscription (RFC 8030 §7.3). */
function isGone(result: AttemptResult): boolean {
  return "status" in result && (result.status === 404 || result.status === 410);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
