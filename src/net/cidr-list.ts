import ipaddr from "ipaddr.js";

/** A range of addresses, as plain data. */
export type CidrBlock = {
  /** IPv4 with four decimal parts, or IPv6. */
  readonly address: string;
  readonly prefixBits: number;
};

/** A list of address ranges that cannot be read: the operator has to correct a setting. */
export class CidrListError extends Error {
  override readonly name = "CidrListError";
  /** The entry that is wrong, as written. */
  readonly entry: string;
  constructor(entry: string, detail: string) {
    super(`"${entry}" is not an address range: ${detail}`);
    this.entry = entry;
  }
}

const IPV4_BITS = 32;
const IPV6_BITS = 128;
const PREFIX = /^\d{1,3}$/;

function parseEntry(entry: string): CidrBlock {
  const slash = entry.indexOf("/");
  const address = slash < 0 ? entry : entry.slice(0, slash);
  const isIpv4 = ipaddr.IPv4.isValidFourPartDecimal(address);
  if (!isIpv4 && (!ipaddr.IPv6.isValid(address) || address.includes("%"))) {
    throw new CidrListError(entry, "write it like 10.0.0.0/8, fd00::/8 or 192.0.2.7");
  }
  if (!isIpv4 && ipaddr.IPv6.parse(address).isIPv4MappedAddress()) {
    throw new CidrListError(entry, "write IPv4 ranges as IPv4; addresses mapped into IPv6 are compared as IPv4");
  }
  const bits = isIpv4 ? IPV4_BITS : IPV6_BITS;
  if (slash < 0) return { address, prefixBits: bits };
  const prefixText = entry.slice(slash + 1);
  const prefixBits = Number(prefixText);
  if (!PREFIX.test(prefixText) || prefixBits > bits) {
    throw new CidrListError(entry, `the number behind the slash goes from 0 to ${bits}`);
  }
  return { address, prefixBits };
}

/**
 * Reads a comma-separated list of address ranges (`10.0.0.0/8, fd00::/8, 192.0.2.7`). Empty text is an empty list.
 *
 * @throws CidrListError for the first entry that is wrong.
 */
export function parseCidrList(text: string): CidrBlock[] {
  if (text.trim() === "") return [];
  return text.split(",").map((entry) => parseEntry(entry.trim()));
}
