import type { ChunkStream } from "./chunk-stream.ts";
import type { PayloadSlab } from "./payload-slab.ts";

/**
 * The most that is moved into the slab with one input, in bytes: moving all of a long message with each of its parts
 * would take longer than the rest.
 */
const TAKEN_BACK_BYTES_MAX = 64 * 1024;

/**
 * One reader's payloads in a slab that other readers use too: between two inputs the bytes of unfinished messages are
 * kept in pieces beside it, which the readers share too. Memory follows what has arrived, as without lending.
 */
export class LentPayloads {
  readonly #slab: PayloadSlab;
  #keptCount = 0;

  constructor(slab: PayloadSlab) {
    this.#slab = slab;
  }

  /** Gives a message of which nothing has arrived its place in the slab, if there is room. */
  begin(stream: ChunkStream): void {
    const lent = this.#slab.lend(stream.length);
    if (lent === undefined) return;
    stream.payload = lent;
    stream.isLent = true;
  }

  /** An input begins: nothing lent before is in use any more, and short unfinished messages continue in the slab. */
  resume(streams: Iterable<ChunkStream>): void {
    this.#slab.startOver();
    if (this.#keptCount === 0) return;
    this.#keptCount = 0;
    let room = TAKEN_BACK_BYTES_MAX;
    for (const stream of streams) {
      if (!stream.isLent) continue;
      room -= stream.arrived;
      this.#takeBack(stream, room >= 0 ? this.#slab.lend(stream.length) : undefined);
    }
  }

  #takeBack(stream: ChunkStream, lent: ChunkStream["payload"] | undefined): void {
    const kept = stream.payload;
    if (lent === undefined) {
      // It grows where it is, like one that was never lent.
      stream.payload = kept.length > stream.length ? kept.subarray(0, stream.length) : kept;
      stream.isLent = false;
      return;
    }
    kept.copy(lent, 0, 0, stream.arrived);
    stream.payload = lent;
    this.#slab.returnPiece(kept);
  }

  /** An input has been read: another reader uses the slab next. */
  suspend(streams: Iterable<ChunkStream>, unfinished: number): void {
    if (unfinished === 0) return;
    for (const stream of streams) {
      if (!stream.isLent) continue;
      const kept = this.#slab.takePiece(2 * stream.arrived);
      stream.payload.copy(kept, 0, 0, stream.arrived);
      stream.payload = kept;
      this.#keptCount += 1;
    }
  }
}
