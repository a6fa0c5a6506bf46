import type { DroppedFrames } from "../../../thread-protocol/samples.ts";
import { NO_DROPS, sumDrops } from "./drops.ts";

/** Counts over all links of a target, the past ones and the present one. */
export class LinkTotals {
  #bytesBefore = 0;
  #dropsBefore: DroppedFrames = NO_DROPS;
  #bytesAtTick = 0;
  #bytesPerSecond = 0;

  /** Bytes that the kernel took in the last whole second. */
  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** Bytes in total. `present`: those of the present link. */
  bytes(present: number): number {
    return this.#bytesBefore + present;
  }

  /** Lost frames in total. `present`: those of the present link. */
  drops(present: DroppedFrames): DroppedFrames {
    return sumDrops(this.#dropsBefore, present);
  }

  /** Call once a second. */
  tick(present: number): void {
    const bytes = this.bytes(present);
    this.#bytesPerSecond = bytes - this.#bytesAtTick;
    this.#bytesAtTick = bytes;
  }

  /** A link ended with these counts. */
  add(bytes: number, drops: DroppedFrames): void {
    this.#bytesBefore += bytes;
    this.#dropsBefore = sumDrops(this.#dropsBefore, drops);
    this.#bytesPerSecond = 0;
    this.#bytesAtTick = this.#bytesBefore;
  }
}
