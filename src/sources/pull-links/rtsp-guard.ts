/** An RTSP server sent what would lead FFmpeg elsewhere, or what two readers may understand in two ways. */
export class RtspRefusedError extends Error {
  override readonly name = "RtspRefusedError";
  /** `redirect`: to another address. */
  readonly why: "redirect" | "malformed";
  constructor(why: RtspRefusedError["why"]) {
    super(why);
    this.why = why;
  }
}

const HEADER_BYTES_MAX = 16 * 1_024;
const BODY_BYTES_MAX = 256 * 1_024;
const DOLLAR = 0x24;
const LINE_FEED = 0x0a;
/** Channel and length behind the dollar sign: RFC 2326, section 10.12. */
const FRAME_HEADER_BYTES = 4;

/** Requests that a server may send: none of them leads elsewhere. */
const REQUEST = /^(?:OPTIONS|GET_PARAMETER|SET_PARAMETER|ANNOUNCE) \S+ RTSP\/1\.0$/;
const STATUS = /^RTSP\/1\.0 ([1-5]\d\d)(?: [\x20-\x7e]*)?$/;
const CONTENT_LENGTH = /^content-length: *(\d{1,6})$/i;

/**
 * Lets through what an RTSP server sends over one connection, message by message. FFmpeg follows a redirect to any
 * address, so a response with a status of 3xx ends the connection.
 */
export class RtspGuard {
  #waiting: Buffer = Buffer.alloc(0);
  /** Bytes of the present body or frame that still pass as they are. */
  #passing = 0;

  /**
   * Takes the next bytes and returns those that may pass.
   *
   * @throws RtspRefusedError
   */
  push(bytes: Buffer): Buffer {
    const all = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes]);
    let at = 0;
    while (at < all.length) {
      if (this.#passing > 0) {
        const count = Math.min(this.#passing, all.length - at);
        this.#passing -= count;
        at += count;
        continue;
      }
      const length = all[at] === DOLLAR ? this.#frame(all, at) : this.#head(all, at);
      if (length === undefined) break;
      at += length;
    }
    this.#waiting = Buffer.from(all.subarray(at));
    return all.subarray(0, at);
  }

  /** The header's length; undefined where it is not whole. */
  #frame(all: Buffer, at: number): number | undefined {
    if (all.length - at < FRAME_HEADER_BYTES) return undefined;
    this.#passing = all.readUInt16BE(at + 2);
    return FRAME_HEADER_BYTES;
  }

  #head(all: Buffer, at: number): number | undefined {
    const lines: string[] = [];
    let from = at;
    for (;;) {
      const end = all.indexOf(LINE_FEED, from);
      if ((end < 0 ? all.length : end) - at > HEADER_BYTES_MAX) throw new RtspRefusedError("malformed");
      if (end < 0) return undefined;
      const line = all.toString("latin1", from, end).replace(/\r$/, "");
      from = end + 1;
      // An empty line before a message is no message.
      if (line === "" && lines.length === 0) return from - at;
      if (line === "") break;
      // FFmpeg takes a dollar sign at the beginning of any line for a frame, and ignores carriage returns everywhere.
      if (!/^[\t\x20-\x23\x25-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*$/.test(line))
        throw new RtspRefusedError("malformed");
      lines.push(line);
    }
    this.#passing = bodyLength(lines);
    return from - at;
  }
}

function bodyLength([first = "", ...headers]: readonly string[]): number {
  const status = STATUS.exec(first)?.[1];
  if (status === undefined && !REQUEST.test(first)) throw new RtspRefusedError("malformed");
  if (status?.startsWith("3") === true) throw new RtspRefusedError("redirect");
  const lengths = headers.filter((header) => /^\s*content-length/i.test(header));
  const [length = "content-length: 0"] = lengths;
  const bytes = Number(CONTENT_LENGTH.exec(length)?.[1] ?? Number.NaN);
  if (lengths.length > 1 || Number.isNaN(bytes) || bytes > BODY_BYTES_MAX) throw new RtspRefusedError("malformed");
  return bytes;
}
