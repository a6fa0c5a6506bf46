import type { AudioCodec, VideoCodec } from "../../../protocol/flv/fourcc.ts";

const CODECS: ReadonlySet<VideoCodec | AudioCodec> = new Set(["avc", "hevc", "vvc", "av1", "aac", "flac"]);

/** Whether a codec cannot be decoded without its sequence header. */
export function needsHeader(codec: VideoCodec | AudioCodec | undefined): boolean {
  return codec !== undefined && CODECS.has(codec);
}
