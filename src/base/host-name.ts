import { domainToASCII } from "node:url";

/** Why a text is not a host that may be looked up. A word of a closed list: for API answers, logs and tests. */
export type HostProblem =
  | "empty"
  | "bad-character"
  | "empty-label"
  | "bad-label"
  | "too-long"
  | "numeric"
  | "bad-ipv6"
  | "bad-idn";

/** A host in its only canonical spelling, for look-ups, comparisons and checks. */
export type Host =
  /** Lower case, ASCII (IDN as punycode), without a trailing dot. */
  | { readonly kind: "name"; readonly name: string }
  /** Dotted IPv4, or compressed IPv6 without brackets. */
  | { readonly kind: "address"; readonly address: string }
  | { readonly kind: "problem"; readonly problem: HostProblem };

/** RFC 1035: 255 bytes on the wire, which is 253 characters. */
const NAME_CHARACTERS_MAX = 253;
const LABEL_CHARACTERS_MAX = 63;
/** The longest text that is checked at all: an IDN is not much longer in Unicode normal forms than in punycode. */
const HOST_CHARACTERS_MAX = 1_024;

/** Letters, digits and hyphens of RFC 952 and RFC 1123, and the underscore that some real host names have. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;
const CANONICAL_IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** What `inet_aton` reads as a number: decimal and octal digits, or `0x` with hexadecimal ones, even none. */
const NUMERIC_LABEL = /^(?:\d+|0x[0-9a-f]*)$/;
const ASCII_ONLY = /^[\x21-\x7e]*$/;
const CONTROL_OR_SPACE = /[\p{Cc}\p{Z}]/u;

const problem = (word: HostProblem): Host => ({ kind: "problem", problem: word });

/** IPv6 between its brackets. Any legal spelling is accepted, none is ambiguous; zone identifiers (`%eth0`) are not. */
function readBracketed(host: string): Host {
  if (!/^\[[0-9a-f:.]+\]$/.test(host)) return problem("bad-ipv6");
  const address = URL.parse(`http://${host}/`)?.hostname;
  return address === undefined ? problem("bad-ipv6") : { kind: "address", address: address.slice(1, -1) };
}

/** A name in ASCII, lower case, without its trailing dot. */
function readAscii(name: string): Host {
  if (CANONICAL_IPV4.test(name)) return { kind: "address", address: name };
  if (name.length > NAME_CHARACTERS_MAX) return problem("too-long");
  const labels = name.split(".");
  for (const label of labels) {
    if (label === "") return problem("empty-label");
    if (label.length > LABEL_CHARACTERS_MAX) return problem("too-long");
    if (!LABEL.test(label)) return problem(/[^a-z0-9_-]/.test(label) ? "bad-character" : "bad-label");
  }
  // `127.1`, `0x7f.1`, `2130706433` and `0177.0.0.1` are loopback to the system's resolver, although they are neither
  // DNS names nor canonical addresses. No top-level domain is a number, so a numeric last label is never a name.
  if (NUMERIC_LABEL.test(labels.at(-1) ?? "")) return problem("numeric");
  return { kind: "name", name };
}

/**
 * Reads a host as written in a URL: a DNS name, a dotted IPv4 address or an IPv6 address in brackets. A text that two
 * programs could read as two different hosts is a problem, not a guess.
 */
export function readHost(host: string): Host {
  if (host === "") return problem("empty");
  if (host.length > HOST_CHARACTERS_MAX) return problem("too-long");
  if (CONTROL_OR_SPACE.test(host) || /[%\\@/?#]/.test(host)) return problem("bad-character");
  const lower = host.toLowerCase();
  if (lower.startsWith("[")) return readBracketed(lower);
  if (ASCII_ONLY.test(host)) return readAscii(lower.endsWith(".") ? lower.slice(0, -1) : lower);
  const ascii = domainToASCII(host);
  if (ascii === "") return problem("bad-idn");
  const read = readAscii(ascii.endsWith(".") ? ascii.slice(0, -1) : ascii);
  // Fullwidth or circled digits: no honest server address looks like that.
  return read.kind === "address" ? problem("numeric") : read;
}

/** What is wrong with a host as written in a URL, or undefined. Does not check where it leads. */
export function hostProblem(host: string): HostProblem | undefined {
  const read = readHost(host);
  return read.kind === "problem" ? read.problem : undefined;
}
