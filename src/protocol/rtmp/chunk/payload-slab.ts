/** In bytes: a quarter of a second of a usual stream. */
const SLAB_BYTES = 1024 * 1024;

/** Sizes of pieces: powers of two from this many bytes … */
const PIECE_BYTES_MIN = 4 * 1024;
/** … to this many. */
const PIECE_BYTES_MAX = 1024 * 1024;
/** The most bytes of free pieces of each size. */
const FREE_BYTES_MAX = 2 * 1024 * 1024;

/**
 * Memory for lent payloads: valid until any reader that shares this slab receives bytes again. A media thread has one
 * slab for all its encoders, since the relay sends the payloads of one read before the next read. So a payload costs
 * neither an allocation nor a collection.
 */
export class PayloadSlab {
  readonly #block: Buffer<ArrayBuffer>;
  #used = 0;
  /** Free pieces by size, the smallest size first. */
  readonly #free: Piece[][] = [];

  constructor(bytes = SLAB_BYTES) {
    this.#block = Buffer.allocUnsafeSlow(bytes);
  }

  /** Returns undefined where there is no room left. */
  lend(length: number): Buffer<ArrayBuffer> | undefined {
    if (length > this.#block.length - this.#used) return undefined;
    const start = this.#used;
    this.#used += length;
    return this.#block.subarray(start, this.#used);
  }

  /** Returns a piece of at least this many bytes beside the slab, for a message that is not complete yet. */
  takePiece(bytes: number): Piece {
    if (bytes > PIECE_BYTES_MAX) return Buffer.allocUnsafeSlow(bytes);
    const size = sizeIndex(bytes);
    return this.#free[size]?.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES_MIN << size);
  }

  /** Takes a piece back whose message is complete. */
  returnPiece(piece: Piece): void {
    const size = sizeIndex(piece.length);
    if (piece.length !== PIECE_BYTES_MIN << size || piece.length > PIECE_BYTES_MAX) return;
    for (let index = this.#free.length; index <= size; index += 1) this.#free.push([]);
    const free = this.#free[size];
    if (free !== undefined && (free.length + 1) * piece.length <= FREE_BYTES_MAX) free.push(piece);
  }

  /** Nothing that was lent is in use any more. */
  startOver(): void {
    this.#used = 0;
  }
}

type Piece = Buffer<ArrayBuffer>;

/** The index of the smallest size that has room for this many bytes. */
function sizeIndex(bytes: number): number {
  return Math.max(0, 32 - Math.clz32(Math.max(0, bytes - 1) >>> 12));
}
