import { ofKind, type Packet, type PacketKind } from "../stream/packet.ts";

/** The packets of one kind in a batch: how many, and the ordinals and time (ms) of the first and the last. */
export type Tally = { count: number; firstOrdinal: number; lastOrdinal: number; lastMs: number };

/**
 * A larger batch is written packet by packet, since bytes that the socket does not take at once wait outside of the
 * send queue.
 */
const BYTES_MAX = 256 * 1024;

/**
 * The packets of one rendition since its last flush. They were cut one after another, so they are one slice of memory,
 * or two where a block ended. Every target that got the packets before them is written these slices as they are,
 * without looking at single packets.
 */
export class FlushBatch {
  #packets: Packet[] = [];
  /** Reused from one batch to the next: read for every target at every flush. */
  readonly #tallies: Readonly<Record<PacketKind, Tally>> = { audio: noTally(), video: noTally(), data: noTally() };
  /** The same for all targets; made when the first target asks. */
  #slices: readonly Buffer[] | undefined;
  #bytes = 0;
  /** False with frames of further tracks: a target may not have their keyframe yet. */
  #isForAll = true;
  #hasKeyframe = false;

  get packets(): readonly Packet[] {
    return this.#packets;
  }

  get hasKeyframe(): boolean {
    return this.#hasKeyframe;
  }

  get tallies(): Readonly<Record<PacketKind, Readonly<Tally>>> {
    return this.#tallies;
  }

  /** The whole batch as it is in memory; undefined if it must be written packet by packet. */
  get slices(): readonly Buffer[] | undefined {
    if (!this.#isForAll || this.#bytes > BYTES_MAX) return undefined;
    this.#slices ??= slicesOf(this.#packets);
    return this.#slices;
  }

  add(packet: Packet): void {
    if (packet.trackId !== 0 && !packet.isConfig) this.#isForAll = false;
    if (packet.isKeyframe) this.#hasKeyframe = true;
    const tally = ofKind(this.#tallies, packet.kind);
    if (tally.count === 0) tally.firstOrdinal = packet.ordinal;
    tally.count += 1;
    tally.lastOrdinal = packet.ordinal;
    tally.lastMs = packet.timeMs;
    this.#packets.push(packet);
    this.#bytes += packet.end - packet.start;
    this.#slices = undefined;
  }

  clear(): void {
    this.#packets = [];
    const { audio, video, data } = this.#tallies;
    audio.count = 0;
    video.count = 0;
    data.count = 0;
    this.#slices = undefined;
    this.#bytes = 0;
    this.#isForAll = true;
    this.#hasKeyframe = false;
  }
}

function noTally(): Tally {
  return { count: 0, firstOrdinal: 0, lastOrdinal: 0, lastMs: 0 };
}

/** Joins consecutive packets into one slice. */
function slicesOf(packets: readonly Packet[]): Buffer[] {
  const slices: Buffer[] = [];
  for (let from = 0; from < packets.length; ) {
    const first = packets[from];
    if (first === undefined) break;
    let { end } = first;
    for (from += 1; packets[from]?.block === first.block && packets[from]?.start === end; from += 1) {
      end = packets[from]?.end ?? end;
    }
    slices.push(first.block.bytes.subarray(first.start, end));
  }
  return slices;
}
