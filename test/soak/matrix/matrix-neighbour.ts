import type { MessageRecord } from "../../../src/testkit/message-record.ts";
import { RecordedTarget } from "../streams/recorded-target.ts";

/** A little more than twice a frame's time: any longer gap between two frames of 25 a second is a loss. */
const FRAME_MS = 40;

/** A healthy target beside those with faults: it must notice nothing of them. */
export class MatrixNeighbour {
  readonly problems: string[] = [];
  #target: RecordedTarget | undefined;
  #arrivedAtMs: number | undefined;
  #timestamp: number | undefined;
  longestGapMs = 0;
  /** Frames that are missing between two that came. */
  lostFrames = 0;
  frames = 0;

  static async start(): Promise<MatrixNeighbour> {
    const neighbour = new MatrixNeighbour();
    neighbour.#target = await RecordedTarget.start({
      onMessage: (message) => neighbour.#take(message),
      onProblem: (problem) => neighbour.problems.push(problem),
    });
    return neighbour;
  }

  get url(): string {
    return `rtmp://127.0.0.1:${this.#target?.port}/live`;
  }

  get connectionCount(): number {
    return this.#target?.connectionCount ?? 0;
  }

  /** Measures from here on. */
  watch(): void {
    this.#arrivedAtMs = undefined;
    this.longestGapMs = 0;
  }

  async close(): Promise<void> {
    await this.#target?.close();
  }

  #take({ kind, timestamp, isConfig }: MessageRecord): void {
    if (kind !== "video" || isConfig === true) return;
    const nowMs = performance.now();
    if (this.#arrivedAtMs !== undefined) this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#arrivedAtMs);
    this.#arrivedAtMs = nowMs;
    this.frames += 1;
    if (this.#timestamp !== undefined)
      this.lostFrames += Math.max(0, Math.round((timestamp - this.#timestamp) / FRAME_MS) - 1);
    this.#timestamp = timestamp;
  }
}
