import { parseAudioSpecificConfig } from "../../flv/audio/aac-config.ts";
import type { AudioCodec } from "../../flv/fourcc.ts";
import { StreamId } from "./pes-writer.ts";

const ADTS_BYTES = 7;
const ADTS_FRAME_MAX = 0x1fff;
const RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
const LOW_COMPLEXITY = 2;
/** Object types that ADTS can name: Main, LC, SSR, LTP. */
const OBJECT_TYPE_MAX = 4;
const OPUS_CHANNELS_AT = 9;
const NO_DESCRIPTORS = Buffer.alloc(0);
const OPUS_CONTROL = Buffer.from([0x7f, 0xe0]);

/** How a codec's frames are written into PES packets, and how the PMT lists them. */
export type AudioFraming = {
  readonly streamType: number;
  readonly descriptors: Buffer;
  readonly streamId: number;
  /** What precedes a frame of so many bytes; undefined where it is too long. */
  head(frameBytes: number): Buffer | undefined;
};

/**
 * The framing of a codec, with its configuration where it has one. Undefined where a transport stream has no usual form
 * for it, or where AAC's configuration is missing.
 */
export function audioFraming(codec: AudioCodec, config: Buffer | undefined): AudioFraming | undefined {
  switch (codec) {
    case "aac":
      return config === undefined ? undefined : adtsFraming(config);
    case "mp3":
      return { streamType: 0x03, descriptors: NO_DESCRIPTORS, streamId: StreamId.Audio, head: () => NO_DESCRIPTORS };
    case "ac3":
      return { ...PRIVATE, streamType: 0x81, descriptors: registration("AC-3") };
    case "eac3":
      return { ...PRIVATE, streamType: 0x87, descriptors: registration("EAC3") };
    case "opus": {
      const channels = config?.[OPUS_CHANNELS_AT] ?? 2;
      const extension = Buffer.from([0x7f, 2, 0x80, channels]);
      const descriptors = Buffer.concat([registration("Opus"), extension]);
      return { streamType: 0x06, descriptors, streamId: StreamId.Private, head: opusHead };
    }
    default:
      return undefined;
  }
}

const PRIVATE = { streamId: StreamId.Private, head: () => NO_DESCRIPTORS } as const;

/** ISO/IEC 13818-1, 2.6.8. */
function registration(format: string): Buffer {
  return Buffer.concat([Buffer.from([0x05, 4]), Buffer.from(format, "latin1")]);
}

/** A size that 255 continues, without trims. */
function opusHead(frameBytes: number): Buffer {
  return Buffer.concat([
    OPUS_CONTROL,
    Buffer.alloc(Math.floor(frameBytes / 255), 255),
    Buffer.from([frameBytes % 255]),
  ]);
}

/** HE-AAC has the header of its core: decoders find the extension in the frames. */
function adtsFraming(config: Buffer): AudioFraming | undefined {
  const parsed = parseAudioSpecificConfig(config);
  if (parsed === undefined) return undefined;
  const rate = RATES.indexOf(parsed.coreSampleRate);
  if (rate === -1) return undefined;
  const objectType = parsed.objectType <= OBJECT_TYPE_MAX ? parsed.objectType : LOW_COMPLEXITY;
  const channels = channelConfiguration(config);
  const head = (frameBytes: number) => {
    const total = ADTS_BYTES + frameBytes;
    if (total > ADTS_FRAME_MAX) return undefined;
    return Buffer.from([
      0xff,
      0xf1,
      ((objectType - 1) << 6) | (rate << 2) | (channels >> 2),
      ((channels & 3) << 6) | (total >> 11),
      (total >> 3) & 0xff,
      // A buffer fullness of all ones: the bitrate varies.
      ((total & 7) << 5) | 0x1f,
      0xfc,
    ]);
  };
  return { streamType: 0x0f, descriptors: NO_DESCRIPTORS, streamId: StreamId.Audio, head };
}

/** It follows five bits of object type and four of the rate, or 24 more where that has no index; of three bits in ADTS. */
function channelConfiguration(config: Buffer): number {
  const bits = ((config[0] ?? 0) << 8) | (config[1] ?? 0);
  const hasOwnRate = ((bits >> 7) & 0x0f) === 15;
  const value = hasOwnRate ? ((config[4] ?? 0) >> 3) & 0x0f : (bits >> 3) & 0x0f;
  return value <= 7 ? value : 2;
}
