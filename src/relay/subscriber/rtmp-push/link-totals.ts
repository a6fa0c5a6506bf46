import type { DroppedFrames } from "../../../thread-protocol/samples.ts";
import { NO_DROPS, sumDrops } from "./drops.ts";

/** What a target's links have done, one after another, and what its present one does. */
export class LinkTotals {
  #bytesBefore = 0;
  #dropsBefore: DroppedFrames = NO_DROPS;
  #bytesAtTick = 0;
  #bytesPerSecond = 0;

  /** Bytes taken in the last whole second. */
  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** `present`: what the present link has taken. */
  bytes(present: number): number {
    return this.#bytesBefore + present;
  }

  /** `present`: what the present link lost. */
  drops(present: DroppedFrames): DroppedFrames {
    return sumDrops(this.#dropsBefore, present);
  }

  /** Call once a second. */
  tick(present: number): void {
    const bytes = this.bytes(present);
    this.#bytesPerSecond = bytes - this.#bytesAtTick;
    this.#bytesAtTick = bytes;
  }

  /** A link is over, with these. */
  add(bytes: number, drops: DroppedFrames): void {
    this.#bytesBefore += bytes;
    this.#dropsBefore = sumDrops(this.#dropsBefore, drops);
    this.#bytesPerSecond = 0;
    this.#bytesAtTick = this.#bytesBefore;
  }
}
