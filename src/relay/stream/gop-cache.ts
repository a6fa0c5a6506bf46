import type { Block } from "./block-store.ts";
import { ofKind, PACKET_KINDS, type Packet, type PacketKind } from "./packet.ts";

/** Above either limit the GOP is dropped, and joins wait for the next keyframe. */
const BYTES_MAX = 32 * 1024 * 1024;
const TIME_MAX_MS = 10_000;
/** The first groups are kept for so long where that is wanted, in milliseconds of media: by then targets are connected. */
const FIRST_MS = 3_000;

/** How many numbers are kept of a packet, in the order of `#note`. */
const FIELDS = 12;
const ROOM_FIRST = 128;
const CONFIG = 1;
const KEYFRAME = 2;
const TRACK_START = 4;
/** The places in `PACKET_KINDS`. */
const KIND_NUMBERS: Readonly<Record<PacketKind, number>> = {
  audio: PACKET_KINDS.indexOf("audio"),
  video: PACKET_KINDS.indexOf("video"),
  data: PACKET_KINDS.indexOf("data"),
};

/**
 * The packets since the last keyframe, for subscribers that join in the middle of a GOP. Their bytes stay where they
 * are. Only numbers are kept of the packets: thousands of small objects that live for a second or two, mostly unread,
 * are the worst case for a garbage collector.
 */
export class GopCache {
  #notes = new Float64Array(FIELDS * ROOM_FIRST);
  #count = 0;
  /** The blocks that hold the packets, oldest first. */
  #blocks: Block[] = [];
  #lastBlock: Block | undefined;
  #bytes = 0;
  /** Where the keyframes are among the packets. */
  #keyframes: number[] = [];
  #keepsFirst = false;
  /** Channel time of the first keyframe since the last `clear`. */
  #firstMs: number | undefined;

  /** The packets since the last keyframe, beginning with it; empty if there is none. Made anew at each call. */
  get packets(): readonly Packet[] {
    return this.#packetsFrom(this.#keyframes.at(-1));
  }

  /** Channel time of the last keyframe, in milliseconds; undefined if there is none. */
  get beganMs(): number | undefined {
    const last = this.#keyframes.at(-1);
    return last === undefined ? undefined : this.#timeOf(last);
  }

  /** The packets since the first keyframe that is kept and not older than this, in milliseconds of channel time. */
  packetsSince(timeMs: number): readonly Packet[] {
    return this.#packetsFrom(this.#keyframes.find((index) => this.#timeOf(index) >= timeMs));
  }

  /** The block of the first keyframe: it and all later ones are still needed. */
  get oldestBlock(): Block | undefined {
    return this.#blocks[0];
  }

  /** Whether it begins in an earlier block than this one. */
  isBefore(block: Block): boolean {
    return this.#blocks.length > 0 && this.#blocks[0] !== block;
  }

  add(packet: Packet): void {
    if (packet.isKeyframe) this.#beginGroup(packet.timeMs);
    else if (this.#count === 0) return;
    this.#note(packet);
    this.#bytes += packet.end - packet.start;
    if (this.#bytes > BYTES_MAX || packet.timeMs - this.#timeOf(0) > TIME_MAX_MS) this.#drop();
  }

  /** The encoder or a sequence header changed: the packets cannot be decoded together with the next ones. */
  clear(): void {
    this.#firstMs = undefined;
    this.#drop();
  }

  get keepsFirstGroups(): boolean {
    return this.#keepsFirst;
  }

  /**
   * Whether the groups of the next three seconds are kept together. Another server carried the broadcast until now: targets that
   * are being dialled would miss what came before the last keyframe.
   */
  keepFirstGroups(areKept: boolean): void {
    this.#keepsFirst = areKept;
  }

  #beginGroup(timeMs: number): void {
    this.#firstMs ??= timeMs;
    if (timeMs - this.#firstMs > FIRST_MS) this.#keepsFirst = false;
    if (!this.#keepsFirst) this.#drop();
    this.#keyframes.push(this.#count);
  }

  #drop(): void {
    this.#count = 0;
    this.#blocks = [];
    this.#lastBlock = undefined;
    this.#bytes = 0;
    this.#keyframes = [];
  }

  #timeOf(index: number): number {
    return this.#notes[index * FIELDS + 4] ?? 0;
  }

  #packetsFrom(index: number | undefined): readonly Packet[] {
    if (index === undefined) return [];
    return Array.from({ length: this.#count - index }, (_, at) => this.#packet(index + at));
  }

  #note(packet: Packet): void {
    if (this.#lastBlock !== packet.block) {
      this.#blocks.push(packet.block);
      this.#lastBlock = packet.block;
    }
    let at = this.#count * FIELDS;
    if (at === this.#notes.length) {
      const larger = new Float64Array(2 * at);
      larger.set(this.#notes);
      this.#notes = larger;
    }
    const notes = this.#notes;
    notes[at++] = ofKind(KIND_NUMBERS, packet.kind);
    notes[at++] = packet.type;
    notes[at++] =
      (packet.isConfig ? CONFIG : 0) | (packet.isKeyframe ? KEYFRAME : 0) | (packet.startsTrack ? TRACK_START : 0);
    notes[at++] = packet.trackId;
    notes[at++] = packet.timeMs;
    notes[at++] = packet.ordinal;
    notes[at++] = packet.payloadLength;
    notes[at++] = this.#blocks.length - 1;
    notes[at++] = packet.start;
    notes[at++] = packet.end;
    notes[at++] = packet.deltaMs;
    notes[at] = packet.arrivalMs;
    this.#count += 1;
  }

  #packet(index: number): Packet {
    const from = index * FIELDS;
    const note = (field: number) => this.#notes[from + field] ?? 0;
    const marks = note(2);
    const block = this.#blocks[note(7)];
    if (block === undefined) throw new RangeError("a packet is in none of its group's blocks");
    return {
      kind: kindAt(note(0)),
      type: note(1),
      isConfig: (marks & CONFIG) !== 0,
      isKeyframe: (marks & KEYFRAME) !== 0,
      startsTrack: (marks & TRACK_START) !== 0,
      trackId: note(3),
      timeMs: note(4),
      ordinal: note(5),
      payloadLength: note(6),
      block,
      start: note(8),
      end: note(9),
      deltaMs: note(10),
      arrivalMs: note(11),
    };
  }
}

function kindAt(index: number): PacketKind {
  return PACKET_KINDS[index] ?? "data";
}
