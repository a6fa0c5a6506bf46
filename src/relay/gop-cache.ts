import type { Packet } from "./packet.ts";

/** Beyond either bound the group is forgotten and joins wait for the next keyframe. */
const BYTES_MAX = 32 * 1024 * 1024;
const TIME_MAX_MS = 10_000;

/** The packets since the last keyframe, for targets that join in the middle of a group of pictures. Held, not copied. */
export class GopCache {
  #packets: Packet[] = [];
  #bytes = 0;

  /** Since the last keyframe, the keyframe first; empty while there is none to start from. */
  get packets(): readonly Packet[] {
    return this.#packets;
  }

  add(packet: Packet): void {
    if (packet.isKeyframe) this.clear();
    else if (this.#packets.length === 0) return;
    this.#packets.push(packet);
    this.#bytes += packet.end - packet.start;
    const first = this.#packets[0] ?? packet;
    if (this.#bytes > BYTES_MAX || packet.timeMs - first.timeMs > TIME_MAX_MS) this.clear();
  }

  /** The source or a sequence header changed: what is here cannot be decoded with what comes. */
  clear(): void {
    this.#packets = [];
    this.#bytes = 0;
  }
}
