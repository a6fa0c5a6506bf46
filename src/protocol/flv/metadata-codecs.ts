import { AMF0_LIMITS, decodeAmf0 } from "../amf0/decode.ts";
import type { Amf0Value } from "../amf0/value.ts";
import { classifyAudio, legacyAudioCodec } from "./audio/audio-tag.ts";
import { blankEnhancedHeader, readPacketType, readTrack } from "./enhanced-header.ts";
import { audioCodecOf, FourCc, videoCodecOf } from "./fourcc.ts";
import { encodeTargetMetadata, readMetadata, type StreamConfigs } from "./metadata.ts";
import { classifyVideo, legacyVideoCodec } from "./video/video-tag.ts";

const LEGACY_IDS_MAX = 15;
const MULTITRACK = { video: 6, audio: 5 } as const;
const LegacyId = { Avc: 7, Hevc: 12, Aac: 10, Mp3: 2 } as const;

const header = blankEnhancedHeader();

type Kind = "audio" | "video";
type IdOf = (kind: Kind, id: number) => number;

function nameOf(kind: Kind, id: number): string {
  if (kind === "video") return id <= LEGACY_IDS_MAX ? legacyVideoCodec(id) : videoCodecOf(id);
  return id <= LEGACY_IDS_MAX ? legacyAudioCodec(id) : audioCodecOf(id);
}

/** How metadata names the codec of a sequence header: as in the message's own header. */
function idIn(kind: Kind, config: Buffer): number | undefined {
  const { form, codec } = kind === "video" ? classifyVideo(config) : classifyAudio(config);
  if (codec === "unknown") return undefined;
  if (form === "legacy") return kind === "video" ? (config[0] ?? 0) & 0x0f : (config[0] ?? 0) >> 4;
  const isRead = readPacketType(config, header) && readTrack(config, MULTITRACK[kind], header);
  return isRead ? header.fourCc : undefined;
}

/**
 * The same metadata with other numbers for its codecs; the same buffer where none changes. Codecs named in words are
 * kept.
 */
function withIds(payload: Buffer, idOf: IdOf): Buffer {
  const data = readMetadata(decodeAmf0(payload, AMF0_LIMITS));
  if (data.kind !== "metadata") return payload;
  const changed = new Map<string, Amf0Value>();
  for (const kind of ["video", "audio"] as const) {
    const name = `${kind}codecid`;
    const id = data.entries.get(name);
    if (typeof id === "number" && idOf(kind, id) !== id) changed.set(name, idOf(kind, id));
  }
  return changed.size === 0 ? payload : encodeTargetMetadata(new Map([...data.entries, ...changed]));
}

/** Metadata that names the codecs of the stream, where it named others: some encoders say 7 and send HEVC. */
export function withCodecsOf(payload: Buffer, { videoConfig, audioConfig }: StreamConfigs): Buffer {
  const configs = { video: videoConfig, audio: audioConfig };
  if (videoConfig === undefined && audioConfig === undefined) return payload;
  return withIds(payload, (kind, id) => {
    const config = configs[kind];
    const own = config === undefined ? undefined : idIn(kind, config);
    return own === undefined || nameOf(kind, own) === nameOf(kind, id) ? id : own;
  });
}

/** Metadata for a stream in legacy form. */
export function withLegacyCodecs(payload: Buffer): Buffer {
  return withIds(payload, (kind, id) => {
    if (kind === "video") return id === FourCc.Avc ? LegacyId.Avc : id;
    if (id === FourCc.Aac) return LegacyId.Aac;
    return id === FourCc.Mp3 ? LegacyId.Mp3 : id;
  });
}

/** Metadata for a stream whose HEVC is in Enhanced RTMP's form. */
export function withEnhancedHevc(payload: Buffer): Buffer {
  return withIds(payload, (kind, id) => (kind === "video" && id === LegacyId.Hevc ? FourCc.Hevc : id));
}
