/** What was pasted with a key or an address, and was removed. */
export type Removal =
  /** Blanks around it, and invisible characters anywhere in it. */
  | "invisible"
  /** The server's address in front of a key. */
  | "address"
  /** `mp4:`, `flv:` and their like, which say how a server stores a stream. */
  | "prefix"
  /** Slashes around a key, and percent-encoded slashes in it. */
  | "slashes";

export type Tidied = { readonly text: string; readonly removed: readonly Removal[] };

/** Blanks and control characters, as code units. NUL is not among them: it is refused. */
function isBlank(unit: number): boolean {
  if (unit === 0) return false;
  if (unit <= 0x20 || (unit >= 0x7f && unit <= 0xa0)) return true;
  if (unit >= 0x2000 && unit <= 0x200a) return true;
  return unit === 0x1680 || unit === 0x2028 || unit === 0x2029 || unit === 0x202f || unit === 0x205f || unit === 0x3000;
}

/**
 * Zero-width characters, direction marks, soft hyphens, byte order marks, variation selectors: no key or address has
 * them.
 */
function isHidden(unit: number): boolean {
  if (unit >= 0x200b && unit <= 0x200f) return true;
  if (unit >= 0x202a && unit <= 0x202e) return true;
  if (unit >= 0x2060 && unit <= 0x206f) return true;
  if (unit >= 0xfe00 && unit <= 0xfe0f) return true;
  return unit === 0xfeff || unit === 0xad || unit === 0x34f || unit === 0x61c || unit === 0x180e || unit === 0x3164;
}

function isClean(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (isHidden(text.charCodeAt(index))) return false;
  return !isBlank(text.charCodeAt(0)) && !isBlank(text.charCodeAt(text.length - 1));
}

/** Walked by index: the text is foreign, and a pattern that searches for its end may start again at each character. */
function visible(text: string): string {
  if (isClean(text)) return text;
  let kept = "";
  for (let index = 0; index < text.length; index += 1) if (!isHidden(text.charCodeAt(index))) kept += text[index];
  let start = 0;
  let end = kept.length;
  while (start < end && isBlank(kept.charCodeAt(start))) start += 1;
  while (end > start && isBlank(kept.charCodeAt(end - 1))) end -= 1;
  return kept.slice(start, end);
}

/** An address without what was pasted with it. */
export function tidyAddress(given: string): Tidied {
  const text = visible(given);
  return { text, removed: text === given ? [] : ["invisible"] };
}

const ROUNDS_MAX = 3;

/** How servers of Adobe's family say how a stream is stored. */
const PREFIXES = ["mp4:", "flv:", "f4v:", "mp3:", "id3:"] as const;

function withoutPrefix(key: string): string {
  const head = key.slice(0, 4).toLowerCase();
  return PREFIXES.some((prefix) => prefix === head) ? key.slice(4) : key;
}

const ENCODED_SCHEMES = ["rtmp%3a%2f%2f", "rtmps%3a%2f%2f"] as const;

const startsWithOneOf = (text: string, heads: readonly string[]): boolean => {
  const start = text.slice(0, 16).toLowerCase();
  return heads.some((head) => start.startsWith(head));
};

/** Whether this is an RTMP address, not a key. */
export const isRtmpAddress = (text: string): boolean => startsWithOneOf(text, ["rtmp://", "rtmps://"]);

/** Decodes `%2F` to a slash, and nothing else. */
const withSlashes = (text: string): string => text.split("%2F").join("/").split("%2f").join("/");

/** Without slashes and blanks at its ends. */
function bare(text: string): string {
  const isBare = (index: number): boolean => text[index] !== "/" && !isBlank(text.charCodeAt(index));
  let start = 0;
  let end = text.length;
  while (start < end && !isBare(start)) start += 1;
  while (end > start && !isBare(end - 1)) end -= 1;
  return text.slice(start, end);
}

/** The path, and the query with its question mark: the query belongs to the platform and stays as it is. */
function splitQuery(text: string): readonly [path: string, query: string] {
  const mark = text.indexOf("?");
  return mark < 0 ? [text, ""] : [text.slice(0, mark), text.slice(mark)];
}

/** Everything after the host. */
function pathOf(address: string): string {
  const [path] = splitQuery(address);
  const slash = path.indexOf("/", path.indexOf("://") + 3);
  return slash < 0 ? "" : bare(path.slice(slash));
}

/**
 * The key at the end of an address that was pasted whole: what follows the known application, else the last segment.
 * Empty where there is none.
 */
function keyBehind(address: string, server: string): string {
  const [, query] = splitQuery(address);
  const path = pathOf(address);
  const app = pathOf(server);
  if (path === app) return "";
  const rest =
    app !== "" && path.startsWith(`${app}/`) ? path.slice(app.length + 1) : path.slice(path.lastIndexOf("/") + 1);
  // Only an application: no platform shows an address with a key directly after the host.
  return rest === path ? "" : rest + query;
}

/** The host of an address, without its port: encrypted and plain RTMP have different ones. Empty where there is none. */
export function serverOf(address: string): string {
  let text = visible(address);
  if (startsWithOneOf(text, ENCODED_SCHEMES)) text = withSlashes(text).replace(/%3a/i, ":");
  if (!isRtmpAddress(text)) return "";
  const start = text.indexOf("://") + 3;
  const end = text.indexOf("/", start);
  const host = text.slice(start, end < 0 ? undefined : end).toLowerCase();
  const colon = host.lastIndexOf(":");
  return colon > host.lastIndexOf("]") ? host.slice(0, colon) : host;
}

/**
 * A stream key without what was pasted with it. `server`: the address that it belongs to, where known. An address
 * without a key stays as it is, and `isRtmpAddress` is true for it.
 */
export function tidyKey(given: string, server: string): Tidied {
  const removed: Removal[] = [];
  const step = (text: string, next: string, removal: Removal): string => {
    if (next !== text && !removed.includes(removal)) removed.push(removal);
    return next;
  };
  let text = step(given, visible(given), "invisible");
  if (startsWithOneOf(text, ENCODED_SCHEMES)) text = withSlashes(text).replace(/%3a/i, ":");
  if (isRtmpAddress(text)) {
    const key = keyBehind(text, visible(server));
    if (key === "") return { text, removed };
    text = visible(step(text, key, "address"));
  }
  // One may hide another: a slash before a prefix, a prefix before a slash.
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    text = step(text, visible(withoutPrefix(text)), "prefix");
    const [path, query] = splitQuery(text);
    text = step(text, bare(withSlashes(path)) + query, "slashes");
  }
  return { text, removed };
}
