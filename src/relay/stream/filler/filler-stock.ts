import type { Clock } from "../../../base/clock.ts";
import { flattenTrack, isMultitrack } from "../../../protocol/flv/tracks.ts";
import { parseAvcConfig } from "../../../protocol/flv/video/avc-config.ts";
import { lookAtFrame } from "../../../protocol/flv/video/coded-frame.ts";
import { classifyVideo, hasIdr, shownAfterMs } from "../../../protocol/flv/video/video-tag.ts";
import type { Block } from "../block-store.ts";
import type { DecoderConfig } from "../config/decoder-config.ts";
import type { Packet } from "../packet.ts";

const NAL_LENGTH_BYTES_USUAL = 4;
/** Memory is allocated larger than a frame by this factor, so that the next frame fits too. */
const ROOM = 1.25;
/** A frame of several messages is cut off at this length, in bytes; no encoder's is larger. */
const FRAME_BYTES_MAX = 16 * 1024 * 1024;

/** `isFurther`: it continues the frame that the message before it began. */
type SentFrame = Pick<Packet, "kind" | "trackId" | "isKeyframe"> & {
  readonly payload: Buffer;
  readonly isFurther?: boolean | undefined;
};

/** The frames to show in turn, in memory of their own. */
export type FillerFrames = {
  readonly key: Buffer;
  readonly following: Buffer | undefined;
  /** When the keyframe came, milliseconds since the Unix epoch. */
  readonly keyTime: number;
};

/** One frame: a packet that stays where it lies, or a copy in memory that is reused for the next. */
class KeptFrame {
  #packet: Packet | undefined;
  #memory = Buffer.alloc(0);
  #length: number | undefined;

  get isThere(): boolean {
    return this.#packet !== undefined || this.#length !== undefined;
  }

  /** The block that the packet is in; undefined for a copy. */
  get block(): Block | undefined {
    return this.#packet?.block;
  }

