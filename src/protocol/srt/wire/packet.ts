// Headers of SRT packets: draft-sharabayko-srt, section 3. All numbers are big-endian.

export const HEADER_BYTES = 16;
/** No datagram of SRT is longer: 1500 bytes of Ethernet less the headers of IPv4 and UDP. */
export const PACKET_BYTES_MAX = 1_472;
/** Bytes of one packet's payload at most, and the usual amount: seven packets of MPEG-TS. */
export const PAYLOAD_BYTES_MAX = PACKET_BYTES_MAX - HEADER_BYTES;
export const PAYLOAD_BYTES_USUAL = 1_316;

export const CONTROL_TYPES = {
  handshake: 0x0000,
  keepalive: 0x0001,
  ack: 0x0002,
  nak: 0x0003,
  shutdown: 0x0005,
  ackAck: 0x0006,
  dropRequest: 0x0007,
  userDefined: 0x7fff,
} as const;
export type ControlType = keyof typeof CONTROL_TYPES;

/** Subtypes of user-defined control packets: a new key, and the reply to it. */
export const KEY_REQUEST = 3;
export const KEY_RESPONSE = 4;

/** Which key encrypted a payload: 0 none, 1 the even one, 2 the odd one. 3 is not used in data packets. */
export type KeyIndex = 0 | 1 | 2 | 3;
const KEY_INDICES: readonly KeyIndex[] = [0, 1, 2, 3];

const CONTROL_BIT = 0x80000000;
/** The whole message in one packet, as always in live mode. */
const WHOLE_MESSAGE = 0xc0000000;
const RETRANSMITTED = 0x04000000;
const NO_CONTENT = Buffer.alloc(4);

export function isControl(packet: Buffer): boolean {
  return packet.readUInt8(0) >= 0x80;
}

/** The destination's socket ID: 0 for a handshake with the listener. */
export function destinationOf(packet: Buffer): number {
  return packet.readUInt32BE(12);
}

/** The sender's time of a packet, in microseconds since its socket began: unsigned 32 bits, wraps after 71 minutes. */
export function timestampOf(packet: Buffer): number {
  return packet.readUInt32BE(8);
}

export function controlTypeOf(packet: Buffer): number {
  return packet.readUInt16BE(0) & 0x7fff;
}

export function subtypeOf(packet: Buffer): number {
  return packet.readUInt16BE(2);
}

/** The word of a control packet whose meaning depends on its type: the number of an ACK, a message number, a code. */
export function infoOf(packet: Buffer): number {
  return packet.readUInt32BE(4);
}

/** A control packet's content. */
export function contentOf(packet: Buffer): Buffer {
  return packet.subarray(HEADER_BYTES);
}

export function sequenceOf(packet: Buffer): number {
  return packet.readUInt32BE(0) & 0x7fffffff;
}

export function keyIndexOf(packet: Buffer): KeyIndex {
  return KEY_INDICES[(packet.readUInt8(4) >>> 3) & 3] ?? 0;
}

export function isRetransmitted(packet: Buffer): boolean {
  return (packet.readUInt8(4) & 0x04) !== 0;
}

/** Marks a data packet, in place, as sent again. All else of it stays as it was sent first. */
export function markRetransmitted(packet: Buffer): void {
  packet.writeUInt32BE((packet.readUInt32BE(4) | RETRANSMITTED) >>> 0, 4);
}

export type PacketTarget = {
  /** The receiver's socket ID. */
  readonly destination: number;
  /** Microseconds since the sender's socket began; cut to 32 bits. */
  readonly timestampUs: number;
};

/** A control packet. An empty content is sent as four zero bytes, as libsrt does: some networks drop tiny datagrams. */
export function controlPacket(
  type: ControlType,
  { destination, timestampUs }: PacketTarget,
  content: Buffer = NO_CONTENT,
  { info = 0, subtype = 0 }: { readonly info?: number; readonly subtype?: number } = {},
): Buffer {
  const packet = Buffer.allocUnsafe(HEADER_BYTES + content.length);
  packet.writeUInt32BE((CONTROL_BIT | (CONTROL_TYPES[type] << 16) | subtype) >>> 0, 0);
  packet.writeUInt32BE(info >>> 0, 4);
  packet.writeUInt32BE(timestampUs >>> 0, 8);
  packet.writeUInt32BE(destination, 12);
  content.copy(packet, HEADER_BYTES);
  return packet;
}

export type DataHeader = PacketTarget & {
  readonly sequence: number;
  readonly messageNumber: number;
  readonly keyIndex: KeyIndex;
};

/** A data packet with a whole message, sent for the first time. The payload is copied. */
export function dataPacket(header: DataHeader, payload: Buffer): Buffer {
  const packet = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  packet.writeUInt32BE(header.sequence, 0);
  packet.writeUInt32BE((WHOLE_MESSAGE | (header.keyIndex << 27) | header.messageNumber) >>> 0, 4);
  packet.writeUInt32BE(header.timestampUs >>> 0, 8);
  packet.writeUInt32BE(header.destination, 12);
  payload.copy(packet, HEADER_BYTES);
  return packet;
}
