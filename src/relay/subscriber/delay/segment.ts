import { PACKET_KINDS, type Packet } from "../../stream/packet.ts";

/** How many numbers are kept of a packet, in the order of `SegmentWriter.add`. */
const FIELDS = 11;
const NUMBER_BYTES = 8;
const PACKETS_FIRST = 64;
const BYTES_FIRST = 64 * 1024;

const CONFIG = 1;
const KEYFRAME = 2;
const TRACK_START = 4;
const START = 8;

/**
 * A stretch of a delayed stream: the packets' chunks one after the other, and numbers that describe them. Immutable.
 * The packets that it returns share its memory.
 */
export class Segment {
  readonly #notes: Float64Array;
  readonly #block: Packet["block"];
  readonly count: number;

  constructor(notes: Float64Array, bytes: Buffer) {
    this.#notes = notes;
    this.#block = { bytes, holders: 0, isKept: true };
    this.count = notes.length / FIELDS;
  }

  /** Reads what `encode` returned. */
  static decode(encoded: Uint8Array<ArrayBuffer>): Segment {
    const { buffer, byteOffset } = encoded;
    const [count = 0] = new Float64Array(buffer, byteOffset, 1);
    const notes = new Float64Array(buffer, byteOffset + NUMBER_BYTES, count * FIELDS);
    return new Segment(notes, Buffer.from(buffer, byteOffset + NUMBER_BYTES * (1 + count * FIELDS)));
  }

  /** Bytes of memory that it takes. */
  get bytes(): number {
    return this.#block.bytes.length + this.#notes.length * NUMBER_BYTES;
  }

  /** Returns it as one piece of memory of its own. */
  encode(): Uint8Array<ArrayBuffer> {
    const notesBytes = this.#notes.length * NUMBER_BYTES;
    const encoded = new Uint8Array(NUMBER_BYTES + notesBytes + this.#block.bytes.length);
    new Float64Array(encoded.buffer, 0, 1 + this.#notes.length).set([this.count]);
    new Float64Array(encoded.buffer, NUMBER_BYTES, this.#notes.length).set(this.#notes);
    encoded.set(this.#block.bytes, NUMBER_BYTES + notesBytes);
    return encoded;
  }

  /** When a packet came in; undefined behind the last one. */
  inMs(index: number): number | undefined {
    return this.#notes[index * FIELDS + FIELDS - 1];
  }

  /** Whether a decoder can begin at a packet. */
  isStart(index: number): boolean {
    return ((this.#notes[index * FIELDS + 2] ?? 0) & START) !== 0;
  }

  /** Returns one packet, with these times. `shiftMs`: what is added to its channel time. */
  packet(index: number, arrivalMs: number, shiftMs: number): Packet {
    const from = index * FIELDS;
    const note = (field: number) => this.#notes[from + field] ?? 0;
    const marks = note(2);
    return {
      kind: PACKET_KINDS[note(0)] ?? "data",
      type: note(1),
      isConfig: (marks & CONFIG) !== 0,
      isKeyframe: (marks & KEYFRAME) !== 0,
      startsTrack: (marks & TRACK_START) !== 0,
      trackId: note(3),
      timeMs: note(4) + shiftMs,
      arrivalMs,
      ordinal: note(5),
      payloadLength: note(6),
      block: this.#block,
      start: note(7),
      end: note(8),
      deltaMs: note(9),
    };
  }
}

/** Gathers packets for a segment. It copies their chunks, so it keeps none of the relay's memory. */
export class SegmentWriter {
  #notes = new Float64Array(FIELDS * PACKETS_FIRST);
  #memory = Buffer.allocUnsafeSlow(BYTES_FIRST);
  #count = 0;
  #used = 0;

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#used + this.#count * FIELDS * NUMBER_BYTES;
  }

  add(packet: Packet, isStart: boolean, inMs: number): void {
    const length = packet.end - packet.start;
    const start = this.#room(length);
    packet.block.bytes.copy(this.#memory, start, packet.start, packet.end);
    const notes = this.#notes;
    let at = this.#count * FIELDS;
    notes[at++] = PACKET_KINDS.indexOf(packet.kind);
    notes[at++] = packet.type;
    notes[at++] =
      (packet.isConfig ? CONFIG : 0) |
      (packet.isKeyframe ? KEYFRAME : 0) |
      (packet.startsTrack ? TRACK_START : 0) |
      (isStart ? START : 0);
    notes[at++] = packet.trackId;
    notes[at++] = packet.timeMs;
    notes[at++] = packet.ordinal;
    notes[at++] = packet.payloadLength;
    notes[at++] = start;
    notes[at++] = start + length;
    notes[at++] = packet.deltaMs;
    notes[at] = inMs;
    this.#count += 1;
  }

  /** Returns what was gathered, and begins anew. */
  take(): Segment {
    const segment = new Segment(
      this.#notes.slice(0, this.#count * FIELDS),
      Buffer.from(this.#memory.subarray(0, this.#used)),
    );
    this.#count = 0;
    this.#used = 0;
    return segment;
  }

  #room(length: number): number {
    const start = this.#used;
    this.#used += length;
    if (this.#used > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(2 * this.#used);
      this.#memory.copy(larger, 0, 0, start);
      this.#memory = larger;
    }
    if ((this.#count + 1) * FIELDS > this.#notes.length) {
      const larger = new Float64Array(2 * this.#notes.length);
      larger.set(this.#notes);
      this.#notes = larger;
    }
    return start;
  }
}
