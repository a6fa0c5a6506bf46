import { parseAudioSpecificConfig } from "../../../protocol/flv/audio/aac-config.ts";
import { classifyAudio } from "../../../protocol/flv/audio/audio-tag.ts";
import { readFrameFormat } from "../../../protocol/flv/video/read-frame-format.ts";
import { classifyVideo } from "../../../protocol/flv/video/video-tag.ts";
import type { DecoderConfig } from "./decoder-config.ts";
export type VideoFormat = { readonly videoCodec?: string; readonly width?: number; readonly height?: number };
export type AudioFormat = { readonly audioCodec?: string; readonly sampleRate?: number; readonly channels?: number };

/** The format of the default video track: from its sequence header, or from its messages if the codec has none. */
export function videoFormat(head: DecoderConfig): VideoFormat {
  const config = head.config("video");
  const videoCodec = head.codecs("video").get(0);
  return config === undefined && videoCodec !== undefined ? { videoCodec } : describeVideo(config);
}

/** The format of the default audio track: from its sequence header, or from its messages if the codec has none. */
export function audioFormat(head: DecoderConfig): AudioFormat {
  const config = head.config("audio");
  const audioCodec = head.codecs("audio").get(0);
  if (config !== undefined || audioCodec === undefined) return describeAudio(config);
  return { audioCodec, ...head.audioFrameFormat(0) };
}

/** Reads a video sequence header. Sizes in pixels. */
function describeVideo(config: Buffer | undefined): VideoFormat {
  if (config === undefined) return {};
  const tag = classifyVideo(config);
  const size =
    tag.part === "config" ? readFrameFormat(tag.codec, config.subarray(tag.bodyOffset, tag.bodyEnd)) : undefined;
  return {
    videoCodec: tag.codec,
    ...(size === undefined ? {} : { width: size.width, height: size.height }),
  };
}

/** Reads an audio sequence header. Sample rate in Hz. */
export function describeAudio(config: Buffer | undefined): AudioFormat {
  if (config === undefined) return {};
  const tag = classifyAudio(config);
  const aac = tag.codec === "aac" ? parseAudioSpecificConfig(config.subarray(tag.bodyOffset, tag.bodyEnd)) : undefined;
  return {
    audioCodec: tag.codec,
    ...(aac === undefined ? {} : { sampleRate: aac.sampleRate, channels: aac.channels }),
  };
}
