import { type FlvTag, TAG_HEADER_BYTES, TRAILER_BYTES } from "../protocol/flv/flv-tag.ts";

const FILE_HEADER_BYTES = 9;

/**
 * The complete tags of an FLV file, in the file's order. A tag that a killed writer left unfinished is left out.
 *
 * @throws Error where the file is not FLV; an empty one has no tags.
 */
export function readFlv(file: Buffer): FlvTag[] {
  if (file.length === 0) return [];
  if (file.toString("latin1", 0, 3) !== "FLV") throw new Error("not an FLV file");
  const tags: FlvTag[] = [];
  let at = FILE_HEADER_BYTES + TRAILER_BYTES;
  while (at + TAG_HEADER_BYTES <= file.length) {
    const end = at + TAG_HEADER_BYTES + file.readUIntBE(at + 1, 3);
    if (end > file.length) break;
    // Three bytes, followed by the highest one.
    const timestamp = file.readUIntBE(at + 4, 3) + file.readUInt8(at + 7) * 0x1000000;
    tags.push({ type: file.readUInt8(at) & 0x1f, timestamp, payload: file.subarray(at + TAG_HEADER_BYTES, end) });
    at = end + TRAILER_BYTES;
  }
  return tags;
}
