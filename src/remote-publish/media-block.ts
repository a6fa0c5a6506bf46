import type { MediaKind, MediaMessage } from "../relay/stream/media-message.ts";

/** Before each payload: its length and the message's timestamp (32 bits each), and its kind (one byte). */
const HEADER_BYTES = 9;
const KINDS: readonly MediaKind[] = ["audio", "video", "data"];
const KIND_BYTES: Readonly<Record<MediaKind, number>> = { audio: 0, video: 1, data: 2 };
const BLOCK_BYTES_MIN = 16 * 1024;
/** A new block is larger than the last one by this factor: a stream goes on at about the same rate. */
const HEADROOM = 1.25;
/** How many returned blocks are kept for reuse, and their largest size in bytes. */
const SPARES_MAX = 2;
const SPARE_BYTES_MAX = 2 * 1024 * 1024;

/**
 * Messages one after another, in a buffer of their own that can be transferred. Bytes behind `length` have no meaning.
 */
export type Block = { readonly buffer: ArrayBuffer; readonly length: number };

/**
 * Gathers messages for another thread. Payloads may lie in memory that holds other data too, so each is copied once
 * into a block, and the block is transferred.
 */
export class BlockWriter {
  #bytes: Buffer<ArrayBuffer> | undefined;
  #length = 0;
  #expectedLength = BLOCK_BYTES_MIN;
  readonly #spares: ArrayBuffer[] = [];

  /** Bytes gathered in the present block. */
  get length(): number {
    return this.#length;
  }

  add({ kind, timestamp, payload }: MediaMessage): void {
    const at = this.#length;
    const end = at + HEADER_BYTES + payload.length;
    const bytes = this.#withRoomFor(end);
    bytes.writeUInt32BE(payload.length, at);
    bytes.writeUInt32BE(timestamp, at + 4);
    bytes.writeUInt8(KIND_BYTES[kind], at + 8);
    payload.copy(bytes, at + HEADER_BYTES);
    this.#length = end;
  }

  /** The present block, which goes on: valid until the next `add`. */
  peek(): Block {
    return { buffer: this.#bytes?.buffer ?? new ArrayBuffer(0), length: this.#length };
  }

  /** Returns the present block; the next message begins a new one. */
  take(): Block {
    const block = { buffer: this.#bytes?.buffer ?? new ArrayBuffer(0), length: this.#length };
    if (this.#length > 0) this.#expectedLength = Math.max(BLOCK_BYTES_MIN, Math.ceil(this.#length * HEADROOM));
    this.#bytes = undefined;
    this.#length = 0;
    return block;
  }

  /** Takes a block back and writes its memory again, so that a steady stream makes no garbage. */
  reuse(buffer: ArrayBuffer): void {
    const isWanted = buffer.byteLength >= this.#expectedLength && buffer.byteLength <= SPARE_BYTES_MAX;
    if (isWanted && this.#spares.length < SPARES_MAX) this.#spares.push(buffer);
  }

  #withRoomFor(length: number): Buffer<ArrayBuffer> {
    const present = this.#bytes;
    if (present !== undefined && length <= present.length) return present;
    const wanted = Math.max(length, present === undefined ? this.#expectedLength : 2 * present.length);
    const grown = this.#takeSpare(wanted) ?? Buffer.allocUnsafeSlow(wanted);
    present?.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
    return grown;
  }

  #takeSpare(bytes: number): Buffer<ArrayBuffer> | undefined {
    const spare = this.#spares.pop();
    return spare === undefined || spare.byteLength < bytes ? undefined : Buffer.from(spare);
  }
}

/** Whether these bytes, which come from another process, are messages one after another, and nothing else. */
export function isBlock({ buffer, length }: Block): boolean {
  const bytes = Buffer.from(buffer, 0, length);
  let at = 0;
  while (at < length) {
    if (at + HEADER_BYTES > length || bytes.readUInt8(at + 8) >= KINDS.length) return false;
    at += HEADER_BYTES + bytes.readUInt32BE(at);
  }
  return at === length;
}

/** The messages of a block. Their payloads are views of it. */
export function readBlock({ buffer, length }: Block): MediaMessage[] {
  const bytes = Buffer.from(buffer, 0, length);
  const messages: MediaMessage[] = [];
  let at = 0;
  while (at < length) {
    const end = at + HEADER_BYTES + bytes.readUInt32BE(at);
    messages.push({
      kind: KINDS[bytes.readUInt8(at + 8)] ?? "data",
      timestamp: bytes.readUInt32BE(at + 4),
      payload: bytes.subarray(at + HEADER_BYTES, end),
    });
    at = end;
  }
  return messages;
}
