import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { parseBody } from "../../api-contract/schemas/field-errors.ts";
import { sourceRequest } from "../../api-contract/schemas/source-schemas.ts";
import type { ChannelSource } from "../../control/channels/source.ts";
import type { SourceDetail } from "../../control/sources/sources.ts";
import { sendContent } from "../answers/reply.ts";
import { answerContext, orRefuseIn, type RouteContext, readJson } from "../answers/request.ts";
import type { MediaFileUseCases } from "./media-files.ts";
import { sourceAnswer } from "./source-answers.ts";

type ChannelParams = { readonly Params: { readonly channelId: string } };

const SOURCE = "/re-stream/channels/:channelId/source";

/** The calls on a channel's source: what plays in place of an encoder. */
export function addSourceRoutes(
  api: FastifyInstance,
  context: RouteContext,
  { files, sources }: Pick<MediaFileUseCases, "files" | "sources">,
): void {
  const { service } = context;
  const send = (request: FastifyRequest, reply: FastifyReply, detail: SourceDetail) => {
    const { isViewer } = answerContext(context, request);
    return sendContent(reply, sourceAnswer(detail, { ffmpegFound: files.isAvailable, isViewer }));
  };
  api.put<ChannelParams>(SOURCE, async (request, reply) => {
    const { channelId } = request.params;
    const { fileIds, loop, pull } = await orRefuseIn(service, channelId, parseBody(sourceRequest, readJson(request)));
    const source: ChannelSource =
      pull == null
        ? { kind: "files", fileIds: fileIds ?? [], isLooped: loop ?? false }
        : { kind: "pull", url: pull.url };
    return send(request, reply, await sources.set(channelId, source));
  });

  const calls: readonly {
    method: "GET" | "DELETE" | "POST";
    url: string;
    act: (channelId: string) => Promise<SourceDetail>;
  }[] = [
    { method: "GET", url: SOURCE, act: (channelId) => sources.get(channelId) },
    { method: "DELETE", url: SOURCE, act: (channelId) => sources.clear(channelId) },
    { method: "POST", url: `${SOURCE}/start`, act: (channelId) => sources.start(channelId) },
    { method: "POST", url: `${SOURCE}/stop`, act: (channelId) => sources.stop(channelId) },
  ];
  for (const { method, url, act } of calls) {
    api.route<ChannelParams>({
      ...{ method, url },
      handler: async (request, reply) => send(request, reply, await act(request.params.channelId)),
    });
  }
}
