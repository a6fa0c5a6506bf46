import { AMF0_LIMITS, decodeAmf0 } from "../amf0/decode.ts";
import { encodeAmf0 } from "../amf0/encode.ts";
import type { Amf0Value } from "../amf0/value.ts";
import { parseAudioSpecificConfig } from "./audio/aac-config.ts";
import { classifyAudio } from "./audio/audio-tag.ts";
import { type AudioCodec, FourCc, type VideoCodec } from "./fourcc.ts";
import { readFrameFormat } from "./video/read-frame-format.ts";
import { classifyVideo } from "./video/video-tag.ts";

/** Metadata properties by name, in the order they are sent. */
export type MetadataEntries = ReadonlyMap<string, Amf0Value>;

/** What a data message (type 18 or 15) asks for. */
export type DataMessage =
  | { readonly kind: "metadata"; readonly entries: MetadataEntries }
  /** Forget the stored metadata. */
  | { readonly kind: "clear" }
  /** Timed data, and data for players only: cue points, captions, status. */
  | { readonly kind: "other" };

const OTHER: DataMessage = { kind: "other" };
const NO_ENTRIES: MetadataEntries = new Map();

/**
 * Properties that are sent on, in OBS's order. Left out: `duration` and `filesize` (a player may treat the stream as a
 * recording), keyframe lists, and everything that describes the device or the place.
 */
const KEPT = [
  "width",
  "height",
  "videocodecid",
  "videodatarate",
  "framerate",
  "audiocodecid",
  "audiodatarate",
  "audiosamplerate",
  "audiosamplesize",
  "audiochannels",
  "stereo",
  "encoder",
] as const;

/** Enhanced RTMP's descriptions of the tracks from 1 on: objects by track id. */
const KEPT_MAPS = ["videoTrackIdInfoMap", "audioTrackIdInfoMap"] as const;

/** The metadata properties that are read: a recording may include an index of megabytes. */
export const METADATA_PROPERTIES: ReadonlySet<string> = new Set([...KEPT, ...KEPT_MAPS]);

/** In characters. Real values (`encoder`, a codec's name) are far shorter. */
const TEXT_MAX = 256;
/** A track's id is one byte. */
const MAP_TRACKS_MAX = 256;
const MAP_TRACK_PROPERTIES_MAX = 32;
/** In bytes. Track maps are left out of metadata that would be longer. */
const METADATA_BYTES_MAX = 16_384;

/** Legacy codec ids, which every platform knows; other codecs are named by their FourCC. */
const VIDEO_CODEC_ID_AVC = 7;
const AUDIO_CODEC_ID_AAC = 10;
const AUDIO_CODEC_ID_MP3 = 2;
const AUDIO_SAMPLE_BITS = 16;

function entriesOf(value: Amf0Value | undefined): MetadataEntries | undefined {
  if (typeof value !== "object" || value === null || !("kind" in value)) return undefined;
  return value.kind === "date" ? undefined : value.entries;
}

/**
 * Distinguishes metadata from other data. Encoders wrap it in `@setDataFrame`, and wrap it once more where they send on a
 * stream that has it; some cameras send it bare. An onMetaData without properties is metadata without any.
 */
export function readMetadata(values: readonly Amf0Value[]): DataMessage {
  if (values[0] === "@clearDataFrame") return { kind: "clear" };
  const at = values.findIndex((value) => value !== "@setDataFrame");
  return values[at] === "onMetaData" ? { kind: "metadata", entries: entriesOf(values[at + 1]) ?? NO_ENTRIES } : OTHER;
}

function isPlain(value: Amf0Value | undefined): value is number | boolean | string {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value === "boolean" || (typeof value === "string" && value.length <= TEXT_MAX);
}

/** A track map with plain values only, by property and track; undefined where it is not one, or too large. */
function plainTrackMap(value: Amf0Value | undefined): Amf0Value | undefined {
  const tracks = entriesOf(value);
  if (tracks === undefined || tracks.size > MAP_TRACKS_MAX) return undefined;
  const kept = new Map<string, Amf0Value>();
  for (const [trackId, track] of tracks) {
    const properties = entriesOf(track);
    if (properties === undefined || properties.size > MAP_TRACK_PROPERTIES_MAX || trackId.length > TEXT_MAX) continue;
    const plain = [...properties].filter(([name, property]) => name.length <= TEXT_MAX && isPlain(property));
    kept.set(trackId, { kind: "object", entries: new Map(plain) });
  }
  return kept.size === 0 ? undefined : { kind: "object", entries: kept };
}

/**
 * The part of an encoder's metadata that is sent on: the properties that platforms read, with simple values, in OBS's
 * order. Encoders put anything there; unknown properties have confused platforms and revealed places.
 */
