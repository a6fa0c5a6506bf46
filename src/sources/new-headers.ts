import type { FlvTag } from "../protocol/flv/flv-tag.ts";
import { readRecordUnits } from "../protocol/flv/video/record-units.ts";
import { classifyVideo, type VideoTag } from "../protocol/flv/video/video-tag.ts";
import { ParameterSets } from "../protocol/mpegts/video/parameter-sets.ts";
import { avcUnitKind, hevcUnitKind, UnitKind } from "../protocol/mpegts/video/unit-kind.ts";
import { MessageType } from "../protocol/rtmp/message.ts";

const LENGTH_BYTES_USUAL = 4;
/** Of a keyframe, and of another frame. Nobody sends frames in partitions, which have types of their own. */
const AVC_SLICES: ReadonlySet<number> = new Set([1, 5]);

/** So many frames in a row without a slice are of another codec, not damaged. */
const FOREIGN_FRAMES = 10;

/** What is known of the video: its sequence header without the record, the bytes of a unit's length, and its sets. */
type Video = {
  readonly codec: "avc" | "hevc";
  readonly head: Buffer;
  readonly lengthBytes: number;
  readonly sets: ParameterSets;
};

/**
 * Finds the sequence headers that FFmpeg leaves out. A transport stream has its parameter sets before each keyframe, and
 * they change where files were joined, or where an advertisement begins. FFmpeg copies them as a part of the frame and
 * writes the first ones alone as a sequence header: decoders of platforms go on with those.
 */
export class NewHeaders {
  #video: Video | undefined;
  #unreadFrames = 0;

  /** Whether the video has become one of another codec, which FFmpeg copies under the name of the first. */
  get isOtherCodec(): boolean {
    return this.#unreadFrames >= FOREIGN_FRAMES;
  }

  /** Takes every tag; returns the sequence header that belongs before it, where it is new. */
  before({ type, timestamp, payload }: FlvTag): FlvTag | undefined {
    if (type !== MessageType.Video) return undefined;
    const tag = classifyVideo(payload);
    if (tag.part === "config") this.#video = readVideo(tag, payload);
    if (tag.part !== "frame" || this.#video?.codec !== tag.codec) return undefined;
    this.#unreadFrames = isForeign(this.#video, payload, tag) ? this.#unreadFrames + 1 : 0;
    if (!tag.isKeyframe) return undefined;
    noteSets(this.#video, payload, tag.bodyOffset, tag.bodyEnd);
    const record = this.#video.sets.adopt();
    this.#video.sets.startFrame();
    return record === undefined ? undefined : { type, timestamp, payload: Buffer.concat([this.#video.head, record]) };
  }
}

function readVideo({ codec, bodyOffset, bodyEnd }: VideoTag, payload: Buffer): Video | undefined {
  if (codec !== "avc" && codec !== "hevc") return undefined;
  const record = readRecordUnits(codec, payload.subarray(bodyOffset, bodyEnd));
  const sets = new ParameterSets(codec);
  for (const set of record?.sets ?? []) noteSet(codec, sets, set);
  sets.adopt();
  sets.startFrame();
  const head = Buffer.from(payload.subarray(0, bodyOffset));
  return { codec, head, lengthBytes: record?.lengthSize ?? LENGTH_BYTES_USUAL, sets };
}

/** Parameter sets come before the slices of their frame. */
function noteSets(video: Video, bytes: Buffer, from: number, end: number): void {
  for (const unit of unitsOf(video, bytes, from, end)) if (!noteSet(video.codec, video.sets, unit)) return;
}

/** Whether a frame of H.264 has no slice: bytes of H.265 under that name have none. */
function isForeign(video: Video, bytes: Buffer, { bodyOffset, bodyEnd }: VideoTag): boolean {
  if (video.codec !== "avc") return false;
  for (const unit of unitsOf(video, bytes, bodyOffset, bodyEnd))
    if (AVC_SLICES.has((unit[0] ?? 0) & 0x1f)) return false;
  return true;
}

/** The units of a frame, up to one that is cut short. */
function* unitsOf({ lengthBytes }: Video, bytes: Buffer, from: number, end: number): Generator<Buffer> {
  for (let at = from; at + lengthBytes < end; ) {
    const start = at + lengthBytes;
    const unitEnd = start + bytes.readUIntBE(at, lengthBytes);
    if (unitEnd > end) return;
    yield bytes.subarray(start, unitEnd);
    at = unitEnd;
  }
}

/** Notes a unit that is a parameter set. Returns false for a slice. */
function noteSet(codec: Video["codec"], sets: ParameterSets, unit: Buffer): boolean {
  const kind = (codec === "avc" ? avcUnitKind : hevcUnitKind)(unit, 0, unit.length);
  if (kind === UnitKind.Vps || kind === UnitKind.Sps || kind === UnitKind.Pps) sets.note(kind, unit);
  return kind !== UnitKind.Slice && kind !== UnitKind.FirstSlice && kind !== UnitKind.FirstKeySlice;
}
