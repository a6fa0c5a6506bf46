import { type HlsJoint, type HlsPlace, HlsSegments } from "./hls-segments.ts";
import { bestVariant, type HlsVariant, variantSays } from "./hls-variant.ts";

/** A playlist that is not taken. `message`: why, in a few words. */
export class PlaylistError extends Error {
  override readonly name = "PlaylistError";
}

/** What an address of a playlist leads to. */
export type HlsPart = "playlist" | "segment" | "map" | "key";

/** Returns the local name of an address that a playlist has. */
export type NameOf = (url: URL, part: HlsPart) => string;

export const PLAYLIST_BYTES_MAX = 2 * 1_024 * 1_024;
const LINES_MAX = 50_000;
const LINE_CHARACTERS_MAX = 8_192;
const RANGE_BYTES_MAX = 1e9;
const DECIMALS_MAX = 9;
/** Of one address with all its tokens, and of all addresses of a playlist: short lines behind a long path are many. */
const ADDRESS_CHARACTERS_MAX = 4_096;
const ADDRESSES_CHARACTERS_MAX = 8 * 1_024 * 1_024;

type Attributes = ReadonlyMap<string, string>;
type Variant = HlsVariant & { readonly url: URL; readonly audio: string | undefined };
/** Numbers of the segments that a live playlist has: from the first to behind the last. */
export type HlsWindow = { readonly first: bigint; readonly end: bigint };

/**
 * What is left of a playlist. `window`: of one that is live. `first`: the first segment that is left. `joints`: where its
 * initialization sections begin.
 */
type Made = {
  readonly variant?: HlsVariant;
  readonly window?: HlsWindow;
  readonly first?: HlsPlace;
  readonly joints?: readonly HlsJoint[];
};
type MadeLines = Made & { readonly lines: readonly string[] };

/**
 * Writes a playlist anew, for a reader that must reach nothing but local names (RFC 8216). Nothing of the text goes
 * through: every line is made of numbers and words of this file, so that no trick of spelling reaches FFmpeg. Of a
 * master playlist only one variant is left, with its audio: the best one. Tags that are not known are left out. Returns
 * the variant too, where there are some, or window and joints. `from`: where the stream was left; what was before is left out.
 *
 * @throws PlaylistError where it is none, or names what is not an HTTP address.
 */
export function rewritePlaylist(
  text: string,
  base: URL,
  nameOf: NameOf,
  from?: HlsPlace,
): Made & { readonly text: string } {
  const lines = text.split(/\r?\n/, LINES_MAX + 1).map((line) => line.trim());
  if (lines.length > LINES_MAX) throw new PlaylistError("a playlist of too many lines");
  if (lines.some((line) => line.length > LINE_CHARACTERS_MAX))
    throw new PlaylistError("a playlist with too long a line");
  if (lines[0]?.replace(/^\ufeff/, "") !== "#EXTM3U") throw new PlaylistError("no HLS playlist");
  const isMaster = lines.some((line) => line.startsWith("#EXT-X-STREAM-INF:"));
  const named = bounded(nameOf);
  const made = isMaster ? masterLines(lines, base, named) : mediaLines(lines, base, named, from);
  const { lines: written, ...more } = made;
  return { text: `${["#EXTM3U", "#EXT-X-VERSION:6", ...written].join("\n")}\n`, ...more };
}

/** The same, as long as all addresses together are no longer than those of any real playlist. */
function bounded(nameOf: NameOf): NameOf {
  let characters = 0;
  return (url, part) => {
    characters += url.href.length;
    if (characters > ADDRESSES_CHARACTERS_MAX) throw new PlaylistError("too long addresses in the playlist");
    return nameOf(url, part);
  };
}

function masterLines(lines: readonly string[], base: URL, nameOf: NameOf): MadeLines {
  const best = bestVariant(variantsOf(lines, base));
  if (best === undefined) throw new PlaylistError("a playlist without a stream");
  const audio = lines
    .filter((line) => line.startsWith("#EXT-X-MEDIA:"))
    .map((line) => attributesOf(line))
    .filter((media) => media.get("TYPE") === "AUDIO" && media.get("GROUP-ID") === best.audio);
  const chosen = audio.find((media) => media.get("DEFAULT") === "YES") ?? audio[0];
  const uri = chosen?.get("URI");
  const media =
    uri === undefined
      ? []
      : [`#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",DEFAULT=YES,URI="${nameOf(addressOf(uri, base), "playlist")}"`];
  const group = uri === undefined ? "" : ',AUDIO="a"';
  const { url, audio: _audio, ...variant } = best;
  const chosenLines = [...media, `#EXT-X-STREAM-INF:BANDWIDTH=${best.bitRate}${group}`, nameOf(url, "playlist")];
  return { lines: chosenLines, variant };
}

/** The address of a variant is the next line that is no tag. */
function variantsOf(lines: readonly string[], base: URL): readonly Variant[] {
  const variants: Variant[] = [];
  let attributes: Attributes | undefined;
  for (const line of lines) {
    if (line.startsWith("#EXT-X-STREAM-INF:")) attributes = attributesOf(line);
    if (attributes === undefined || line === "" || line.startsWith("#")) continue;
    const bitRate = Number(wholeNumber(attributes.get("BANDWIDTH") ?? "1"));
    const said = variantSays(bitRate, { codecs: attributes.get("CODECS"), resolution: attributes.get("RESOLUTION") });
    variants.push({ ...said, url: addressOf(line, base), audio: attributes.get("AUDIO") });
    attributes = undefined;
  }
  return variants;
}

