const FIXED_BYTES = 9;
const TIME_BYTES = 5;
/** The length counts what follows it. */
const LENGTH_MAX = 0xffff;
const LENGTH_COUNTS_FROM = 6;
/** `10`, and that the data begins with a frame. */
const FLAGS = 0x84;
const WRAP = 2 ** 33;

export const StreamId = { Video: 0xe0, Audio: 0xc0, Private: 0xbd } as const;

/**
 * The header of a PES packet (ISO/IEC 13818-1, 2.4.3.6) before `dataBytes` of data. Times in 90 kHz, taken modulo 2³³.
 * Data too long for the length field has length 0, which only video may have.
 */
export function pesHeader(streamId: number, dataBytes: number, pts: number, dts: number): Buffer {
  const hasDts = dts !== pts;
  const timesBytes = hasDts ? 2 * TIME_BYTES : TIME_BYTES;
  const header = Buffer.alloc(FIXED_BYTES + timesBytes);
  const length = FIXED_BYTES - LENGTH_COUNTS_FROM + timesBytes + dataBytes;
  header[2] = 1;
  header[3] = streamId;
  header.writeUInt16BE(length > LENGTH_MAX ? 0 : length, 4);
  header[6] = FLAGS;
  header[7] = hasDts ? 0xc0 : 0x80;
  header[8] = timesBytes;
  writeTime(header, FIXED_BYTES, hasDts ? 3 : 2, pts);
  if (hasDts) writeTime(header, FIXED_BYTES + TIME_BYTES, 1, dts);
  return header;
}

/** Thirty-three bits between marker bits. */
function writeTime(header: Buffer, at: number, prefix: number, unwrapped: number): void {
  const time = wrapped(unwrapped);
  header[at] = (prefix << 4) | (Math.floor(time / 2 ** 30) << 1) | 1;
  header.writeUInt16BE((Math.floor(time / 2 ** 15) % 2 ** 15) * 2 + 1, at + 1);
  header.writeUInt16BE((time % 2 ** 15) * 2 + 1, at + 3);
}

/** A time in thirty-three bits. */
export function wrapped(time: number): number {
  return ((time % WRAP) + WRAP) % WRAP;
}
