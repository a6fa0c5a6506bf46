import type { FrameFormat } from "./frame-format.ts";
import { parseSps } from "./sps.ts";

/** The content of an AVC decoder configuration record (avcC). */
export type AvcConfig = {
  readonly profile: number;
  readonly level: number;
  /** Bytes of the length before each NAL unit: 1 to 4, in practice 4. */
  readonly nalLengthSize: number;
  /** Set where the record holds a parameter set that can be read. */
  readonly format?: FrameFormat;
};

/** Version, profile, compatibility, level, length size and number of parameter sets. */
const FIXED_BYTES = 6;

/** Reads the body of an AVC configuration message (ISO/IEC 14496-15, 5.3.3.1). Undefined where it is not valid. */
export function parseAvcConfig(record: Buffer): AvcConfig | undefined {
  if (record.length < FIXED_BYTES || record[0] !== 1) return undefined;
  const config = {
    profile: record.readUInt8(1),
    level: record.readUInt8(3),
    nalLengthSize: (record.readUInt8(4) & 3) + 1,
  };
  const spsCount = record.readUInt8(5) & 0x1f;
  if (spsCount === 0 || record.length < FIXED_BYTES + 2) return config;
  const spsEnd = FIXED_BYTES + 2 + record.readUInt16BE(FIXED_BYTES);
  if (spsEnd > record.length) return config;
  const format = parseSps(record.subarray(FIXED_BYTES + 2, spsEnd));
  return format === undefined ? config : { ...config, format };
}
