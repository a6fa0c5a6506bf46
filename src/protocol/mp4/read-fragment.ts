import { type Box, boxAt, boxesIn } from "./box-reader.ts";

/** When a fragment's samples of one track begin and end, in units of the track's timescale. */
export type RunTimes = { readonly trackId: number; readonly startUnits: number; readonly endUnits: number };

/**
 * Reads the times of a fragment that `encodeFragmentHead` made, from its whole `moof` box. Undefined where it is
 * damaged.
 */
export function readFragmentTimes(moof: Buffer): readonly RunTimes[] | undefined {
  const times: RunTimes[] = [];
  const whole: Box = { type: "moof", start: 0, content: 8, end: moof.length };
  for (const traf of boxesIn(moof, whole.content, whole.end)) {
    if (traf.type !== "traf") continue;
    const [tfhd, tfdt, trun] = ["tfhd", "tfdt", "trun"].map((type) => boxAt(moof, traf, [type]));
    if (tfhd === undefined || tfdt === undefined || trun === undefined) return undefined;
    if (tfhd.end < tfhd.content + 8 || tfdt.end < tfdt.content + 12 || trun.end < trun.content + 12) return undefined;
    const startUnits = Number(moof.readBigUInt64BE(tfdt.content + 4));
    const count = moof.readUInt32BE(trun.content + 4);
    const samplesAt = trun.content + 12;
    if (samplesAt + count * 16 > trun.end) return undefined;
    let endUnits = startUnits;
    for (let index = 0; index < count; index += 1) endUnits += moof.readUInt32BE(samplesAt + index * 16);
    times.push({ trackId: moof.readUInt32BE(tfhd.content + 4), startUnits, endUnits });
  }
  return times;
}
