import { type Box, boxAt, boxesIn, readBox } from "./box-reader.ts";

/** A track as a file's header describes it. */
export type HeaderTrack = {
  readonly trackId: number;
  /** Units in a second. */
  readonly timescale: number;
};

/** The header (`moov`) of a fragmented file. Offsets are those of the file's first bytes. */
export type MovieHeader = {
  readonly tracks: readonly HeaderTrack[];
  /** Units in a second of the file's own duration. */
  readonly timescale: number;
  /** Where that duration lies, and in how many bytes. */
  readonly durationAt: number;
  readonly durationBytes: 4 | 8;
  /** Where the first fragment begins. */
  readonly end: number;
};

/**
 * Reads the header of a fragmented file from its first bytes: the times of its tracks, and where its duration lies.
 * Undefined where there is no whole header. ISO/IEC 14496-12, 8.2.2, 8.3.2 and 8.4.2.
 */
export function readMovieHeader(bytes: Buffer): MovieHeader | undefined {
  const moov = firstBox(bytes, "moov");
  if (moov === undefined) return undefined;
  const mvhd = boxAt(bytes, moov, ["mvhd"]);
  if (mvhd === undefined) return undefined;
  const tracks: HeaderTrack[] = [];
  for (const trak of boxesIn(bytes, moov.content, moov.end)) {
    if (trak.type !== "trak") continue;
    const [tkhd, mdhd] = [boxAt(bytes, trak, ["tkhd"]), boxAt(bytes, trak, ["mdia", "mdhd"])];
    if (tkhd === undefined || mdhd === undefined) return undefined;
    tracks.push({ trackId: numberAfterTimes(bytes, tkhd), timescale: numberAfterTimes(bytes, mdhd) });
  }
  const isLong = isVersion1(bytes, mvhd);
  return {
    tracks,
    timescale: numberAfterTimes(bytes, mvhd),
    durationAt: mvhd.content + (isLong ? 24 : 16),
    durationBytes: isLong ? 8 : 4,
    end: moov.end,
  };
}

/** Returns the bytes of the file's duration, to be written at `durationAt`. */
export function encodeDuration({ timescale, durationBytes }: MovieHeader, durationMs: number): Buffer {
  const units = Math.round((durationMs * timescale) / 1_000);
  const bytes = Buffer.alloc(durationBytes);
  if (durationBytes === 8) bytes.writeBigUInt64BE(BigInt(units));
  else bytes.writeUInt32BE(Math.min(units, 0xff_ff_ff_fe));
  return bytes;
}

function firstBox(bytes: Buffer, type: string): Box | undefined {
  for (let at = 0; ; ) {
    const box = readBox(bytes, at);
    if (box === undefined || box.end > bytes.length) return undefined;
    if (box.type === type) return box;
    at = box.end;
  }
}

function isVersion1(bytes: Buffer, box: Box): boolean {
  return bytes[box.content] === 1;
}

/** `mvhd`, `tkhd` and `mdhd` have two times after version and flags, then the timescale, or the track's id. */
function numberAfterTimes(bytes: Buffer, box: Box): number {
  const at = box.content + (isVersion1(bytes, box) ? 20 : 12);
  return at + 4 <= box.end ? bytes.readUInt32BE(at) : 0;
}
