import { MessageType } from "../../../src/protocol/rtmp/message.ts";
import type { Clip } from "../../../src/testkit/encoder/clip.ts";
import { encode, readTracks } from "./encoded-tracks.ts";

const ENCODERS = {
  hevc: ["libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:bframes=0:keyint=25"],
  av1: ["libsvtav1", "-preset", "12", "-g", "25", "-svtav1-params", "lp=1"],
} as const;
const SECONDS = 4;
/** Enhanced RTMP: packet types, and a keyframe or another frame. */
const [CONFIG, CODED_FRAMES] = [0, 1];
const [KEY, INTER] = [0x10, 0x20];

/** Real video of a codec as Enhanced RTMP carries it, over and over, without audio. */
export async function codecClip(folder: string, codec: keyof typeof ENCODERS): Promise<Clip> {
  const path = await encode(folder, codec, { video: [...ENCODERS[codec]], audio: ["aac"], seconds: SECONDS });
  const track = (await readTracks(path)).find(({ kind }) => kind === "video");
  if (track === undefined) throw new Error("no video");
  const { fourCc, header, packets } = track;
  const message = (type: number, frame: number, ...parts: readonly Buffer[]): Buffer =>
    Buffer.concat([Buffer.from([0x80 | frame | type]), Buffer.from(fourCc), ...parts]);
  function* tags() {
    yield { type: MessageType.Video, timestamp: 0, payload: message(CONFIG, KEY, header) };
    for (let round = 0; ; round += 1) {
      for (const { timestamp, compositionMs, isKeyframe, bytes } of packets) {
        const composition = Buffer.alloc(fourCc === "av01" ? 0 : 3);
        if (composition.length > 0) composition.writeIntBE(compositionMs, 0, 3);
        const payload = message(CODED_FRAMES, isKeyframe ? KEY : INTER, composition, bytes);
        yield { type: MessageType.Video, timestamp: round * SECONDS * 1_000 + timestamp, payload };
      }
    }
  }
  return { durationMs: Number.POSITIVE_INFINITY, tags };
}
