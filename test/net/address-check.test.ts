import { networkInterfaces } from "node:os";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { expect, test } from "vitest";
import { type AddressPolicy, addressProblem } from "../../src/net/address-check.ts";
import { CidrListError, parseCidrList } from "../../src/net/cidr-list.ts";

const POLICY: AddressPolicy = { allowed: [], ownPorts: [19_350], ownHosts: [], machineAddresses: () => [] };

test("an address just outside a denied range is allowed", () => {
  const outside = [
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "2000::1",
    "2001:200::1",
    "2001:db7:ffff::1",
    "2001:db9::1",
    "2003::1",
    "3ffe:ffff::1",
  ];
  expect(outside.map((address) => [address, addressProblem(address, 1_935, POLICY)])).toStrictEqual(
    outside.map((address) => [address, undefined]),
  );
});

test.each(["", "example", "127.1", "0x7f000001", "1.2.3.4.5", "[::1]", "fe80::1%eth0", "::1%lo", "1.2.3.4/8"])(
  "%j is no address",
  (text) => {
    expect(addressProblem(text, 1_935, POLICY)).toBe("not-an-address");
  },
);

test("an IPv4 address mapped into IPv6 is judged as the IPv4 address it is", () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const problem = addressProblem(address, 1_935, POLICY);
      expect(addressProblem(`::ffff:${address}`, 1_935, POLICY)).toBe(problem);
      expect(addressProblem(`64:ff9b::${address}`, 1_935, POLICY)).toBe(problem);
    }),
  );
});

test("no IPv6 address outside global unicast passes, except public IPv4 behind NAT64 and mapped", () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      if (addressProblem(address, 1_935, POLICY) !== undefined) return;
      const parsed = ipaddr.IPv6.parse(address);
      const isGlobal = ((parsed.parts[0] ?? 0) & 0xe000) === 0x2000;
      expect(isGlobal || parsed.range() === "rfc6052" || parsed.isIPv4MappedAddress()).toBe(true);
    }),
  );
});

test("every address of this machine is forbidden with our port, whatever is allowed", () => {
  const allowed = parseCidrList("0.0.0.0/0,::/0");
  const addresses = Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).map(({ address }) => address),
  );
  for (const address of ["127.0.0.1", ...addresses.filter((text) => !text.includes("%"))]) {
    expect(addressProblem(address, 19_350, { allowed, ownPorts: [19_350], ownHosts: [] })).toBe("own-listener");
    expect(addressProblem(address, 19_351, { allowed, ownPorts: [19_350], ownHosts: [] })).toBeUndefined();
  }
});

test("an address range list is read", () => {
  expect(parseCidrList("")).toStrictEqual([]);
  expect(parseCidrList(" 10.0.0.0/8 ,fd00::/8,192.0.2.7, ::1 ")).toStrictEqual([
    { address: "10.0.0.0", prefixBits: 8 },
    { address: "fd00::", prefixBits: 8 },
    { address: "192.0.2.7", prefixBits: 32 },
    { address: "::1", prefixBits: 128 },
  ]);
});

test.each([
  ["10.0.0.0/33", '"10.0.0.0/33" is not an address range: the number behind the slash goes from 0 to 32'],
  ["::/129", '"::/129" is not an address range: the number behind the slash goes from 0 to 128'],
  ["10.0.0.0/", '"10.0.0.0/" is not an address range: the number behind the slash goes from 0 to 32'],
  ["10.0.0.0/255.0.0.0", '"10.0.0.0/255.0.0.0" is not an address range: the number behind the slash goes from 0 to 32'],
  ["::1,10.0/8", '"10.0/8" is not an address range: write it like 10.0.0.0/8, fd00::/8 or 192.0.2.7'],
  ["10.0.0.0/8,,::1", '"" is not an address range: write it like 10.0.0.0/8, fd00::/8 or 192.0.2.7'],
  ["0x7f000001", '"0x7f000001" is not an address range: write it like 10.0.0.0/8, fd00::/8 or 192.0.2.7'],
  ["localhost", '"localhost" is not an address range: write it like 10.0.0.0/8, fd00::/8 or 192.0.2.7'],
  ["fe80::1%eth0", '"fe80::1%eth0" is not an address range: write it like 10.0.0.0/8, fd00::/8 or 192.0.2.7'],
  [
    "::ffff:10.0.0.0/104",
    '"::ffff:10.0.0.0/104" is not an address range: write IPv4 ranges as IPv4; addresses mapped into IPv6 are compared as IPv4',
  ],
])("the address range list %j is refused with its fault", (text, message) => {
  expect(() => parseCidrList(text)).toThrow(
    new CidrListError(/^"(.*?)"/.exec(message)?.[1] ?? "", message.replace(/^".*?" is not an address range: /, "")),
  );
});
