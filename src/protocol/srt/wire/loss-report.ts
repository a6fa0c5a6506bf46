// The content of a NAK: draft-sharabayko-srt, appendix A. One word for a single packet; two for a range, of which the
// first has its highest bit set.

/** Packets from `from` to `to`, both included. */
export type SequenceRange = { readonly from: number; readonly to: number };

const RANGE_BIT = 0x80000000;
/** Words that fit in one packet of 1500 bytes. */
export const REPORT_WORDS_MAX = 364;

/** Writes as many ranges, from the first, as one packet takes. */
export function writeLossReport(ranges: readonly SequenceRange[]): Buffer {
  const words: number[] = [];
  for (const { from, to } of ranges) {
    if (words.length + 2 > REPORT_WORDS_MAX) break;
    if (from === to) words.push(from);
    else words.push((from | RANGE_BIT) >>> 0, to);
  }
  const report = Buffer.allocUnsafe(words.length * 4);
  for (const [index, word] of words.entries()) report.writeUInt32BE(word, index * 4);
  return report;
}

/** Reads a report. Undefined where it is malformed: empty, cut, too long, or a range without its end. */
export function readLossReport(content: Buffer): readonly SequenceRange[] | undefined {
  const { length } = content;
  if (length === 0 || length % 4 !== 0 || length > REPORT_WORDS_MAX * 4) return undefined;
  const ranges: SequenceRange[] = [];
  for (let at = 0; at < length; at += 4) {
    const word = content.readUInt32BE(at);
    if (word < RANGE_BIT) {
      ranges.push({ from: word, to: word });
      continue;
    }
    at += 4;
    const to = at < length ? content.readUInt32BE(at) : RANGE_BIT;
    if (to >= RANGE_BIT) return undefined;
    ranges.push({ from: word - RANGE_BIT, to });
  }
  return ranges;
}
