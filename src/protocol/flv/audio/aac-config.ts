import { BitReader } from "../bit-reader.ts";

/** What an AAC AudioSpecificConfig says about the decoded audio. */
export type AacConfig = {
  /** 2 is AAC-LC, 5 HE-AAC, 29 HE-AAC v2. */
  readonly objectType: number;
  /** Hertz, of the decoded audio. */
  readonly sampleRate: number;
  /** Hertz, of the core codec, at which a frame's 1024 samples count: half of `sampleRate` with HE-AAC. */
  readonly coreSampleRate: number;
  /** 0 where the configuration describes its channels one by one. */
  readonly channels: number;
};

/** In Hz, by their index in headers. */
export const AAC_SAMPLE_RATES: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
const SAMPLE_RATE_ESCAPE = 15;
/** Channels by channelConfiguration (ISO/IEC 14496-3, table 1.19). */
const CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 0, 8];
const ObjectType = { Main: 1, LongTermPrediction: 4, Sbr: 5, Ps: 29, Escape: 31 } as const;
/** Marks the extension that older decoders ignore (14496-3, 1.6.2.1). */
const SYNC_EXTENSION_SBR = 0x2b7;
const SYNC_EXTENSION_PS = 0x548;
const SYNC_EXTENSION_BITS = 11;

function readObjectType(reader: BitReader): number {
  const objectType = reader.bits(5);
  return objectType === ObjectType.Escape ? 32 + reader.bits(6) : objectType;
}

/** 0 for a reserved index. */
function readSampleRate(reader: BitReader): number {
  const index = reader.bits(4);
  return index === SAMPLE_RATE_ESCAPE ? reader.bits(24) : (AAC_SAMPLE_RATES[index] ?? 0);
}

type Extension = { readonly objectType: number; readonly sampleRate: number };

/** HE-AAC signalled so that older decoders see plain AAC: five bytes, the usual form. */
function readSyncExtension(reader: BitReader): Extension | undefined {
  reader.bit(); // frameLengthFlag
  if (reader.flag()) reader.bits(14); // dependsOnCoreCoder: coreCoderDelay
  reader.bit(); // extensionFlag
  if (reader.bitsLeft < SYNC_EXTENSION_BITS + 5 || reader.bits(SYNC_EXTENSION_BITS) !== SYNC_EXTENSION_SBR)
    return undefined;
  if (readObjectType(reader) !== ObjectType.Sbr || !reader.flag()) return undefined;
  const sampleRate = readSampleRate(reader);
  if (reader.isExhausted || sampleRate === 0) return undefined;
  const hasPs = reader.bitsLeft > SYNC_EXTENSION_BITS && reader.bits(SYNC_EXTENSION_BITS) === SYNC_EXTENSION_PS;
  return { objectType: hasPs && reader.flag() ? ObjectType.Ps : ObjectType.Sbr, sampleRate };
}

/**
 * Reads the body of an AAC configuration message (ISO/IEC 14496-3, 1.6.2.1), HE-AAC in both of its forms. Undefined
 * where it is damaged or names no sample rate.
 */
export function parseAudioSpecificConfig(bytes: Buffer): AacConfig | undefined {
  const reader = new BitReader(bytes);
  let objectType = readObjectType(reader);
  const coreSampleRate = readSampleRate(reader);
  const channelConfiguration = reader.bits(4);
  let sampleRate = coreSampleRate;
  let channels = CHANNELS[channelConfiguration] ?? 0;
  if (objectType === ObjectType.Sbr || objectType === ObjectType.Ps) {
    sampleRate = readSampleRate(reader);
    readObjectType(reader); // the core's
  }
  if (reader.isExhausted || objectType === 0 || sampleRate === 0 || coreSampleRate === 0) return undefined;
  if (objectType >= ObjectType.Main && objectType <= ObjectType.LongTermPrediction && channelConfiguration !== 0) {
    const extension = readSyncExtension(reader);
    if (extension !== undefined) ({ objectType, sampleRate } = extension);
  }
  // Parametric stereo makes two channels of one.
  if (objectType === ObjectType.Ps && channels === 1) channels = 2;
  return { objectType, sampleRate, coreSampleRate, channels };
}
