/** What a configuration record says about frames: the bytes of a unit's length, and the parameter sets in order. */
export type RecordUnits = { readonly lengthSize: number; readonly sets: readonly Buffer[] };

const HEVC_FIXED_BYTES = 23;
const PARAMETER_SETS: ReadonlySet<number> = new Set([32, 33, 34]);
/** Records of real streams hold a handful of sets. */
const SETS_MAX = 32;

/** Reads the parameter sets of an AVC or HEVC configuration record. Undefined where it is damaged. */
export function readRecordUnits(codec: "avc" | "hevc", record: Buffer): RecordUnits | undefined {
  return codec === "avc" ? readAvc(record) : readHevc(record);
}

/** ISO/IEC 14496-15, 5.3.3.1: sequence parameter sets, then picture parameter sets. */
function readAvc(record: Buffer): RecordUnits | undefined {
  if (record.length < 7) return undefined;
  const sets: Buffer[] = [];
  const afterSps = readSets(record, 6, record.readUInt8(5) & 0x1f, sets);
  if (afterSps === undefined || afterSps >= record.length) return undefined;
  const end = readSets(record, afterSps + 1, record.readUInt8(afterSps), sets);
  return end === undefined ? undefined : { lengthSize: (record.readUInt8(4) & 3) + 1, sets };
}

/** 8.3.3.1: arrays of sets, each of one kind. */
function readHevc(record: Buffer): RecordUnits | undefined {
  if (record.length < HEVC_FIXED_BYTES) return undefined;
  const sets: Buffer[] = [];
  let at = HEVC_FIXED_BYTES;
  for (let array = record.readUInt8(HEVC_FIXED_BYTES - 1); array > 0; array -= 1) {
    if (at + 3 > record.length) return undefined;
    const isParameterSet = PARAMETER_SETS.has(record.readUInt8(at) & 0x3f);
    const end = readSets(record, at + 3, record.readUInt16BE(at + 1), isParameterSet ? sets : []);
    if (end === undefined) return undefined;
    at = end;
  }
  return { lengthSize: (record.readUInt8(21) & 3) + 1, sets };
}

/** Returns where they end. */
function readSets(record: Buffer, from: number, count: number, into: Buffer[]): number | undefined {
  let at = from;
  for (let index = 0; index < count; index += 1) {
    if (at + 2 > record.length) return undefined;
    const end = at + 2 + record.readUInt16BE(at);
    if (end > record.length || into.length >= SETS_MAX) return undefined;
    into.push(Buffer.from(record.subarray(at + 2, end)));
    at = end;
  }
  return at;
}
