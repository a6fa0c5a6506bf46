import type { DeliveryProblem, DeliveryState, EventCode, EventLevel } from "../../api-contract/event-words.ts";
import { backoffDelayMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import { DomainError } from "../ports/errors.ts";
import type { Page } from "../ports/store.ts";

/** How long a delivery is tried again, in milliseconds. */
export const RETRY_FOR_MS = 24 * 60 * 60 * 1_000;
/** 5 s, 10 s, 20 s … 1 h: about 32 attempts in a day. */
const RETRY_BACKOFF = { baseMs: 5_000, capMs: 60 * 60 * 1_000 };

/** Attempts that a day has at least and at most: a clock that was set is no day that passed, and none that never does. */
const ATTEMPTS_MIN = 24;
const ATTEMPTS_MAX = 64;
/** A next attempt further away than this was planned by another clock, in milliseconds. */
export const PLANNED_AHEAD_MAX_MS = RETRY_BACKOFF.capMs + 60_000;

/** HTTP's word for "never again". */
const STATUS_GONE = 410;

/** What one attempt came to. */
export type AttemptResult = { readonly status: number } | { readonly problem: DeliveryProblem };

/** One event on its way to a webhook, as people see it. Its number is the event's. */
export type Delivery = {
  readonly eventId: number;
  readonly channelId: ChannelId;
  readonly code: EventCode;
  /** When the event happened, milliseconds since the Unix epoch. */
  readonly time: number;
  readonly state: DeliveryState;
  readonly url: string;
  readonly attempts: number;
  readonly lastStatus?: number;
  readonly lastProblem?: DeliveryProblem;
  /** When the next attempt of its channel is due; while it waits. */
  readonly nextTime?: number;
};

/** What a delivery under way keeps from others. */
export type DeliveryTurn = {
  readonly channelId: ChannelId;
  /** Name and port of where it goes; empty where that is nowhere. */
  readonly host: string;
  readonly isRetry: boolean;
};

/** How many deliveries may be under way. */
export type DeliveryLimits = {
  readonly inFlightMax: number;
  /** To one host: one that does not answer must not hold up the others. */
  readonly perHostMax: number;
  /** Of those that were tried before: hosts that fail must not hold up those that were not asked yet. */
  readonly retriesMax: number;
};

/** The oldest waiting delivery of a channel, with all an attempt needs. Holds a secret. */
export type DueDelivery = {
  readonly eventId: number;
  readonly channelId: ChannelId;
  readonly code: EventCode;
  readonly level: EventLevel;
  readonly time: number;
  readonly description: string;
  /** What channel and target are called: the channel now, the target when it happened. */
  readonly channelName?: string;
  readonly targetId?: TargetId;
  readonly targetName?: string;
  readonly targetLabel?: string;
  readonly reason?: string;
  readonly attempts: number;
  /** How often somebody had it sent again. */
  readonly resendCount: number;
  /** Milliseconds since the Unix epoch. */
  readonly retryUntil: number;
  /** Whose turn this takes. */
  readonly turn: DeliveryTurn;
  /** Where it goes as things are now; absent where there is none, or it is gone. */
  readonly endpoint?: { readonly url: string; readonly secret: string; readonly revision: number };
};

/** What is to be remembered of a delivery after its turn. */
export type DeliveryUpdate = {
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly url?: string;
  readonly lastStatus?: number;
  readonly lastProblem?: DeliveryProblem;
  /** Set while it waits for another attempt. */
  readonly nextTime?: number;
  /** The endpoint that is gone: its revision, so that one set meanwhile is not meant. */
  readonly goneRevision?: number;
};

/** Where deliveries are kept. Every call may reject with StoreUnavailableError. */
export interface DeliveryStore {
  /** Newest first; `total` counts all pages. */
  listDeliveries(
    filter: { readonly channelId?: ChannelId },
    page: Page,
  ): Promise<{ readonly deliveries: readonly Delivery[]; readonly total: number }>;
  /** The delivery, waiting and due now as if it had never been tried; undefined where there is none. */
  resendDelivery(eventId: number, nowMs: number, retryUntil: number): Promise<Delivery | undefined>;
  /**
   * What may begin beside what is under way: of each channel the oldest waiting delivery, where it is due, or waits for a time so far
   * ahead that the clock was set back since. Those that were never tried come first, then the longest due.
   */
  findDueDeliveries(
    nowMs: number,
    limits: DeliveryLimits,
    inFlight: readonly DeliveryTurn[],
  ): Promise<readonly DueDelivery[]>;
  /** When the next delivery that is not due yet will be; undefined where there is none. */
  findNextDueTime(nowMs: number): Promise<number | undefined>;
  /**
   * Also lets the channel's next delivery have its turn, unless this one waits on. Where somebody had it sent again meanwhile
   * it keeps waiting for that.
   */
  updateDelivery(due: DueDelivery, update: DeliveryUpdate, nowMs: number): Promise<void>;
}

/**
 * What becomes of a delivery after an attempt: 2xx is delivered, 410 ends it and its endpoint, anything else is tried again
 * with growing pauses until its day is over, by the clock and by the number of attempts.
 */
export function afterAttempt(
  { attempts: before, retryUntil }: Pick<DueDelivery, "attempts" | "retryUntil">,
  endpoint: { readonly url: string; readonly revision: number },
  result: AttemptResult,
  nowMs: number,
  random: () => number,
): DeliveryUpdate {
  const attempts = before + 1;
  const seen = "status" in result ? { lastStatus: result.status } : { lastProblem: result.problem };
  const attempted = { attempts, url: endpoint.url, ...seen };
  if ("status" in result) {
    if (result.status >= 200 && result.status <= 299) return { ...attempted, state: "DELIVERED" };
    if (result.status === STATUS_GONE) return { ...attempted, state: "FAILED", goneRevision: endpoint.revision };
  }
  const nextTime = nowMs + backoffDelayMs(before, random, RETRY_BACKOFF);
  const isDayOver = (nextTime > retryUntil && attempts >= ATTEMPTS_MIN) || attempts >= ATTEMPTS_MAX;
  return isDayOver ? { ...attempted, state: "FAILED" } : { ...attempted, state: "WAITING", nextTime };
}

export type DeliveriesOptions = { readonly store: DeliveryStore; readonly clock: Clock; readonly wake: () => void };

/** The use cases of deliveries. */
export class Deliveries {
  readonly #options: DeliveriesOptions;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  list(filter: { readonly channelId?: ChannelId }, page: Page): ReturnType<DeliveryStore["listDeliveries"]> {
    return this.#options.store.listDeliveries(filter, page);
  }

  /**
   * Sends it again, whatever became of it before, and tries it for another day. Before the waiting ones of its
   * channel, since it is older. Throws DomainError `delivery-not-found`.
   */
  async resend(eventId: number): Promise<Delivery> {
    const { store, clock, wake } = this.#options;
    const nowMs = clock.wallNow();
    const delivery = await store.resendDelivery(eventId, nowMs, nowMs + RETRY_FOR_MS);
    if (delivery === undefined) throw new DomainError({ kind: "delivery-not-found" });
    wake();
    return delivery;
  }
}
