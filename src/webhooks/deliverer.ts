import type { Clock, Timer } from "../base/clock.ts";
import { FailureLog, type Log } from "../base/log.ts";
import {
  afterAttempt,
  type DeliveryLimits,
  type DeliveryStore,
  type DeliveryTurn,
  type DeliveryUpdate,
  type DueDelivery,
} from "../control/events/deliveries.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { Post } from "./http-post.ts";
import { signatureHeaders } from "./signing.ts";

/** At most this many deliveries are under way, each of another channel. A host that hangs holds each for 10 s. */
const LIMITS: DeliveryLimits = { inFlightMax: 16, perHostMax: 4, retriesMax: 12 };
/** A database that does not answer is asked again after this long, in milliseconds. */
const STORE_RETRY_MS = 1_000;
/** The wall clock is read again after this long at the latest, in milliseconds: somebody may have set it. */
const SLEEP_MAX_MS = 60_000;
/** … and not sooner than this, where something is due that cannot be sent now. */
const SLEEP_MIN_MS = 1_000;
/** When the process stops, attempts that were cancelled have this long to end, in milliseconds. */
const CLOSE_MS_MAX = 1_000;

export type DelivererOptions = {
  readonly store: DeliveryStore;
  readonly post: Post;
  readonly clock: Clock;
  /** What deliveries are due by; absent: the clock. Servers that share the database have one: each sends what others tried. */
  readonly dueBy?: Pick<Clock, "wallNow">;
  readonly random: () => number;
  readonly log: Log;
};

/**
 * Sends the stored deliveries to their webhooks: those of one channel one after another, in order, and many channels at
 * once. The result of each attempt is stored, so a restart goes on where it was. A crash in between sends one delivery
 * again, under the same `webhook-id`.
 */
export class Deliverer {
  readonly #options: DelivererOptions;
  readonly #failures: FailureLog;
  #closing = new AbortController();
  readonly #inFlight = new Map<ChannelId, { readonly turn: DeliveryTurn; readonly run: Promise<void> }>();
  #looking: Promise<void> | undefined;
  /** Something changed while the store was being read. */
  #isLookDue = false;
  #timer: Timer | undefined;

