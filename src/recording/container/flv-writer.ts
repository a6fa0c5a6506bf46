import { FLV_FILE_START, stampFlvTag } from "../../protocol/flv/flv-tag.ts";
import type { ContainerWriter } from "./container.ts";
import type { MediaTag } from "./stream-reader.ts";

/** Writes tags as they come, with times from the start of the file. For codecs that MP4 has no form for. */
export class FlvWriter implements ContainerWriter {
  readonly container = "flv";
  readonly start = FLV_FILE_START;
  readonly #startMs: number;
  #tags: Buffer[] = [];
  #drainedMs = 0;
  #lastMs = 0;

  /** `heads`: metadata and sequence headers. `startMs`: the time of the first frame. */
  constructor(heads: readonly MediaTag[], startMs: number) {
    this.#startMs = startMs;
    for (const head of heads) this.#push(head, 0);
  }

  get waitingMs(): number {
    return this.#lastMs - this.#drainedMs;
  }

  add(tag: MediaTag): void {
    this.#push(tag, Math.max(0, tag.timeMs - this.#startMs));
  }

  drain(): readonly Uint8Array[] {
    const tags = this.#tags;
    this.#tags = [];
    this.#drainedMs = this.#lastMs;
    return tags;
  }

  #push({ tag }: MediaTag, timeMs: number): void {
    // A header may be written again in the next file.
    const own = Buffer.from(tag);
    stampFlvTag(own, 0, timeMs % 2 ** 32);
    this.#tags.push(own);
    this.#lastMs = Math.max(this.#lastMs, timeMs);
  }
}
