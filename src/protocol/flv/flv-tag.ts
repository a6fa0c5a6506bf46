/** One tag of an FLV file. */
export type FlvTag = {
  /** 8 audio, 9 video, 18 data: the same numbers as RTMP's message types. */
  readonly type: number;
  /** Milliseconds, unsigned 32-bit. */
  readonly timestamp: number;
  readonly payload: Buffer;
};

export const TAG_HEADER_BYTES = 11;
/** PreviousTagSize, after the file header and after every tag. */
export const TRAILER_BYTES = 4;

/** Signature, version 1, audio and video present, header length, and the size of the tag before the first: none. */
export const FLV_FILE_START = Buffer.from("464c5601050000000900000000", "hex");

/** The same of a file with video alone. */
export const FLV_VIDEO_START = Buffer.from("464c5601010000000900000000", "hex");

/** A tag as it lies in a file, with its trailer. */
export function encodeFlvTag({ type, timestamp, payload }: FlvTag): Buffer {
  const bytes = Buffer.allocUnsafe(TAG_HEADER_BYTES + payload.length + TRAILER_BYTES);
  bytes.writeUInt8(type, 0);
  bytes.writeUIntBE(payload.length, 1, 3);
  stampFlvTag(bytes, 0, timestamp);
  // The stream id, always 0.
  bytes.writeUIntBE(0, 8, 3);
  payload.copy(bytes, TAG_HEADER_BYTES);
  bytes.writeUInt32BE(TAG_HEADER_BYTES + payload.length, TAG_HEADER_BYTES + payload.length);
  return bytes;
}

/** Writes another timestamp (milliseconds, unsigned 32-bit) into a tag that begins at `bytes[at]`. */
export function stampFlvTag(bytes: Buffer, at: number, timestamp: number): void {
  bytes.writeUIntBE(timestamp % 0x1000000, at + 4, 3);
  bytes.writeUInt8(Math.floor(timestamp / 0x1000000), at + 7);
}
