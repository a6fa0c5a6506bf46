import type { FastifyInstance } from "fastify";
import { gatewayError, serviceError } from "../../api-contract/errors.ts";
import { type PreviewAccess, WATCHERS_MAX, WATCHERS_OF_CHANNEL_MAX } from "../../control/access/preview-access.ts";
import type { Service } from "../../control/service.ts";
import { RequestRefusedError } from "../answers/errors.ts";
import { PRIVATE_HEADERS, sendContent, sendHeaders, traceHeader } from "../answers/reply.ts";
import { lastingOwner, type RouteContext } from "../answers/request.ts";
import type { Previews } from "../live/previews.ts";
import type { ConnectionGuard } from "../server/connection-guard.ts";

/** After how many seconds a client without a place should try again. */
const RETRY_AFTER_SECONDS = 5;

const HEADERS = {
  "content-type": "video/x-flv",
  ...PRIVATE_HEADERS,
  // The token gives access; the origin of a player's page does not matter.
  "access-control-allow-origin": "*",
  "x-accel-buffering": "no",
} as const;

type ChannelParams = { readonly Params: { readonly channelId: string } };
type FileRequest = {
  readonly Params: { readonly file: string };
  readonly Querystring: { readonly token?: string | string[] };
};

/** The call that makes a preview's address. */
export function addPreviewTokenRoute(api: FastifyInstance, context: RouteContext, access: PreviewAccess): void {
  api.post<ChannelParams>("/re-stream/channels/:channelId/preview-token", async (request, reply) => {
    const { channelId } = await context.service.getChannel(request.params.channelId);
    const { token, expiresTime } = access.newToken(channelId, lastingOwner(context, request));
    return sendContent(reply, { url: `${context.basePath}/preview/${channelId}.flv?token=${token}`, expiresTime });
  });
}

type PreviewParts = {
  readonly service: Pick<Service, "getChannel">;
  readonly access: PreviewAccess;
  readonly previews: Previews;
  readonly guard: ConnectionGuard;
};

function refuseOffAir(): never {
  throw new RequestRefusedError(serviceError("NOT_AVAILABLE", "Channel", "The channel is not on air."));
}

/** What a channel sends, as HTTP-FLV, for clients with a token. Lasts as long as the broadcast. */
export function addPreviewRoute(server: FastifyInstance, { service, access, previews, guard }: PreviewParts): void {
  server.get<FileRequest>("/preview/:file", { config: { isStream: true } }, async (request, reply) => {
    const channelId = /^(.+)\.flv$/.exec(request.params.file)?.[1] ?? "";
    const { token } = request.query;
    const place = access.enter(typeof token === "string" ? token : "", channelId);
    if (place === "refused") {
      throw new RequestRefusedError(
        gatewayError("AUTHENTICATION_FAILED", "The preview's address is wrong or too old."),
      );
    }
    guard.recognise(request.socket);
    if (place === "full") {
      const details = `${WATCHERS_OF_CHANNEL_MAX} previews of a channel, and ${WATCHERS_MAX} in all, is the limit.`;
      throw new RequestRefusedError(gatewayError("RATE_LIMITED", details), RETRY_AFTER_SECONDS);
    }
    if (request.method === "HEAD") {
      place.leave();
      const { isPublishing } = await service.getChannel(place.channelId);
      return isPublishing ? sendHeaders(reply.headers(HEADERS)) : refuseOffAir();
    }
    if (!(await previews.serve(place, reply.raw, { ...HEADERS, ...traceHeader(request.id) }))) refuseOffAir();
    return reply.hijack();
  });
}
