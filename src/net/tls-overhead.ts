import type { Socket } from "node:net";

/** In one look; a handshake is a third of it. */
const FREE_BYTES = 32 * 1024;
/** So many bytes of TLS for each byte that it carries, and somebody sends records for their own sake: with 22 bytes of a record's own, of ten at a time. */
const SHARE_MAX = 3;

/**
 * What TLS itself makes of a connection: TLS 1.3's changes of keys and empty records carry nothing, cost us some microseconds for 22 bytes, and
 * are met by no bound on what a peer says.
 */
export class TlsOverhead {
  readonly #below: Socket;
  #belowBytes = 0;
  #carriedBytes = 0;

  /** `below`: the socket under TLS. */
  constructor(below: Socket) {
    this.#below = below;
  }

  /** Whether far more came since the last look than it carried. `carriedBytes`: all that came out of TLS so far. */
  isFlood(carriedBytes: number): boolean {
    const came = this.#below.bytesRead - this.#belowBytes;
    const carried = carriedBytes - this.#carriedBytes;
    this.#belowBytes += came;
    this.#carriedBytes += carried;
    return came > FREE_BYTES + SHARE_MAX * carried;
  }
}
