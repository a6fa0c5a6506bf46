import type { Clip } from "../../../src/testkit/encoder/clip.ts";
import { encode, readTracks } from "./encoded-tracks.ts";
import { interleaved, messagesOf } from "./track-messages.ts";

/** From one keyframe to the next. */
export const GROUP_SECONDS = 8;
const SECONDS = 3 * GROUP_SECONDS;

const X264 = ["libx264", "-preset", "ultrafast", "-bf", "0", "-g", `${GROUP_SECONDS * 25}`, "-sc_threshold", "0"];

/**
 * H.264 and AAC whose keyframes are so far apart that a target that joins in between shows nothing for seconds, unless
 * a group is cached for it.
 */
export async function longGroupClip(folder: string): Promise<Clip> {
  const tracks = await readTracks(await encode(folder, "long", { video: X264, audio: ["aac"], seconds: SECONDS }));
  const tags = interleaved(tracks.map((track) => messagesOf(track, "legacy")));
  return { durationMs: SECONDS * 1_000, tags: () => tags };
}
