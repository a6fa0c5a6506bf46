const HEADER_BYTES = 7;
const CHECKSUM_BYTES = 2;
/** sampling_frequency_index 13 and 14 are reserved; 15 has no place for the rate in ADTS. */
const RATE_INDEX_MAX = 12;

/**
 * Whether bytes begin like an ADTS frame. Raw AAC cannot: its first element would be the end mark, with nothing before
 * it.
 */
export function beginsAsAdts(bytes: Buffer, offset: number): boolean {
  return bytes[offset] === 0xff && ((bytes[offset + 1] ?? 0) & 0xf6) === 0xf0;
}

/** The length of the ADTS header at `offset`, in bytes; 0 where there is none that fits what follows. */
export function adtsHeaderBytes(payload: Buffer, offset: number, end: number): number {
  if (!beginsAsAdts(payload, offset) || offset + HEADER_BYTES > end) return 0;
  const hasNoChecksum = ((payload[offset + 1] ?? 0) & 0x01) === 1;
  const headerBytes = hasNoChecksum ? HEADER_BYTES : HEADER_BYTES + CHECKSUM_BYTES;
  const frameBytes = adtsFrameBytes(payload, offset);
  return frameBytes > headerBytes && offset + frameBytes <= end ? headerBytes : 0;
}

/** The 13-bit length in an ADTS header, which counts the header too. */
export function adtsFrameBytes(payload: Buffer, offset: number): number {
  return (
    (((payload[offset + 3] ?? 0) & 0x03) << 11) | ((payload[offset + 4] ?? 0) << 3) | ((payload[offset + 5] ?? 0) >> 5)
  );
}

/**
 * The AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) that corresponds to an ADTS header, as a number of two bytes.
 * Undefined where the header describes its channels one by one, or has no sample rate.
 */
export function adtsConfig(payload: Buffer, offset: number): number | undefined {
  const third = payload[offset + 2] ?? 0;
  const objectType = (third >> 6) + 1;
  const rateIndex = (third >> 2) & 0x0f;
  const channels = ((third & 1) << 2) | ((payload[offset + 3] ?? 0) >> 6);
  if (rateIndex > RATE_INDEX_MAX || channels === 0) return undefined;
  return (objectType << 11) | (rateIndex << 7) | (channels << 3);
}
