import { type HostProblem, hostProblem } from "../../base/host-name.ts";
import { isMaskedAddress } from "../masks.ts";

const PORT_MAX = 65_535;

/** What is wanted in place of an address that was copied from an answer that hides a part of it. */
export const WHOLE_ADDRESS_RULE = "an address in full, not with “…”";

/** The rule for hosts that each problem breaks. */
const HOST_RULES: Readonly<Record<HostProblem, string>> = {
  empty: "an address with a host",
  "bad-character": "a host of letters, digits, hyphens and dots",
  "empty-label": "a host without two dots in a row",
  "bad-label": "a host whose parts neither begin nor end with a hyphen",
  "too-long": "a host of at most 253 characters, 63 between two dots",
  numeric: "a host that is a name, an IPv6 address in brackets or four decimal numbers without leading zeros",
  "bad-ipv6": "a valid IPv6 address in the brackets",
  "bad-idn": "a host that is a valid international name",
};

/** Space, control characters and DEL (also NEL and the no-break space), anywhere in the text. */
function hasBlank(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code <= 0x20 || (code >= 0x7f && code <= 0xa0) || /\s/u.test(character)) return true;
  }
  return false;
}

/**
 * Says in a sentence why `url` is not an address of one of these schemes; undefined where it is one. Checks only the
 * form: whether the host may be connected to is decided on its resolved address, at each connection. `secretsPlace`
 * says where user and password belong instead.
 */
export function addressProblem(
  url: string,
  [scheme, secureScheme]: readonly [string, string],
  secretsPlace: string,
): string | undefined {
  if (!url.isWellFormed() || hasBlank(url) || url.includes("\\")) {
    return "an address without blanks, control characters or backslashes";
  }
  const parts = /^([a-z]+):\/\/([^/?#]*)/i.exec(url);
  const given = parts?.[1]?.toLowerCase();
  if (parts === null || (given !== scheme && given !== secureScheme)) {
    return `an address that begins with ${scheme}:// or ${secureScheme}://`;
  }
  const authority = parts[2] ?? "";
  if (authority.includes("@")) return `an address without user and password${secretsPlace}`;
  const hostAndPort = /^(\[[^[\]]*\]|[^:[\]]+)(?::(\d*))?$/.exec(authority);
  if (hostAndPort === null) return "an address with a host, and nothing but a port after it";
  const [, host = "", port] = hostAndPort;
  const wrongHost = hostProblem(host);
  if (wrongHost !== undefined) return HOST_RULES[wrongHost];
  const isPort = port === undefined || (/^[1-9]\d{0,4}$/.test(port) && Number(port) <= PORT_MAX);
  if (!isPort) return `a port from 1 to ${PORT_MAX}, without leading zeros`;
  return isMaskedAddress(url) ? WHOLE_ADDRESS_RULE : undefined;
}
