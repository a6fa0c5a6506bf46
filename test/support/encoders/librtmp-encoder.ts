import { join } from "node:path";
import { type Child, runToEnd, startChild } from "../processes/children.ts";
import type { Clip } from "../streams/clip.ts";

const SOURCE = join(import.meta.dirname, "librtmp-publish.c");
/** The program of each folder, once it is built. */
const programs = new Map<string, Promise<string>>();

/** librtmp, which many encoders use, publishing a clip in real time; built into the folder. Ends by itself, cleanly. */
export async function startLibrtmp(folder: string, clip: Clip, url: string): Promise<Child> {
  const program = programs.get(folder) ?? build(folder);
  programs.set(folder, program);
  return await startChild(await program, [url, clip.path]);
}

async function build(folder: string): Promise<string> {
  const program = join(folder, "librtmp-publish");
  await runToEnd("gcc", ["-O1", "-Wall", "-Werror", "-o", program, SOURCE, "-lrtmp"]);
  return program;
}
