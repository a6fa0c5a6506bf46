import type { Keyframe } from "../thread-protocol/keyframe.ts";
import { type Frame, LinkError } from "./frames.ts";

/** What was found, as its number in the frame. */
const FOUND = ["none", "unchanged", "too-large", "keyframe"] as const;
const HEAD_BYTES = 9;

/** The body of a frame: what was found (8 bits), when the keyframe arrived (64 bits, floating point), and its bytes. */
export function keyframeBody(keyframe: Keyframe): readonly Uint8Array[] {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(FOUND.indexOf(keyframe.found), 0);
  if (keyframe.found !== "keyframe") return [head];
  head.writeDoubleBE(keyframe.time, 1);
  return [head, keyframe.bytes];
}

/** @throws LinkError where the body has another form. */
export function readKeyframe({ kind, body }: Frame): Keyframe {
  const found = body.length < HEAD_BYTES ? undefined : FOUND[body.readUInt8(0)];
  if (kind !== "keyframe" || found === undefined) throw new LinkError(`a malformed frame of the kind ${kind}`);
  if (found !== "keyframe") return { found };
  const time = body.readDoubleBE(1);
  if (!Number.isFinite(time)) throw new LinkError("a keyframe without its time");
  return { found, time, bytes: new Uint8Array(body.subarray(HEAD_BYTES)) };
}
