import type { Packet, PacketKind } from "./packet.ts";

/** What was last sent of one kind. */
export type Sent = { readonly timeMs: number; readonly ordinal: number };

/** Beyond this a gathering is written packet by packet: what the socket does not take at once waits outside of the outbox. */
const BYTES_MAX = 256 * 1024;

/**
 * The packets of one lane since its last flush. They were cut in a row, so that for every target that got the packets before them
 * they are one slice, or two where a block ended: they are written to each as they lie, and no target looks at a packet.
 */
export class Gathering {
  #packets: Packet[] = [];
  readonly #first = new Map<PacketKind, number>();
  readonly #last = new Map<PacketKind, Packet>();
  /** For all targets alike; made when the first one asks. */
  #sent: ReadonlyMap<PacketKind, Sent> | undefined;
  #slices: readonly Buffer[] | undefined;
  #bytes = 0;
  /** False with pictures of further tracks: each target may or may not be shown those yet. */
  #isForAll = true;
  #hasKeyframe = false;

  get packets(): readonly Packet[] {
    return this.#packets;
  }

  get hasKeyframe(): boolean {
    return this.#hasKeyframe;
  }

  /** The ordinal of the first packet of each kind that is in it. */
  get first(): ReadonlyMap<PacketKind, number> {
    return this.#first;
  }

  /** The last of each kind that is in it, without the memory it lies in: targets remember it. */
  get last(): ReadonlyMap<PacketKind, Sent> {
    this.#sent ??= new Map([...this.#last].map(([kind, { timeMs, ordinal }]) => [kind, { timeMs, ordinal }]));
    return this.#sent;
  }

  /** All of it as it lies; undefined where it cannot be written so. */
  get slices(): readonly Buffer[] | undefined {
    if (!this.#isForAll || this.#bytes > BYTES_MAX) return undefined;
    this.#slices ??= slicesOf(this.#packets);
    return this.#slices;
  }

  add(packet: Packet): void {
    if (packet.trackId !== 0 && !packet.isConfig) this.#isForAll = false;
    if (packet.isKeyframe) this.#hasKeyframe = true;
    if (!this.#first.has(packet.kind)) this.#first.set(packet.kind, packet.ordinal);
    this.#last.set(packet.kind, packet);
    this.#packets.push(packet);
    this.#bytes += packet.end - packet.start;
    this.#sent = undefined;
    this.#slices = undefined;
  }

  /** A target's socket did not take all of it at once: its memory must not be written again. */
  keep(): void {
    for (const { block } of this.#packets) block.isKept = true;
  }

  clear(): void {
    this.#packets = [];
    this.#first.clear();
    this.#last.clear();
    this.#sent = undefined;
    this.#slices = undefined;
    this.#bytes = 0;
    this.#isForAll = true;
    this.#hasKeyframe = false;
  }
}

/** Packets that lie behind one another are one slice. */
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
