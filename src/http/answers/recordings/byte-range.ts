/** The part of a file that a request asks for: from the first byte to the last, both included. */
export type ByteRange = { readonly from: number; readonly to: number };

/**
 * Reads a `Range` header for a file of this length (RFC 9110, 14.1.2). `whole`: there is none, it has another unit or
 * several ranges, or it is malformed, and is ignored. `unsatisfiable`: the range begins behind the end.
 */
export function readRange(header: string | undefined, length: number): ByteRange | "whole" | "unsatisfiable" {
  const [, first, last] = /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header?.trim() ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return "whole";
  if (first === "") {
    const count = Number(last);
    return count === 0 || length === 0 ? "unsatisfiable" : { from: Math.max(0, length - count), to: length - 1 };
  }
  const from = Number(first);
  if (last !== "" && Number(last) < from) return "whole";
  if (from >= length) return "unsatisfiable";
  return { from, to: last === "" ? length - 1 : Math.min(Number(last), length - 1) };
}
