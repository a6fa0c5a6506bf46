/** One tag of an FLV file. */
export type FlvTag = {
  /** 8 audio, 9 video, 18 data: the same numbers as RTMP's message types. */
  readonly type: number;
  /** Milliseconds, unsigned 32-bit. */
  readonly timestamp: number;
  readonly payload: Buffer;
};

const FILE_HEADER_BYTES = 9;
const TAG_HEADER_BYTES = 11;
/** PreviousTagSize, after the file header and after every tag. */
const TRAILER_BYTES = 4;

/** Signature, version 1, audio and video present, header length, and the size of the tag before the first: none. */
export const FLV_FILE_START = Buffer.from("464c5601050000000900000000", "hex");

/**
 * The whole tags of an FLV file, in the order they lie in it. A tag that a killed writer left unfinished is left out.
 *
 * @throws Error where the file is not FLV; an empty one has no tags.
 */
export function readFlv(file: Buffer): FlvTag[] {
  if (file.length === 0) return [];
  if (file.toString("latin1", 0, 3) !== "FLV") throw new Error("not an FLV file");
  const tags: FlvTag[] = [];
  let at = FILE_HEADER_BYTES + TRAILER_BYTES;
  while (at + TAG_HEADER_BYTES <= file.length) {
    const end = at + TAG_HEADER_BYTES + file.readUIntBE(at + 1, 3);
    if (end > file.length) break;
    // Three bytes, and then the uppermost one.
    const timestamp = file.readUIntBE(at + 4, 3) + file.readUInt8(at + 7) * 0x1000000;
    tags.push({ type: file.readUInt8(at) & 0x1f, timestamp, payload: file.subarray(at + TAG_HEADER_BYTES, end) });
    at = end + TRAILER_BYTES;
  }
  return tags;
}

/** A tag as it lies in a file, with its trailer. */
export function encodeFlvTag({ type, timestamp, payload }: FlvTag): Buffer {
  const bytes = Buffer.alloc(TAG_HEADER_BYTES + payload.length + TRAILER_BYTES);
  bytes.writeUInt8(type, 0);
  bytes.writeUIntBE(payload.length, 1, 3);
  bytes.writeUIntBE(timestamp % 0x1000000, 4, 3);
  bytes.writeUInt8(Math.floor(timestamp / 0x1000000), 7);
  payload.copy(bytes, TAG_HEADER_BYTES);
  bytes.writeUInt32BE(TAG_HEADER_BYTES + payload.length, TAG_HEADER_BYTES + payload.length);
  return bytes;
}
