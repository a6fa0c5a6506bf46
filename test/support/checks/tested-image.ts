import { type Ffmpeg, findFfmpeg } from "../../../src/ffmpeg/find-ffmpeg.ts";

// `scripts/try-image.sh` runs tests with the programs of the container image in place of this machine's.

/** The program that runs the server instead of Node and the sources; undefined: those. */
export const TESTED_SERVER: string | undefined = process.env["FANFARE_TESTED_SERVER"];

/** The FFmpeg that the product under test uses: in the folder of `FANFARE_TESTED_FFMPEG`, or on the path. */
export function testedFfmpeg(): Ffmpeg | undefined {
  return findFfmpeg(process.env["FANFARE_TESTED_FFMPEG"]);
}
