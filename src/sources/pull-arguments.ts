import { QUIET } from "../ffmpeg/input.ts";
import { encodedAudio } from "./file-arguments.ts";

const AUDIO = { sampleRate: 48_000, channels: 2 };

/**
 * FFmpeg's arguments to read a source and write it as FLV: video as it is, and audio too unless FLV or platforms cannot
 * have it. Frames before the first keyframe come too: they show the relay that video comes, for which audio waits.
 * `input`: options up to and including the input.
 */
export function pullArguments(input: readonly string[], encodesAudio: boolean): readonly string[] {
  return [
    ...[...QUIET, "-nostdin", ...input, "-map", "0:v:0?", "-map", "0:a:0?"],
    ...["-c:v", "copy", "-copyinkf:v"],
    ...(encodesAudio ? encodedAudio(AUDIO) : ["-c:a", "copy"]),
    ...["-sn", "-dn", "-map_metadata", "-1", "-flvflags", "no_duration_filesize", "-flush_packets", "1"],
    ...["-f", "flv", "pipe:1"],
  ];
}
