import { PassThrough } from "node:stream";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import type { FfmpegRun } from "../../../src/sources/pull-attempt.ts";
import type { PullLink } from "../../../src/sources/pull-links/pull-link.ts";

const TAG_MS = 40;

/** What a frame of video or audio at this time holds. */
type Frames = Record<"video" | "audio", (ms: number) => Buffer>;

const PLAIN: Frames = { video: () => Buffer.from([0x17, 1]), audio: () => Buffer.from([0xaf, 1]) };

/** A run of FFmpeg that writes what a test says: `Clip` without a process. */
export class FakeFfmpeg {
  readonly input = new PassThrough();
  readonly gone = Promise.resolve();
  readonly args: readonly string[];
  readonly waiting: FlvTag[] = [];
  takenTotal = 0;
  failure: string | undefined;
  words = "";
  isRead = false;
  isKilled = false;

  constructor(args: readonly string[] = []) {
    this.args = args;
  }

  get clip(): FfmpegRun["clip"] {
    return this;
  }
  get next(): FlvTag | undefined {
    return this.waiting[0];
  }
  get waitingMs(): number {
    return (this.waiting.at(-1)?.timestamp ?? 0) - (this.waiting[0]?.timestamp ?? 0);
  }
  get isOver(): boolean {
    return this.isRead && this.waiting.length === 0;
  }
  take(): FlvTag | undefined {
    this.takenTotal += 1;
    return this.waiting.shift();
  }
  kill(reason?: string): void {
    this.isKilled = true;
    this.failure ??= reason;
    this.isRead = true;
  }

  /** Video and audio each 40 ms, from here to there. */
  writes(fromMs: number, untilMs: number, frames: Partial<Frames> = {}): void {
    const { video, audio } = { ...PLAIN, ...frames };
    for (let timestamp = fromMs; timestamp < untilMs; timestamp += TAG_MS) {
      this.waiting.push({ type: 9, timestamp, payload: video(timestamp) });
      this.waiting.push({ type: 8, timestamp, payload: audio(timestamp) });
    }
  }

  /** It has written everything, or failed. `words`: the last that it said. */
  ends(failure?: string, words = ""): void {
    this.failure = failure;
    this.words = words;
    this.isRead = true;
  }
}

/** An open way to a source, on which nothing goes wrong but what a test says. */
export function fakePullLink(link: Partial<PullLink> = {}): PullLink {
  const quiet = () => undefined;
  return {
    ...{ address: "192.0.2.7", input: ["-i", "pipe:0"], env: {}, aheadMs: 1_000 },
    ...{ feed: (stdin) => void stdin.end(), isUnread: () => false, failure: quiet, close: quiet, ...link },
  };
}