  constructor(options: DelivererOptions) {
    this.#options = options;
    this.#failures = new FailureLog({
      ...{ clock: options.clock, log: options.log },
      failed: "webhooks could not be read, will retry",
      worksAgain: "webhooks are read again",
    });
  }

  /** Something may be due: events were stored, an endpoint was set, or the process has started. Never waits. */
  wake(): void {
    if (this.#closing.signal.aborted) return;
    this.#isLookDue = true;
    this.#looking ??= this.#look();
  }

  /**
   * Cancels what is under way, and begins nothing until `goOn`; it is tried again then, or by the next process. Takes a
   * second at most. Idempotent.
   */
  async pause(): Promise<void> {
    this.#closing.abort();
    this.#timer?.cancel();
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#options.clock.startTimer(CLOSE_MS_MAX, resolve);
    });
    await Promise.race([this.#idle(), late]);
    timer?.cancel();
  }

  goOn(): void {
    this.#closing = new AbortController();
    this.wake();
  }

  async #idle(): Promise<void> {
    await this.#looking;
    await Promise.all([...this.#inFlight.values()].map(({ run }) => run));
  }

  async #look(): Promise<void> {
    let sleepMs: number | undefined;
    while (this.#isLookDue) {
      this.#isLookDue = false;
      sleepMs = await this.#startDue();
    }
    this.#looking = undefined;
    this.#timer?.cancel();
    if (sleepMs === undefined || this.#closing.signal.aborted) return;
    this.#timer = this.#options.clock.startTimer(sleepMs, () => this.wake());
  }

  /** Returns after how many milliseconds to look again; undefined: at the next `wake`, or when an attempt ends. */
  async #startDue(): Promise<number | undefined> {
    const { store } = this.#options;
    const inFlight = [...this.#inFlight.values()].map(({ turn }) => turn);
    if (inFlight.length >= LIMITS.inFlightMax) return undefined;
    try {
      const nowMs = this.#dueNow();
      const due = await store.claimDueDeliveries(nowMs, LIMITS, inFlight);
      if (this.#closing.signal.aborted) return undefined;
      for (const delivery of due) this.#start(delivery);
      // What is due and could not begin waits for the end of an attempt, which looks again.
      const nextTime = await store.findNextDueTime(nowMs);
      this.#failures.worked();
      if (nextTime === undefined) return undefined;
      return Math.min(SLEEP_MAX_MS, Math.max(SLEEP_MIN_MS, nextTime - this.#dueNow()));
    } catch (error) {
      this.#failures.failed(error);
      return STORE_RETRY_MS;
    }
  }

  #dueNow(): number {
    const { clock, dueBy = clock } = this.#options;
    return dueBy.wallNow();
  }

  #start(due: DueDelivery): void {
    const run = this.#deliver(due).finally(() => {
      this.#inFlight.delete(due.channelId);
      this.wake();
    });
    this.#inFlight.set(due.channelId, { turn: due.turn, run });
  }

  async #deliver(due: DueDelivery): Promise<void> {
    const update = await this.#attempt(due);
    if (update === undefined) return;
    this.#logUpdate(due, update);
    await this.#keep(due, update);
  }

  /** Returns undefined where the end of the process cancelled it. */
  async #attempt(due: DueDelivery): Promise<DeliveryUpdate | undefined> {
    const { post, clock, random } = this.#options;
    const { endpoint, eventId, time, attempts } = due;
    if (endpoint === undefined) return { state: "CANCELLED", attempts };
    const body = webhookBody(due);
    // Event numbers start again when a backup is restored. The time distinguishes an event from the earlier one with
    // its number.
    const id = `evt_${eventId}_${time}`;
    const message = {
      url: endpoint.url,
      headers: {
        "content-type": "application/json",
        "user-agent": "Fanfare",
        ...signatureHeaders({ id, nowMs: clock.wallNow(), body }, endpoint.secret),
      },
      body,
    };
    const result = await post(message, this.#closing.signal);
    return result === undefined ? undefined : afterAttempt(due, endpoint, result, this.#dueNow(), random);
  }

  /**
   * Retries until the database has stored the result: to send again what a receiver took would be worse than waiting.
   */
  async #keep(due: DueDelivery, update: DeliveryUpdate): Promise<void> {
    const { store, log } = this.#options;
    do {
      try {
        return await store.updateDelivery(due, update, this.#dueNow());
      } catch (error) {
        log.warn("a webhook's result is not stored, will retry", {
          deliveryId: due.eventId,
          detail: textOf(error),
        });
      }
      await this.#pause(STORE_RETRY_MS);
    } while (!this.#closing.signal.aborted);
  }

  #pause(delayMs: number): Promise<void> {
    const { signal } = this.#closing;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = this.#options.clock.startTimer(delayMs, () => {
        signal.removeEventListener("abort", end);
        resolve();
      });
      const end = () => {
        timer.cancel();
        resolve();
      };
      signal.addEventListener("abort", end, { once: true });
    });
  }

  #logUpdate({ eventId: deliveryId, channelId, code: event }: DueDelivery, update: DeliveryUpdate): void {
    const { state, attempts, lastStatus: status, lastProblem: problem, nextTime } = update;
    const fields = { deliveryId, channelId, event, state, attempts, status, problem, nextTime };
    if (state === "DELIVERED") this.#options.log.debug("webhook delivered", fields);
    else this.#options.log.warn("webhook not delivered", fields);
  }
}

/**
 * The body as the original service sends it, with `event` where the API's own answers say `eventCode`. Fields of ours
 * follow, so that a receiver can say what happened to which channel without asking the API.
 */
function webhookBody(due: DueDelivery): string {
  const { eventId, level, channelId, code, time, description, channelName, targetId, targetName, reason } = due;
  return JSON.stringify({
    ...{
      id: eventId,
      logLevel: level,
      channelId: channelId === "" ? undefined : channelId,
      event: code,
      timestamp: time,
    },
    // Fields without a value are left out.
    ...{ channelName, description, platId: targetId, targetName, label: due.targetLabel, reason },
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
