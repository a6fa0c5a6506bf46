/** More NAL units than any encoder puts into a frame: 4K with a slice for each row of blocks has some 270. */
const UNITS_MAX = 1_024;
const START_CODE = Buffer.from([0, 0, 1]);

/** Where NAL units lie in a buffer: unit n is `bytes[starts[n]…ends[n])`. Reused from one packet to the next. */
export type NalUnits = { readonly starts: Int32Array; readonly ends: Int32Array; count: number };

/** An empty list. */
export function noUnits(): NalUnits {
  return { starts: new Int32Array(UNITS_MAX), ends: new Int32Array(UNITS_MAX), count: 0 };
}

/**
 * Finds the NAL units between start codes (H.264 annex B), without the zero bytes around them. Units after the first
 * 1,024 are left out.
 */
export function findUnits(bytes: Buffer, from: number, end: number, into: NalUnits): void {
  into.count = 0;
  // The native search is three times as fast as a loop.
  const searched = bytes.subarray(from, end);
  let start = -1;
  for (let at = searched.indexOf(START_CODE); at !== -1; at = searched.indexOf(START_CODE, at + START_CODE.length)) {
    if (start !== -1 && !add(bytes, start, from + at, into)) return;
    start = from + at + START_CODE.length;
  }
  if (start !== -1) add(bytes, start, end, into);
}

/** Returns whether there is room for more. */
function add(bytes: Buffer, start: number, limit: number, into: NalUnits): boolean {
  let end = limit;
  while (end > start && bytes[end - 1] === 0) end -= 1;
  if (end === start) return true;
  into.starts[into.count] = start;
  into.ends[into.count] = end;
  into.count += 1;
  return into.count < UNITS_MAX;
}
