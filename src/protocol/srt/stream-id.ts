/** What a caller asks for, from its stream ID. `key` and `password` are secret. */
export type StreamRequest = {
  readonly key: string;
  /** `play`: it asks to receive. */
  readonly direction: "publish" | "play";
  /** Empty where absent. */
  readonly user: string;
  readonly password: string;
};

/** `empty`: no stream ID, or none with a key. `bad`: not a text that we read. `mode`: neither to publish nor to play. */
export type StreamIdFault = "empty" | "bad" | "mode" | "media-type";

const STANDARD_PREFIX = "#!::";
const STREAM_ID_ITEM = "streamid=";
const COLON_FORM = /^(publish|read|request|play):/;
/** A key form may hold another form in its value, once. */
const DEPTH_MAX = 2;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come.
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f]/;

/**
 * Reads a stream ID in any of the forms that encoders send: libsrt's access control (`#!::r=KEY,m=publish`, also with
 * Blackmagic's `u=KEY`), MediaMTX's (`publish:KEY`), an application and a key (`live/KEY`), a bare key, OvenMediaEngine's
 * address (`srt://host/app/KEY`), our own (`srt://host:port?streamid=publish:KEY`), datarhei's (`KEY,mode:publish`), each
 * also percent-encoded, as encoders send it that do not decode their address.
 */
export function readStreamId(bytes: Buffer | undefined): StreamRequest | StreamIdFault {
  if (bytes === undefined) return "empty";
  // A line end comes with a paste.
  const text = decodeUtf8(bytes)?.trim();
  if (text === undefined || CONTROL_CHARACTERS.test(text)) return "bad";
  return readForm(percentDecoded(text), 1);
}

function readForm(text: string, depth: number): StreamRequest | StreamIdFault {
  const inside = depth < DEPTH_MAX ? streamIdOf(text) : undefined;
  if (inside !== undefined) return readForm(percentDecoded(inside), depth + 1);
  if (text.startsWith(STANDARD_PREFIX)) return readStandard(text.slice(STANDARD_PREFIX.length), depth);
  if (text.startsWith("#!:")) return "bad";
  if (COLON_FORM.test(text)) return readColons(text);
  if (/,(mode|token):/.test(text)) return readDatarhei(text);
  return requestOf({ path: text, direction: "publish" });
}

/** The stream ID in a whole address, as our own `srtUrl` with the key; undefined where there is none. */
function streamIdOf(text: string): string | undefined {
  if (!text.startsWith("srt://")) return undefined;
  const items = text.slice(text.indexOf("?") + 1).split("&");
  return items.find((item) => item.startsWith(STREAM_ID_ITEM))?.slice(STREAM_ID_ITEM.length);
}

/** `k=v` pairs: r resource, u user, s session ID (used as password), m mode, t type. Haivision's encoders send no mode. */
function readStandard(text: string, depth: number): StreamRequest | StreamIdFault {
  const items = new Map<string, string>();
  for (const item of text.split(",")) {
    const at = item.indexOf("=");
    // People write blanks behind the commas.
    const name = item.slice(0, at).trim();
    if (at > 0 && !items.has(name)) items.set(name, item.slice(at + 1).trim());
  }
  if ((items.get("t") ?? "stream") !== "stream") return "media-type";
  const mode = items.get("m") ?? "publish";
  if (mode !== "publish" && mode !== "request") return "mode";
  const resource = items.get("r");
  // Blackmagic's devices send the key as the user.
  const path = resource ?? items.get("u") ?? "";
  if (depth < DEPTH_MAX && (path.startsWith(STANDARD_PREFIX) || COLON_FORM.test(path)))
    return readForm(path, depth + 1);
  const login = { user: resource === undefined ? "" : (items.get("u") ?? ""), password: items.get("s") ?? "" };
  return requestOf({ path, direction: mode === "publish" ? "publish" : "play", ...login });
}

/** `publish:path`, `publish:path:query`, `publish:path:user:password` and `publish:path:user:password:query`. */
function readColons(text: string): StreamRequest | StreamIdFault {
  const [action = "", path = "", ...rest] = text.replace(/#feedbackplay$/, "").split(":");
  const direction = action === "publish" ? "publish" : "play";
  const [user = "", password = ""] = rest.length >= 2 ? rest : [];
  return requestOf({ path, direction, user, password });
}

function readDatarhei(text: string): StreamRequest | StreamIdFault {
  const [path = "", ...items] = text.split(",");
  const mode = items.find((item) => item.startsWith("mode:"))?.slice("mode:".length) ?? "publish";
  return requestOf({ path, direction: mode === "publish" ? "publish" : "play" });
}

type Draft = {
  readonly path: string;
  readonly direction: "publish" | "play";
  readonly user?: string;
  readonly password?: string;
};

/** The key is the last part of the path. */
function requestOf({ path, direction, user = "", password = "" }: Draft): StreamRequest | "empty" {
  const [withoutQuery = ""] = path.split("?");
  const parts = withoutQuery.replace(/^srt:\/\/[^/]*\//, "").split("/");
  const key = parts.findLast((part) => part !== "");
  return key === undefined ? "empty" : { key, direction, user, password };
}

function decodeUtf8(bytes: Buffer): string | undefined {
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : undefined;
}

/** Only a text that looks encoded as a whole: a key may hold a percent sign. */
function percentDecoded(text: string): string {
  if (!/^(%23|#)|%3A|%2F/i.test(text) || !/%[0-9A-Fa-f]{2}/.test(text)) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
