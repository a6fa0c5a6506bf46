import type { Packet, PacketKind } from "./packet.ts";

/** What was last sent of one kind. */
export type Sent = { readonly timeMs: number; readonly ordinal: number };

/** Beyond this a gathering is written packet by packet: what the socket does not take at once waits outside of the outbox. */
const SLICE_BYTES_MAX = 128 * 1024;

/**
 * The packets of one lane since its last flush. They were cut in a row, so that for every target that got the packets before them
 * they are one slice: it is written to each as it lies, and no target looks at a packet.
 */
export class Gathering {
  #packets: Packet[] = [];
  readonly #first = new Map<PacketKind, number>();
  readonly #last = new Map<PacketKind, Packet>();
  #sent: ReadonlyMap<PacketKind, Sent> | undefined;
  /** False where they lie in several blocks, or are of further tracks, which each target may or may not be shown yet. */
  #isWhole = true;
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

  add(packet: Packet): void {
    const before = this.#packets[this.#packets.length - 1];
    if (before !== undefined && (before.block !== packet.block || before.end !== packet.start)) this.#isWhole = false;
    if (packet.trackId !== 0 && !packet.isConfig) this.#isWhole = false;
    if (packet.isKeyframe) this.#hasKeyframe = true;
    if (!this.#first.has(packet.kind)) this.#first.set(packet.kind, packet.ordinal);
    this.#last.set(packet.kind, packet);
    this.#packets.push(packet);
    this.#sent = undefined;
  }

  /** All of it as it lies; undefined where it does not lie in one piece. */
  slice(): Buffer | undefined {
    const first = this.#packets[0];
    const last = this.#packets[this.#packets.length - 1];
    if (!this.#isWhole || first === undefined || last === undefined) return undefined;
    return last.end - first.start > SLICE_BYTES_MAX ? undefined : first.block.bytes.subarray(first.start, last.end);
  }

  /** A target's socket did not take all of the slice at once: its memory must not be written again. */
  keep(): void {
    for (const { block } of this.#packets) block.isKept = true;
  }

  clear(): void {
    this.#packets = [];
    this.#first.clear();
    this.#last.clear();
    this.#sent = undefined;
    this.#isWhole = true;
    this.#hasKeyframe = false;
  }
}
