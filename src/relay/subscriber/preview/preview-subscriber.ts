import { encodeFlvTag, FLV_FILE_START, type FlvTag } from "../../../protocol/flv/flv-tag.ts";
import { MessageType } from "../../../protocol/rtmp/message.ts";
import { payloadOf } from "../../packing/rtmp-chunks.ts";
import type { HeadMessage } from "../../stream/config/head-message.ts";
import type { Packet } from "../../stream/packet.ts";

/** Made for a preview and not yet taken by it, in bytes; beyond it pictures and sound are left out up to the next keyframe. */
const PENDING_BYTES_MAX = 4 * 1024 * 1024;
/** Beyond this, which headers alone can reach, the preview is cut. */
const PENDING_BYTES_CUT = 8 * 1024 * 1024;
/** A preview that takes nothing of what was sent for this long is cut, in milliseconds. */
const STALLED_MS = 10_000;

/** `@setDataFrame` as an AMF0 string: an instruction to a server, and no part of a file. */
const SET_DATA_FRAME = Buffer.from("02000d40736574446174614672616d65", "hex");

/** What a preview is sent: how it begins, and how a message lies in it. */
export type PreviewForm = {
  readonly start: Buffer;
  /** Whole by itself. `timestamp`: milliseconds, unsigned 32-bit. */
  readonly encode: (tag: FlvTag) => Buffer;
};

/** As a file: for HTTP. */
export const FLV_FORM: PreviewForm = { start: FLV_FILE_START, encode: encodeFlvTag };

/** Somebody who looks at a channel. */
export interface PreviewSink {
  /** Bytes of the one stream, in order; a buffer of their own, which may be given away. */
  take(bytes: Uint8Array<ArrayBuffer>): void;
  /** Nothing comes any more. */
  end(): void;
}

/**
 * A preview of what a channel sends: from the last keyframe on, timestamps from 0. Copies what it sends, so it holds nothing of
 * the relay's; bounded in bytes, and a slow one loses whole groups of pictures, then its place.
 */
export class PreviewSubscriber {
  readonly #sink: PreviewSink;
  readonly #form: PreviewForm;
  #pieces: Uint8Array[] = [];
  #unsentBytes = 0;
  #untakenBytes = 0;
  #lastTakenMs: number;
  #baseMs: number | undefined;
  #needsKeyframe = false;
  #isPaused = false;
  #isOver = false;

  constructor(sink: PreviewSink, nowMs: number, form = FLV_FORM) {
    this.#sink = sink;
    this.#form = form;
    this.#lastTakenMs = nowMs;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** `isStart`: a stream may begin with this packet, behind these headers. */
  offer(packet: Packet, isStart: boolean, head: () => readonly HeadMessage[]): void {
    if (this.#isOver) return;
    const pendingBytes = this.#unsentBytes + this.#untakenBytes;
    if (pendingBytes > PENDING_BYTES_CUT) return this.end();
    if (this.#baseMs === undefined) {
      if (!isStart) return;
      this.#begin(packet.timeMs, head());
    } else if (!packet.isConfig) {
      if (this.#isPaused || pendingBytes > PENDING_BYTES_MAX) this.#needsKeyframe = true;
      else if (isStart) this.#needsKeyframe = false;
      if (this.#needsKeyframe) return;
    }
    this.#addTag(packet.type, packet.timeMs - (this.#baseMs ?? 0), payloadOf(packet));
  }

  /** Hands on what has gathered. */
  flush(nowMs: number): void {
    if (this.#unsentBytes === 0 || this.#isOver) return;
    const bytes = new Uint8Array(this.#unsentBytes);
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.#unsentBytes = 0;
    // Silence of ours is none of the preview's.
    if (this.#untakenBytes === 0) this.#lastTakenMs = nowMs;
    this.#untakenBytes += bytes.length;
    this.#sink.take(bytes);
  }

  /** The preview has taken so many of the bytes. */
  taken(bytes: number, nowMs: number): void {
    this.#untakenBytes = Math.max(0, this.#untakenBytes - bytes);
    this.#lastTakenMs = nowMs;
  }

  /** While paused nothing but headers comes; afterwards it goes on at the next keyframe. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  /** Call once a second. */
  tick(nowMs: number): void {
    if (this.#untakenBytes > 0 && nowMs - this.#lastTakenMs >= STALLED_MS) this.end();
  }

  /** Idempotent. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pieces = [];
    this.#sink.end();
  }

  #begin(baseMs: number, head: readonly HeadMessage[]): void {
    this.#baseMs = baseMs;
    this.#add(this.#form.start);
    for (const { type, payload } of head) this.#addTag(type, 0, payload);
  }

  #addTag(type: number, timestamp: number, payload: Buffer): void {
    const isInstruction = type === MessageType.DataAmf0 && payload.indexOf(SET_DATA_FRAME) === 0;
    const written = isInstruction ? payload.subarray(SET_DATA_FRAME.length) : payload;
    this.#add(this.#form.encode({ type, timestamp: Math.max(0, timestamp) % 2 ** 32, payload: written }));
  }

  #add(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#unsentBytes += bytes.length;
  }
}

/** Who looks at one channel. No mistake with one of them reaches another, or the channel. */
export class PreviewSubscribers {
  readonly #onFault: (error: unknown) => void;
  readonly #previews = new Set<PreviewSubscriber>();

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  get areThere(): boolean {
    return this.#previews.size > 0;
  }

  /** Begins with the keyframe of the group that is being sent, so that there is a picture at once. */
  add(preview: PreviewSubscriber, cached: readonly Packet[], head: () => readonly HeadMessage[]): void {
    this.#previews.add(preview);
    this.#guard(preview, () => {
      for (const [index, packet] of cached.entries()) preview.offer(packet, index === 0, head);
    });
  }

  offer(packet: Packet, isStart: boolean, head: () => readonly HeadMessage[]): void {
    for (const preview of this.#previews) this.#guard(preview, () => preview.offer(packet, isStart, head));
  }

  flush(nowMs: number): void {
    for (const preview of this.#previews) this.#guard(preview, () => preview.flush(nowMs));
  }

  /** Call once a second. */
  tick(nowMs: number): void {
    for (const preview of this.#previews) this.#guard(preview, () => preview.tick(nowMs));
  }

  /** The broadcast is over. */
  end(): void {
    for (const preview of this.#previews) this.#guard(preview, () => preview.end());
  }

  /** Lets go of a preview that is over, or fails. */
  #guard(preview: PreviewSubscriber, run: () => void): void {
    try {
      if (!preview.isOver) run();
    } catch (error) {
      this.#onFault(error);
      this.#previews.delete(preview);
      this.#endFaulty(preview);
    }
    if (preview.isOver) this.#previews.delete(preview);
  }

  #endFaulty(preview: PreviewSubscriber): void {
    try {
      preview.end();
    } catch {
      // Its fault was told.
    }
  }
}
