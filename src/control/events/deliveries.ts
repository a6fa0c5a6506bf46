import type { DeliveryProblem, DeliveryState, EventCode, EventLevel } from "../../api-contract/event-words.ts";
import { backoffDelayMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import { DomainError } from "../ports/errors.ts";
import type { Page } from "../ports/store.ts";

/** How long a delivery is retried, in milliseconds. */
export const RETRY_FOR_MS = 24 * 60 * 60 * 1_000;
/** 5 s, 10 s, 20 s … 1 h: about 32 attempts in a day. */
const RETRY_BACKOFF = { baseMs: 5_000, capMs: 60 * 60 * 1_000 };

/**
 * The fewest and the most attempts of a day. A clock set forward must not end the day early, and a clock set back must
 * not extend it for ever.
 */
const ATTEMPTS_MIN = 24;
const ATTEMPTS_MAX = 64;
/** A next attempt further away than this was planned with another clock, in milliseconds. */
export const PLANNED_AHEAD_MAX_MS = RETRY_BACKOFF.capMs + 60_000;

/** HTTP's status for "never again". */
const STATUS_GONE = 410;

/** The result of one attempt. */
export type AttemptResult = { readonly status: number } | { readonly problem: DeliveryProblem };

/** One event's delivery to a webhook, as people see it. Its number is the event's. */
export type Delivery = {
  readonly eventId: number;
  readonly channelId: ChannelId;
  readonly code: EventCode;
  /** When the event happened, milliseconds since the Unix epoch. */
  readonly time: number;
  /** The target that the event is about, and its names at that time. */
  readonly targetId?: TargetId;
  readonly targetName?: string;
  readonly targetLabel?: string;
  readonly state: DeliveryState;
  readonly url: string;
  readonly attempts: number;
  readonly lastStatus?: number;
  readonly lastProblem?: DeliveryProblem;
  /** When the next attempt for its channel is due, while it waits. */
  readonly nextTime?: number;
};

/** What a delivery under way blocks for others. */
export type DeliveryTurn = {
  readonly channelId: ChannelId;
  /** Host and port of its address; empty where there is none. */
  readonly host: string;
  readonly isRetry: boolean;
};

/** How many deliveries may be under way. */
export type DeliveryLimits = {
  readonly inFlightMax: number;
  /** To one host: a host that does not answer must not hold up the others. */
  readonly perHostMax: number;
  /** Deliveries that were tried before: failing hosts must not hold up those that were not tried yet. */
  readonly retriesMax: number;
};

/** The oldest waiting delivery of a channel, with everything that an attempt needs. Holds a secret. */
export type DueDelivery = {
  readonly eventId: number;
  readonly channelId: ChannelId;
  readonly code: EventCode;
  readonly level: EventLevel;
  readonly time: number;
  readonly description: string;
  /** The names of channel and target: the channel's present name, the target's at the time of the event. */
  readonly channelName?: string;
  readonly targetId?: TargetId;
  readonly targetName?: string;
  readonly targetLabel?: string;
  readonly reason?: string;
  readonly attempts: number;
  /** How often somebody sent it again. */
  readonly resendCount: number;
  /** Milliseconds since the Unix epoch. */
  readonly retryUntil: number;
  /** The turn that it takes. */
  readonly turn: DeliveryTurn;
  /** The present address; absent where there is none, or it is gone. */
  readonly endpoint?: { readonly url: string; readonly secret: string; readonly revision: number };
};

/** What is stored of a delivery after its turn. */
export type DeliveryUpdate = {
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly url?: string;
  readonly lastStatus?: number;
  readonly lastProblem?: DeliveryProblem;
  /** Set while it waits for another attempt. */
  readonly nextTime?: number;
  /** The revision of the endpoint that is gone: an endpoint that was set meanwhile stays. */
  readonly goneRevision?: number;
};

/** The store of deliveries. Every call may reject with StoreUnavailableError. */
export interface DeliveryStore {
  /** Newest first; `total` counts all pages. */
  listDeliveries(
    filter: { readonly channelId?: ChannelId },
    page: Page,
  ): Promise<{ readonly deliveries: readonly Delivery[]; readonly total: number }>;
  /** Makes the delivery wait, due now as if it had never been tried. Returns it; undefined where there is none. */
  resendDelivery(eventId: number, nowMs: number, retryUntil: number): Promise<Delivery | undefined>;
  /**
   * Deliveries that may begin beside what is under way: the oldest waiting one of each channel, if it is due, or if its
   * time is so far ahead that the clock must have been set back. Those that were never tried come first, then the
   * longest due. Where several nodes share the database, the caller alone may send them for half a minute, and what other
   * nodes send counts for the hosts too.
   */
  claimDueDeliveries(
    nowMs: number,
    limits: DeliveryLimits,
    inFlight: readonly DeliveryTurn[],
  ): Promise<readonly DueDelivery[]>;
  /** When the next delivery will be due, or left by another node, that is not due yet; undefined where there is none. */
  findNextDueTime(nowMs: number): Promise<number | undefined>;
  /**
   * Also gives the channel's next delivery its turn, unless this one waits again. If somebody sent it again meanwhile,
   * it keeps waiting for that. Changes nothing where another node has taken the delivery over, since the caller was slow.
   */
  updateDelivery(due: DueDelivery, update: DeliveryUpdate, nowMs: number): Promise<void>;
}

/**
 * The state of a delivery after an attempt. 2xx: delivered. 410: ends it and its endpoint. Anything else is retried
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
   * Sends it again, whatever its state, and tries for another day. It goes before the channel's waiting deliveries,
   * since it is older. Throws DomainError `delivery-not-found`.
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
