import { parseAudioSpecificConfig } from "../../../protocol/flv/audio/aac-config.ts";
import { classifyAudio } from "../../../protocol/flv/audio/audio-tag.ts";
import { AAC_FRAME_SAMPLES } from "../filler/silent-aac.ts";

/** How long each frame of this audio plays, in milliseconds, by its sequence header; 0 where that does not say it. */
export function audioFrameMs(config: Buffer): number {
  const { codec, part, bodyOffset, bodyEnd } = classifyAudio(config);
  if (codec !== "aac" || part !== "config") return 0;
  const aac = parseAudioSpecificConfig(config.subarray(bodyOffset, bodyEnd));
  return aac === undefined ? 0 : (AAC_FRAME_SAMPLES * 1_000) / aac.coreSampleRate;
}
