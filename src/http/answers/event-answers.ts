import type { DeliveryAnswer, EventAnswer } from "../../api-contract/schemas/event-answer-schemas.ts";
import type { Endpoint, WebhookTest } from "../../control/events/callbacks.ts";
import type { Delivery } from "../../control/events/deliveries.ts";
import type { ChannelEvent } from "../../control/events/events.ts";
import type { RefusedEncoder } from "../../control/facts/refusal-list.ts";
import { type AnswerContext, shownAddress } from "./answers.ts";

/**
 * One element of calls 7, 8 and 9, and the live stream's `event`. The keys after `channelId` are extensions of ours.
 */
export function eventAnswer(event: ChannelEvent): EventAnswer {
  return {
    logLevel: event.level,
    eventCode: event.code,
    description: event.description,
    timestamp: event.time,
    channelId: event.channelId,
    id: event.eventId,
    ...(event.targetId === undefined ? {} : { platId: event.targetId }),
    ...(event.targetName === undefined ? {} : { targetName: event.targetName }),
    ...(event.targetLabel === undefined ? {} : { label: event.targetLabel }),
    ...(event.from === undefined ? {} : { from: event.from }),
    ...(event.to === undefined ? {} : { to: event.to }),
    ...(event.reason === undefined ? {} : { reason: event.reason }),
    ...(event.remoteAddress === undefined ? {} : { remoteAddress: event.remoteAddress }),
    ...(event.by === undefined ? {} : { by: event.by }),
  };
}

/** The answer of calls 11 and 12; empty where no endpoint is set. Shows the secret only when it was just made. */
export function callbackAnswer(endpoint: Endpoint | undefined, isSecretShown: boolean, context: AnswerContext) {
  if (endpoint === undefined) return {};
  return {
    callbackUrl: shownAddress(endpoint.url, context),
    updateTime: endpoint.updateTime,
    ...(endpoint.goneTime === undefined ? {} : { goneTime: endpoint.goneTime }),
    ...(isSecretShown ? { webhookSecret: endpoint.secret } : {}),
  };
}

/** One element of the list of deliveries. */
export function deliveryAnswer(delivery: Delivery, context: AnswerContext): DeliveryAnswer {
  return {
    id: delivery.eventId,
    ...(delivery.channelId === "" ? {} : { channelId: delivery.channelId }),
    event: delivery.code,
    timestamp: delivery.time,
    ...(delivery.targetId === undefined ? {} : { platId: delivery.targetId }),
    ...(delivery.targetName === undefined ? {} : { targetName: delivery.targetName }),
    ...(delivery.targetLabel === undefined ? {} : { label: delivery.targetLabel }),
    url: shownAddress(delivery.url, context),
    attempts: delivery.attempts,
    state: delivery.state,
    ...(delivery.lastStatus === undefined ? {} : { lastStatus: delivery.lastStatus }),
    ...(delivery.lastProblem === undefined ? {} : { lastProblem: delivery.lastProblem }),
    ...(delivery.nextTime === undefined ? {} : { nextTime: delivery.nextTime }),
  };
}

/** One element of the list of refused encoders. */
export function refusedEncoderAnswer({ remoteAddress, reason, channelId, firstTime, lastTime, count }: RefusedEncoder) {
  return {
    ...{ remoteAddress, reason, count, firstTime, lastTime },
    ...(channelId === undefined ? {} : { channelId }),
  };
}

/** The result of a test message. */
export function webhookTestAnswer({ url, durationMs, status, problem }: WebhookTest, context: AnswerContext) {
  return {
    ok: status !== undefined && status >= 200 && status <= 299,
    url: shownAddress(url, context),
    ...(status === undefined ? {} : { lastStatus: status }),
    ...(problem === undefined ? {} : { lastProblem: problem }),
    milliseconds: Math.round(durationMs),
  };
}
