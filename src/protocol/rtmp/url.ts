/** Why a text is not a target URL. A word of a closed list: for API answers and tests. */
export type TargetUrlProblem =
  | "not-a-url"
  | "unsupported-scheme"
  | "bad-character"
  | "has-user-info"
  | "no-host"
  | "bad-port";

/** A target's URL, taken apart as OBS takes its "server" field apart. */
export type TargetAddress = {
  readonly scheme: "rtmp" | "rtmps";
  /** As written, in lower case; an IPv6 address keeps its brackets. Not validated here. */
  readonly host: string;
  /** The port to connect to: the explicit one, else 1935 for rtmp and 443 for rtmps. */
  readonly port: number;
  /** Set where the URL names a port. */
  readonly explicitPort?: number;
  /** Everything after the host, query included (YouTube's backup is `live2?backup=1`). May be empty. */
  readonly app: string;
  /** What `connect` sends: the port only where the URL names one, because Facebook compares it. */
  readonly tcUrl: string;
};

const DEFAULT_PORT = { rtmp: 1_935, rtmps: 443 } as const;
const PORT_MAX = 65_535;

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const PORT = /^[1-9]\d{0,4}$/;
const CONTROL_OR_SPACE = /[\p{Cc}\p{Z}]/u;

/** `host` or `host:port`; undefined where the part after the host is not a port. */
function splitAuthority(authority: string): { host: string; portText?: string } | undefined {
  const bracket = authority.startsWith("[") ? authority.indexOf("]") : -1;
  const rest = authority.slice(bracket + 1);
  const colon = authority.startsWith("[") && bracket < 0 ? -1 : rest.indexOf(":");
  if (colon < 0) return { host: authority };
  if (bracket >= 0 && colon > 0) return undefined;
  const hostEnd = bracket + 1 + colon;
  return { host: authority.slice(0, hostEnd), portText: authority.slice(hostEnd + 1) };
}

/**
 * Splits a target's URL into what RTMP transmits, or returns why it is not one. Written by hand, because WHATWG `URL`
 * changes paths and hosts of schemes that it does not know. The rule is OBS's: the application is everything after the
 * host, query included, without a fragment and exactly one trailing slash; an empty application is legal. `hostProblem`
 * checks the host's form, and each connect where it leads.
 */
export function parseTargetUrl(url: string): TargetAddress | TargetUrlProblem {
  const schemeMatch = SCHEME.exec(url);
  if (schemeMatch === null) return "not-a-url";
  const scheme = (schemeMatch[1] ?? "").toLowerCase();
  if (scheme !== "rtmp" && scheme !== "rtmps") return "unsupported-scheme";
  // Readers disagree whether a backslash ends the host, and blanks and line breaks end lines of other protocols.
  if (url.includes("\\") || CONTROL_OR_SPACE.test(url)) return "bad-character";

  const afterScheme = url.slice(schemeMatch[0].length).split("#", 1)[0] ?? "";
  const authorityEnd = afterScheme.search(/[/?]/);
  const authority = authorityEnd < 0 ? afterScheme : afterScheme.slice(0, authorityEnd);
  if (authority.includes("@")) return "has-user-info";
  const parts = splitAuthority(authority.toLowerCase());
  if (parts === undefined) return "bad-port";
  if (parts.host === "") return "no-host";

  const behind = authorityEnd < 0 ? "" : afterScheme.slice(authorityEnd);
  const rest = behind.startsWith("/") ? behind.slice(1) : behind;
  const app = rest.endsWith("/") ? rest.slice(0, -1) : rest;
  const tcUrlHead = `${scheme}://${parts.host}`;
  if (parts.portText === undefined) {
    return { scheme, host: parts.host, port: DEFAULT_PORT[scheme], app, tcUrl: `${tcUrlHead}/${app}` };
  }
  const port = Number(parts.portText);
  if (!PORT.test(parts.portText) || port > PORT_MAX) return "bad-port";
  return { scheme, host: parts.host, port, explicitPort: port, app, tcUrl: `${tcUrlHead}:${port}/${app}` };
}

const URL_LENGTH_MAX = 1_024;

/**
 * The address that a connected server redirects us to: absolute, or relative to the present one (RFC 3986, as far as
 * RTMP uses it). Undefined where it is not RTMP's, and where it would leave TLS: the key goes there too.
 */
export function resolveTargetUrl(present: string, reference: string): string | undefined {
  const from = parseTargetUrl(present);
  if (typeof from === "string" || reference.length > URL_LENGTH_MAX) return undefined;
  const origin = from.tcUrl.slice(0, from.tcUrl.length - from.app.length - 1);
  const path = from.app.split("?", 1)[0] ?? "";
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  let url = `${origin}/${folder}${reference}`;
  if (SCHEME.test(reference)) url = reference;
  else if (reference.startsWith("//")) url = `${from.scheme}:${reference}`;
  else if (reference.startsWith("/")) url = `${origin}${reference}`;
  else if (reference.startsWith("?")) url = `${origin}/${from.app.split("?", 1)[0]}${reference}`;
  const to = parseTargetUrl(url);
  if (typeof to === "string" || (from.scheme === "rtmps" && to.scheme === "rtmp")) return undefined;
  return url;
}

/** Tab, line feed, vertical tab, form feed, carriage return and blank. */
function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/**
 * The stream name to publish: the key without pasted blanks and line breaks at its ends, otherwise byte for byte. No
 * percent-decoding and no `mp4:` prefix, unlike librtmp: keys are opaque. By index: a regular expression for blanks at
 * the end would start again at each blank of hostile text.
 */
export function streamName(streamKey: string): string {
  let start = 0;
  let end = streamKey.length;
  while (start < end && isBlank(streamKey.charCodeAt(start))) start += 1;
  while (end > start && isBlank(streamKey.charCodeAt(end - 1))) end -= 1;
  return streamKey.slice(start, end);
}

const DEFAULT_INSTANCE = "/_definst_";

/** Removes the query, trailing slashes and Flash Media Server's default instance. */
export function barePath(text: string): string {
  const path = streamName(text);
  const query = path.indexOf("?");
  let start = 0;
  let end = query < 0 ? path.length : query;
  while (start < end && path[start] === "/") start += 1;
  for (;;) {
    if (end > start && path[end - 1] === "/") end -= 1;
    else if (end - start >= DEFAULT_INSTANCE.length && path.endsWith(DEFAULT_INSTANCE, end))
      end -= DEFAULT_INSTANCE.length;
    else return path.slice(start, end);
  }
}

/**
 * The key that an encoder means by the application and the name that it publishes. Usually that is the name. FFmpeg
 * with `rtmp://host/key`, cameras with one URL field, and OBS with a name that is only a query (`?…`) have it as the
 * last segment of the application. A query is not a part of a key. Empty where there is no key.
 */
export function publishKey(app: string, name: string): string {
  const bareName = barePath(name);
  if (bareName !== "") return bareName;
  const bareApp = barePath(app);
  return bareApp.slice(bareApp.lastIndexOf("/") + 1);
}
