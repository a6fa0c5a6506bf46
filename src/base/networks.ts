/** Whose address it may be, from one machine's own to a customer's whole range. Narrow first. */
export const NETWORK_WIDTHS = ["own", "near", "wide"] as const;
export type NetworkWidth = (typeof NETWORK_WIDTHS)[number];

/** 16-bit groups of an IPv6 address; 8 bits in half a group. */
const GROUPS = 8;
const MAPPED = [0, 0, 0, 0, 0, 0xffff] as const;
const CANONICAL_IPV4 = /^(?:\d{1,3}\.){3}\d{1,3}$/;
const GROUP = /^[0-9a-f]{1,4}$/i;

function ipv4Parts(text: string): readonly number[] | undefined {
  if (!CANONICAL_IPV4.test(text)) return undefined;
  const parts = text.split(".").map(Number);
  return parts.every((part) => part <= 255) ? parts : undefined;
}

/** One side of `::`, as 16-bit groups; undefined where it is not valid. */
function groupsOf(side: string): readonly number[] | undefined {
  if (side === "") return [];
  const groups: number[] = [];
  for (const [index, text] of side.split(":").entries()) {
    const ipv4 = index === side.split(":").length - 1 ? ipv4Parts(text) : undefined;
    if (ipv4 !== undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = ipv4;
      groups.push(a * 256 + b, c * 256 + d);
    } else if (GROUP.test(text)) groups.push(Number.parseInt(text, 16));
    else return undefined;
  }
  return groups;
}

function ipv6Groups(address: string): readonly number[] | undefined {
  const sides = (address.split("%", 1)[0] ?? "").split("::");
  if (sides.length > 2) return undefined;
  const head = groupsOf(sides[0] ?? "");
  const tail = sides[1] === undefined ? [] : groupsOf(sides[1]);
  if (head === undefined || tail === undefined) return undefined;
  const missing = GROUPS - head.length - tail.length;
  if (sides.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

/** The networks of an address; a text that is not an address is a network of its own. */
export type Networks = Readonly<Record<"own", string> & Partial<Record<NetworkWidth, string>>>;

/**
 * The networks that an address counts for. IPv4: itself, and its /24, also where it is written as IPv6. IPv6: its /64,
 * which belongs to one machine, its /56, which belongs to one household, and its /48, which belongs to one customer.
 */
export function networksOf(address: string): Networks {
  const ipv6 = address.includes(":") ? ipv6Groups(address) : undefined;
  const isMapped = ipv6 !== undefined && MAPPED.every((group, index) => ipv6[index] === group);
  const [high = 0, low = 0] = isMapped ? ipv6.slice(6) : [];
  const ipv4 = isMapped ? [high >> 8, high & 0xff, low >> 8, low & 0xff] : ipv4Parts(address);
  if (ipv4 !== undefined) return { own: ipv4.join("."), near: `${ipv4.slice(0, 3).join(".")}.0/24` };
  if (ipv6 === undefined) return { own: address };
  const [a = 0, b = 0, c = 0, d = 0] = ipv6;
  const written = (groups: readonly number[]) => groups.map((group) => group.toString(16)).join(":");
  return {
    own: `${written([a, b, c, d])}::/64`,
    near: `${written([a, b, c, d & 0xff00])}::/56`,
    wide: `${written([a, b, c])}::/48`,
  };
}

/** The network of one machine. */
export function networkOf(address: string): string {
  return networksOf(address).own;
}
