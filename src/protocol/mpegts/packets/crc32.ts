const POLYNOMIAL = 0x04c11db7;
const TABLE = new Uint32Array(256).map((_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value < 0 ? (value << 1) ^ POLYNOMIAL : value << 1;
  return value;
});

/**
 * The CRC of MPEG-2 sections (ISO/IEC 13818-1, annex A): unsigned 32-bit, not reflected, from all ones. Over a section
 * that ends with its own CRC it is 0.
 */
export function mpegCrc32(bytes: Buffer, start: number, end: number): number {
  let crc = 0xffffffff;
  for (let at = start; at < end; at += 1) {
    crc = (crc << 8) ^ (TABLE[((crc >>> 24) ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  }
  return crc >>> 0;
}
