import type { Clock } from "../../../base/clock.ts";
import { stampFlvTag } from "../../../protocol/flv/flv-tag.ts";
import type { RecordingEnd, RecordingProblem } from "../../../thread-protocol/recordings/recordings.ts";
import { FLV_TAGS } from "../../packing/flv-tags.ts";
import type { Packer } from "../../packing/wire-form.ts";
import type { HeadMessage } from "../../stream/config/head-message.ts";
import type { Packet } from "../../stream/packet.ts";
import { type Subscriber, WHOLE_STREAM } from "../subscriber.ts";
import type { RecordingSink } from "./recording-link.ts";

/** A batch is sent this often, in milliseconds: each costs a message to the recorder's thread. */
const BATCH_MS = 200;
/** Or when it has this many bytes. */
const BATCH_BYTES_MAX = 1024 * 1024;

/** A packed message that waits for its batch. Its bytes may be shared with previews. */
type Piece = { readonly bytes: Buffer; readonly timestampMs: number };

/**
 * Hands a channel's stream to the recorder, from a keyframe on and without gaps, in batches of FLV tags timed from its
 * start. It copies what it sends, so it keeps none of the relay's memory beyond a flush. Where the disk is too slow the
 * recording ends; the stream does not wait.
 */
export class RecordingSubscriber implements Subscriber {
  readonly choice = WHOLE_STREAM;
  readonly joinBehindMaxMs = Number.POSITIVE_INFINITY;
  readonly isInStep = false;
  readonly #clock: Clock;
  readonly #sink: RecordingSink;
  readonly #onEnd: (problem: RecordingProblem | undefined) => void;
  #pieces: Piece[] = [];
  #unsentBytes = 0;
  #untakenBytes = 0;
  #sentMs = Number.NEGATIVE_INFINITY;
  #startMs: number | undefined;
  #isOver = false;

  /** `onEnd`: with the problem that ended it; undefined where the broadcast or a person did. */
  constructor(clock: Clock, sink: RecordingSink, onEnd: (problem: RecordingProblem | undefined) => void) {
    this.#clock = clock;
    this.#sink = sink;
    this.#onEnd = onEnd;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isWaitingToBegin(): boolean {
    return this.#startMs === undefined && !this.#isOver;
  }

  begin(config: readonly HeadMessage[], startMs: number, packer: Packer): void {
    this.#startMs = startMs;
    for (const message of config) this.#add(packer.packOwn(FLV_TAGS, { ...message, timeMs: startMs }), 0);
  }

  offer(packet: Packet, _isStart: boolean, packer: Packer): void {
    if (this.#startMs === undefined || this.#isOver) return;
    this.#add(packer.pack(FLV_TAGS, packet), Math.max(0, packet.timeMs - this.#startMs) % 2 ** 32);
    if (this.#unsentBytes + this.#untakenBytes > this.#sink.waitingBytesMax) this.#end("DISK_SLOW", "DISK_SLOW");
  }

  flush(): void {
    const isDue = this.#unsentBytes >= BATCH_BYTES_MAX || this.#clock.now() - this.#sentMs >= BATCH_MS;
    if (isDue && !this.#isOver) this.#send();
  }

  /** What came before the stream paused is sent, too. */
  tick(): void {
    if (!this.#isOver) this.#send();
  }

  /** The recorder took this many bytes. */
  taken(bytes: number): void {
    this.#untakenBytes = Math.max(0, this.#untakenBytes - bytes);
  }

  /** The recorder ended it. */
  ended(problem: RecordingProblem): void {
    this.#end(problem, problem);
  }

  /** A person turned the recording off. */
  turnOff(): void {
    this.#end("TURNED_OFF");
  }

  end(): void {
    this.#end("BROADCAST_ENDED");
  }

  #end(reason: RecordingEnd, problem?: RecordingProblem): void {
    if (this.#isOver) return;
    if (problem === undefined) this.#send();
    this.#isOver = true;
    this.#pieces = [];
    this.#sink.end(reason);
    this.#onEnd(problem);
  }

  #send(): void {
    if (this.#unsentBytes === 0) return;
    const bytes = new Uint8Array(this.#unsentBytes);
    const written = Buffer.from(bytes.buffer);
    let at = 0;
    for (const { bytes: piece, timestampMs } of this.#pieces) {
      bytes.set(piece, at);
      stampFlvTag(written, at, timestampMs);
      at += piece.length;
    }
    this.#pieces = [];
    this.#unsentBytes = 0;
    this.#untakenBytes += bytes.length;
    this.#sentMs = this.#clock.now();
    this.#sink.take(bytes);
  }

  #add(bytes: Buffer, timestampMs: number): void {
    this.#pieces.push({ bytes, timestampMs });
    this.#unsentBytes += bytes.length;
  }
}
