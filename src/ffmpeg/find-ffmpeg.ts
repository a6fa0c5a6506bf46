import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The paths of both programs. */
export type Ffmpeg = { readonly ffmpeg: string; readonly ffprobe: string };

/** What every message about missing programs says. */
export const FFMPEG_MISSING = "ffmpeg and ffprobe are not installed on this server: sources and slates need them.";

/** Finds both programs in the folders of `PATH`. Returns undefined where one is missing. */
export function findFfmpeg(path: string = process.env["PATH"] ?? ""): Ffmpeg | undefined {
  const ffmpeg = find("ffmpeg", path);
  const ffprobe = find("ffprobe", path);
  return ffmpeg === undefined || ffprobe === undefined ? undefined : { ffmpeg, ffprobe };
}

function find(name: string, path: string): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
