import type { FlvTag } from "../protocol/flv/flv-tag.ts";
import { withParameterSets } from "../protocol/flv/video/parameter-sets.ts";
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

/** What is known of the video: its sequence header, how long that is without the record, the bytes of a unit's length, its sets. */
type Video = {
  readonly codec: "avc" | "hevc";
  readonly header: Buffer;
  readonly headBytes: number;
  readonly lengthBytes: number;
  readonly sets: ParameterSets;
};

/**
 * Adds what FFmpeg leaves out of video that it copies. A transport stream has its parameter sets before each keyframe, and
 * they change where files were joined, or where an advertisement begins. FFmpeg copies them as a part of the frame and
 * writes the first ones alone as a sequence header: decoders of platforms go on with those. Other containers have them in
 * a header alone: each keyframe of H.264 gets them too, so that every decoder finds the new ones where files change.
 */
export class NewHeaders {
  #video: Video | undefined;
  #unreadFrames = 0;

  /** Whether the video has become one of another codec, which FFmpeg copies under the name of the first. */
  get isOtherCodec(): boolean {
    return this.#unreadFrames >= FOREIGN_FRAMES;
  }

  /**
   * Takes every tag; returns it, behind a sequence header where a new one belongs there. A frame of H.264 without a slice
   * shows nothing and is left out: it is damaged, or one of another codec, which would break a platform's decoder.
   */
  take(flv: FlvTag): readonly FlvTag[] {
    const { payload } = flv;
    if (flv.type !== MessageType.Video) return [flv];
    const tag = classifyVideo(payload);
    if (tag.part === "config") this.#video = readVideo(tag, payload);
    const video = this.#video;
    if (tag.part !== "frame" || video?.codec !== tag.codec) return [flv];
    const isLeftOut = isForeign(video, payload, tag);
    this.#unreadFrames = isLeftOut ? this.#unreadFrames + 1 : 0;
    if (isLeftOut) return [];
    if (!tag.isKeyframe) return [flv];
    const hasSets = noteSets(video, payload, tag.bodyOffset, tag.bodyEnd);
    const record = video.sets.adopt();
    video.sets.startFrame();
    if (!hasSets && video.codec === "avc") return [{ ...flv, payload: withParameterSets(payload, video.header) }];
    if (record === undefined) return [flv];
    const header = Buffer.concat([video.header.subarray(0, video.headBytes), record]);
    this.#video = { ...video, header };
    return [{ ...flv, payload: header }, flv];
  }
}

function readVideo({ codec, bodyOffset, bodyEnd }: VideoTag, payload: Buffer): Video | undefined {
  if (codec !== "avc" && codec !== "hevc") return undefined;
  const record = readRecordUnits(codec, payload.subarray(bodyOffset, bodyEnd));
  const sets = new ParameterSets(codec);
  for (const set of record?.sets ?? []) noteSet(codec, sets, set);
  sets.adopt();
  sets.startFrame();
  const lengthBytes = record?.lengthSize ?? LENGTH_BYTES_USUAL;
  return { codec, header: Buffer.from(payload), headBytes: bodyOffset, lengthBytes, sets };
}

/** Notes the parameter sets, which come before the slices of their frame. Returns whether there are some. */
function noteSets(video: Video, bytes: Buffer, from: number, end: number): boolean {
  let hasSets = false;
  for (const unit of unitsOf(video, bytes, from, end)) {
    const noted = noteSet(video.codec, video.sets, unit);
    if (noted === "slice") break;
    hasSets ||= noted === "set";
  }
  return hasSets;
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

/** Notes a unit that is a parameter set. Returns what it is. */
function noteSet(codec: Video["codec"], sets: ParameterSets, unit: Buffer): "set" | "slice" | "other" {
  const kind = (codec === "avc" ? avcUnitKind : hevcUnitKind)(unit, 0, unit.length);
  if (kind === UnitKind.Slice || kind === UnitKind.FirstSlice || kind === UnitKind.FirstKeySlice) return "slice";
  if (kind !== UnitKind.Vps && kind !== UnitKind.Sps && kind !== UnitKind.Pps) return "other";
  sets.note(kind, unit);
  return "set";
}
