import type { FastifyInstance } from "fastify";
import { parseBody } from "../../api-contract/schemas/field-errors.ts";
import { slateRequest } from "../../api-contract/schemas/source-schemas.ts";
import { slateSentence } from "../../api-contract/sources/source-sentences.ts";
import type { SlateDetail } from "../../control/sources/slate-uses.ts";
import { sendContent } from "../answers/reply.ts";
import { orRefuseIn, type RouteContext, readJson } from "../answers/request.ts";
import type { MediaFileUseCases } from "./media-files.ts";

type ChannelParams = { readonly Params: { readonly channelId: string } };

const CHANNEL = "/re-stream/channels/:channelId";

/** The calls on a channel's slate, and on the curtain that it is. */
export function addSlateRoutes(
  api: FastifyInstance,
  { service }: RouteContext,
  { sources }: Pick<MediaFileUseCases, "sources">,
): void {
  api.put<ChannelParams>(`${CHANNEL}/slate`, async (request, reply) => {
    const { channelId } = request.params;
    const { fileId } = await orRefuseIn(service, channelId, parseBody(slateRequest, readJson(request)));
    return sendContent(reply, slateAnswer(await sources.slates.set(channelId, fileId)));
  });
  const calls: readonly {
    method: "GET" | "DELETE" | "POST";
    name: string;
    act: (channelId: string) => Promise<SlateDetail>;
  }[] = [
    { method: "GET", name: "slate", act: (channelId) => sources.slates.get(channelId) },
    { method: "DELETE", name: "slate", act: (channelId) => sources.slates.set(channelId, undefined) },
    { method: "POST", name: "curtain", act: (channelId) => sources.slates.setCurtain(channelId, true) },
    { method: "DELETE", name: "curtain", act: (channelId) => sources.slates.setCurtain(channelId, false) },
  ];
  for (const { method, name, act } of calls) {
    api.route<ChannelParams>({
      ...{ method, url: `${CHANNEL}/${name}` },
      handler: async (request, reply) => sendContent(reply, slateAnswer(await act(request.params.channelId))),
    });
  }
}

function slateAnswer({ fileId, state, isCurtainClosed, isSlateShown }: SlateDetail) {
  const [message, messageKo] = state === undefined ? [] : slateSentence(state);
  return {
    ...(fileId === undefined ? {} : { fileId }),
    slateState: state?.at ?? "none",
    ...(message === undefined ? {} : { message }),
    ...(messageKo === undefined ? {} : { messageKo }),
    ...{ curtainClosed: isCurtainClosed, slateShown: isSlateShown },
  };
}
