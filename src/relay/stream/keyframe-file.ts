import { encodeFlvTag, FLV_VIDEO_START } from "../../protocol/flv/flv-tag.ts";
import { enhanceHevc, flattenTrack } from "../../protocol/flv/tracks.ts";
import { MessageType } from "../../protocol/rtmp/message.ts";
import type { Keyframe } from "../../thread-protocol/keyframe.ts";
import type { FillerStock } from "./filler/filler-stock.ts";

/** In bytes: enough for a keyframe of 4K at 50 Mbit/s. */
const KEYFRAME_BYTES_MAX = 4 * 1024 * 1024;

/** Returns the keyframe that filler would show, unless the asker has the one of `knownTime`. */
export function keyframeOf(stock: FillerStock, config: Buffer | undefined, knownTime: number | undefined): Keyframe {
  if (stock.keyTime !== undefined && stock.keyTime === knownTime) return { found: "unchanged" };
  const { frames } = stock;
  return frames === undefined ? { found: "none" } : keyframeFile(frames.key, config, frames.keyTime);
}

/**
 * Returns a keyframe and its sequence header as an FLV file that any decoder of the codec can show. Copies both. `key`:
 * a video message of one track; `config`: the track's sequence header, undefined where the codec has none; `time`: when
 * the keyframe arrived, milliseconds since the Unix epoch.
 */
export function keyframeFile(key: Buffer, config: Buffer | undefined, time: number): Keyframe {
  if (key.length + (config?.length ?? 0) > KEYFRAME_BYTES_MAX) return { found: "too-large" };
  const header = config === undefined ? undefined : flattenTrack("video", config, 0);
  const tags = [...(header === undefined ? [] : [header]), key].map((message) =>
    encodeFlvTag({ type: MessageType.Video, timestamp: 0, payload: enhanceHevc(message) }),
  );
  const bytes = new Uint8Array(tags.reduce((total, { length }) => total + length, FLV_VIDEO_START.length));
  bytes.set(FLV_VIDEO_START);
  let at = FLV_VIDEO_START.length;
  for (const tag of tags) {
    bytes.set(tag, at);
    at += tag.length;
  }
  return { found: "keyframe", time, bytes };
}
