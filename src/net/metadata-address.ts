import ipaddr from "ipaddr.js";
import type { CidrBlock } from "./cidr-list.ts";

/** Services that hand out a machine's credentials to every client that reaches them. */
const METADATA: readonly string[] = [
  "169.254.169.254", // AWS, Google, Azure, Oracle, OpenStack and most others
  "fd00:ec2::254", // AWS
  "169.254.170.2", // tasks of AWS ECS
  "169.254.170.23", // pods of AWS EKS
  "fd00:ec2::23", // pods of AWS EKS
  "fd20:ce::254", // Google
  "169.254.169.252", // pods of Google's Kubernetes
  "168.63.129.16", // Azure's wire server
  "100.100.100.200", // Alibaba
  "192.0.0.192", // Oracle
  "169.254.0.23", // Tencent
  "100.96.0.96", // Volcano Engine
  "169.254.42.42", // Scaleway
  "fd00:42::42", // Scaleway
  "fd00:a9fe:a9fe::1", // Linode
  "fe80::a9fe:a9fe", // OpenStack
];

type Address = ipaddr.IPv4 | ipaddr.IPv6;

const keyOf = (bytes: readonly number[]): string => bytes.join(".");
const KEYS: ReadonlySet<string> = new Set(METADATA.map((text) => keyOf(ipaddr.parse(text).toByteArray())));

/**
 * Where an IPv6 address may carry an IPv4 one. A network chooses its own prefix for NAT64 (RFC 6052 section 2.2), so
 * every place is checked whatever the prefix is. The last four bytes are also those of the well-known prefix, and of
 * compatible, translated and ISATAP addresses.
 */
const IPV4_PLACES: readonly (readonly [number, number, number, number])[] = [
  [12, 13, 14, 15],
  [9, 10, 11, 12],
  [7, 9, 10, 11],
  [6, 7, 9, 10],
  [5, 6, 7, 9],
  [4, 5, 6, 7],
  [2, 3, 4, 5], // 6to4, RFC 3056
];

/** The address itself, and every IPv4 address that may be inside it, as bytes in words. */
function forms(address: Address): readonly string[] {
  const bytes = address.toByteArray();
  if (address instanceof ipaddr.IPv4) return [keyOf(bytes)];
  const inside = IPV4_PLACES.map((place) => place.map((index) => bytes[index] ?? 0));
  const teredo = bytes.slice(12).map((byte) => byte ^ 0xff);
  const isTeredo = keyOf(bytes.slice(0, 4)) === "32.1.0.0";
  return [bytes, ...inside, ...(isTeredo ? [teredo] : [])].map(keyOf);
}

/** Whether this address hands out a machine's credentials, in whatever form it is written. */
export function isMetadataAddress(address: Address): boolean {
  return forms(address).some((form) => KEYS.has(form));
}

/**
 * Whether one of the ranges is exactly this address, or the one inside it: a wider range does not include the service.
 */
export function isNamedAlone(address: Address, allowed: readonly CidrBlock[]): boolean {
  const names = new Set(forms(address));
  return allowed.some((block) => {
    const base = ipaddr.parse(block.address);
    return block.prefixBits === base.toByteArray().length * 8 && names.has(keyOf(base.toByteArray()));
  });
}
