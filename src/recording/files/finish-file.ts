import { TAG_HEADER_BYTES, TRAILER_BYTES } from "../../protocol/flv/flv-tag.ts";
import { LONG_BOX_HEADER_BYTES, readBox } from "../../protocol/mp4/box-reader.ts";
import { encodeDuration, type MovieHeader, readMovieHeader } from "../../protocol/mp4/movie-header.ts";
import { readFragmentTimes } from "../../protocol/mp4/read-fragment.ts";
import type { RecordingContainer } from "../../thread-protocol/recordings/recordings.ts";
import type { Disk } from "./disk.ts";

/** The whole part of a file: up to where it can be played. */
export type WholePart = { readonly bytes: number; readonly durationMs: number };

/** A header of ours is some kilobytes: a configuration of at most 64 KiB for each of up to 32 tracks. */
const HEADER_BYTES_MAX = 4 * 1024 * 1024;
/** A fragment's list of samples: half a second of frames, and what gathered at the start. */
const FRAGMENT_HEAD_BYTES_MAX = 4 * 1024 * 1024;
/** Of a file whose tags lie one behind the other. */
const FLV_WINDOW_BYTES = 256 * 1024;
/** Of one where only the heads of fragments are read, which are far from each other. */
const MP4_WINDOW_BYTES = 8 * 1024;
const FLV_START_BYTES = 13;

/** Reads parts of a file; nearby parts come from memory. */
class FileWindow {
  readonly #disk: Disk;
  readonly #descriptor: number;
  readonly #windowBytes: number;
  #bytes = Buffer.alloc(0);
  #from = 0;

  /** `windowBytes`: the least that is read at once. */
  constructor(disk: Disk, descriptor: number, windowBytes: number) {
    this.#disk = disk;
    this.#descriptor = descriptor;
    this.#windowBytes = windowBytes;
  }

  /** Fewer bytes where the file ends before. */
  read(at: number, length: number): Buffer {
    if (at < this.#from || at + length > this.#from + this.#bytes.length) {
      const bytes = Buffer.alloc(Math.max(length, this.#windowBytes));
      const got = this.#disk.readSync(this.#descriptor, bytes, 0, bytes.length, at);
      this.#bytes = bytes.subarray(0, got);
      this.#from = at;
    }
    return this.#bytes.subarray(at - this.#from, at - this.#from + length);
  }
}

/**
 * Finds the whole part of a file that a crash may have cut, and writes the duration into its header. Removes what is
 * behind the whole part. `descriptor` is open for reading and writing. `known`: a part of it that was on the disk before;
 * it is not read again. Undefined where nothing can be played.
 */
export function finishFile(
  disk: Disk,
  descriptor: number,
  container: RecordingContainer,
  known?: WholePart,
): WholePart | undefined {
  const isMp4 = container === "mp4";
  const window = new FileWindow(disk, descriptor, isMp4 ? MP4_WINDOW_BYTES : FLV_WINDOW_BYTES);
  const header = isMp4 ? readMovieHeader(window.read(0, HEADER_BYTES_MAX)) : undefined;
  // The disk may have lost what it had taken.
  const isThere = known !== undefined && known.bytes > 0 && window.read(known.bytes - 1, 1).length === 1;
  const from = isThere ? known : undefined;
  const whole = header === undefined ? wholeFlv(window, from) : wholeMp4(window, header, from);
  if ((isMp4 && header === undefined) || whole.durationMs === 0) return undefined;
  disk.ftruncateSync(descriptor, whole.bytes);
  if (header !== undefined) writeDuration(disk, descriptor, header, whole.durationMs);
  disk.fsyncSync(descriptor);
  return whole;
}

/** Players read a file's duration from its header before they look at fragments. */
export function writeDuration(disk: Disk, descriptor: number, header: MovieHeader, durationMs: number): void {
  const bytes = encodeDuration(header, durationMs);
  disk.writeSync(descriptor, bytes, 0, bytes.length, header.durationAt);
}

/** Walks over the fragments: a `moof` box with its `mdat` box behind it. */
function wholeMp4(window: FileWindow, header: MovieHeader, from: WholePart | undefined): WholePart {
  const timescales = new Map(header.tracks.map(({ trackId, timescale }) => [trackId, timescale]));
  let { bytes, durationMs } = from ?? { bytes: header.end, durationMs: 0 };
  for (;;) {
    const moof = readBox(window.read(bytes, LONG_BOX_HEADER_BYTES), bytes, bytes);
    if (moof?.type !== "moof" || moof.end - moof.start > FRAGMENT_HEAD_BYTES_MAX) break;
    const times = readFragmentTimes(window.read(moof.start, moof.end - moof.start));
    const mdat = readBox(window.read(moof.end, LONG_BOX_HEADER_BYTES), moof.end, moof.end);
    // The last byte must be there.
    if (times === undefined || mdat?.type !== "mdat" || window.read(mdat.end - 1, 1).length === 0) break;
    for (const { trackId, endUnits } of times) {
      durationMs = Math.max(durationMs, Math.round((endUnits * 1_000) / (timescales.get(trackId) ?? 1_000)));
    }
    bytes = mdat.end;
  }
  return { bytes, durationMs };
}

/** Walks over the tags: each says its length before and behind. */
function wholeFlv(window: FileWindow, from: WholePart | undefined): WholePart {
  let { bytes, durationMs } = from ?? { bytes: FLV_START_BYTES, durationMs: 0 };
  for (;;) {
    const head = window.read(bytes, TAG_HEADER_BYTES);
    if (head.length < TAG_HEADER_BYTES) break;
    const trailerAt = bytes + TAG_HEADER_BYTES + head.readUIntBE(1, 3);
    const timeMs = head.readUIntBE(4, 3) + head.readUInt8(7) * 0x1_00_00_00;
    const trailer = window.read(trailerAt, TRAILER_BYTES);
    if (trailer.length < TRAILER_BYTES || trailer.readUInt32BE(0) !== trailerAt - bytes) break;
    durationMs = Math.max(durationMs, timeMs);
    bytes = trailerAt + TRAILER_BYTES;
  }
  return { bytes, durationMs };
}
