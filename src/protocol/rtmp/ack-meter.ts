import { encodeControl } from "./control.ts";
import type { Message } from "./message.ts";

/**
 * Nearly every server announces this (FFmpeg, SRS, Adobe): used until the peer names its own window, and in place of a
 * longer one. In bytes.
 */
export const ACK_WINDOW_BYTES = 2_500_000;
/** Real peers send windows of 0 or 1; they would only cause an acknowledgement per packet. */
const WINDOW_BYTES_MIN = 4_096;

/**
 * Decides when the peer gets an Acknowledgement: a running total (modulo 2³²), once for each window. Not more often: an
 * encoder that closes with one unread (FFmpeg, when it stops) resets the connection and loses its own last packets.
 */
export class AckMeter {
  #windowBytes = ACK_WINDOW_BYTES;
  #acknowledgedTotal = 0;

  /** The peer sent Window Acknowledgement Size. */
  setWindow(bytes: number): void {
    this.#windowBytes = Math.min(ACK_WINDOW_BYTES, Math.max(WINDOW_BYTES_MIN, bytes));
  }

  /** The acknowledgement that is due now, or undefined. `receivedTotal` counts every chunk byte of the connection. */
  due(receivedTotal: number): Message | undefined {
    if (receivedTotal - this.#acknowledgedTotal < this.#windowBytes) return undefined;
    this.#acknowledgedTotal = receivedTotal;
    return encodeControl({ kind: "acknowledgement", bytesTotal: receivedTotal % 2 ** 32 });
  }
}
