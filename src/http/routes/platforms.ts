import type { FastifyInstance } from "fastify";
import { changedPassword } from "../../api-contract/input/masked-values.ts";
import { tidyPlatform } from "../../api-contract/input/tidy-platform.ts";
import { parseBody, parsePathInteger, parseQuery } from "../../api-contract/schemas/field-errors.ts";
import type { EditPlatformRequest } from "../../api-contract/schemas/schemas.ts";
import { addPlatformRequest, editPlatformQuery, editPlatformRequest } from "../../api-contract/schemas/schemas.ts";
import type { Target } from "../../control/channels/channel.ts";
import type { TargetChange } from "../../control/ports/store.ts";
import type { TargetDetail } from "../../control/use-cases/details.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import { platformAnswer, platformSettingsAnswer, platformTestAnswer } from "../answers/answers.ts";
import { withNotes } from "../answers/platform-notes.ts";
import { sendContent } from "../answers/reply.ts";
import type { RouteContext } from "../answers/request.ts";
import { answerContext, orRefuse, orRefuseAfter, orRefuseIn, readJson } from "../answers/request.ts";
import { targetSettings, targetTrust, trackChoice } from "../answers/target-settings.ts";
import { windowsOf } from "../answers/windows/target-windows.ts";

type ChannelParams = { readonly Params: { readonly channelId: string } };
type PlatformParams = { readonly Params: { readonly channelId: string; readonly platformId: string } };

/** The calls on platforms: 5, 6 and 16–19. */
export function addPlatformRoutes(api: FastifyInstance, context: RouteContext): void {
  addPlatformSettingsRoutes(api, context);
  addPlatformActionRoutes(api, context);
}

/** Calls 5, 6 and 16: the platforms of a channel with their live status, the edit of one, and the addition of one. */
function addPlatformSettingsRoutes(api: FastifyInstance, context: RouteContext): void {
  const { service } = context;

  api.get<ChannelParams>("/re-stream/channels/:channelId/platforms", async (request, reply) => {
    const targets = await service.listTargets(request.params.channelId);
    const shown = answerContext(context, request);
    return sendContent(
      reply,
      targets.map((target) => platformAnswer(target, shown)),
    );
  });

  api.put<PlatformParams>("/re-stream/channels/:channelId/platforms/:platformId", async (request, reply) => {
    const { channelId, platformId } = request.params;
    const json = readJson(request);
    const targetId = orRefuse(parsePathInteger("platformId", platformId));
    const { onAir } = orRefuse(parseQuery(editPlatformQuery, request.query));
    const { body: tidied, notes } = tidyPlatform(json);
    const find = () => service.getTarget(channelId, targetId);
    const body = await orRefuseAfter(find, parseBody(editPlatformRequest, tidied));
    const decide = (present: Target) => targetChange(body, present);
    const { channel, target } = await service.targetEdits.edit(channelId, targetId, decide, onAir === "true");
    const answer = platformSettingsAnswer(target, answerContext(context, request));
    return sendContent(reply, withNotes(answer, target, notes, channel.targets));
  });

  api.post<ChannelParams>("/re-stream/channels/:channelId/platforms", async (request, reply) => {
    const { channelId } = request.params;
    const json = readJson(request);
    const { body: tidied, notes } = tidyPlatform(json);
    const body = await orRefuseIn(service, channelId, parseBody(addPlatformRequest, tidied));
    const { channel, target } = await service.targetEdits.add(channelId, targetSettings(body));
    const answer = platformAnswer(target, answerContext(context, request));
    return sendContent(reply, withNotes(answer, target, notes, channel.targets));
  });
}

/** Calls 17–19: remove, switch, retry and test a platform. */
function addPlatformActionRoutes(api: FastifyInstance, context: RouteContext): void {
  const { targetEdits } = context.service;
  const url = "/re-stream/channels/:channelId/platforms/:platformId";
  type Act = (channelId: ChannelId, targetId: TargetId) => Promise<TargetDetail>;
  const actions: readonly { readonly method: "PUT" | "DELETE"; readonly url: string; readonly act: Act }[] = [
    { method: "DELETE", url, act: (channelId, targetId) => targetEdits.remove(channelId, targetId) },
    {
      method: "PUT",
      url: `${url}/on`,
      act: (channelId, targetId) => targetEdits.setEnabled(channelId, targetId, true),
    },
    {
      method: "PUT",
      url: `${url}/off`,
      act: (channelId, targetId) => targetEdits.setEnabled(channelId, targetId, false),
    },
    { method: "PUT", url: `${url}/retry`, act: (channelId, targetId) => targetEdits.retry(channelId, targetId) },
    { method: "PUT", url: `${url}/cut-delay`, act: (channelId, targetId) => targetEdits.cutDelay(channelId, targetId) },
  ];
  for (const { act, ...route } of actions) {
    api.route<PlatformParams>({
      ...route,
      handler: async (request, reply) => {
        const { channelId, platformId } = request.params;
        const target = await act(channelId, orRefuse(parsePathInteger("platformId", platformId)));
        return sendContent(reply, platformAnswer(target, answerContext(context, request)));
      },
    });
  }

  api.post<PlatformParams>(`${url}/test`, async (request, reply) => {
    const { channelId, platformId } = request.params;
    const targetId = orRefuse(parsePathInteger("platformId", platformId));
    return sendContent(reply, platformTestAnswer(await targetEdits.test(channelId, targetId)));
  });
}

/** Absent fields stay as they are, `""` clears. Throws RequestRefusedError for the mask of another password. */
function targetChange(body: EditPlatformRequest, present: Target): TargetChange {
  const loginId = body.streamId ?? body.id;
  const field = body.streamPassword == null ? "password" : "streamPassword";
  const loginPassword = orRefuse(changedPassword(field, body[field], present.loginPassword));
  return {
    url: body.rtmpUrl,
    streamKey: body.streamKey,
    ...(loginId == null ? {} : { loginId }),
    ...(loginPassword === undefined ? {} : { loginPassword }),
    ...(body.label == null ? {} : { label: body.label }),
    ...(body.enabled == null ? {} : { isEnabled: body.enabled }),
    ...(body.bufferPolicy == null ? {} : { bufferPolicy: body.bufferPolicy }),
    ...(body.timedData == null ? {} : { hasTimedData: body.timedData }),
    ...(body.silentAudio == null ? {} : { silentAudio: body.silentAudio }),
    ...(body.delaySeconds == null ? {} : { delaySeconds: body.delaySeconds }),
    ...(body.windows == null ? {} : { windows: windowsOf(body.windows) ?? "none" }),
    ...(body.tls == null ? {} : { tls: targetTrust(body.tls) }),
    ...(body.tracks == null ? {} : { tracks: trackChoice(body.tracks) ?? "all" }),
  };
}
