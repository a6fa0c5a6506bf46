import { classifyAudio } from "../../protocol/flv/audio/audio-tag.ts";
import { TAG_HEADER_BYTES, TRAILER_BYTES } from "../../protocol/flv/flv-tag.ts";
import type { AudioCodec, VideoCodec } from "../../protocol/flv/fourcc.ts";
import { splitTracks } from "../../protocol/flv/tracks.ts";
import { classifyVideo } from "../../protocol/flv/video/video-tag.ts";

const AUDIO = 8;
const VIDEO = 9;

/** One FLV tag of a batch. The bytes are the batch's own. */
export type MediaTag = {
  readonly kind: "audio" | "video" | "data";
  readonly timeMs: number;
  readonly payload: Buffer;
  /** The whole tag, with its trailer. */
  readonly tag: Buffer;
};

/** What one track has in a tag. */
export type TrackPart = {
  readonly trackId: number;
  readonly part: "config" | "frame";
  readonly isKeyframe: boolean;
  readonly compositionMs: number;
  /** The configuration record, or the frame as the codec has it. */
  readonly body: Buffer;
} & ({ readonly kind: "video"; readonly codec: VideoCodec } | { readonly kind: "audio"; readonly codec: AudioCodec });

/** The tags of a batch that the relay made: whole tags, one after another. */
export function* tagsIn(batch: Uint8Array): Generator<MediaTag> {
  const bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength);
  for (let at = 0; at + TAG_HEADER_BYTES + TRAILER_BYTES <= bytes.length; ) {
    const end = at + TAG_HEADER_BYTES + bytes.readUIntBE(at + 1, 3);
    if (end + TRAILER_BYTES > bytes.length) return;
    const type = bytes[at];
    yield {
      kind: type === AUDIO ? "audio" : type === VIDEO ? "video" : "data",
      timeMs: bytes.readUIntBE(at + 4, 3) + (bytes[at + 7] ?? 0) * 0x1_00_00_00,
      payload: bytes.subarray(at + TAG_HEADER_BYTES, end),
      tag: bytes.subarray(at, end + TRAILER_BYTES),
    };
    at = end + TRAILER_BYTES;
  }
}

/** What a tag holds of each track; nothing where a decoder has no use for it. */
export function partsOf({ kind, payload }: MediaTag): readonly TrackPart[] {
  if (kind === "data") return [];
  return splitTracks(kind, payload).flatMap((message) => {
    const part = kind === "video" ? videoPart(message) : audioPart(message);
    return part === undefined ? [] : [part];
  });
}

function videoPart(message: Buffer): TrackPart | undefined {
  const { part, trackId, codec, isKeyframe, compositionTimeMs, bodyOffset, bodyEnd } = classifyVideo(message);
  if (part !== "config" && part !== "frame") return undefined;
  const body = message.subarray(bodyOffset, bodyEnd);
  return { kind: "video", trackId, codec, part, isKeyframe, compositionMs: compositionTimeMs, body };
}

/** Every frame of audio can be decoded by itself. */
function audioPart(message: Buffer): TrackPart | undefined {
  const { part, trackId, codec, bodyOffset, bodyEnd } = classifyAudio(message);
  if (part !== "config" && part !== "frame") return undefined;
  const body = message.subarray(bodyOffset, bodyEnd);
  return { kind: "audio", trackId, codec, part, isKeyframe: true, compositionMs: 0, body };
}
