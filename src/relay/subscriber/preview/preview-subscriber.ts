import type { Clock } from "../../../base/clock.ts";
import type { Packer } from "../../packing/wire-form.ts";
import type { HeadMessage } from "../../stream/config/head-message.ts";
import type { Packet } from "../../stream/packet.ts";
import { type Subscriber, WHOLE_STREAM } from "../subscriber.ts";
import { FLV_FILE, type PreviewEncoding } from "./preview-encoding.ts";

/**
 * Packed for a preview and not yet taken by it, in bytes; above this limit frames are left out up to the next keyframe.
 */
const PENDING_BYTES_MAX = 4 * 1024 * 1024;
/** Above this limit, which only headers can reach, the preview ends. In bytes. */
const PENDING_BYTES_CUT = 8 * 1024 * 1024;
/** A preview that takes nothing of what was sent for this long ends, in milliseconds. */
const STALLED_MS = 10_000;

/** Takes the bytes of one preview. */
export interface PreviewSink {
  /** Bytes of the one stream, in order; a buffer of their own, which may be given away. */
  take(bytes: Uint8Array<ArrayBuffer>): void;
  /** Nothing more comes. */
  end(): void;
}

/** A packed message that waits for the flush. Its bytes are shared with other previews. */
type Piece = { readonly bytes: Buffer; readonly timestampMs: number | undefined };

/**
 * A viewer of what a channel sends: from the last keyframe on, with timestamps from 0. It copies what it sends, so it
 * keeps none of the relay's memory beyond a flush. Its memory is bounded; a slow viewer loses whole GOPs, then the
 * preview.
 */
export class PreviewSubscriber implements Subscriber {
  readonly choice = WHOLE_STREAM;
  readonly joinBehindMaxMs = Number.POSITIVE_INFINITY;
  readonly isInStep = false;
  readonly #sink: PreviewSink;
  readonly #clock: Clock;
  readonly #encoding: PreviewEncoding;
  #pieces: Piece[] = [];
  #unsentBytes = 0;
  #untakenBytes = 0;
  #lastTakenMs: number;
  #startMs: number | undefined;
  #needsKeyframe = false;
  #isPaused = false;
  #isOver = false;

  constructor(sink: PreviewSink, clock: Clock, encoding = FLV_FILE) {
    this.#sink = sink;
    this.#clock = clock;
    this.#encoding = encoding;
    this.#lastTakenMs = clock.awakeNow();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isWaitingToBegin(): boolean {
    return this.#startMs === undefined && !this.#isOver;
  }

  begin(config: readonly HeadMessage[], startMs: number, packer: Packer): void {
    this.#startMs = startMs;
    this.#add(this.#encoding.start, undefined);
    const form = this.#encoding.formAt(0);
    for (const message of config) this.#add(packer.packOwn(form, { ...message, timeMs: startMs }), 0);
  }

  offer(packet: Packet, isStart: boolean, packer: Packer): void {
    if (this.#startMs === undefined || this.#isOver) return;
    const pendingBytes = this.#unsentBytes + this.#untakenBytes;
    if (pendingBytes > PENDING_BYTES_CUT) return this.end();
    if (!packet.isConfig) {
      if (this.#isPaused || pendingBytes > PENDING_BYTES_MAX) this.#needsKeyframe = true;
      else if (isStart) this.#needsKeyframe = false;
      if (this.#needsKeyframe) return;
    }
    const timestampMs = Math.max(0, packet.timeMs - this.#startMs) % 2 ** 32;
    this.#add(packer.pack(this.#encoding.formAt(timestampMs), packet), timestampMs);
  }

  /** Sends what waits. */
  flush(): void {
    if (this.#unsentBytes === 0 || this.#isOver) return;
    const bytes = new Uint8Array(this.#unsentBytes);
    const written = Buffer.from(bytes.buffer);
    let at = 0;
    for (const { bytes: piece, timestampMs } of this.#pieces) {
      bytes.set(piece, at);
      if (timestampMs !== undefined) this.#encoding.stamp(written, at, piece.length, timestampMs);
      at += piece.length;
    }
    this.#pieces = [];
    this.#unsentBytes = 0;
    // Time in which nothing was sent to it does not count as a stall.
    if (this.#untakenBytes === 0) this.#lastTakenMs = this.#clock.awakeNow();
    this.#untakenBytes += bytes.length;
    this.#sink.take(bytes);
  }

  /** The viewer has taken this many of the bytes. */
  taken(bytes: number): void {
    this.#untakenBytes = Math.max(0, this.#untakenBytes - bytes);
    this.#lastTakenMs = this.#clock.awakeNow();
  }

  /** While paused it gets only headers; afterwards it continues at the next keyframe. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  tick(): void {
    if (this.#untakenBytes > 0 && this.#clock.awakeNow() - this.#lastTakenMs >= STALLED_MS) this.end();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pieces = [];
    this.#sink.end();
  }

  #add(bytes: Buffer, timestampMs: number | undefined): void {
    this.#pieces.push({ bytes, timestampMs });
    this.#unsentBytes += bytes.length;
  }
}
