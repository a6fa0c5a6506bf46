/** The largest body of a frame: a media block of 16 MiB, and some room for what comes with it. */
export const BODY_BYTES_MAX = 16 * 1024 * 1024 + 64 * 1024;
/** The largest body of a frame that carries neither media nor messages between two processes of one server. */
const WORDS_BYTES_MAX = 16 * 1024;
const HEADER_BYTES = 5;
/** The memory of a body grows with what has arrived, from this size on: a header alone reserves no more. */
const BODY_ROOM_FIRST = 64 * 1024;

/** The kinds of frames, as they are on the wire. A number is never used again for something else. */
export const FRAME_KINDS = {
  hello: 1,
  attach: 2,
  welcome: 3,
  fight: 4,
  move: 5,
  "not-owner": 6,
  ping: 7,
  pong: 8,
  release: 9,
  released: 10,
  owner: 11,
  open: 16,
  media: 17,
  taken: 18,
  latency: 19,
  "read-wanted": 20,
  read: 21,
  end: 22,
  dismissed: 23,
  showing: 24,
  show: 25,
  shown: 26,
  pause: 27,
  keyframe: 28,
  process: 32,
} as const;
export type FrameKind = keyof typeof FRAME_KINDS;

const NAMES: ReadonlyMap<number, FrameKind> = new Map(
  (Object.keys(FRAME_KINDS) as FrameKind[]).map((name) => [FRAME_KINDS[name], name]),
);
const LARGE_KINDS: ReadonlySet<FrameKind> = new Set(["media", "show", "keyframe", "process"]);

/** A frame as it arrived. The body has memory of its own that begins at its first byte. */
export type Frame = { readonly kind: FrameKind; readonly body: Buffer<ArrayBuffer> };

/** The peer broke the protocol of the node link: close the connection. */
export class LinkError extends Error {
  override readonly name = "LinkError";
}

/** The parts of a frame, to be written one after another: its header, then the parts of its body. */
export function frameOf(kind: FrameKind, ...body: readonly Uint8Array[]): readonly Uint8Array[] {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(
    body.reduce((sum, part) => sum + part.byteLength, 0),
    0,
  );
  header.writeUInt8(FRAME_KINDS[kind], 4);
  return [header, ...body];
}

/**
 * Cuts a stream of bytes into frames: length of the body (32 bits), kind (8 bits), body. However the network cuts the
 * bytes, the frames are the same. Memory grows with the bytes that have arrived, not with the length that a header
 * claims.
 */
export class FrameReader {
  readonly #bodyBytesMax: number;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerLength = 0;
  #kind: FrameKind | undefined;
  #body: Buffer<ArrayBuffer> = Buffer.alloc(0);
  #bodyLength = 0;
  #expectedLength = 0;

  /** `bodyBytesMax`: of kinds that carry media, or messages between two processes of one server. */
  constructor(bodyBytesMax = BODY_BYTES_MAX) {
    this.#bodyBytesMax = bodyBytesMax;
  }

  /**
   * Calls `take` with each frame that these bytes complete, until it returns false.
   *
   * @throws LinkError for an unknown kind, and for a body that is longer than its kind allows.
   */
  read(bytes: Uint8Array, take: (frame: Frame) => boolean): void {
    let at = 0;
    while (at < bytes.length) {
      at += this.#kind === undefined ? this.#takeHeader(bytes, at) : this.#takeBody(bytes, at);
      if (this.#isComplete && !take(this.#finish())) return;
    }
  }

  get #isComplete(): boolean {
    return this.#kind !== undefined && this.#bodyLength === this.#expectedLength;
  }

  #takeHeader(bytes: Uint8Array, at: number): number {
    const part = bytes.subarray(at, at + HEADER_BYTES - this.#headerLength);
    this.#header.set(part, this.#headerLength);
    this.#headerLength += part.length;
    if (this.#headerLength < HEADER_BYTES) return part.length;
    const number = this.#header.readUInt8(4);
    const kind = NAMES.get(number);
    if (kind === undefined) throw new LinkError(`a frame of the unknown kind ${number}`);
    const length = this.#header.readUInt32BE(0);
    if (length > (LARGE_KINDS.has(kind) ? this.#bodyBytesMax : WORDS_BYTES_MAX)) {
      throw new LinkError(`a frame of the kind ${kind} with ${length} bytes`);
    }
    this.#kind = kind;
    this.#expectedLength = length;
    this.#body = Buffer.allocUnsafeSlow(Math.min(length, Math.max(BODY_ROOM_FIRST, bytes.length - at)));
    return part.length;
  }

  #takeBody(bytes: Uint8Array, at: number): number {
    const part = bytes.subarray(at, at + this.#expectedLength - this.#bodyLength);
    const length = this.#bodyLength + part.length;
    if (length > this.#body.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#expectedLength, Math.max(length, 2 * this.#body.length)));
      this.#body.copy(larger, 0, 0, this.#bodyLength);
      this.#body = larger;
    }
    this.#body.set(part, this.#bodyLength);
    this.#bodyLength = length;
    return part.length;
  }

  #finish(): Frame {
    const kind = this.#kind;
    if (kind === undefined) throw new LinkError("no frame is complete");
    const body = this.#body;
    this.#kind = undefined;
    this.#headerLength = 0;
    this.#bodyLength = 0;
    this.#body = Buffer.alloc(0);
    return { kind, body };
  }
}
