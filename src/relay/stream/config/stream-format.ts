import { parseAudioSpecificConfig } from "../../../protocol/flv/audio/aac-config.ts";
import type { AudioFrameFormat } from "../../../protocol/flv/audio/audio-frame-format.ts";
import { classifyAudio } from "../../../protocol/flv/audio/audio-tag.ts";
import { readFrameFormat } from "../../../protocol/flv/video/read-frame-format.ts";
import { classifyVideo } from "../../../protocol/flv/video/video-tag.ts";
import type { DecoderConfig } from "./decoder-config.ts";

const OPUS_HEAD = "OpusHead";
const OPUS_CHANNELS_AT = 9;
const FLAC_MARK = "fLaC";
/** Behind the mark, the block's header, block sizes and frame sizes: 20 bits of the rate, 3 of the channels less one. */
const FLAC_RATE_AT = 18;
/** Opus is always decoded at this rate, in Hz. */
const OPUS_RATE = 48_000;

/** Sizes in pixels. `pixelFormat`: as FFmpeg names it; absent: 8 bits, 4:2:0, or not known. */
export type VideoFormat = {
  readonly videoCodec?: string;
  readonly width?: number;
  readonly height?: number;
  readonly pixelFormat?: string;
};
export type AudioFormat = { readonly audioCodec?: string; readonly sampleRate?: number; readonly channels?: number };

/** The format of the default video track: from its sequence header, or from its messages if the codec has none. */
export function videoFormat(head: DecoderConfig): VideoFormat {
  const config = head.config("video");
  const videoCodec = head.codecs("video").get(0);
  return config === undefined && videoCodec !== undefined ? { videoCodec } : describeVideo(config);
}

/** The format of the default audio track: from its sequence header, or from its messages if that does not say it. */
export function audioFormat(head: DecoderConfig): AudioFormat {
  const config = head.config("audio");
  const audioCodec = head.codecs("audio").get(0);
  const described = config === undefined && audioCodec !== undefined ? { audioCodec } : describeAudio(config);
  return described.sampleRate === undefined ? { ...described, ...head.audioFrameFormat(0) } : described;
}

/** Each second's sample names the format; a sequence header that is kept does not change. */
const described = new WeakMap<Buffer, VideoFormat>();

/** Reads a video sequence header, once. Sizes in pixels. */
function describeVideo(config: Buffer | undefined): VideoFormat {
  if (config === undefined) return {};
  const known = described.get(config);
  if (known !== undefined) return known;
  const format = readVideo(config);
  described.set(config, format);
  return format;
}

function readVideo(config: Buffer): VideoFormat {
  const tag = classifyVideo(config);
  const size =
    tag.part === "config" ? readFrameFormat(tag.codec, config.subarray(tag.bodyOffset, tag.bodyEnd)) : undefined;
  if (size === undefined) return { videoCodec: tag.codec };
  const { width, height, pixelFormat } = size;
  return { videoCodec: tag.codec, width, height, ...(pixelFormat === undefined ? {} : { pixelFormat }) };
}

/** Reads an audio sequence header. Sample rate in Hz. */
export function describeAudio(config: Buffer | undefined): AudioFormat {
  if (config === undefined) return {};
  const tag = classifyAudio(config);
  const body = config.subarray(tag.bodyOffset, tag.bodyEnd);
  if (tag.codec === "opus") return { audioCodec: "opus", ...readOpusHead(body) };
  if (tag.codec === "flac") return { audioCodec: "flac", ...readFlacHead(body) };
  const aac = tag.codec === "aac" ? parseAudioSpecificConfig(body) : undefined;
  return {
    audioCodec: tag.codec,
    ...(aac === undefined ? {} : { sampleRate: aac.sampleRate, channels: aac.channels }),
  };
}

/** FLAC's mark, the header of a metadata block, and STREAMINFO (RFC 9639, 8.2); empty where it is none. */
function readFlacHead(body: Buffer): AudioFrameFormat | undefined {
  const isHead = body.length >= FLAC_RATE_AT + 4 && body.toString("latin1", 0, FLAC_MARK.length) === FLAC_MARK;
  const bits = isHead ? body.readUInt32BE(FLAC_RATE_AT) : 0;
  const sampleRate = bits >>> 12;
  return sampleRate === 0 ? undefined : { sampleRate, channels: ((bits >>> 9) & 7) + 1 };
}

/** The identification header of Opus (RFC 7845, 5.1); empty where it is none. */
function readOpusHead(body: Buffer): AudioFrameFormat | undefined {
  const isHead = body.length > OPUS_CHANNELS_AT && body.toString("latin1", 0, OPUS_HEAD.length) === OPUS_HEAD;
  return isHead ? { sampleRate: OPUS_RATE, channels: body.readUInt8(OPUS_CHANNELS_AT) } : undefined;
}
