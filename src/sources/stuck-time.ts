import type { FlvTag } from "../protocol/flv/flv-tag.ts";

/** So many tags of one kind in a row have no moment in common: a second of audio or more. */
const SAME_MAX = 50;

/**
 * Notices a source whose times went back, as where its own encoder connected anew and began at 0: FFmpeg, which never writes a time
 * below the last one, gives that last one to everything until the source has caught up, hours later.
 */
export class StuckTime {
  readonly #kinds = new Map<number, { timestamp: number; count: number }>();

  /** Takes every tag. Returns whether the times stand still. */
  isAfter({ type, timestamp }: Pick<FlvTag, "type" | "timestamp">): boolean {
    const before = this.#kinds.get(type);
    if (before === undefined || before.timestamp !== timestamp) {
      this.#kinds.set(type, { timestamp, count: 1 });
      return false;
    }
    before.count += 1;
    return before.count > SAME_MAX;
  }
}
