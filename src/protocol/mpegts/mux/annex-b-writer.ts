import type { RecordUnits } from "../../flv/video/record-units.ts";
import { avcUnitKind, hevcUnitKind, UnitKind } from "../video/unit-kind.ts";

const START_CODE = Buffer.from([0, 0, 0, 1]);
/** Access unit delimiters, which hardware decoders and Apple's players ask for. Any slice type may follow. */
const DELIMITERS = { avc: Buffer.from("0000000109f0", "hex"), hevc: Buffer.from("00000001460150", "hex") } as const;
const UNITS_MAX = 1_024;

type Unit = { readonly start: number; readonly end: number; readonly kind: number };

/**
 * A frame in annex B form: from `payload[from…end)`, where each unit has its length. A delimiter comes first. Parameter
 * sets precede a keyframe that has none of its own. Undefined where there is no whole unit.
 */
export function annexBFrame(
  codec: "avc" | "hevc",
  payload: Buffer,
  { from, end, isKey, record }: { from: number; end: number; isKey: boolean; record: RecordUnits },
): readonly Buffer[] | undefined {
  const kindOf = codec === "avc" ? avcUnitKind : hevcUnitKind;
  const units: Unit[] = [];
  for (let at = from; at + record.lengthSize < end && units.length < UNITS_MAX; ) {
    const start = at + record.lengthSize;
    const unitEnd = start + payload.readUIntBE(at, record.lengthSize);
    if (unitEnd > end) break;
    if (unitEnd > start) units.push({ start, end: unitEnd, kind: kindOf(payload, start, unitEnd) });
    at = unitEnd;
  }
  const kept = units.filter(({ kind }) => kind !== UnitKind.Delimiter);
  if (kept.length === 0) return undefined;
  const hasSets = kept.some(({ kind }) => kind === UnitKind.Sps);
  const parts: Buffer[] = [DELIMITERS[codec]];
  if (isKey && !hasSets) for (const set of record.sets) parts.push(START_CODE, set);
  for (const unit of kept) parts.push(START_CODE, payload.subarray(unit.start, unit.end));
  return parts;
}
