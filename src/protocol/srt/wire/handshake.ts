import { contentOf, controlPacket, HEADER_BYTES, type PacketTarget } from "./packet.ts";

// The handshake's content: draft-sharabayko-srt, section 3.2.1, with what libsrt sends.

/** Bytes of a handshake packet without extensions. A shorter one gets no reply, so no reply is longer than its request. */
export const HANDSHAKE_BYTES = HEADER_BYTES + 48;

export const INDUCTION = 1;
export const CONCLUSION = 0xffffffff;
/** Types from here on are reasons of a rejection. */
export const REJECTION_FROM = 1_000;

/** What an HSv5 listener shows in the extension field of its first reply. */
export const SRT_MAGIC = 0x4a17;
/** The extension field of a caller's first packet: UDT's datagram mode. */
export const DATAGRAM_MODE = 2;
/** Flags of the extension field in the conclusion. */
export const EXTENSION_FLAGS = { settings: 1, key: 2, config: 4 } as const;

export type Handshake = {
  readonly version: number;
  /** Length of the key in units of 8 bytes; 0: none, or not told. */
  readonly encryption: number;
  readonly extension: number;
  readonly initialSequence: number;
  /** Bytes of the largest IP packet. */
  readonly mtu: number;
  /** Packets that may be under way without an acknowledgement. */
  readonly window: number;
  readonly type: number;
  readonly socketId: number;
  readonly cookie: number;
  /** The receiver's address as the sender sees it, 16 bytes. For information only. */
  readonly peerAddress: Buffer;
};

/** Reads a handshake packet. Undefined where it is too short. */
export function readHandshake(packet: Buffer): Handshake | undefined {
  if (packet.length < HANDSHAKE_BYTES) return undefined;
  const content = contentOf(packet);
  return {
    version: content.readUInt32BE(0),
    encryption: content.readUInt16BE(4),
    extension: content.readUInt16BE(6),
    initialSequence: content.readUInt32BE(8),
    mtu: content.readUInt32BE(12),
    window: content.readUInt32BE(16),
    type: content.readUInt32BE(20),
    socketId: content.readUInt32BE(24),
    cookie: content.readUInt32BE(28),
    peerAddress: content.subarray(32, 48),
  };
}

export function handshakePacket(
  handshake: Handshake,
  target: PacketTarget,
  extensions: readonly Buffer[] = [],
): Buffer {
  const content = Buffer.alloc(HANDSHAKE_BYTES - HEADER_BYTES);
  content.writeUInt32BE(handshake.version, 0);
  content.writeUInt16BE(handshake.encryption, 4);
  content.writeUInt16BE(handshake.extension, 6);
  content.writeUInt32BE(handshake.initialSequence, 8);
  content.writeUInt32BE(handshake.mtu, 12);
  content.writeUInt32BE(handshake.window, 16);
  content.writeUInt32BE(handshake.type, 20);
  content.writeUInt32BE(handshake.socketId, 24);
  content.writeUInt32BE(handshake.cookie, 28);
  handshake.peerAddress.copy(content, 32, 0, 16);
  return controlPacket("handshake", target, Buffer.concat([content, ...extensions]));
}

/** An IPv4 address as libsrt writes it: its bytes reversed, then zeros. Other addresses: all zeros. */
export function addressField(address: string): Buffer {
  const field = Buffer.alloc(16);
  const parts = address.split(".");
  if (parts.length === 4) for (const [index, part] of parts.entries()) field.writeUInt8(Number(part) & 0xff, 3 - index);
  return field;
}