export function rewriteMetadata(entries: MetadataEntries): MetadataEntries {
  const kept = new Map<string, Amf0Value>();
  for (const name of KEPT) {
    const value = entries.get(name);
    if (isPlain(value)) kept.set(name, value);
  }
  const withMaps = new Map(kept);
  for (const name of KEPT_MAPS) {
    const map = plainTrackMap(entries.get(name));
    if (map !== undefined) withMaps.set(name, map);
  }
  if (withMaps.size === kept.size) return kept;
  return encodeTargetMetadata(withMaps).length <= METADATA_BYTES_MAX ? withMaps : kept;
}

/** Metadata for a target that gets one track of each kind, without the maps of the others. */
export function withoutTrackMaps(payload: Buffer): Buffer {
  const data = readMetadata(decodeAmf0(payload, AMF0_LIMITS));
  if (data.kind !== "metadata" || !KEPT_MAPS.some((name) => data.entries.has(name))) return payload;
  return encodeTargetMetadata(new Map([...data.entries].filter(([name]) => !KEPT_MAPS.some((map) => map === name))));
}

/** The same metadata with these properties in place of its own; other data as it is. */
export function withMetadata(payload: Buffer, properties: readonly (readonly [string, Amf0Value])[]): Buffer {
  if (payload.length === 0) return payload;
  const data = readMetadata(decodeAmf0(payload, AMF0_LIMITS));
  return data.kind === "metadata" ? encodeTargetMetadata(new Map([...data.entries, ...properties])) : payload;
}

/** The payload of a data message (type 18) for a target: `@setDataFrame`, `onMetaData`, ECMA array with its true count. */
export function encodeTargetMetadata(entries: MetadataEntries): Buffer {
  return encodeAmf0(["@setDataFrame", "onMetaData", { kind: "ecma-array", entries }]);
}

function videoCodecId(codec: VideoCodec): number | undefined {
  switch (codec) {
    case "avc":
      return VIDEO_CODEC_ID_AVC;
    case "hevc":
      return FourCc.Hevc;
    case "vvc":
      return FourCc.Vvc;
    case "av1":
      return FourCc.Av1;
    case "vp9":
      return FourCc.Vp9;
    case "vp8":
      return FourCc.Vp8;
    default:
      return undefined;
  }
}

function audioCodecId(codec: AudioCodec): number | undefined {
  switch (codec) {
    case "aac":
      return AUDIO_CODEC_ID_AAC;
    case "mp3":
      return AUDIO_CODEC_ID_MP3;
    case "opus":
      return FourCc.Opus;
    case "flac":
      return FourCc.Flac;
    case "ac3":
      return FourCc.Ac3;
    case "eac3":
      return FourCc.Eac3;
    default:
      return undefined;
  }
}

/** Adds the properties that a video configuration message contains. */
function describeVideo(payload: Buffer, into: Map<string, Amf0Value>): void {
  const tag = classifyVideo(payload);
  const codecId = tag.part === "config" ? videoCodecId(tag.codec) : undefined;
  if (codecId === undefined) return;
  const format = readFrameFormat(tag.codec, payload.subarray(tag.bodyOffset, tag.bodyEnd));
  if (format !== undefined) into.set("width", format.width).set("height", format.height);
  into.set("videocodecid", codecId);
  if (format?.frameRate !== undefined) into.set("framerate", format.frameRate);
}

/** Adds the properties that an audio configuration message contains. */
function describeAudio(payload: Buffer, into: Map<string, Amf0Value>): void {
  const tag = classifyAudio(payload);
  const codecId = tag.part === "config" ? audioCodecId(tag.codec) : undefined;
  if (codecId === undefined) return;
  into.set("audiocodecid", codecId);
  const config =
    tag.codec === "aac" ? parseAudioSpecificConfig(payload.subarray(tag.bodyOffset, tag.bodyEnd)) : undefined;
  if (config === undefined) return;
  into.set("audiosamplerate", config.sampleRate).set("audiosamplesize", AUDIO_SAMPLE_BITS);
  if (config.channels > 0) into.set("audiochannels", config.channels).set("stereo", config.channels === 2);
}

/** The configuration messages (sequence headers) of a stream's first tracks, whole payloads. */
export type StreamConfigs = { readonly videoConfig?: Buffer; readonly audioConfig?: Buffer };

/**
 * Metadata for a stream whose encoder sent none (DJI drones, some cameras), as the payload of a data message for a
 * target. Made from the sequence headers, which are correct anyway. `videoCodec`: of video that is announced, and whose
 * sequence header has not come.
 */
export function synthesiseMetadata(configs: StreamConfigs & { readonly videoCodec?: VideoCodec }): Buffer {
  const { videoConfig, audioConfig, videoCodec } = configs;
  const entries = new Map<string, Amf0Value>();
  const announcedId = videoCodec === undefined ? undefined : videoCodecId(videoCodec);
  if (videoConfig !== undefined) describeVideo(videoConfig, entries);
  else if (announcedId !== undefined) entries.set("videocodecid", announcedId);
  if (audioConfig !== undefined) describeAudio(audioConfig, entries);
  return encodeTargetMetadata(entries);
}
