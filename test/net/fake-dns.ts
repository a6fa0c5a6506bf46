import { isIP } from "node:net";
import type { Resolver } from "../../src/net/dns/resolver.ts";

/**
 * What a careless program's system resolver makes of numbers: octal, hexadecimal, and fewer than four parts
 * (inet_aton).
 */
function numericAddress(host: string): string | undefined {
  const parts = host.split(".");
  if (parts.length > 4 || !parts.every((part) => /^(?:0x[0-9a-f]*|\d+)$/i.test(part))) return undefined;
  const numbers = parts.map((part) =>
    /^0\d/.test(part) ? Number.parseInt(part, 8) : Number(part === "0x" ? 0 : part),
  );
  const last = numbers.pop() ?? 0;
  const value = numbers.reduce((sum, number, index) => sum + number * 2 ** (24 - 8 * index), last);
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Names that lead to inside addresses, as the real DNS has them. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "localhost.localdomain": ["127.0.0.1"],
  "ip6-localhost": ["::1"],
  "localtest.me": ["127.0.0.1", "::1"],
  "lvh.me": ["127.0.0.1"],
  "vcap.me": ["127.0.0.1"],
  "router.lan": ["192.168.1.1"],
  "intranet.corp.example": ["10.1.2.3"],
  "vpn.example": ["100.64.7.7"],
  "ula.example": ["fd12:3456:789a::1"],
  "mapped.example": ["::ffff:10.0.0.1"],
  "nat64.example": ["64:ff9b::a9fe:a9fe"],
  "zone.example": ["fe80::1%eth0"],
  "good-and-bad.example": ["93.184.216.34", "127.0.0.1"],
  "good-and-bad6.example": ["93.184.216.34", "2606:2800:220:1::1", "fe80::1"],
  "many-good-one-bad.example": [...Array.from({ length: 40 }, (_, index) => `93.184.216.${index + 1}`), "10.0.0.1"],
  "metadata.google.internal": ["169.254.169.254"],
  metadata: ["169.254.169.254"],
  "instance-data.ec2.internal": ["169.254.169.254"],
  "metadata.azure.internal": ["168.63.129.16"],
  "metadata.aliyun.example": ["100.100.100.200"],
  "multicast.example": ["239.1.2.3"],
  "own-machine.example": ["198.41.0.4"],
};

/** `10-0-0-1.sslip.io` and `10.0.0.1.nip.io` stand for 10.0.0.1. */
function addressInName(host: string): string | undefined {
  const match = /(?:^|[.-])(\d{1,3})[.-](\d{1,3})[.-](\d{1,3})[.-](\d{1,3})\.(?:nip|sslip)\.io$/.exec(host);
  return match?.slice(1, 5).join(".");
}

/**
 * Replies as an unsuspecting system would: numbers become addresses, inside names lead inside, and every other name is
 * a harmless public server. Only the product's own checks stand between a spelling and a connection.
 */
export const fakeDns: Resolver = {
  async resolve(given) {
    if (isIP(given) !== 0) return [given];
    const host = given.replace(/\.$/, "");
    if (host === "localhost" || host.endsWith(".localhost")) return ["127.0.0.1", "::1"];
    const numeric = numericAddress(host) ?? addressInName(host);
    return numeric === undefined ? (NAMES[host] ?? ["93.184.216.34"]) : [numeric];
  },
};
