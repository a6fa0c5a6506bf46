import type { LimitedChild } from "../ffmpeg/limited-child.ts";
import { FlvReader } from "../protocol/flv/flv-reader.ts";
import type { FlvTag } from "../protocol/flv/flv-tag.ts";
import { NewHeaders } from "./new-headers.ts";

/** FFmpeg waits while this much of its output is not taken, in bytes: seconds of any stream. */
const QUEUED_BYTES_MAX = 8 * 1024 * 1024;
/** What a tag costs beside its payload, in bytes: there may be very many of a few bytes. */
const TAG_COST_BYTES = 256;
const OTHER_CODEC = "its video changes to another codec within the file";
/** It goes on below this. */
const QUEUED_BYTES_LOW = QUEUED_BYTES_MAX / 2;

/** What plays a file needs of it. */
export type PlayedClip = Pick<Clip, "next" | "isRead" | "isOver" | "takenTotal" | "failure" | "gone" | "take" | "kill">;

/** One run of FFmpeg whose output is FLV: its tags, read ahead as far as memory allows. */
export class Clip {
  readonly #child: LimitedChild;
  readonly #reader = new FlvReader();
  readonly #headers = new NewHeaders();
  readonly #queue: FlvTag[] = [];
  #queuedBytes = 0;
  #taken = 0;
  #isRead = false;
  #failure: string | undefined;
  #words = "";
  /** Resolves when the child is gone. */
  readonly gone: Promise<void>;

  constructor(child: LimitedChild) {
    this.#child = child;
    child.output.on("data", (bytes: Buffer) => this.#take(bytes));
    this.gone = child.ended.then((end) => {
      if (end.kind === "failed") {
        this.#failure ??= end.reason;
        this.#words = end.words;
      }
      this.#isRead = true;
    });
  }

  /** The next tag; undefined where none is here yet. */
  get next(): FlvTag | undefined {
    return this.#queue[0];
  }

  /** Whether FFmpeg has written everything, or was ended. Tags may still wait. */
  get isRead(): boolean {
    return this.#isRead;
  }

  get isOver(): boolean {
    return this.#isRead && this.#queue.length === 0;
  }

  /** How many tags were taken. */
  get takenTotal(): number {
    return this.#taken;
  }

  /** Why FFmpeg failed; undefined where it did not. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** The last that a failed FFmpeg wrote, in its own words; empty where it did not fail. */
  get words(): string {
    return this.#words;
  }

  /** How much is waiting, in milliseconds of the stream. */
  get waitingMs(): number {
    const last = this.#queue.at(-1);
    return last === undefined ? 0 : last.timestamp - (this.#queue[0]?.timestamp ?? 0);
  }

  /** The tags that wait, in their order. */
  get waiting(): readonly FlvTag[] {
    return this.#queue;
  }

  take(): FlvTag | undefined {
    const tag = this.#queue.shift();
    if (tag === undefined) return undefined;
    this.#taken += 1;
    this.#queuedBytes -= tag.payload.length + TAG_COST_BYTES;
    if (this.#queuedBytes < QUEUED_BYTES_LOW) this.#child.output.resume();
    return tag;
  }

  /** Ends FFmpeg, from which nothing more comes. `reason`: why that counts as a failure. Idempotent. */
  kill(reason?: string): void {
    this.#failure ??= reason;
    // One that waits for a disk or a network may not be gone for minutes.
    this.#isRead = true;
    this.#child.kill(reason);
  }

  #put(tag: FlvTag): void {
    this.#queue.push(tag);
    this.#queuedBytes += tag.payload.length + TAG_COST_BYTES;
  }

  #take(bytes: Buffer): void {
    // What a killed FFmpeg had written already.
    if (this.#failure !== undefined) return;
    try {
      for (const tag of this.#reader.push(bytes)) {
        for (const each of this.#headers.take(tag)) this.#put(each);
        if (this.#headers.isOtherCodec) return this.kill(OTHER_CODEC);
      }
    } catch (error) {
      this.#child.kill(error instanceof Error ? error.message : String(error));
    }
    if (this.#queuedBytes > QUEUED_BYTES_MAX) this.#child.output.pause();
  }
}
