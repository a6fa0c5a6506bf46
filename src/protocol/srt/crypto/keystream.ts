import { createCipheriv } from "node:crypto";

const BLOCK_BYTES = 16;
const BLOCK_WORDS = 4;
/** What AES-CTR adds for one packet: 83 blocks, for seven packets of MPEG-TS. Longer payloads get a keystream of their own. */
const PACKET_BLOCKS = 83;
const PACKET_BYTES = PACKET_BLOCKS * BLOCK_BYTES;
/** Packets whose keystream is made in one call: a call costs as much as the keystream of several packets. */
const BATCH = 8;
const BLOCKS_MAX = Math.max(PACKET_BLOCKS * BATCH, 92);

/** The counters of one call. All keystreams share it: its content is used up before `update` returns. */
const counters = Buffer.alloc(BLOCKS_MAX * BLOCK_BYTES);
const counterWords = wordsOf(counters, counters.length);
const block = Buffer.alloc(BLOCK_BYTES);
const blockWords = wordsOf(block, BLOCK_BYTES);
/** The number of a block within its packet, as a word of this machine. */
const numbers = Uint32Array.from({ length: BLOCKS_MAX }, (_, number) => {
  block.fill(0).writeUInt32BE(number, 12);
  return blockWords[3] ?? 0;
});

/**
 * AES-CTR as SRT has it (draft-sharabayko-srt, section 6.1.1), for one key and salt. Each packet has a counter of its
 * own, so Node's cipher for CTR would be made anew for every packet. CTR is the exclusive or with the encrypted
 * counters: one cipher object encrypts those of several packets in one call, ahead of the packets.
 */
export class Keystream {
  readonly #cipher: ReturnType<typeof createCipheriv>;
  readonly #salt: Buffer;
  #batch: Buffer = Buffer.alloc(0);
  /** The first packet of the batch. */
  #first = 0;

  /** `salt`: at least 14 bytes. */
  constructor(key: Buffer, salt: Buffer) {
    this.#cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
    this.#salt = salt;
  }

  /** Encrypts or decrypts a payload in place; that is the same. At most 1,456 bytes. */
  apply(sequence: number, payload: Buffer): void {
    if (payload.length > PACKET_BYTES) {
      const blocks = Math.ceil(payload.length / BLOCK_BYTES);
      return xor(payload, this.#encrypt(sequence, 1, blocks), 0);
    }
    const offset = sequence - this.#first;
    if (offset >= 0 && offset * PACKET_BYTES < this.#batch.length)
      return xor(payload, this.#batch, offset * PACKET_BYTES);
    // A packet that was sent again must not replace the batch of those that come.
    if (offset < 0 && this.#batch.length > 0 && offset > -0x40000000)
      return xor(payload, this.#encrypt(sequence, 1, PACKET_BLOCKS), 0);
    this.#batch = this.#encrypt(sequence, BATCH, PACKET_BLOCKS);
    this.#first = sequence;
    xor(payload, this.#batch, 0);
  }

  /** The keystreams of packets in a row. */
  #encrypt(sequence: number, packets: number, blocks: number): Buffer {
    let at = 0;
    for (let packet = 0; packet < packets; packet += 1) {
      this.#salt.copy(block, 0, 0, 14);
      block.writeUInt16BE(0, 14);
      block.writeUInt32BE((this.#salt.readUInt32BE(10) ^ ((sequence + packet) & 0x7fffffff)) >>> 0, 10);
      const [first = 0, second = 0, third = 0, last = 0] = blockWords;
      for (let number = 0; number < blocks; number += 1) {
        counterWords[at] = first;
        counterWords[at + 1] = second;
        counterWords[at + 2] = third;
        counterWords[at + 3] = last ^ (numbers[number] ?? 0);
        at += BLOCK_WORDS;
      }
    }
    return this.#cipher.update(counters.subarray(0, at * BLOCK_WORDS));
  }
}

/** `from`: a multiple of 4. */
function xor(payload: Buffer, keystream: Buffer, from: number): void {
  const { length } = payload;
  let at = 0;
  // Words where the memory allows it: the payload of a datagram begins behind 16 bytes.
  if (payload.byteOffset % 4 === 0 && keystream.byteOffset % 4 === 0) {
    const words = wordsOf(payload, length);
    const keys = wordsOf(keystream, keystream.length);
    const start = from >> 2;
    for (let word = 0; word < words.length; word += 1) words[word] = (words[word] ?? 0) ^ (keys[start + word] ?? 0);
    at = words.length * 4;
  }
  for (; at < length; at += 1) payload[at] = (payload[at] ?? 0) ^ (keystream[from + at] ?? 0);
}

function wordsOf(bytes: Buffer, length: number): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, length >> 2);
}
