import type { FastifyInstance } from "fastify";
import type { Runtime } from "../../control/ports/runtime.ts";
import { answerHeaders, sendBytes } from "../answers/reply.ts";
import type { RouteContext } from "../answers/request.ts";
import { Keyframes } from "../live/keyframes.ts";

type ChannelParams = { readonly Params: { readonly channelId: string } };

/** The call that reads a channel's last keyframe, as an FLV file. */
export function addKeyframeRoute(
  api: FastifyInstance,
  { service }: RouteContext,
  runtime: Pick<Runtime, "keyframe">,
): void {
  const keyframes = new Keyframes(runtime);
  api.get<ChannelParams>("/re-stream/channels/:channelId/keyframe", async (request, reply) => {
    const { channelId } = await service.getChannel(request.params.channelId);
    const found = await keyframes.read(channelId, knownTimeOf(request.headers["if-none-match"]), reply.raw);
    reply.headers(answerHeaders(request.id));
    if (found === undefined) return reply.code(304).removeHeader("content-type").send();
    return sendBytes(
      reply
        .header("content-type", "video/x-flv")
        .header("etag", `"${found.time}"`)
        .header("last-modified", new Date(found.time).toUTCString()),
      found.bytes,
    );
  });
}

/** The time of the keyframe that a client has, from `If-None-Match`; undefined where it has none of ours. */
function knownTimeOf(header: string | undefined): number | undefined {
  const [, time] = /^(?:W\/)?"(\d{1,15})"$/.exec(header ?? "") ?? [];
  return time === undefined ? undefined : Number(time);
}
