import type { FastifyInstance } from "fastify";
import { gatewayError } from "../../api-contract/errors.ts";
import { parseQuery } from "../../api-contract/schemas/field-errors.ts";
import { liveStreamQuery } from "../../api-contract/schemas/live-schemas.ts";
import { RequestRefusedError } from "../answers/errors.ts";
import { liveStreamHeaders, sendHeaders } from "../answers/reply.ts";
import type { RouteContext } from "../answers/request.ts";
import { answerContext, lastingOwner, orRefuse } from "../answers/request.ts";
import { type LiveStream, READERS_MAX } from "../live/live-stream.ts";

/** After how many seconds a client without a place should try again. */
const RETRY_AFTER_SECONDS = 5;

/** Open streams of one access key; the default of the setting. */
export const EVENT_STREAMS_PER_KEY_DEFAULT = 20;

export type LiveParts = {
  readonly live: LiveStream;
  readonly limits: { readonly eventStreamsPerKey: number };
};

function refuse(details: string): never {
  throw new RequestRefusedError(gatewayError("RATE_LIMITED", details), RETRY_AFTER_SECONDS);
}

/** Call 20: changes and samples as they happen, as Server-Sent Events. */
export function addLiveRoutes(api: FastifyInstance, context: RouteContext, parts: LiveParts): void {
  const { live } = parts;
  const streamsPerKey = parts.limits.eventStreamsPerKey;
  api.get("/re-stream/events/stream", { config: { isStream: true } }, async (request, reply) => {
    const { channelId } = orRefuse(parseQuery(liveStreamQuery, request.query));
    if (channelId !== undefined) await context.service.getChannel(channelId);
    const accessKeyId = lastingOwner(context, request);
    if (live.readerCountOf(accessKeyId) >= streamsPerKey) {
      refuse(`This access key has ${streamsPerKey} event streams open, which is the limit.`);
    }
    if (live.readerCount >= READERS_MAX) {
      refuse(`${READERS_MAX} event streams are open, which is the limit.`);
    }
    if (request.method === "HEAD") return sendHeaders(reply.headers(liveStreamHeaders(request.id)));
    const lastEventId = request.headers["last-event-id"];
    reply.hijack();
    reply.raw.writeHead(200, liveStreamHeaders(request.id));
    live.open(reply.raw, {
      isViewer: answerContext(context, request).isViewer,
      accessKeyId,
      channelId,
      lastEventId: typeof lastEventId === "string" ? lastEventId : undefined,
    });
    return reply;
  });
}
