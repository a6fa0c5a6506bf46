import { mpegCrc32 } from "../packets/crc32.ts";
import { TableId } from "../packets/program.ts";

const PROGRAM = 1;
const TRANSPORT_STREAM = 1;
const SECTION_HEAD_BYTES = 8;
const CRC_BYTES = 4;
const NO_PCR_PID = 0x1fff;

/** A stream as the PMT lists it; `descriptors` as they lie there. */
export type ListedStream = { readonly pid: number; readonly streamType: number; readonly descriptors: Buffer };

/** A PAT of one program, with the pointer that precedes a section in its packet. */
export function patSection(pmtPid: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt16BE(PROGRAM, 0);
  body.writeUInt16BE(0xe000 | pmtPid, 2);
  return section(TableId.Pat, TRANSPORT_STREAM, 0, body);
}

/** The program's PMT; `version` counts its changes. */
export function pmtSection(streams: readonly ListedStream[], pcrPid: number | undefined, version: number): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(0xe000 | (pcrPid ?? NO_PCR_PID), 0);
  head.writeUInt16BE(0xf000, 2);
  const entries = streams.flatMap(({ pid, streamType, descriptors }) => {
    const entry = Buffer.alloc(5);
    entry[0] = streamType;
    entry.writeUInt16BE(0xe000 | pid, 1);
    entry.writeUInt16BE(0xf000 | descriptors.length, 3);
    return [entry, descriptors];
  });
  return section(TableId.Pmt, PROGRAM, version, Buffer.concat([head, ...entries]));
}

function section(tableId: number, id: number, version: number, body: Buffer): Buffer {
  const length = SECTION_HEAD_BYTES + body.length + CRC_BYTES;
  const out = Buffer.alloc(1 + length);
  out[1] = tableId;
  out.writeUInt16BE(0xb000 | (length - 3), 2);
  out.writeUInt16BE(id, 4);
  // It applies now.
  out[6] = 0xc1 | ((version & 0x1f) << 1);
  body.copy(out, 1 + SECTION_HEAD_BYTES);
  out.writeUInt32BE(mpegCrc32(out, 1, out.length - CRC_BYTES), out.length - CRC_BYTES);
  return out;
}
