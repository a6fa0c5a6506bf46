/** Allowed once, in bytes; a handshake takes a third of it. */
const FREE_BYTES = 32 * 1024;
/** … and again in each check: a peer that changes its keys now and then, or sends little, is not a flood. */
const FREE_LOOK_BYTES = 512;
/**
 * With more bytes of TLS than this for each byte of content, the peer sends records for their own sake. A record has 22
 * bytes of its own.
 */
const SHARE_MAX = 3;

/** A socket; only this is used. */
type Below = { readonly bytesRead: number };

/**
 * Measures TLS's own share of a connection. TLS 1.3's key changes and empty records have no content, cost us some
 * microseconds for 22 bytes, and are covered by no limit on what a peer sends.
 */
export class TlsOverhead {
  readonly #below: Below;
  #belowBytes: number;
  #carriedBytes = 0;
  #owedBytes = 0;

  /** `below`: the socket under TLS. Its earlier bytes are not counted. */
  constructor(below: Below) {
    this.#below = below;
    this.#belowBytes = below.bytesRead;
  }

  /**
   * Whether far more bytes arrived than they carried. Check some times a second. `carriedBytes`: all bytes that came
   * out of TLS so far.
   */
  isFlood(carriedBytes: number): boolean {
    const came = this.#below.bytesRead - this.#belowBytes;
    const carried = carriedBytes - this.#carriedBytes;
    this.#belowBytes += came;
    this.#carriedBytes += carried;
    const owed = this.#owedBytes + came - SHARE_MAX * carried;
    this.#owedBytes = Math.max(0, owed - FREE_LOOK_BYTES);
    return owed > FREE_BYTES;
  }
}
