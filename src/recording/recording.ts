import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { RecordingEnd, RecordingProblem } from "../thread-protocol/recordings/recordings.ts";
import { type FileLimits, StreamRecorder } from "./container/stream-recorder.ts";
import { problemOf } from "./files/disk.ts";
import type { Library } from "./files/library.ts";
import type { Room } from "./files/room.ts";

export type RecordingDeps = {
  readonly library: Library;
  readonly room: Room;
  readonly limits: FileLimits;
  /** These bytes are on the disk, or were dropped. */
  readonly onTaken: (bytes: number) => void;
  /** The recording ended by itself. */
  readonly onEnded: (problem: RecordingProblem) => void;
  readonly onWarning: (name: string, detail: string) => void;
};

/** One channel that is being recorded: takes batches one after another and ends by itself where there is no room. */
export class Recording {
  readonly #channelId: ChannelId;
  readonly #deps: RecordingDeps;
  readonly #stream: StreamRecorder;
  #isOver = false;
  #work = Promise.resolve();

  /** `startTime`: milliseconds since the Unix epoch. */
  constructor(channelId: ChannelId, startTime: number, deps: RecordingDeps) {
    const { library, limits } = deps;
    this.#channelId = channelId;
    this.#deps = deps;
    this.#stream = new StreamRecorder({
      limits,
      openFile: ({ offsetMs, ...start }) => library.create(channelId, startTime + offsetMs, start),
    });
  }

  /** Takes a batch of FLV tags. Does nothing but count it once the recording is over. */
  take(batch: Uint8Array): void {
    this.#work = this.#work.then(async () => {
      if (!this.#isOver) await this.#attempt(() => this.#write(batch));
      this.#deps.onTaken(batch.length);
    });
  }

  /** Finishes the file. Resolves when everything that was taken is on the disk. Idempotent. */
  end(reason: RecordingEnd): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#isOver) return;
      await this.#attempt(() => this.#stream.end(reason));
      this.#isOver = true;
    });
    return this.#work;
  }

  /** The same where the broadcast goes on: `onEnded` is called with the problem. */
  giveUp(problem: RecordingProblem): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#isOver) return;
      await this.#attempt(() => this.#stream.end(problem));
      this.#over(problem);
    });
    return this.#work;
  }

  async #write(batch: Uint8Array): Promise<void> {
    const problem = this.#deps.room.problem(this.#channelId);
    if (problem === undefined) return this.#stream.take(batch);
    await this.#stream.end(problem);
    this.#over(problem);
  }

  async #attempt(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      const problem = problemOf(error);
      const { onWarning, room } = this.#deps;
      onWarning("recording failed", `${this.#channelId}: ${textOf(error)}`);
      if (problem === "DISK_FULL") room.ranOut();
      try {
        this.#stream.abandon(problem);
      } catch (second) {
        // The library finishes the file when the disk is back, or the next start of the server does.
        onWarning("recording not finished", `${this.#channelId}: ${textOf(second)}`);
      }
      this.#over(problem);
    }
  }

  #over(problem: RecordingProblem): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deps.onEnded(problem);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
