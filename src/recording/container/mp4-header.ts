import {
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedVideoPacketSource,
  type AudioCodec as LibraryAudioCodec,
  type VideoCodec as LibraryVideoCodec,
  Mp4OutputFormat,
  NullTarget,
  Output,
} from "mediabunny";
import type { AudioCodec, VideoCodec } from "../../protocol/flv/fourcc.ts";
import { flacConfig } from "./audio-format.ts";
import type { AudioTrack, Track, VideoTrack } from "./track.ts";

const VIDEO: ReadonlyMap<VideoCodec, LibraryVideoCodec> = new Map([
  ["avc", "avc"],
  ["hevc", "hevc"],
  ["av1", "av1"],
  ["vp9", "vp9"],
  ["vp8", "vp8"],
]);
const AUDIO: ReadonlyMap<AudioCodec, LibraryAudioCodec> = new Map([
  ["aac", "aac"],
  ["mp3", "mp3"],
  ["opus", "opus"],
  ["flac", "flac"],
  ["ac3", "ac3"],
  ["eac3", "eac3"],
]);
/** Codecs that cannot be decoded without their configuration record. */
const NEED_CONFIG: ReadonlySet<string> = new Set(["avc", "hevc", "av1", "aac", "flac"]);
/** Video is timed in milliseconds, as it comes. */
const UNITS_PER_SECOND = 1_000;

/** Whether MP4 has a form for this codec, and everything that it needs is there. */
export function fitsMp4(track: Track): boolean {
  const isKnown =
    track.kind === "video"
      ? VIDEO.has(track.codec) && track.size !== undefined
      : AUDIO.has(track.codec) && track.format !== undefined;
  return isKnown && (track.config !== undefined || !NEED_CONFIG.has(track.codec));
}

/**
 * Makes the beginning of a fragmented MP4 file, `ftyp` and `moov`, with these tracks in this order. The fragments are
 * our own (`protocol/mp4/fragment`): the library begins a fragment only at a keyframe, so a crash would cost a whole
 * group of pictures, and it keeps every sample's entry until the end of the file. Throws where the library finds a
 * configuration unusable.
 */
export async function encodeMp4Header(tracks: readonly Track[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  const take = (bytes: Uint8Array) => void parts.push(Buffer.from(bytes));
  const format = new Mp4OutputFormat({ fastStart: "fragmented", onFtyp: take, onMoov: take });
  const output = new Output({ format, target: new NullTarget() });
  const adds = tracks.map((track) => (track.kind === "video" ? addVideo(output, track) : addAudio(output, track)));
  await output.start();
  for (const add of adds) await add();
  await output.finalize();
  return Buffer.concat(parts);
}

function addVideo(output: Output, track: VideoTrack): () => Promise<void> {
  const { codec, config, size, firstFrame } = track;
  const source = new EncodedVideoPacketSource(VIDEO.get(codec) ?? "avc");
  output.addVideoTrack(source, { frameRate: UNITS_PER_SECOND });
  const decoderConfig = {
    codec: videoCodecString(codec, config),
    ...(size === undefined ? {} : { codedWidth: size.width, codedHeight: size.height }),
    ...(config === undefined ? {} : { description: config }),
  };
  return () => source.add(new EncodedPacket(firstFrame, "key", 0, 1), { decoderConfig });
}

function addAudio(output: Output, track: AudioTrack): () => Promise<void> {
  const { codec, config, format, firstFrame } = track;
  const source = new EncodedAudioPacketSource(AUDIO.get(codec) ?? "aac");
  output.addAudioTrack(source);
  const description = codec === "flac" && config !== undefined ? flacConfig(config) : config;
  const decoderConfig = {
    codec: AUDIO_STRINGS.get(codec) ?? "",
    ...{ sampleRate: format?.sampleRate ?? 0, numberOfChannels: format?.channels ?? 0 },
    ...(description === undefined || description.length === 0 ? {} : { description }),
  };
  return () => source.add(new EncodedPacket(firstFrame, "key", 0, 1), { decoderConfig });
}

const AUDIO_STRINGS: ReadonlyMap<AudioCodec, string> = new Map([
  // The configuration record says which kind of AAC it is.
  ["aac", "mp4a.40.2"],
  ["mp3", "mp3"],
  ["opus", "opus"],
  ["flac", "flac"],
  ["ac3", "ac-3"],
  ["eac3", "ec-3"],
]);

/** The codec's name by RFC 6381. The library makes AV1's and VP9's records from it; H.264's and HEVC's come as sent. */
function videoCodecString(codec: VideoCodec, config: Buffer | undefined): string {
  switch (codec) {
    case "avc":
      return `avc1.${(config ?? Buffer.alloc(4)).toString("hex", 1, 4)}`;
    case "hevc":
      return "hvc1.1.6.L93.B0";
    case "av1":
      return av1String(config ?? Buffer.alloc(4));
    case "vp9":
      return vp9String(config);
    default:
      return "vp8";
  }
}

/** From the AV1 configuration record (AV1 in ISOBMFF, 2.3.3). */
function av1String(config: Buffer): string {
  const [levels = 0, flags = 0] = [config[1], config[2]];
  const tier = flags >> 7 === 1 ? "H" : "M";
  const isHigh = ((flags >> 6) & 1) === 1;
  const depth = isHigh ? (((flags >> 5) & 1) === 1 ? 12 : 10) : 8;
  return `av01.${levels >> 5}.${twoDigits(levels & 0x1f)}${tier}.${twoDigits(depth)}`;
}

/** From the VP9 configuration record (`vpcC`, a full box's content or without its version and flags). */
function vp9String(config: Buffer | undefined): string {
  const fields = config === undefined || config.length < 8 ? undefined : config.subarray(config[0] === 1 ? 4 : 0);
  const [profile = 0, level = 10, depth = 0x80] = fields ?? [];
  return `vp09.${twoDigits(profile)}.${twoDigits(level)}.${twoDigits(depth >> 4)}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}
