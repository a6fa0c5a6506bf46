import { FourCc } from "../../flv/fourcc.ts";
import { DescriptorTag, type TsAudioCodec } from "../packets/stream-codec.ts";
import { Ac3Format, Eac3Format } from "./ac3-format.ts";
import { AdtsFormat } from "./adts-format.ts";
import type { AudioFormat } from "./audio-format.ts";
import { LatmFormat } from "./latm-format.ts";
import { MpegFormat } from "./mpeg-format.ts";
import { OpusFormat } from "./opus-format.ts";

const Packet = { SequenceStart: 0, CodedFrames: 1, Multitrack: 5 } as const;
/** Enhanced RTMP's sound format, in the high half of the first byte. */
const ENHANCED = 0x90;
/** FLV's AAC, always with these flags. */
const LEGACY_AAC = 0xaf;
/** 44.1 kHz, 16 bits, stereo: decoders read the frame's own header. */
const LEGACY_MP3 = 0x2f;
const FOURCC_BYTES = 4;

/** How frames of a codec are found. `descriptors` are those of its stream in the PMT. */
export function formatOf(codec: TsAudioCodec, descriptors: ReadonlyMap<number, Buffer>): AudioFormat {
  switch (codec) {
    case "aac":
      return new AdtsFormat();
    case "aac-latm":
      return new LatmFormat();
    case "ac3":
      return new Ac3Format();
    case "eac3":
      return new Eac3Format();
    case "mpeg-audio":
      return new MpegFormat();
    case "opus": {
      const extension = descriptors.get(DescriptorTag.Extension);
      return new OpusFormat(extension?.[0] === 0x80 ? extension[1] : undefined);
    }
  }
}

/**
 * The first bytes of a track's FLV tags, for configurations and for frames: legacy for AAC and MP3 of track 0, Enhanced
 * RTMP for other codecs, with a track id for tracks from 1 on.
 */
export type AudioTagHeads = { readonly config: Buffer; readonly frame: Buffer };

/** The heads of a track's tags. */
export function audioTagHeads(codec: TsAudioCodec, trackId: number): AudioTagHeads {
  if (trackId === 0 && (codec === "aac" || codec === "aac-latm")) {
    return { config: Buffer.from([LEGACY_AAC, 0]), frame: Buffer.from([LEGACY_AAC, 1]) };
  }
  if (trackId === 0 && codec === "mpeg-audio") {
    return { config: Buffer.from([LEGACY_MP3]), frame: Buffer.from([LEGACY_MP3]) };
  }
  const fourCc = Buffer.alloc(FOURCC_BYTES);
  fourCc.writeUInt32BE(fourCcOf(codec));
  const head = (packet: number) =>
    trackId === 0
      ? Buffer.concat([Buffer.from([ENHANCED | packet]), fourCc])
      : Buffer.concat([Buffer.from([ENHANCED | Packet.Multitrack, packet]), fourCc, Buffer.from([trackId])]);
  return { config: head(Packet.SequenceStart), frame: head(Packet.CodedFrames) };
}

/** A tag that names a codec, and says that its track starts. */
export function audioStartTag(codec: TsAudioCodec): Buffer {
  const tag = Buffer.alloc(1 + FOURCC_BYTES);
  tag[0] = ENHANCED | Packet.SequenceStart;
  tag.writeUInt32BE(fourCcOf(codec), 1);
  return tag;
}

function fourCcOf(codec: TsAudioCodec): number {
  switch (codec) {
    case "aac":
    case "aac-latm":
      return FourCc.Aac;
    case "ac3":
      return FourCc.Ac3;
    case "eac3":
      return FourCc.Eac3;
    case "opus":
      return FourCc.Opus;
    case "mpeg-audio":
      return FourCc.Mp3;
  }
}
