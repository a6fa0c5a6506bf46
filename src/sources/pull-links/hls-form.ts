import { createHash } from "node:crypto";
import { type Box, boxAt, boxesIn } from "../../protocol/mp4/box-reader.ts";
import { readMovieHeader } from "../../protocol/mp4/movie-header.ts";

/** Version and flags, and four bytes of no meaning (ISO/IEC 14496-12, 8.4.3). */
const HANDLER_AT = 8;

/** What a decoder has to know before it decodes fragmented MP4. `kinds`: which tracks it has. `text`: all of it. */
export type HlsForm = { readonly kinds: string; readonly text: string };

/** Reads the form from an initialization section; undefined where it is none. The times in it do not count. */
export function formOf(section: Buffer): HlsForm | undefined {
  const tracks = readMovieHeader(section)?.tracks;
  const moov = boxesIn(section, 0, section.length).find(({ type }) => type === "moov");
  if (tracks === undefined || moov === undefined) return undefined;
  const traks = boxesIn(section, moov.content, moov.end).filter(({ type }) => type === "trak");
  const kinds = traks.map((trak) => kindOf(section, trak));
  const said = traks.map((trak, index) => [kinds[index], tracks[index], descriptionOf(section, trak)]);
  return { kinds: kinds.join(), text: JSON.stringify(said) };
}

function kindOf(section: Buffer, trak: Box): string {
  const hdlr = boxAt(section, trak, ["mdia", "hdlr"]);
  const at = (hdlr?.content ?? section.length) + HANDLER_AT;
  return section.toString("latin1", at, at + 4);
}

/** Codec, size and configuration. */
function descriptionOf(section: Buffer, trak: Box): string {
  const stsd = boxAt(section, trak, ["mdia", "minf", "stbl", "stsd"]);
  const bytes = stsd === undefined ? Buffer.alloc(0) : section.subarray(stsd.content, stsd.end);
  return createHash("sha256").update(bytes).digest("hex");
}
