/** Once; a handshake is a third of it. */
const FREE_BYTES = 32 * 1024;
/**
 * … and again in each look: a peer that changes its keys now and then, and one that has little to say, are no flood.
 */
const FREE_LOOK_BYTES = 512;
/**
 * With more bytes of TLS than this for each byte carried, the peer sends records for their own sake. A record has 22
 * bytes of its own.
 */
const SHARE_MAX = 3;

/** A socket, of which only this is asked. */
type Below = { readonly bytesRead: number };

/**
 * What TLS itself makes of a connection: TLS 1.3's changes of keys and empty records carry nothing, cost us some microseconds for 22 bytes, and
 * are met by no bound on what a peer says.
 */
export class TlsOverhead {
  readonly #below: Below;
  #belowBytes: number;
  #carriedBytes = 0;
  #owedBytes = 0;

  /** `below`: the socket under TLS. What came of it before is not counted. */
  constructor(below: Below) {
    this.#below = below;
    this.#belowBytes = below.bytesRead;
  }

  /**
   * Whether far more came than it carried. Look some times a second. `carriedBytes`: all that came out of TLS so far.
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