  /** A new copy of the frame's payload; undefined if there is none. */
  payload(read: PayloadReader): Buffer | undefined {
    if (this.#packet !== undefined) return read(this.#packet);
    return this.#length === undefined ? undefined : Buffer.from(this.#memory.subarray(0, this.#length));
  }

  set(payload: Buffer, packet: Packet | undefined): void {
    this.#packet = packet;
    this.#length = undefined;
    if (packet === undefined) this.#copy(payload);
  }

  /** Appends the next message of the same frame, which is a copy from then on. */
  append(more: Buffer, read: PayloadReader): void {
    if (this.#packet !== undefined) this.#copy(read(this.#packet));
    this.#packet = undefined;
    const length = this.#length ?? 0;
    if (length + more.length > FRAME_BYTES_MAX) return;
    if (length + more.length > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.ceil((length + more.length) * ROOM));
      this.#memory.copy(larger, 0, 0, length);
      this.#memory = larger;
    }
    more.copy(this.#memory, length);
    this.#length = length + more.length;
  }

  clear(): void {
    this.#packet = undefined;
    this.#length = undefined;
  }

  #copy(payload: Buffer): void {
    if (payload.length > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(Math.ceil(payload.length * ROOM));
    payload.copy(this.#memory);
    this.#length = payload.length;
  }
}

/** Returns a copy of a packet's payload. */
export type PayloadReader = (packet: Packet) => Buffer;

type Group = { readonly key: KeptFrame; readonly following: KeptFrame; keyTime: number; compositionTimeMs: number };

function newGroup(): Group {
  return { key: new KeptFrame(), following: new KeptFrame(), keyTime: 0, compositionTimeMs: 0 };
}

const NO_BLOCKS: readonly Block[] = [];

/** For a stock that is given no packets. */
function noPayload(): Buffer {
  throw new TypeError("this stock has no packets");
}

/**
 * Keeps the frames for filler while the stream is live: the last keyframe and the access unit right after it. Sent in
 * turn they are a stream that any decoder accepts: no two IDR pictures follow one another (H.264 7.4.1.2.4 requires
 * those to differ in a field in which a repeated one does not), and the second frame refers only to the first.
 *
 * A frame that came as a packet is not copied: the stock's `blocks` must keep their memory.
 */
export class FillerStock {
  readonly #read: PayloadReader;
  /** Two GOPs: the last one with both frames, and the one that has begun since. */
  readonly #groups = [newGroup(), newGroup()] as const;
  #complete: 0 | 1 | undefined;
  #latest: 0 | 1 | undefined;
  /** The last frame; its next messages are appended. */
  #open: KeptFrame | undefined;
  #blocks = NO_BLOCKS;

  constructor(read: PayloadReader = noPayload) {
    this.#read = read;
  }

  /** Presentation time minus decoding time of the first frame of filler, in milliseconds. */
  get compositionTimeMs(): number {
    return this.#shown?.compositionTimeMs ?? 0;
  }

  /** When the keyframe to show came, milliseconds since the Unix epoch; undefined before the first one. */
  get keyTime(): number | undefined {
    return this.#shown?.keyTime;
  }

  /** A copy of the frames to show; undefined before the first keyframe. */
  get frames(): FillerFrames | undefined {
    const group = this.#shown;
    const key = group?.key.payload(this.#read);
    if (group === undefined || key === undefined) return undefined;
    return { key, following: group.following.payload(this.#read), keyTime: group.keyTime };
  }

  /** The blocks that hold its packets. */
  get blocks(): readonly Block[] {
    return this.#blocks;
  }

  /** Takes a frame of the stream as it was sent, and keeps video of the default track. `packet`: where the frame lies. */
  take(
    { kind, trackId, payload, isKeyframe, isFurther }: SentFrame,
    packet: Packet | undefined,
    head: Pick<DecoderConfig, "config">,
    clock: Pick<Clock, "wallNow">,
  ): void {
    if (kind !== "video" || trackId !== 0) return;
    const own = isMultitrack("video", payload) ? flattenTrack("video", payload, 0) : payload;
    if (own === undefined) return;
    const lies = own === payload ? packet : undefined;
    if (isFurther === true && !isKeyframe) this.goOn(own);
    else if (isKeyframe) this.add(own, true, head.config("video"), clock.wallNow(), lies);
    else this.add(own, false, undefined, 0, lies);
  }

  /**
   * Takes a video frame that was sent, and keeps it if it is needed. `config`: its sequence header; `time`: when it came,
   * milliseconds since the Unix epoch. Both are read of keyframes only. `packet`: where this payload lies; absent: it is
   * copied.
   */
  add(payload: Buffer, isKeyframe: boolean, config: Buffer | undefined, time = 0, packet?: Packet): void {
    this.#open = undefined;
    if (isKeyframe) this.#begin(payload, config, time, packet);
    else if (this.#latest !== undefined) this.#follow(this.#latest, payload, packet);
  }

  /** Takes the next message of the frame before: filler sends both as one message. */
  goOn(payload: Buffer): void {
    if (this.#open === undefined) return;
    const { bodyOffset, bodyEnd } = classifyVideo(payload);
    this.#open.append(payload.subarray(bodyOffset, bodyEnd), this.#read);
    this.#listBlocks();
  }

  get #shown(): Group | undefined {
    const shown = this.#complete ?? this.#latest;
    return shown === undefined ? undefined : this.#groups[shown];
  }

  #begin(payload: Buffer, config: Buffer | undefined, time: number, packet: Packet | undefined): void {
    // Some encoders flag recovery points as keyframes: decoding cannot begin there.
    if (this.#latest !== undefined && !isRealKeyframe(payload, config)) return;
    this.#latest = this.#complete === 0 ? 1 : 0;
    const group = this.#groups[this.#latest];
    const { key, following } = group;
    group.keyTime = time;
    group.compositionTimeMs = shownAfterMs(classifyVideo(payload));
    key.set(payload, packet);
    following.clear();
    this.#open = key;
    if (!canBeFollowed(payload)) this.#finish(this.#latest);
    this.#listBlocks();
  }

  #follow(latest: 0 | 1, payload: Buffer, packet: Packet | undefined): void {
    const { following } = this.#groups[latest];
    if (following.isThere || !canBeFollowed(payload)) return;
    following.set(payload, packet);
    this.#open = following;
    this.#finish(latest);
    this.#listBlocks();
  }

  /** This group is shown from now on; the other one is needed no more. */
  #finish(group: 0 | 1): void {
    this.#complete = group;
    const other = this.#groups[1 - group];
    other?.key.clear();
    other?.following.clear();
  }

  #listBlocks(): void {
    const kept = this.#groups.flatMap(({ key, following }) => [key.block, following.block]);
    this.#blocks = [...new Set(kept.filter((block) => block !== undefined))];
  }

  /** A sequence header changed: the kept frames cannot be decoded with it. */
  clear(): void {
    this.#open = undefined;
    this.#complete = undefined;
    this.#latest = undefined;
    for (const { key, following } of this.#groups) {
      key.clear();
      following.clear();
    }
    this.#blocks = NO_BLOCKS;
  }
}

/** The second frame of HEVC and AV1 may refer to more than the keyframe: for those, filler is keyframes only. */
function canBeFollowed(payload: Buffer): boolean {
  return classifyVideo(payload).codec === "avc";
}

function isRealKeyframe(payload: Buffer, config: Buffer | undefined): boolean {
  const { codec, bodyOffset, bodyEnd } = classifyVideo(payload);
  if (codec !== "avc") return true;
  const lengthBytes = config === undefined ? NAL_LENGTH_BYTES_USUAL : nalLengthBytes(config);
  // Parameter sets in a message of their own: the slices follow.
  if (lookAtFrame(codec, payload, bodyOffset, bodyEnd, lengthBytes) === 0) return true;
  return hasIdr(payload, lengthBytes);
}

function nalLengthBytes(config: Buffer): number {
  const { bodyOffset, bodyEnd } = classifyVideo(config);
  return parseAvcConfig(config.subarray(bodyOffset, bodyEnd))?.nalLengthSize ?? NAL_LENGTH_BYTES_USUAL;
}
