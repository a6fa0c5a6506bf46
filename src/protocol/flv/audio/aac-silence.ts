/** Elements of a raw data block (ISO/IEC 14496-3, table 4.85). */
const Element = { Single: 0, Pair: 1, LowFrequency: 3, Data: 4, Fill: 6, End: 7 } as const;
const EIGHT_SHORT = 2;
const LONG_SECTION_BITS = 5;
const SHORT_SECTION_BITS = 3;
/** More elements than any channel configuration has. */
const ELEMENTS_MAX = 32;

/** Where the next bit is read. One object for all frames, so that frames make no garbage. */
const cursor: { bytes: Buffer; at: number; end: number } = { bytes: Buffer.alloc(0), at: 0, end: 0 };
/** The window of the present channel. */
const window = { groups: 1, maxBand: 0, sectionBits: LONG_SECTION_BITS };

/** Unsigned, of at most 11 bits; zeros after the end. */
function bits(count: number): number {
  const { bytes, at } = cursor;
  const byte = at >> 3;
  const word = ((bytes[byte] ?? 0) << 16) | ((bytes[byte + 1] ?? 0) << 8) | (bytes[byte + 2] ?? 0);
  cursor.at = at + count;
  return (word >> (24 - (at & 7) - count)) & ((1 << count) - 1);
}

/**
 * Whether an AAC frame (a raw data block without ADTS header) decodes to zeros: no spectral line of any channel is
 * coded. The frame is `payload[offset…end)`. It reads a few bytes: the first coded line ends it. False for everything
 * that it does not support: prediction, coupling, program configs, damaged frames. Never throws. ISO/IEC 14496-3,
 * 4.4.2.
 */
export function isSilentAac(payload: Buffer, offset: number, end: number): boolean {
  cursor.bytes = payload;
  cursor.at = offset * 8;
  cursor.end = end * 8;
  let hasChannel = false;
  for (let count = 0; count < ELEMENTS_MAX && cursor.at < cursor.end; count += 1) {
    const element = bits(3);
    switch (element) {
      case Element.Single:
      case Element.LowFrequency:
        bits(4); // instance tag
        if (!isSilentChannel(false)) return false;
        hasChannel = true;
        break;
      case Element.Pair:
        if (!isSilentPair()) return false;
        hasChannel = true;
        break;
      case Element.Data:
        skipData();
        break;
      case Element.Fill:
        skipFill();
        break;
      default:
        return element === Element.End && hasChannel && cursor.at <= cursor.end;
    }
  }
  return false;
}

function isSilentPair(): boolean {
  bits(4); // instance tag
  const hasCommonWindow = bits(1) === 1;
  if (hasCommonWindow) {
    if (!readWindow()) return false;
    // One bit for each band says whether it is coded as sum and difference.
    if (bits(2) === 1) cursor.at += window.groups * window.maxBand;
  }
  return isSilentChannel(hasCommonWindow) && isSilentChannel(hasCommonWindow);
}

/** Returns whether no line is coded. Then the cursor is after the channel. */
function isSilentChannel(hasCommonWindow: boolean): boolean {
  bits(8); // global gain
  if (!hasCommonWindow && !readWindow()) return false;
  for (let group = 0; group < window.groups; group += 1) if (!areBandsEmpty()) return false;
  // Without lines, pulses, temporal noise shaping and gain control have no effect.
  return bits(3) === 0;
}

/** Reads the window's shape and bands; returns false where lines are predicted from the frame before. */
function readWindow(): boolean {
  bits(1); // reserved
  const sequence = bits(2);
  bits(1); // shape
  window.groups = 1;
  if (sequence !== EIGHT_SHORT) {
    window.maxBand = bits(6);
    window.sectionBits = LONG_SECTION_BITS;
    return bits(1) === 0;
  }
  window.maxBand = bits(4);
  window.sectionBits = SHORT_SECTION_BITS;
  for (let index = 0; index < 7; index += 1) window.groups += 1 - bits(1);
  return true;
}

/** Whether all sections of a window group have codebook 0: no lines. */
function areBandsEmpty(): boolean {
  const { maxBand, sectionBits } = window;
  const escapeLength = (1 << sectionBits) - 1;
  for (let band = 0; band < maxBand; ) {
    if (bits(4) !== 0) return false;
    const start = band;
    let length = escapeLength;
    while (length === escapeLength && band <= maxBand) {
      length = bits(sectionBits);
      band += length;
    }
    // A section without bands could repeat for ever.
    if (band === start) return false;
  }
  return true;
}

function skipData(): void {
  bits(4); // instance tag
  const isAligned = bits(1) === 1;
  let bytes = bits(8);
  if (bytes === 255) bytes += bits(8);
  if (isAligned) cursor.at = (cursor.at + 7) & ~7;
  cursor.at += bytes * 8;
}

function skipFill(): void {
  let bytes = bits(4);
  if (bytes === 15) bytes += bits(8) - 1;
  cursor.at += bytes * 8;
}
