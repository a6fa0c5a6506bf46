import { isSilentAac } from "../../protocol/flv/audio/aac-silence.ts";
import { classifyAudio } from "../../protocol/flv/audio/audio-tag.ts";

/**
 * The first bytes of an AAC frame in legacy form, and in Enhanced RTMP's form without tracks, and the offset of the
 * coded audio.
 */
const LEGACY_FRAME = 0xaf01;
const LEGACY_BODY_OFFSET = 2;
const ENHANCED_FRAME = 0x91;
const FOURCC_AAC = 0x6d703461;
const ENHANCED_BODY_OFFSET = 5;

/** Measures for how long an AAC track has been digital silence. Audio that is only quiet does not count. */
export class SilenceMeter {
  #sinceMs: number | undefined;
  #lastMs = 0;

  /** Takes an audio message with a frame of the default track. Reads a few bytes of it. */
  take(payload: Buffer, nowMs: number): void {
    if (!isSilent(payload)) {
      this.#sinceMs = undefined;
      return;
    }
    this.#sinceMs ??= nowMs;
    this.#lastMs = nowMs;
  }

  /** Milliseconds from the first to the last of the silent frames in a row; undefined where the last frame was not silent. */
  get silentMs(): number | undefined {
    return this.#sinceMs === undefined ? undefined : this.#lastMs - this.#sinceMs;
  }
}

function isSilent(payload: Buffer): boolean {
  if (payload.length <= ENHANCED_BODY_OFFSET) return false;
  if ((((payload[0] ?? 0) << 8) | (payload[1] ?? 0)) === LEGACY_FRAME)
    return isSilentAac(payload, LEGACY_BODY_OFFSET, payload.length);
  if (payload[0] === ENHANCED_FRAME && payload.readUInt32BE(1) === FOURCC_AAC) {
    return isSilentAac(payload, ENHANCED_BODY_OFFSET, payload.length);
  }
  const { codec, part, bodyOffset, bodyEnd } = classifyAudio(payload);
  return codec === "aac" && part === "frame" && isSilentAac(payload, bodyOffset, bodyEnd);
}
