import { gapsIn, readLoopedClip } from "../support/streams/looped-stream.ts";
import type { LabChannel } from "./lab.ts";

/**
 * Compares every frame that the targets of a channel got since `before`, the connections of each target until then, with the
 * clip that its encoder sends. `what`: for the faults.
 */
export async function comparedFrames(
  { targets }: LabChannel,
  before: readonly number[],
  clipPath: string,
  what: string,
): Promise<{ readonly frames: number; readonly faults: readonly string[] }> {
  const clip = await readLoopedClip(clipPath);
  const faults: string[] = [];
  let frames = 0;
  for (const [index, { connections }] of targets.entries()) {
    const since = connections.slice(before[index]);
    if (since.length !== 1) faults.push(`${what}: target ${index} had ${since.length} connections`);
    for (const { report } of since) {
      frames += report.messages.filter(({ isConfig, kind }) => !isConfig && kind !== "data").length;
      if (report.messagesDropped > 0) faults.push("too many messages to compare");
      faults.push(...gapsIn(report.messages, clip).map((gap) => `${what}: target ${index}: ${gap}`));
    }
  }
  return { frames, faults };
}
