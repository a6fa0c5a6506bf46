import { BOX_HEADER_BYTES } from "./box-reader.ts";

/** One coded frame as it lies in a fragment. Times are in units of its track's timescale. */
export type Sample = {
  readonly data: Uint8Array;
  readonly durationUnits: number;
  /** Presentation time minus decoding time; may be negative. */
  readonly compositionUnits: number;
  readonly isSync: boolean;
};

/** The samples of one track in a fragment; at least one. */
export type TrackRun = {
  readonly trackId: number;
  /** Decoding time of the first sample. */
  readonly startUnits: number;
  readonly samples: readonly Sample[];
};

const FULL_BOX_BYTES = BOX_HEADER_BYTES + 4;
const MFHD_BYTES = FULL_BOX_BYTES + 4;
const TFHD_BYTES = FULL_BOX_BYTES + 4;
const TFDT_BYTES = FULL_BOX_BYTES + 8;
const TRUN_BYTES = FULL_BOX_BYTES + 8;
/** Duration, size, flags and composition time of a sample. */
const SAMPLE_BYTES = 16;
/** Offsets in the fragment count from its own first byte (14496-12, 8.8.7.1). */
const DEFAULT_BASE_IS_MOOF = 0x02_00_00;
/** The run has a data offset, and of each sample the duration, size, flags and composition time (8.8.8.1). */
const RUN_FLAGS = 0x00_0f_01;
/** `sample_depends_on` 2: on no other; and 1 with `sample_is_non_sync_sample` (8.8.3.1). */
const SYNC_FLAGS = 0x02_00_00_00;
const NON_SYNC_FLAGS = 0x01_01_00_00;

/**
 * Encodes one fragment: a `moof` box for these runs and the header of its `mdat` box. The samples' data follow the
 * returned head in the order of the runs; they are not copied. ISO/IEC 14496-12, 8.8.
 */
export function encodeFragmentHead(sequence: number, runs: readonly TrackRun[]): Buffer {
  const runsBytes = runs.map(
    ({ samples }) => BOX_HEADER_BYTES + TFHD_BYTES + TFDT_BYTES + TRUN_BYTES + samples.length * SAMPLE_BYTES,
  );
  const moofBytes = BOX_HEADER_BYTES + MFHD_BYTES + sum(runsBytes);
  const dataBytes = runs.map(({ samples }) => samples.reduce((bytes, { data }) => bytes + data.length, 0));
  const bytes = Buffer.alloc(moofBytes + BOX_HEADER_BYTES);
  let at = box(bytes, 0, moofBytes, "moof");
  at = box(bytes, at, MFHD_BYTES, "mfhd", 0);
  at = bytes.writeUInt32BE(sequence, at);
  let dataOffset = bytes.length;
  for (const [index, run] of runs.entries()) {
    at = box(bytes, at, runsBytes[index] ?? 0, "traf");
    at = box(bytes, at, TFHD_BYTES, "tfhd", DEFAULT_BASE_IS_MOOF);
    at = bytes.writeUInt32BE(run.trackId, at);
    at = box(bytes, at, TFDT_BYTES, "tfdt", 0x01_00_00_00);
    at = bytes.writeBigUInt64BE(BigInt(run.startUnits), at);
    at = encodeRun(bytes, at, run.samples, dataOffset);
    dataOffset += dataBytes[index] ?? 0;
  }
  box(bytes, at, BOX_HEADER_BYTES + sum(dataBytes), "mdat");
  return bytes;
}

/** Version 1, so that composition times may be negative. */
function encodeRun(bytes: Buffer, start: number, samples: readonly Sample[], dataOffset: number): number {
  let at = box(bytes, start, TRUN_BYTES + samples.length * SAMPLE_BYTES, "trun", 0x01_00_00_00 | RUN_FLAGS);
  at = bytes.writeUInt32BE(samples.length, at);
  at = bytes.writeInt32BE(dataOffset, at);
  for (const { data, durationUnits, compositionUnits, isSync } of samples) {
    at = bytes.writeUInt32BE(durationUnits, at);
    at = bytes.writeUInt32BE(data.length, at);
    at = bytes.writeUInt32BE(isSync ? SYNC_FLAGS : NON_SYNC_FLAGS, at);
    at = bytes.writeInt32BE(compositionUnits, at);
  }
  return at;
}

/** Writes a box's header; with `versionAndFlags` that of a full box. Returns the offset behind it. */
function box(bytes: Buffer, start: number, length: number, type: string, versionAndFlags?: number): number {
  let at = bytes.writeUInt32BE(length, start);
  at += bytes.write(type, at, "latin1");
  return versionAndFlags === undefined ? at : bytes.writeUInt32BE(versionAndFlags, at);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
