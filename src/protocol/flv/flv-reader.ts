import { type FlvTag, TAG_HEADER_BYTES, TRAILER_BYTES } from "./flv-tag.ts";

const FILE_HEADER_BYTES = 9;
/** No encoder writes a larger tag, in bytes. */
const TAG_BYTES_MAX = 8 * 1024 * 1024;

/** Cuts a growing FLV stream into tags. Keeps at most one unfinished tag. */
export class FlvReader {
  #rest: Buffer = Buffer.alloc(0);
  #hasHeader = false;

  /**
   * Takes the next bytes and returns the tags that they complete. Payloads are views of the bytes.
   * @throws Error where the stream is not FLV.
   */
  push(bytes: Buffer): FlvTag[] {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    if (!this.#hasHeader) {
      if (all.length < FILE_HEADER_BYTES + TRAILER_BYTES) return this.#keep(all, 0, []);
      if (all.toString("latin1", 0, 3) !== "FLV") throw new Error("not an FLV stream");
      at = all.readUInt32BE(5) + TRAILER_BYTES;
      if (at !== FILE_HEADER_BYTES + TRAILER_BYTES) throw new Error("an FLV header of another length");
      this.#hasHeader = true;
    }
    const tags: FlvTag[] = [];
    while (at + TAG_HEADER_BYTES <= all.length) {
      const length = all.readUIntBE(at + 1, 3);
      if (length > TAG_BYTES_MAX) throw new Error(`an FLV tag of ${length} bytes`);
      const end = at + TAG_HEADER_BYTES + length;
      if (end + TRAILER_BYTES > all.length) break;
      // Three bytes, followed by the highest one.
      const timestamp = all.readUIntBE(at + 4, 3) + all.readUInt8(at + 7) * 0x1000000;
      tags.push({ type: all.readUInt8(at) & 0x1f, timestamp, payload: all.subarray(at + TAG_HEADER_BYTES, end) });
      at = end + TRAILER_BYTES;
    }
    return this.#keep(all, at, tags);
  }

  #keep(all: Buffer, at: number, tags: FlvTag[]): FlvTag[] {
    this.#rest = all.subarray(at);
    return tags;
  }
}