const SEQUENCE = "#EXT-X-MEDIA-SEQUENCE";
/** Tags of the whole playlist whose value is a number. */
const NUMBERS = ["#EXT-X-TARGETDURATION", SEQUENCE, "#EXT-X-DISCONTINUITY-SEQUENCE"];

function mediaLines(lines: readonly string[], base: URL, nameOf: NameOf, from: HlsPlace | undefined): MadeLines {
  const head = new Map<string, string>();
  const segments = new HlsSegments();
  let rangeEnd = 0;
  for (const line of lines) {
    if (line !== "" && !line.startsWith("#")) segments.put(nameOf(addressOf(line, base), "segment"));
    if (line === "#EXT-X-DISCONTINUITY") segments.tag(line);
    const colon = line.indexOf(":");
    const [tag, value] = [line.slice(0, colon), line.slice(colon + 1)];
    if (NUMBERS.includes(tag)) head.set(tag, wholeNumber(value));
    else if (tag === "#EXTINF") {
      const length = seconds(value);
      segments.duration(Number(length));
      segments.tag(`#EXTINF:${length},`);
    } else if (tag === "#EXT-X-BYTERANGE") {
      const { length, from: begin = rangeEnd } = byteRange(value);
      rangeEnd = begin + length;
      segments.tag(`#EXT-X-BYTERANGE:${length}@${begin}`);
    } else if (tag === "#EXT-X-KEY") segments.key(keyLine(attributesOf(line), base, nameOf));
    else if (tag === "#EXT-X-MAP") takeMap(attributesOf(line), base, nameOf, segments);
  }
  if (segments.count === 0) throw new PlaylistError("a playlist without a segment");
  const first = BigInt(head.get(SEQUENCE) ?? 0);
  const isWhole = lines.includes("#EXT-X-ENDLIST");
  const left = from === undefined ? 0 : segments.countBefore(from, first, isWhole);
  const number = first + BigInt(left);
  if (left > 0) head.set(SEQUENCE, String(number));
  const made = { joints: segments.jointsFrom(left, first, isWhole), first: { number } };
  const written = [...[...head].map(([tag, value]) => `${tag}:${value}`), ...segments.linesFrom(left)];
  if (isWhole) return { ...made, lines: [...written, "#EXT-X-ENDLIST"] };
  return { ...made, lines: written, window: { first, end: first + BigInt(segments.count) } };
}

function keyLine(key: Attributes, base: URL, nameOf: NameOf): string {
  const method = key.get("METHOD");
  if (method === "NONE") return "#EXT-X-KEY:METHOD=NONE";
  const uri = key.get("URI");
  if (method !== "AES-128" || uri === undefined || (key.get("KEYFORMAT") ?? "identity") !== "identity")
    throw new PlaylistError("segments encrypted in another way than AES-128");
  const iv = key.get("IV");
  if (iv !== undefined && !/^0x[0-9a-f]{32}$/i.test(iv)) throw new PlaylistError("a malformed IV");
  return `#EXT-X-KEY:METHOD=AES-128,URI="${nameOf(addressOf(uri, base), "key")}"${iv === undefined ? "" : `,IV=${iv}`}`;
}

function takeMap(map: Attributes, base: URL, nameOf: NameOf, segments: HlsSegments): void {
  const uri = map.get("URI");
  if (uri === undefined) throw new PlaylistError("an #EXT-X-MAP without an address");
  const name = nameOf(addressOf(uri, base), "map");
  const range = map.get("BYTERANGE");
  const { length, from = 0 } = range === undefined ? {} : byteRange(range);
  const bytes = length === undefined ? "" : `,BYTERANGE="${length}@${from}"`;
  segments.map(`#EXT-X-MAP:URI="${name}"${bytes}`, { name, from });
}

/** `NAME=value` and `NAME="value"`, with commas between them. */
function attributesOf(line: string): Attributes {
  const text = line.slice(line.indexOf(":") + 1);
  return new Map(
    [...text.matchAll(/(?<![A-Z0-9-])([A-Z0-9-]{1,64})=(?:"([^"]*)"|([^",]*))/g)].map(
      ([, name = "", quoted, bare = ""]) => [name, quoted ?? bare],
    ),
  );
}

function addressOf(uri: string, base: URL): URL {
  const url = URL.parse(uri, base.href) ?? undefined;
  if (url === undefined) throw new PlaylistError("a malformed address in the playlist");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new PlaylistError(`an address of the kind ${url.protocol.slice(0, 20)} in the playlist`);
  if (url.href.length > ADDRESS_CHARACTERS_MAX) throw new PlaylistError("too long an address in the playlist");
  return url;
}

/** A whole number, or the part of one before its point. Some servers number segments by the date, with 17 digits. */
function wholeNumber(text: string): string {
  const digits = /^\s*(\d{1,18})(?:\.\d*)?\s*$/.exec(text)?.[1];
  if (digits === undefined) throw new PlaylistError("a malformed number in the playlist");
  return digits;
}

/** Any number of decimals is legal: some servers write all that they have. */
function seconds(text: string): string {
  const [, whole, decimals = ""] = /^\s*(\d{1,6})(?:\.(\d*))?\s*(?:,|$)/.exec(text) ?? [];
  if (whole === undefined) throw new PlaylistError("a malformed duration in the playlist");
  return decimals === "" ? whole : `${whole}.${decimals.slice(0, DECIMALS_MAX)}`;
}

function byteRange(text: string): { readonly length: number; readonly from?: number } {
  const [, length, from] = /^(\d{1,12})(?:@(\d{1,12}))?$/.exec(text) ?? [];
  if (length === undefined || Number(length) > RANGE_BYTES_MAX)
    throw new PlaylistError("a malformed range in the playlist");
  return { length: Number(length), ...(from === undefined ? {} : { from: Number(from) }) };
}
