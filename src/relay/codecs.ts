import type { TargetSpec } from "../exchange/channel-spec.ts";
import { targetError } from "../exchange/target-errors.ts";
import type { TargetError } from "../exchange/target-status.ts";
import type { AudioCodec, VideoCodec } from "../protocol/flv/fourcc.ts";
import type { StreamHead } from "./stream-head.ts";

/** Codecs as people write them. */
const NAMES: Readonly<Partial<Record<VideoCodec | AudioCodec, string>>> = {
  avc: "H.264",
  hevc: "HEVC",
  vvc: "VVC",
  av1: "AV1",
  vp9: "VP9",
  vp8: "VP8",
  aac: "AAC",
  mp3: "MP3",
  opus: "Opus",
  flac: "FLAC",
  ac3: "AC-3",
  eac3: "E-AC-3",
};

/** Why a target cannot be given this stream: a codec of a track it would get that it does not take. Undefined where it can. */
export function codecProblem({ codecs, tracks }: TargetSpec, head: StreamHead): TargetError | undefined {
  for (const kind of ["video", "audio"] as const) {
    const taken = codecs?.[kind];
    if (taken === undefined) continue;
    for (const [trackId, codec] of head.codecs(kind)) {
      const isSent = tracks === undefined || tracks[kind] === trackId;
      if (isSent && !taken.includes(codec)) return targetError("codec-unsupported", NAMES[codec] ?? codec);
    }
  }
  return undefined;
}
