/** A box of an ISO media file: where it begins, where its content begins, and where it ends, in bytes. */
export type Box = { readonly type: string; readonly start: number; readonly content: number; readonly end: number };

/** Length and type. */
export const BOX_HEADER_BYTES = 8;
/** The same with a 64-bit length. */
export const LONG_BOX_HEADER_BYTES = 16;
/** Far more boxes than a header of ours has at one level; more are ignored. */
const BOXES_MAX = 256;

/**
 * Reads the header of the box at `at` (ISO/IEC 14496-12, 4.2). `bytes` starts at `base` in the file. Undefined where
 * the header is cut short or its length is impossible; the box itself may reach beyond `bytes`.
 */
export function readBox(bytes: Buffer, at: number, base = 0): Box | undefined {
  const offset = at - base;
  if (offset < 0 || offset + BOX_HEADER_BYTES > bytes.length) return undefined;
  const type = bytes.toString("latin1", offset + 4, offset + 8);
  const short = bytes.readUInt32BE(offset);
  if (short !== 1) return short < BOX_HEADER_BYTES ? undefined : boxOf(type, at, BOX_HEADER_BYTES, short);
  if (offset + LONG_BOX_HEADER_BYTES > bytes.length) return undefined;
  const length = Number(bytes.readBigUInt64BE(offset + BOX_HEADER_BYTES));
  if (length < LONG_BOX_HEADER_BYTES || !Number.isSafeInteger(length)) return undefined;
  return boxOf(type, at, LONG_BOX_HEADER_BYTES, length);
}

/** The boxes that lie completely in `bytes[from…to)`. */
export function boxesIn(bytes: Buffer, from: number, to: number): readonly Box[] {
  const boxes: Box[] = [];
  for (let at = from; at < to && boxes.length < BOXES_MAX; ) {
    const box = readBox(bytes, at);
    if (box === undefined || box.end > to) break;
    boxes.push(box);
    at = box.end;
  }
  return boxes;
}

/** Returns the first box at this path, such as `["mdia", "mdhd"]`, inside of `parent`. */
export function boxAt(bytes: Buffer, parent: Box, path: readonly string[]): Box | undefined {
  let present: Box | undefined = parent;
  for (const type of path) {
    if (present === undefined) return undefined;
    present = boxesIn(bytes, present.content, present.end).find((box) => box.type === type);
  }
  return present;
}

function boxOf(type: string, start: number, headerBytes: number, length: number): Box {
  return { type, start, content: start + headerBytes, end: start + length };
}
