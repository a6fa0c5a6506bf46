/** An Enhanced RTMP (v2) header's content for its first track, with ModEx and Multitrack unwrapped. */
export type EnhancedHeader = {
  packetType: number;
  fourCc: number;
  /** 0 where there is one track only. */
  trackId: number;
  isMultitrack: boolean;
  /** Where the first track's body starts and ends. */
  bodyOffset: number;
  bodyEnd: number;
};

/** An object to read into. The classifiers reuse one for every packet, so that packets make no garbage. */
export function blankEnhancedHeader(): EnhancedHeader {
  return { packetType: 0, fourCc: 0, trackId: 0, isMultitrack: false, bodyOffset: 0, bodyEnd: 0 };
}

const PACKET_TYPE_MOD_EX = 7;
const MULTITRACK_ONE = 0;
const MULTITRACK_MANY_CODECS = 2;
const FOURCC_BYTES = 4;
/** The most ModEx prefixes of one message. There is only one kind of them so far, but a message could hold millions. */
const MOD_EX_MAX = 16;

/**
 * Skips the ModEx prefixes that may precede the packet. Sets the packet type and the offset after them in `into`.
 * Returns false where the bytes end before that, or where there are too many.
 */
export function readPacketType(payload: Buffer, into: EnhancedHeader): boolean {
  let packetType = (payload[0] ?? 0) & 0x0f;
  let offset = 1;
  for (let prefixes = 0; packetType === PACKET_TYPE_MOD_EX; prefixes += 1) {
    if (prefixes === MOD_EX_MAX) return false;
    // One byte holds the size less one; 256 stands for a longer one in the next two bytes.
    let size = (payload[offset] ?? 0) + 1;
    offset += 1;
    if (size === 256) {
      size = (((payload[offset] ?? 0) << 8) | (payload[offset + 1] ?? 0)) + 1;
      offset += 2;
    }
    offset += size;
    const next = payload[offset];
    if (next === undefined) return false;
    offset += 1;
    packetType = next & 0x0f;
  }
  into.packetType = packetType;
  into.bodyOffset = offset;
  return true;
}

/**
 * Reads on from `readPacketType`: the track header, where the packet type is `multitrackType`, and the FourCC. Returns
 * false where the bytes end before that, or break Enhanced RTMP's rules.
 */
export function readTrack(payload: Buffer, multitrackType: number, into: EnhancedHeader): boolean {
  let offset = into.bodyOffset;
  into.isMultitrack = into.packetType === multitrackType;
  into.trackId = 0;
  into.bodyEnd = payload.length;
  let multitrackForm = MULTITRACK_ONE;
  if (into.isMultitrack) {
    const head = payload[offset];
    if (head === undefined) return false;
    offset += 1;
    multitrackForm = head >> 4;
    into.packetType = head & 0x0f;
    if (multitrackForm > MULTITRACK_MANY_CODECS) return false;
    if (into.packetType === multitrackType || into.packetType === PACKET_TYPE_MOD_EX) return false;
  }
  if (offset + FOURCC_BYTES > payload.length) return false;
  // Where every track has its own codec, the FourCC precedes each track id: the first one's is here as well.
  into.fourCc = payload.readUInt32BE(offset);
  offset += FOURCC_BYTES;
  if (into.isMultitrack) {
    const trackId = payload[offset];
    if (trackId === undefined) return false;
    into.trackId = trackId;
    offset += 1;
    if (multitrackForm !== MULTITRACK_ONE) {
      if (offset + 3 > payload.length) return false;
      const size = payload.readUIntBE(offset, 3);
      offset += 3;
      if (offset + size > payload.length) return false;
      into.bodyEnd = offset + size;
    }
  }
  into.bodyOffset = offset;
  return true;
}
