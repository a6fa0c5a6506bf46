import type { FastifyInstance } from "fastify";
import { type Bilingual, LIMIT_NAMES, type TargetPreset } from "../../control/presets/target-preset.ts";
import { TARGET_PRESETS } from "../../control/presets/target-presets.ts";
import { sendContent } from "../answers/reply.ts";

/** The former name of SOOP. The API accepts it for a platform; the list shows SOOP once. */
const FORMER_NAME = "AFREECATV";

/** The kinds of platforms, and what is known of each. */
export function addPresetRoutes(api: FastifyInstance): void {
  const presets = TARGET_PRESETS.filter(({ targetName }) => targetName !== FORMER_NAME).map(presetAnswer);
  api.get("/re-stream/presets", async (_request, reply) => sendContent(reply, presets));
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
