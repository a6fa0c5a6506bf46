/** A PAT lists programs; real encoders send one. */
const PROGRAMS_MAX = 16;
/** Elementary streams of a program. */
const STREAMS_MAX = 32;
const SECTION_HEAD_BYTES = 8;

export const TableId = { Pat: 0, Pmt: 2 } as const;

/** A program's number, and the PID of its PMT. */
export type ProgramEntry = { readonly program: number; readonly pmtPid: number };

/** An elementary stream as the PMT lists it. */
export type ElementaryStream = {
  readonly pid: number;
  readonly streamType: number;
  /** By tag; the first of each tag. */
  readonly descriptors: ReadonlyMap<number, Buffer>;
};

/** Reads a PAT (ISO/IEC 13818-1, 2.4.4.3), without its CRC. */
export function readPat(section: Buffer): readonly ProgramEntry[] {
  const programs: ProgramEntry[] = [];
  for (let at = SECTION_HEAD_BYTES; at + 4 <= section.length && programs.length < PROGRAMS_MAX; at += 4) {
    const program = section.readUInt16BE(at);
    // 0 is the network's own table.
    if (program !== 0) programs.push({ program, pmtPid: section.readUInt16BE(at + 2) & 0x1fff });
  }
  return programs;
}

/** Reads the streams of a PMT (2.4.4.8), without its CRC. Those that are cut short are left out. */
export function readPmt(section: Buffer): readonly ElementaryStream[] {
  const streams: ElementaryStream[] = [];
  if (section.length < SECTION_HEAD_BYTES + 4) return streams;
  let at = SECTION_HEAD_BYTES + 4 + (section.readUInt16BE(SECTION_HEAD_BYTES + 2) & 0x0fff);
  while (at + 5 <= section.length && streams.length < STREAMS_MAX) {
    const streamType = section.readUInt8(at);
    const pid = section.readUInt16BE(at + 1) & 0x1fff;
    const end = at + 5 + (section.readUInt16BE(at + 3) & 0x0fff);
    if (end > section.length) break;
    streams.push({ pid, streamType, descriptors: readDescriptors(section, at + 5, end) });
    at = end;
  }
  return streams;
}

/** Copies: the section's memory is lent. */
function readDescriptors(section: Buffer, from: number, end: number): ReadonlyMap<number, Buffer> {
  const descriptors = new Map<number, Buffer>();
  for (let at = from; at + 2 <= end; ) {
    const tag = section.readUInt8(at);
    const bodyEnd = at + 2 + section.readUInt8(at + 1);
    if (bodyEnd > end) break;
    if (!descriptors.has(tag)) descriptors.set(tag, Buffer.from(section.subarray(at + 2, bodyEnd)));
    at = bodyEnd;
  }
  return descriptors;
}
