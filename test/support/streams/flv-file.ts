import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";

export const isVideo = (tag: FlvTag): boolean => tag.type === 9;
export const isAudio = (tag: FlvTag): boolean => tag.type === 8;
/** AVC decoder configuration: codec 7, packet type 0. */
export const isVideoHeader = (tag: FlvTag): boolean =>
  isVideo(tag) && (tag.payload.readUInt8(0) & 0x0f) === 7 && tag.payload[1] === 0;
/** AAC AudioSpecificConfig: format 10, packet type 0. */
export const isAudioHeader = (tag: FlvTag): boolean =>
  isAudio(tag) && tag.payload.readUInt8(0) >> 4 === 10 && tag.payload[1] === 0;
/** A coded keyframe: frame type 1, packet type 1. */
export const isKeyframe = (tag: FlvTag): boolean =>
  isVideo(tag) && tag.payload.readUInt8(0) >> 4 === 1 && tag.payload[1] === 1;
/** A coded video or audio frame: neither configuration nor AVC end of sequence. */
export const isCodedMedia = (tag: FlvTag): boolean => (isVideo(tag) || isAudio(tag)) && tag.payload[1] === 1;

/**
 * Returns every step back in a file's time, in the order of the file and so across audio and video too; none when all
 * is well.
 */
export function stepsBack(tags: readonly FlvTag[]): string[] {
  const problems: string[] = [];
  let last: FlvTag | undefined;
  for (const tag of tags.filter((each) => isVideo(each) || isAudio(each))) {
    if (last !== undefined && tag.timestamp < last.timestamp) {
      problems.push(`type ${last.type} at ${last.timestamp} → type ${tag.type} at ${tag.timestamp}`);
    }
    last = tag;
  }
  return problems;
}
