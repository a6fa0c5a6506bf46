import { BitReader } from "../../protocol/flv/bit-reader.ts";
import type { VideoCodec } from "../../protocol/flv/fourcc.ts";
import { type FrameFormat, isFrameSize } from "../../protocol/flv/video/frame-format.ts";
import { readFrameFormat } from "../../protocol/flv/video/read-frame-format.ts";

type Size = Pick<FrameFormat, "width" | "height">;

const VP8_START_CODE = 0x9d_01_2a;
const VP9_SYNC_CODE = 0x49_83_42;
const VP9_RGB = 7;

/**
 * Returns the size of the video in pixels, from its configuration record, or from a keyframe where the codec's record
 * has no size. Undefined where neither says.
 */
export function frameSize(codec: VideoCodec, config: Buffer | undefined, keyframe: Buffer): Size | undefined {
  if (codec === "vp8") return readVp8Size(keyframe);
  if (codec === "vp9") return readVp9Size(keyframe);
  return config === undefined ? undefined : readFrameFormat(codec, config);
}

/** RFC 6386, 9.1. */
function readVp8Size(frame: Buffer): Size | undefined {
  if (frame.length < 10 || frame.readUIntBE(3, 3) !== VP8_START_CODE) return undefined;
  return sizeOf(frame.readUInt16LE(6) & 0x3f_ff, frame.readUInt16LE(8) & 0x3f_ff);
}

/** The uncompressed header of a VP9 keyframe (VP9 bitstream specification, 6.2). */
function readVp9Size(frame: Buffer): Size | undefined {
  const reader = new BitReader(frame);
  if (reader.bits(2) !== 2) return undefined;
  const profile = reader.bits(1) + 2 * reader.bits(1);
  if (profile === 3) reader.bit();
  // An existing frame is shown again, or this is no keyframe.
  if (reader.flag() || reader.flag()) return undefined;
  reader.bits(2);
  if (reader.bits(24) !== VP9_SYNC_CODE) return undefined;
  if (profile >= 2) reader.bit();
  if (reader.bits(3) === VP9_RGB) {
    if (profile === 1 || profile === 3) reader.bit();
  } else {
    reader.bit();
    if (profile === 1 || profile === 3) reader.bits(3);
  }
  const [width, height] = [reader.bits(16) + 1, reader.bits(16) + 1];
  return reader.isExhausted ? undefined : sizeOf(width, height);
}

function sizeOf(width: number, height: number): Size | undefined {
  return isFrameSize(width, height) ? { width, height } : undefined;
}
