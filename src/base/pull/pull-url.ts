/** How a source is fetched. */
type PullKind = "rtmp" | "rtsp" | "srt" | "hls";

/** Where a source is that the server fetches by itself. */
export type PullAddress = {
  readonly kind: PullKind;
  /** Whether the connection begins with TLS. */
  readonly isTls: boolean;
  /** In lower case; an IPv6 address keeps its brackets. */
  readonly host: string;
  readonly port: number;
  /** As written: `name` or `name:password`; empty: none. */
  readonly userInfo: string;
  /** Path and query, as written; empty, or it begins with `/` or `?`. */
  readonly path: string;
};

const SCHEMES = {
  rtmp: { kind: "rtmp", isTls: false, port: 1_935 },
  rtmps: { kind: "rtmp", isTls: true, port: 443 },
  rtsp: { kind: "rtsp", isTls: false, port: 554 },
  srt: { kind: "srt", isTls: false, port: 0 },
  http: { kind: "hls", isTls: false, port: 80 },
  https: { kind: "hls", isTls: true, port: 443 },
} as const;

const PULL_URL_CHARACTERS_MAX = 2_048;
const FORM = /^([a-z]+):\/\/(?:([^@/?#]*)@)?(\[[0-9a-f:.]+\]|[^:/?#[\]@]+)(?::(\d{1,5}))?([/?][^#]*)?(?:#.*)?$/i;
/** What is in place of a secret. */
const MASK = "****";
/** A stream ID of SRT may begin with `#!::`, as people copy it from their encoder: there it begins no fragment. */
const SRT_FORM = /^srt:/i;
/** Values of a query that are no secrets: SRT's settings. */
const PLAIN_VALUES: ReadonlySet<string> = new Set(["latency", "mode", "pbkeylen"]);

/** Reads the address of a source. Returns in a few words what would be right where a text is none. */
export function parsePullUrl(url: string): PullAddress | string {
  if (url.length > PULL_URL_CHARACTERS_MAX) return `an address of at most ${PULL_URL_CHARACTERS_MAX} characters`;
  // Everything else may mean something to one reader of an address, and nothing to another.
  if (!/^[\x21-\x7e]+$/.test(url) || /[\\"<>^`{|}]/.test(url))
    return "an address without blanks and special characters";
  const [, scheme = "", userInfo = "", host, portText, path = ""] = match(url);
  const known = Object.entries(SCHEMES).find(([name]) => name === scheme.toLowerCase())?.[1];
  if (host === undefined || known === undefined)
    return "an address that begins with rtmp://, rtmps://, rtsp://, srt://, http:// or https://";
  const port = portText === undefined ? known.port : Number(portText);
  if (port < 1 || port > 65_535) return "an address with a port from 1 to 65535";
  if (userInfo.includes(MASK) || path.includes(MASK)) return "an address with its password, not with asterisks";
  if (known.kind === "srt" && !/^(?:caller)?$/.test(new URLSearchParams(path.replace(/^[^?]*/, "")).get("mode") ?? ""))
    return "an address with mode=caller: the source has to wait for this server";
  return { kind: known.kind, isTls: known.isTls, host: host.toLowerCase(), port, userInfo, path };
}

/** The address without its password and without the values of its query. Any text is safe. */
export function maskPullUrl(url: string): string {
  const [, scheme = "", userInfo = "", host, portText, path = ""] = match(url);
  if (host === undefined) return MASK;
  const colon = userInfo.indexOf(":");
  const login = userInfo === "" ? "" : `${colon < 0 ? userInfo : `${userInfo.slice(0, colon)}:${MASK}`}@`;
  const query = path.indexOf("?");
  const shown = query < 0 ? path : `${path.slice(0, query)}?${maskQuery(path.slice(query + 1))}`;
  return `${scheme}://${login}${host}${portText === undefined ? "" : `:${portText}`}${shown}`;
}

function match(url: string): readonly (string | undefined)[] {
  return FORM.exec(SRT_FORM.test(url) ? url.replaceAll("#", "%23") : url) ?? [];
}

function maskQuery(query: string): string {
  return query
    .split("&")
    .map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 0) return pair === "" ? "" : MASK;
      return PLAIN_VALUES.has(pair.slice(0, equals)) ? pair : `${pair.slice(0, equals)}=${MASK}`;
    })
    .join("&");
}
