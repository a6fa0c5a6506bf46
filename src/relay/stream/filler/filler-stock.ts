import { parseAvcConfig } from "../../../protocol/flv/video/avc-config.ts";
import { lookAtFrame } from "../../../protocol/flv/video/coded-frame.ts";
import { classifyVideo, hasIdr } from "../../../protocol/flv/video/video-tag.ts";

const NAL_LENGTH_BYTES_USUAL = 4;
/** Memory is allocated larger than a frame by this factor, so that the next frame fits too. */
const ROOM = 1.25;
/** A frame of several messages is cut off at this length, in bytes; no encoder's is larger. */
const FRAME_BYTES_MAX = 16 * 1024 * 1024;

/** The frames to show in turn. The stock owns the bytes; they are valid until it takes the next frame. */
export type FillerFrames = {
  readonly key: Buffer;
  readonly following: Buffer | undefined;
  /** When the keyframe came, milliseconds since the Unix epoch. */
  readonly keyTime: number;
};

/** A copy of one payload, in memory that is reused for the next. */
class Copy {
  #memory = Buffer.alloc(0);
  #length: number | undefined;

  get bytes(): Buffer | undefined {
    return this.#length === undefined ? undefined : this.#memory.subarray(0, this.#length);
  }

  get isThere(): boolean {
    return this.#length !== undefined;
  }

  set(payload: Buffer): void {
    if (payload.length > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(Math.ceil(payload.length * ROOM));
    payload.copy(this.#memory);
    this.#length = payload.length;
  }

  /** Appends the next message of the same frame. */
  append(more: Buffer): void {
    const length = this.#length ?? 0;
    if (length + more.length > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.ceil((length + more.length) * ROOM));
      this.#memory.copy(larger, 0, 0, length);
      this.#memory = larger;
    }
    more.copy(this.#memory, length);
    this.#length = length + more.length;
  }

  clear(): void {
    this.#length = undefined;
  }
}

type Group = { readonly key: Copy; readonly following: Copy; keyTime: number };

function newGroup(): Group {
  return { key: new Copy(), following: new Copy(), keyTime: 0 };
}

/**
 * Keeps the frames for filler while the stream is live: the last keyframe and the access unit right after it. Sent in
 * turn they are a stream that any decoder accepts: no two IDR pictures follow one another (H.264 7.4.1.2.4 requires
 * those to differ in a field in which a repeated one does not), and the second frame refers only to the first.
 */
export class FillerStock {
  /** Two GOPs: the last one with both frames, and the one that has begun since. */
  readonly #groups = [newGroup(), newGroup()] as const;
  #complete: 0 | 1 | undefined;
  #latest: 0 | 1 | undefined;
  /** The copy of the last frame; its next messages are appended. */
  #open: Copy | undefined;

  /** Presentation time minus decoding time of the first frame of filler, in milliseconds. */
  get compositionTimeMs(): number {
    return this.frames === undefined ? 0 : classifyVideo(this.frames.key).compositionTimeMs;
  }

  /** The frames to show; undefined before the first keyframe. */
  get frames(): FillerFrames | undefined {
    const shown = this.#complete ?? this.#latest;
    const group = shown === undefined ? undefined : this.#groups[shown];
    const key = group?.key.bytes;
    if (group === undefined || key === undefined) return undefined;
    return { key, following: group.following.bytes, keyTime: group.keyTime };
  }

  /**
   * Takes a video frame that was sent, and copies it if it is needed. `config`: its sequence header; `time`: when it came,
   * milliseconds since the Unix epoch. Both are read of keyframes only.
   */
  add(payload: Buffer, isKeyframe: boolean, config: Buffer | undefined, time = 0): void {
    this.#open = undefined;
    if (isKeyframe) this.#begin(payload, config, time);
    else if (this.#latest !== undefined) this.#follow(this.#latest, payload);
  }

  /** Takes the next message of the frame before: filler sends both as one message. */
  goOn(payload: Buffer): void {
    const { bodyOffset, bodyEnd } = classifyVideo(payload);
    if ((this.#open?.bytes?.length ?? 0) > FRAME_BYTES_MAX) return;
    this.#open?.append(payload.subarray(bodyOffset, bodyEnd));
  }

  #begin(payload: Buffer, config: Buffer | undefined, time: number): void {
    // Some encoders flag recovery points as keyframes: decoding cannot begin there.
    if (this.#latest !== undefined && !isRealKeyframe(payload, config)) return;
    this.#latest = this.#complete === 0 ? 1 : 0;
    const group = this.#groups[this.#latest];
    const { key, following } = group;
    group.keyTime = time;
    key.set(payload);
    following.clear();
    this.#open = key;
    if (!canBeFollowed(payload)) this.#complete = this.#latest;
  }

  #follow(latest: 0 | 1, payload: Buffer): void {
    const { following } = this.#groups[latest];
    if (following.isThere || !canBeFollowed(payload)) return;
    following.set(payload);
    this.#open = following;
    this.#complete = latest;
  }

  /** A sequence header changed: the kept frames cannot be decoded with it. */
  clear(): void {
    this.#open = undefined;
    this.#complete = undefined;
    this.#latest = undefined;
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
