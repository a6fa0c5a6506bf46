import type { EncodedPacket, InputTrack } from "mediabunny";
import { encodeFlvTag, FLV_FILE_START, type FlvTag } from "../../protocol/flv/flv-tag.ts";
import { FourCc } from "../../protocol/flv/fourcc.ts";
import { MessageType } from "../../protocol/rtmp/message.ts";

const MS_PER_SECOND = 1_000;
const FOURCCS: Readonly<Record<string, number>> = {
  ...{ avc: FourCc.Avc, hevc: FourCc.Hevc, av1: FourCc.Av1 },
  ...{ aac: FourCc.Aac, mp3: FourCc.Mp3, opus: FourCc.Opus, ac3: FourCc.Ac3, eac3: FourCc.Eac3, flac: FourCc.Flac },
};
/** Enhanced RTMP: first bytes of headers and frames. Frames are not reordered, so they have no composition time. */
const Video = { Config: 0x90, Key: 0x93, Inter: 0xa3 } as const;
const Audio = { Config: 0x90, Frame: 0x91 } as const;

/**
 * Writes an MP4 file that FFmpeg made as FLV, in Enhanced RTMP's forms: one track of each kind, without reordered frames.
 * Undefined where there is no video in a codec that is known.
 */
export async function flvOfMp4(mp4: Buffer): Promise<Buffer | undefined> {
  // Loaded with the first slate that needs it.
  const { BufferSource, EncodedPacketSink, Input, MP4 } = await import("mediabunny");
  const input = new Input({ source: new BufferSource(new Uint8Array(mp4)), formats: [MP4] });
  const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()];
  if (video === null) return undefined;
  const tags: FlvTag[] = [];
  for (const track of audio === null ? [video] : [video, audio]) {
    const fourCc = FOURCCS[track.codec ?? ""];
    if (fourCc === undefined) return undefined;
    const header = fourCc === FourCc.Av1 ? av1Record(mp4) : await descriptionOf(track);
    if (header !== undefined)
      tags.push(tag(track, track.isVideoTrack() ? Video.Config : Audio.Config, fourCc, header, 0));
    for await (const packet of new EncodedPacketSink(track).packets()) tags.push(tagOf(track, fourCc, packet));
  }
  // Headers come first: they were put in first, and have the time 0.
  tags.sort((left, right) => left.timestamp - right.timestamp);
  return Buffer.concat([FLV_FILE_START, ...tags.map(encodeFlvTag)]);
}

/** The configuration of a track's decoder; undefined for codecs without one. */
async function descriptionOf(track: InputTrack): Promise<Buffer | undefined> {
  const config = track.isVideoTrack()
    ? await track.getDecoderConfig()
    : track.isAudioTrack()
      ? await track.getDecoderConfig()
      : null;
  const description = config?.description;
  if (description === undefined) return undefined;
  return ArrayBuffer.isView(description)
    ? Buffer.from(description.buffer, description.byteOffset, description.byteLength)
    : Buffer.from(description);
}

/** The same for AV1, as FFmpeg writes it: the content of the first box of this name. */
function av1Record(mp4: Buffer): Buffer | undefined {
  const at = mp4.indexOf("av1C");
  return at < 4 ? undefined : mp4.subarray(at + 4, at - 4 + mp4.readUInt32BE(at - 4));
}

function tagOf(track: InputTrack, fourCc: number, { data, timestamp, type }: EncodedPacket): FlvTag {
  const first = track.isVideoTrack() ? (type === "key" ? Video.Key : Video.Inter) : Audio.Frame;
  return tag(track, first, fourCc, Buffer.from(data), Math.max(0, Math.round(timestamp * MS_PER_SECOND)));
}

function tag(track: InputTrack, first: number, fourCc: number, body: Buffer, timestamp: number): FlvTag {
  const head = Buffer.alloc(5);
  head[0] = first;
  head.writeUInt32BE(fourCc, 1);
  const type = track.isVideoTrack() ? MessageType.Video : MessageType.Audio;
  return { type, timestamp, payload: Buffer.concat([head, body]) };
}
