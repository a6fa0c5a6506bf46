import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";
import type { CidrBlock } from "./cidr-list.ts";
import { isMetadataAddress, isNamedAlone } from "./metadata-address.ts";
import { isTargetPort } from "./target-port.ts";

/** Why an address is forbidden. A word of a closed list: for logs, counters and tests. */
export type AddressProblem =
  /** One of this machine's addresses, or its public name, with a port we listen on: a stream would run in circles. */
  | "own-listener"
  | "own-address"
  | "loopback"
  | "unspecified"
  | "private"
  | "link-local"
  /** Where clouds hand out credentials: allowed only where the operator named exactly this address. */
  | "metadata"
  | "multicast"
  | "reserved"
  | "port"
  | "not-an-address";

/** What the operator allows. Never a user's choice. */
export type AddressPolicy = {
  /**
   * Ranges that targets may be in although the rules below forbid it. Our own listeners stay forbidden, and metadata
   * services unless named alone.
   */
  readonly allowed: readonly CidrBlock[];
  /** Every port this process listens on, and the outside ports mapped to those. */
  readonly ownPorts: readonly number[];
  /** Names and addresses, in canonical form, at which the outside reaches those ports. */
  readonly ownHosts: readonly string[];
  /** Where the names among them lead now: behind NAT that is not an address of this machine. */
  readonly ownAddresses?: () => Promise<readonly string[]>;
  /** The addresses of this machine's interfaces now. Default: the system's list. */
  readonly machineAddresses?: () => readonly string[];
};

type Address = ipaddr.IPv4 | ipaddr.IPv6;

const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];
const NAT64_WELL_KNOWN: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("64:ff9b::"), 96];

/** Prefixes of IPv6 addresses that carry an IPv4 address, and the byte it starts at. */
const EMBEDDING: readonly {
  readonly block: [ipaddr.IPv6, number];
  readonly at: number;
  readonly isInverted: boolean;
}[] = [
  { block: NAT64_WELL_KNOWN, at: 12, isInverted: false }, // RFC 6052
  { block: [ipaddr.IPv6.parse("::"), 96], at: 12, isInverted: false }, // IPv4-compatible, RFC 4291 2.5.5.1
  { block: [ipaddr.IPv6.parse("::ffff:0:0:0"), 96], at: 12, isInverted: false }, // IPv4-translated, RFC 2765
  { block: [ipaddr.IPv6.parse("2002::"), 16], at: 2, isInverted: false }, // 6to4, RFC 3056
  { block: [ipaddr.IPv6.parse("2001::"), 32], at: 12, isInverted: true }, // Teredo, RFC 4380
];

/**
 * An address as it would be connected to: IPv4 in IPv6's mapped form becomes IPv4. Undefined for an address with a
 * zone.
 */
function parseAddress(text: string): Address | undefined {
  if (isIP(text) === 0 || text.includes("%")) return undefined;
  return ipaddr.process(text);
}

/**
 * An address in the form in which sockets name it, so that both can be compared: lists of names and people write it in
 * others. As it is where it is none.
 */
export function socketForm(address: string): string {
  return parseAddress(address)?.toString() ?? address;
}

function embeddedIpv4(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const form = EMBEDDING.find(({ block }) => address.match(block));
  if (form === undefined) return undefined;
  const bytes = address.toByteArray().slice(form.at, form.at + 4);
  return new ipaddr.IPv4(form.isInverted ? bytes.map((byte) => byte ^ 0xff) : bytes);
}

function judgeIpv4(address: ipaddr.IPv4): AddressProblem | undefined {
  switch (address.range()) {
    case "unicast":
      return undefined;
    case "unspecified":
      return "unspecified";
    case "loopback":
      return "loopback";
    case "linkLocal":
      return "link-local";
    case "private":
    case "carrierGradeNat":
      return "private";
    case "multicast":
      return "multicast";
    default:
      return "reserved";
  }
}

function judgeIpv6(address: ipaddr.IPv6): AddressProblem | undefined {
  const range: string = address.range();
  switch (range) {
    case "unspecified":
      return "unspecified";
    case "loopback":
      return "loopback";
    case "linkLocal":
      return "link-local";
    case "uniqueLocal":
    case "deprecatedSiteLocal":
      return "private";
    case "multicast":
      return "multicast";
    default:
      break;
  }
  const inner = embeddedIpv4(address);
  const innerProblem = inner === undefined ? undefined : judgeIpv4(inner);
  if (innerProblem !== undefined) return innerProblem;
  // Networks without IPv4 reach every IPv4 platform this way. The other embeddings are obsolete, or lead nowhere.
  if (address.match(NAT64_WELL_KNOWN)) return undefined;
  return range === "unicast" && address.match(GLOBAL_UNICAST) ? undefined : "reserved";
}

function judge(address: Address): AddressProblem | undefined {
  if (isMetadataAddress(address)) return "metadata";
  return address instanceof ipaddr.IPv4 ? judgeIpv4(address) : judgeIpv6(address);
}

function isIn(block: CidrBlock, address: Address): boolean {
  const base = ipaddr.parse(block.address);
  return base.kind() === address.kind() && address.match([base, block.prefixBits]);
}

/** Addresses of this machine's interfaces as the system lists them. */
function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map((entry) => entry.address));
}

/** From the policy, else the system's list. */
export function machineAddressesNow({ machineAddresses = interfaceAddresses }: AddressPolicy): readonly string[] {
  return machineAddresses();
}

function isListed(address: Address, texts: readonly string[]): boolean {
  const normal = address.toNormalizedString();
  return texts.some((text) => parseAddress(text.split("%", 1)[0] ?? "")?.toNormalizedString() === normal);
}

/** Whether a connection to this address ends on this machine, as far as that can be known. */
function isOwn(address: Address, policy: AddressPolicy): boolean {
  const problem = judge(address);
  if (problem === "loopback" || problem === "unspecified") return true;
  const machineAddresses = machineAddressesNow(policy);
  const inner = address instanceof ipaddr.IPv6 ? embeddedIpv4(address) : undefined;
  return [address, ...(inner === undefined ? [] : [inner])].some(
    (candidate) => isListed(candidate, machineAddresses) || isListed(candidate, policy.ownHosts),
  );
}

/**
 * Returns why a connection to `address` and `port` is forbidden; undefined where it is allowed. For addresses from a
 * look-up, at every connect and reconnect: a name may lead elsewhere tomorrow. Also checks an IPv4 address inside an
 * IPv6 one. The ranges are those of IANA's special-purpose registries; of IPv6 only global unicast is allowed.
 */
export function addressProblem(address: string, port: number, policy: AddressPolicy): AddressProblem | undefined {
  const parsed = parseAddress(address);
  if (parsed === undefined) return "not-an-address";
  const isOurs = isOwn(parsed, policy);
  if (isOurs && policy.ownPorts.includes(port)) return "own-listener";
  if (isMetadataAddress(parsed) && !isNamedAlone(parsed, policy.allowed)) return "metadata";
  if (!policy.allowed.some((block) => isIn(block, parsed))) {
    const problem = judge(parsed);
    if (problem !== undefined) return problem;
    if (isOurs) return "own-address";
  }
  return isTargetPort(port) ? undefined : "port";
}
