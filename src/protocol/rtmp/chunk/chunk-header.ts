/** Chunk stream ids run from 2, the one for protocol control, to the largest that three bytes can hold. */
const CSID_MIN = 2;
const CSID_MAX = 65_599;

/** A 24-bit time field of all ones means that the time, of 32 bits, follows the header (and every fmt 3 header too). */
export const EXTENDED_TIME = 0xff_ff_ff;
export const EXTENDED_TIME_BYTES = 4;

/** Both sides start with this and change it by Set Chunk Size. */
export const CHUNK_SIZE_INITIAL = 128;

/** How much of a header repeats and is left out: nothing, the message stream, also length and type, all. */
export type ChunkFormat = 0 | 1 | 2 | 3;

/** Bytes between the basic header and the extended timestamp, by format. */
export const MESSAGE_HEADER_BYTES: readonly [number, number, number, number] = [11, 7, 3, 0];

/**
 * The header at the start of a message. Fields that its format leaves out are not written, but length and time still
 * count.
 */
export type ChunkHeader = {
  readonly fmt: ChunkFormat;
  readonly csid: number;
  /**
   * Milliseconds, unsigned 32 bits: the timestamp itself in fmt 0, the difference to the message before in the others.
   */
  readonly time: number;
  /** Bytes of the whole message's payload. */
  readonly length: number;
  readonly type: number;
  readonly streamId: number;
};

/**
 * Bytes of the basic header. nginx-rtmp reads only chunk streams below 32, and OvenMediaEngine reads the long form in
 * the wrong byte order, so a sender should stay with one byte.
 */
export function basicHeaderLength(csid: number): 1 | 2 | 3 {
  if (csid < 64) return 1;
  return csid < 320 ? 2 : 3;
}

/** Length of the whole header: basic header, message header, extended timestamp, in bytes. */
export function chunkHeaderLength(header: ChunkHeader): number {
  return basicHeaderLength(header.csid) + MESSAGE_HEADER_BYTES[header.fmt] + extendedTimeLength(header.time);
}

/** Length of the header before each further chunk of the same message, in bytes. */
export function continuationHeaderLength(header: ChunkHeader): number {
  return basicHeaderLength(header.csid) + extendedTimeLength(header.time);
}

function extendedTimeLength(time: number): number {
  return time >= EXTENDED_TIME ? EXTENDED_TIME_BYTES : 0;
}

/** Writes the header at the start of a message and returns the offset after it. */
export function writeChunkHeader(into: Buffer, offset: number, header: ChunkHeader): number {
  const { fmt, time } = header;
  let at = writeBasicHeader(into, offset, fmt, header.csid);
  if (fmt < 3) at = into.writeUIntBE(Math.min(time, EXTENDED_TIME), at, 3);
  if (fmt < 2) {
    at = into.writeUIntBE(header.length, at, 3);
    at = into.writeUInt8(header.type, at);
  }
  // The one little-endian number of the protocol.
  if (fmt === 0) at = into.writeUInt32LE(header.streamId, at);
  return writeExtendedTime(into, at, time);
}

/** Writes the fmt 3 header of a further chunk, with the extended timestamp repeated as the specification requires. */
export function writeContinuationHeader(into: Buffer, offset: number, header: ChunkHeader): number {
  return writeExtendedTime(into, writeBasicHeader(into, offset, 3, header.csid), header.time);
}

function writeBasicHeader(into: Buffer, offset: number, fmt: ChunkFormat, csid: number): number {
  if (csid < CSID_MIN || csid > CSID_MAX) throw new RangeError(`chunk stream ${csid} does not exist`);
  if (csid < 64) return into.writeUInt8((fmt << 6) | csid, offset);
  if (csid < 320) return into.writeUInt8(csid - 64, into.writeUInt8(fmt << 6, offset));
  return into.writeUInt16LE(csid - 64, into.writeUInt8((fmt << 6) | 1, offset));
}

function writeExtendedTime(into: Buffer, offset: number, time: number): number {
  return time >= EXTENDED_TIME ? into.writeUInt32BE(time, offset) : offset;
}

/** Length of the basic header that starts with this byte. */
export function basicHeaderLengthFrom(firstByte: number): 1 | 2 | 3 {
  const form = firstByte & 0x3f;
  if (form > 1) return 1;
  return form === 0 ? 2 : 3;
}

/** The chunk stream of a complete basic header. */
export function readCsid(bytes: Buffer, offset: number): number {
  const form = bytes.readUInt8(offset) & 0x3f;
  if (form > 1) return form;
  return 64 + (form === 0 ? bytes.readUInt8(offset + 1) : bytes.readUInt16LE(offset + 1));
}
