/**
 * How FFmpeg opens a list that it reads at its standard input, with these protocols and no others. Video goes through as it is: the
 * list would bring H.264 into the form of a transport stream, and leave it so behind a second sequence header, as encoders
 * that repeat theirs send it.
 */
const listed = (protocols: string, formats: string): readonly string[] => [
  ...["-f", "concat", "-auto_convert", "0", "-safe", "0", "-protocol_whitelist", `pipe,${protocols}`],
  ...["-format_whitelist", `concat,${formats}`, "-i", "pipe:0"],
];

/** FFmpeg's options to read each kind of source, up to and including the input. A list hides logins from `ps`. */
export const RTMP_INPUT = listed("rtmp,tcp", "flv");
export const RTSP_INPUT = listed("tcp", "rtsp");
export const SRT_INPUT: readonly string[] = ["-f", "mpegts", "-protocol_whitelist", "pipe", "-i", "pipe:0"];

/** The same for HLS. `url`: of the local port. */
export function hlsInput(url: string): readonly string[] {
  return [
    ...["-protocol_whitelist", "http,tcp,crypto", "-format_whitelist", "hls,mpegts,mov,mp4,aac,mp3"],
    ...["-f", "hls", "-i", url],
  ];
}
