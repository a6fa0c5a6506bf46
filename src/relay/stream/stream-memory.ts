import { adtsConfig } from "../../protocol/flv/audio/adts.ts";
import type { AudioTag } from "../../protocol/flv/audio/audio-tag.ts";
import { isHevcConfig } from "../../protocol/flv/video/hevc-config.ts";
import type { VideoTag } from "../../protocol/flv/video/video-tag.ts";
import { FrameMarks } from "./frame-marks.ts";

const LEGACY_HEADER_BYTES = 5;
/** Mask of the first byte without the frame type: form and codec. */
const FORM_AND_CODEC = 0x8f;
const AVC = 7;
const HEVC = 12;
const KEYFRAME = 0x10;
/** Mask of the first byte without the frame type. */
const LESS_FRAME_TYPE = 0x8f;
const AAC_CONFIG = Buffer.from("af00", "hex");
const ENHANCED_AAC_CONFIG = Buffer.from("906d703461", "hex");

/** What one encoder's earlier messages say about its next ones. */
export class StreamMemory {
  /** Marks of the default track; others are by track number. */
  readonly #marks = new FrameMarks();
  readonly #otherMarks = new Map<number, FrameMarks>();
  /** HEVC comes under H.264's codec id, as OBS before 29.1 sent it. */
  #isHevcUnderAvc = false;
  /** The encoder sent an AAC configuration of its own, on the default track. */
  #hasAacConfig = false;
  /** The configuration that was made from an ADTS header. */
  #madeAacConfig: number | undefined;

  /** Returns a video message with its true codec id; the same buffer if that was right. */
  underItsCodec(payload: Buffer): Buffer {
    const first = payload[0] ?? 0;
    if ((first & FORM_AND_CODEC) !== AVC) return payload;
    if (payload[1] === 0) this.#isHevcUnderAvc = isHevcConfig(payload.subarray(LEGACY_HEADER_BYTES));
    if (!this.#isHevcUnderAvc) return payload;
    const own = Buffer.from(payload);
    own[0] = (first & ~FORM_AND_CODEC) | HEVC;
    return own;
  }

  /** Takes a track's sequence header. */
  configure(tag: VideoTag, payload: Buffer): void {
    this.#marksOf(tag.trackId).configure(tag.codec, payload.subarray(tag.bodyOffset, tag.bodyEnd));
  }

  /** Returns a frame's `Mark`s. `timestamp`: the encoder's, in milliseconds. */
  marks(tag: VideoTag, payload: Buffer, timestamp: number): number {
    return this.#marksOf(tag.trackId).take(tag, payload, timestamp);
  }

  #marksOf(trackId: number): FrameMarks {
    if (trackId === 0) return this.#marks;
    let marks = this.#otherMarks.get(trackId);
    if (marks === undefined) {
      marks = new FrameMarks();
      this.#otherMarks.set(trackId, marks);
    }
    return marks;
  }

  /** The encoder sent an AAC configuration. */
  tookAacConfig(trackId: number): void {
    if (trackId === 0) this.#hasAacConfig = true;
  }

  /**
   * Returns the configuration message that an AAC frame's ADTS header describes. Undefined if the encoder sends
   * configurations, or if this one was returned before.
   */
  configFromAdts({ form, bodyOffset }: AudioTag, payload: Buffer): Buffer | undefined {
    if (this.#hasAacConfig) return undefined;
    const config = adtsConfig(payload, bodyOffset);
    if (config === undefined || config === this.#madeAacConfig) return undefined;
    this.#madeAacConfig = config;
    return aacConfigMessage(form, config);
  }
}

/** Makes a configuration message of these two bytes. */
function aacConfigMessage(form: AudioTag["form"], config: number): Buffer {
  return Buffer.concat([
    form === "legacy" ? AAC_CONFIG : ENHANCED_AAC_CONFIG,
    Buffer.from([config >> 8, config & 0xff]),
  ]);
}

/** Returns a copy that is marked as a keyframe. */
export function flaggedAsKeyframe(payload: Buffer): Buffer {
  const own = Buffer.from(payload);
  own[0] = ((payload[0] ?? 0) & LESS_FRAME_TYPE) | KEYFRAME;
  return own;
}
