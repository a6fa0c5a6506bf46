import type { FastifyInstance } from "fastify";
import { recommendedSettings } from "../../control/presets/recommended-settings.ts";
import { type Bilingual, LIMIT_NAMES, type TargetPreset } from "../../control/presets/target-preset.ts";
import { TARGET_PRESETS } from "../../control/presets/target-presets.ts";
import { sendContent } from "../answers/reply.ts";
import type { RouteContext } from "../answers/request.ts";

/** The former name of SOOP. The API accepts it for a platform; the list shows SOOP once. */
const FORMER_NAME = "AFREECATV";

type ChannelParams = { readonly Params: { readonly channelId: string } };

/** The kinds of platforms, what is known of each, and what follows from that for a channel's encoder. */
export function addPresetRoutes(api: FastifyInstance, { service }: Pick<RouteContext, "service">): void {
  const presets = TARGET_PRESETS.filter(({ targetName }) => targetName !== FORMER_NAME).map(presetAnswer);
  api.get("/re-stream/presets", async (_request, reply) => sendContent(reply, presets));

  api.get<ChannelParams>("/re-stream/channels/:channelId/recommended-settings", async (request, reply) => {
    const { targets } = await service.getChannel(request.params.channelId);
    const { settings, refusedCodecs, conflicts } = recommendedSettings(targets.filter(({ isEnabled }) => isEnabled));
    return sendContent(reply, {
      settings: settings.map(withPlatIds),
      refusedCodecs: refusedCodecs.map(withPlatIds),
      conflicts: conflicts.map(withPlatIds),
    });
  });
}

function withPlatIds<Each extends { readonly targetIds: readonly number[] }>({ targetIds, ...rest }: Each) {
  return { ...rest, platIds: targetIds };
}

function presetAnswer(preset: TargetPreset) {
  const { displayName, urls, backupUrls, urlHelp, keyHelp, failureHelp, keyPage, livePage, limits, ...rest } = preset;
  return {
    ...rest,
    ...sentences("displayName", displayName),
    rtmpUrls: urls,
    backupRtmpUrls: backupUrls,
    ...(urlHelp === undefined ? {} : sentences("urlHelp", urlHelp)),
    ...sentences("keyHelp", keyHelp),
    ...(failureHelp === undefined ? {} : sentences("failureHelp", failureHelp)),
    ...(keyPage === undefined ? {} : { keyPageUrl: keyPage }),
    ...(livePage === undefined ? {} : { livePageUrl: livePage }),
    limits: { ...limits, unknown: LIMIT_NAMES.filter((name) => limits[name] === undefined) },
  };
}

/** A field and its Korean form. */
function sentences(name: string, { en, ko }: Bilingual) {
  return { [name]: en, [`${name}Ko`]: ko };
}
