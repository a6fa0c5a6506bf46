import type { MessageRecord } from "../../../src/testkit/message-record.ts";

/**
 * The order of every connection of every target, whatever happened before: headers, then a keyframe, then time that
 * never goes back.
 */
export class ConnectionOrder {
  #lastMs = 0;
  readonly #configured = new Set<MessageRecord["kind"]>();
  #hasVideo = false;

  /** Takes the connection's next message; returns a sentence where it must not come here. */
  take({ kind, timestamp, isConfig, isKeyframe }: MessageRecord): string | undefined {
    const lastMs = this.#lastMs;
    this.#lastMs = timestamp;
    if (timestamp < lastMs) return `${kind} at ${timestamp} ms after ${lastMs} ms`;
    if (kind === "data") return undefined;
    if (isConfig) {
      this.#configured.add(kind);
      return undefined;
    }
    if (!this.#configured.has(kind)) return `${kind} at ${timestamp} ms without its configuration`;
    if (kind === "audio") return undefined;
    const isFirst = !this.#hasVideo;
    this.#hasVideo = true;
    return isFirst && !isKeyframe ? `the first video frame, at ${timestamp} ms, is no keyframe` : undefined;
  }
}
