import { encodeAmf0 } from "../../../src/protocol/amf0/encode.ts";
import { amf0EcmaArray } from "../../../src/protocol/amf0/value.ts";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import type { MediaKind, MediaMessage } from "../../../src/relay/stream/media-message.ts";

const KINDS: ReadonlyMap<number, MediaKind> = new Map([
  [8, "audio"],
  [9, "video"],
]);

/** A real High profile 640x360 avcC, as an encoder sends it. */
export const AVC_CONFIG = Buffer.from(
  "1700000000" + "0164001effe1001a6764001eacd940a02ff9610000030001000003003c8f162d9601000568ebecb22c",
  "hex",
);
/** The same with another level, as after a change of settings. */
export const AVC_CONFIG_CHANGED = Buffer.concat([
  AVC_CONFIG.subarray(0, 8),
  Buffer.from([0x1f]),
  AVC_CONFIG.subarray(9),
]);
export const AAC_CONFIG = Buffer.from("af001190", "hex");
/** Of another sample rate. */
export const AAC_CONFIG_CHANGED = Buffer.from("af001210", "hex");
/** The same audio, packed otherwise. */
export const AAC_CONFIG_RECUT = Buffer.from("af001194", "hex");

/** An FLV tag as a publisher's message. */
export function mediaMessage({ type, timestamp, payload }: FlvTag): MediaMessage {
  return { kind: KINDS.get(type) ?? "data", timestamp, payload };
}

export function video(timestamp: number, payload: Buffer): MediaMessage {
  return { kind: "video", timestamp, payload };
}

export function audio(timestamp: number, payload: Buffer): MediaMessage {
  return { kind: "audio", timestamp, payload };
}

/** An access unit of one NAL unit whose body repeats `mark`, so that a test can distinguish frames. */
export function avcFrame(isKeyframe: boolean, mark: number, bytes = 100, compositionTimeMs = 0): Buffer {
  const nal = Buffer.alloc(bytes, mark);
  nal[0] = isKeyframe ? 0x65 : 0x41;
  // The first slice of its picture.
  if (bytes > 2) nal[1] = isKeyframe ? 0x88 : 0x9a;
  const head = Buffer.alloc(9);
  head[0] = isKeyframe ? 0x17 : 0x27;
  head[1] = 1;
  head.writeIntBE(compositionTimeMs, 2, 3);
  head.writeUInt32BE(nal.length, 5);
  return Buffer.concat([head, nal]);
}

export function aacFrame(mark: number, bytes = 20): Buffer {
  return Buffer.concat([Buffer.from([0xaf, 0x01, 0x21]), Buffer.alloc(bytes, mark)]);
}

export function metadata(entries: Readonly<Record<string, number | string | boolean>>): MediaMessage {
  return {
    kind: "data",
    timestamp: 0,
    payload: encodeAmf0(["@setDataFrame", "onMetaData", amf0EcmaArray(entries)]),
  };
}
