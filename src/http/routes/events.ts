import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { serviceError } from "../../api-contract/errors.ts";
import type { EventCode } from "../../api-contract/event-words.ts";
import { MISSING_HINT } from "../../api-contract/input/hints.ts";
import {
  callbackRequest,
  channelEventsQuery,
  eventsQuery,
  historyQuery,
} from "../../api-contract/schemas/event-schemas.ts";
import { parseBody, parsePathInteger, parseQuery } from "../../api-contract/schemas/field-errors.ts";
import type { Contacts } from "../../control/contacts/contacts.ts";
import type { Callbacks, EndpointScope, WebhookTest } from "../../control/events/callbacks.ts";
import type { Deliveries } from "../../control/events/deliveries.ts";
import type { EventFilter, EventStore } from "../../control/events/events.ts";
import type { HistoryReader } from "../../control/history/history-reader.ts";
import type { RefusedEncoders } from "../../control/live/refused-encoders.ts";
import type { ReportStore } from "../../control/reports/reports.ts";
import { channelAnswer } from "../answers/answers.ts";
import { RequestRefusedError } from "../answers/errors.ts";
import {
  callbackAnswer,
  deliveryAnswer,
  eventAnswer,
  refusedEncoderAnswer,
  webhookTestAnswer,
} from "../answers/event-answers.ts";
import { sendContent } from "../answers/reply.ts";
import { historyAnswer } from "../answers/report-answer.ts";
import type { RouteContext } from "../answers/request.ts";
import { answerContext, orRefuse, readJson } from "../answers/request.ts";

/** What these routes need beside what all routes get. */
export type EventUseCases = {
  readonly events: Pick<EventStore, "listEvents">;
  readonly reports: Pick<ReportStore, "listReports" | "findReport">;
  readonly history: HistoryReader;
  readonly refusedEncoders: RefusedEncoders;
  readonly callbacks: Callbacks;
  readonly deliveries: Deliveries;
  readonly contacts: Contacts;
  /** Sends a test message to the endpoint that is set there. */
  readonly sendTest: (scope: EndpointScope, channelName?: string) => Promise<WebhookTest>;
};

type ChannelParams = { readonly Params: { readonly channelId: string } };
type DeliveryParams = { readonly Params: { readonly deliveryId: string } };

/** The events of call 7. */
const PUBLISH_CODES: readonly EventCode[] = ["PUBLISH_START", "PUBLISH_END"];

/** Calls 7–9: events, newest first; and the history. */
export function addEventRoutes(
  api: FastifyInstance,
  { service }: RouteContext,
  { events, history, refusedEncoders }: EventUseCases,
): void {
  const ofChannel = async (channelId: string, filter: EventFilter, request: FastifyRequest, reply: FastifyReply) => {
    const query = orRefuse(parseQuery(channelEventsQuery, request.query));
    await service.getChannel(channelId);
    return sendEvents(reply, { ...filter, channelId }, query);
  };
  const sendEvents = async (
    reply: FastifyReply,
    filter: EventFilter,
    { pageNo, pageSizeNo }: { readonly pageNo: number; readonly pageSizeNo: number },
  ) => {
    const found = await events.listEvents(filter, { number: pageNo, size: pageSizeNo });
    return sendContent(reply, found.events.map(eventAnswer), found.total);
  };

  api.get<ChannelParams>("/re-stream/channels/:channelId/publish-log", (request, reply) =>
    ofChannel(request.params.channelId, { codes: PUBLISH_CODES }, request, reply),
  );

  api.get<ChannelParams>("/re-stream/channels/:channelId/events", (request, reply) =>
    ofChannel(request.params.channelId, {}, request, reply),
  );

  api.get<ChannelParams>("/re-stream/channels/:channelId/history", async (request, reply) => {
    const { fromTime, toTime, stepSeconds } = orRefuse(parseQuery(historyQuery, request.query));
    const { channelId } = await service.getChannel(request.params.channelId);
    const read = await history.read(channelId, { from: fromTime, to: toTime, step: stepSeconds });
    return sendContent(reply, historyAnswer(channelId, read));
  });

  api.get("/re-stream/refused-encoders", async (_request, reply) =>
    sendContent(reply, (await refusedEncoders.list()).map(refusedEncoderAnswer)),
  );

  api.get("/events", (request, reply) => {
    const { channelId, ...page } = orRefuse(parseQuery(eventsQuery, request.query));
    return sendEvents(reply, channelId === undefined ? {} : { channelId }, page);
  });
}

/** Calls 10–12: webhook endpoints and deliveries. */
export function addCallbackRoutes(
  api: FastifyInstance,
  context: RouteContext,
  { callbacks, deliveries, sendTest }: EventUseCases,
): void {
  const { service } = context;

  api.post<ChannelParams>("/re-stream/channels/:channelId/callbackEndpoint", async (request, reply) => {
    const json = readJson(request);
    const channel = await service.getChannel(request.params.channelId);
    const endpoint = await callbacks.setOfChannel(channel, callbackUrl(json));
    const { callbackUrl: _before, ...rest } = channel;
    const changed = endpoint === undefined ? rest : { ...rest, callbackUrl: endpoint.url };
    return sendContent(reply, {
      ...channelAnswer(changed, answerContext(context, request)),
      ...(endpoint === undefined ? {} : { webhookSecret: endpoint.secret }),
    });
  });

  api.post("/events/callbackEndpoint", async (request, reply) =>
    sendContent(
      reply,
      callbackAnswer(await callbacks.setDefault(callbackUrl(readJson(request))), true, answerContext(context, request)),
    ),
  );

  api.get("/events/callbackEndpoint", async (request, reply) =>
    sendContent(reply, callbackAnswer(await callbacks.getDefault(), false, answerContext(context, request))),
  );

  api.post<ChannelParams>("/re-stream/channels/:channelId/callbackEndpoint/test", async (request, reply) => {
    const { channelId, name } = await service.getChannel(request.params.channelId);
    return sendContent(reply, webhookTestAnswer(await sendTest({ channelId }, name), answerContext(context, request)));
  });

  api.post("/events/callbackEndpoint/test", async (request, reply) =>
    sendContent(reply, webhookTestAnswer(await sendTest("default"), answerContext(context, request))),
  );

  api.get("/events/deliveries", async (request, reply) => {
    const { channelId, pageNo, pageSizeNo } = orRefuse(parseQuery(eventsQuery, request.query));
    const found = await deliveries.list(channelId === undefined ? {} : { channelId }, {
      number: pageNo,
      size: pageSizeNo,
    });
    const shown = answerContext(context, request);
    return sendContent(
      reply,
      found.deliveries.map((delivery) => deliveryAnswer(delivery, shown)),
      found.total,
    );
  });

  api.post<DeliveryParams>("/events/deliveries/:deliveryId/resend", async (request, reply) => {
    const deliveryId = orRefuse(parsePathInteger("deliveryId", request.params.deliveryId));
    return sendContent(reply, deliveryAnswer(await deliveries.resend(deliveryId), answerContext(context, request)));
  });
}

/** The address in the body, under either name. Throws RequestRefusedError. */
function callbackUrl(json: unknown): string {
  const body = orRefuse(parseBody(callbackRequest, json));
  const url = body.callbackEndpoint ?? body.callbackUrl;
  if (url == null) {
    const details = 'callbackEndpoint: expected an http:// or https:// address, or "" to remove it, got nothing.';
    throw new RequestRefusedError(serviceError("NEED_VALUE", "callbackEndpoint", details, MISSING_HINT));
  }
  return url;
}
