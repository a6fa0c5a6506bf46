import type { Socket } from "node:net";

/**
 * Writes each byte in a record of its own, until it is closed: bytes that are written while a write is under way would
 * share one.
 */
export async function pourRecords(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    if (!socket.writable) return;
    await new Promise<void>((resolve) => socket.write(Buffer.of(byte), () => resolve()));
  }
}
