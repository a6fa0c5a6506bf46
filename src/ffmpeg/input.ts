/**
 * The forms of files that are read. Playlists, and everything else that may name other files or addresses, are not
 * among them: a file of a client must not make this server open something else.
 */
const FILE_FORMATS = [
  ..."mov,mp4,matroska,webm,flv,mpegts,mpeg,avi,asf,ogg,wav,mp3,aac,flac".split(","),
  ...["png_pipe", "jpeg_pipe", "webp_pipe"],
].join(",");

/** The options before any input. `ffprobe` has no standard input of its own. */
export const QUIET: readonly string[] = ["-hide_banner", "-v", "error"];

/**
 * Reads one file of this machine, and nothing else. Its name must have no ending: FFmpeg would believe `.jpg` and patterns
 * such as `%d.png`, and look for a series of pictures.
 */
export function fileInput(path: string): readonly string[] {
  return [
    ...["-protocol_whitelist", "file", "-format_whitelist", FILE_FORMATS],
    ...["-max_streams", "64", "-i", `file:${path}`],
  ];
}
