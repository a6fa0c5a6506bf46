import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import type { MessageRecord } from "../../../src/testkit/message-record.ts";
import { isAudio, isCodedMedia, isVideo } from "./flv-file.ts";

/** The hashes of a clip's frames, in order. */
export type LoopedClip = { readonly video: readonly string[]; readonly audio: readonly string[] };

/** Reads a clip that an encoder sends over and over, packets unchanged. */
export async function readLoopedClip(path: string): Promise<LoopedClip> {
  const tags = readFlv(await readFile(path)).filter(isCodedMedia);
  const hashes = (kind: typeof isVideo) => tags.filter(kind).map(({ payload }) => hash("sha256", payload));
  return { video: hashes(isVideo), audio: hashes(isAudio) };
}

/** What is wrong with what a target got: every frame must follow the one before it in the clip, which begins again. */
export function gapsIn(messages: readonly MessageRecord[], clip: LoopedClip): readonly string[] {
  return (["video", "audio"] as const).flatMap((kind) => {
    const got = messages.filter((message) => message.kind === kind && !message.isConfig);
    const wanted = clip[kind];
    let at = wanted.indexOf(got[0]?.hash ?? "");
    const gaps: string[] = [];
    for (const [index, { hash: found }] of got.entries()) {
      if (found === wanted[at]) at = (at + 1) % wanted.length;
      else {
        gaps.push(`${kind} ${index} of ${got.length} is number ${wanted.indexOf(found)} of the clip, not ${at}`);
        at = (wanted.indexOf(found) + 1) % wanted.length;
      }
    }
    return gaps;
  });
}
