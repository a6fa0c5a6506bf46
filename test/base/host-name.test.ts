import fc from "fast-check";
import { expect, test } from "vitest";
import { hostProblem, readHost } from "../../src/base/host-name.ts";

test.each([
  ["live.twitch.tv", "live.twitch.tv"],
  ["LIVE.Twitch.TV", "live.twitch.tv"],
  ["live.twitch.tv.", "live.twitch.tv"],
  ["rtmp_in.example", "rtmp_in.example"],
  ["r3---sn-abc.example", "r3---sn-abc.example"],
  ["0x7f.example", "0x7f.example"],
  ["1.2.3.4.example", "1.2.3.4.example"],
  ["localhost", "localhost"],
  ["bücher.example", "xn--bcher-kva.example"],
  ["스트림.example。", "xn--4y2bx6n21n.example"],
  [`${"a".repeat(63)}.example`, `${"a".repeat(63)}.example`],
])("the host %j is the name %s", (host, name) => {
  expect(readHost(host)).toStrictEqual({ kind: "name", name });
});

test.each([
  ["8.8.8.8", "8.8.8.8"],
  ["255.255.255.255", "255.255.255.255"],
  ["127.0.0.1.", "127.0.0.1"],
  ["[2001:DB8:0:0::1]", "2001:db8::1"],
  ["[::ffff:127.0.0.1]", "::ffff:7f00:1"],
])("the host %j is the address %s", (host, address) => {
  expect(readHost(host)).toStrictEqual({ kind: "address", address });
});

test.each([
  ["", "empty"],
  [".", "empty-label"],
  ["a..b", "empty-label"],
  [".a", "empty-label"],
  ["a.example..", "empty-label"],
  ["-a.example", "bad-label"],
  ["a-.example", "bad-label"],
  ["a b", "bad-character"],
  ["a\nb", "bad-character"],
  ["a%00b", "bad-character"],
  ["a\\b", "bad-character"],
  ["a@b", "bad-character"],
  ["a*b.example", "bad-character"],
  ["::1", "bad-character"],
  [`${"a".repeat(64)}.example`, "too-long"],
  [`${"a.".repeat(126)}aa`, "too-long"],
  ["a".repeat(5_000), "too-long"],
  ["127.1", "numeric"],
  ["0x7f.1", "numeric"],
  ["2130706433", "numeric"],
  ["0177.0.0.1", "numeric"],
  ["127.0.0.01", "numeric"],
  ["0x7f000001", "numeric"],
  ["0x", "numeric"],
  ["256.1.1.1", "numeric"],
  ["1.2.3.4.5", "numeric"],
  ["１２７.０.０.１", "numeric"],
  ["127。0。0。1", "numeric"],
  ["[::1", "bad-ipv6"],
  ["[fe80::1%25eth0]", "bad-character"],
  ["[1::2::3]", "bad-ipv6"],
  ["[127.0.0.1]", "bad-ipv6"],
  ["[]", "bad-ipv6"],
  ["bü cher.example", "bad-character"],
  ["bü\u200dcher.example", "bad-idn"],
])("the host %j is refused as %s", (host, problem) => {
  expect(hostProblem(host)).toBe(problem);
});

test("a name of exactly 253 characters is accepted, with or without its trailing dot", () => {
  const name = `${"a.".repeat(126)}a`;
  expect(name).toHaveLength(253);
  expect(hostProblem(name)).toBeUndefined();
  expect(hostProblem(`${name}.`)).toBeUndefined();
});

test("reading a host's own canonical form again changes nothing", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "grapheme" }), fc.domain(), fc.ipV4(), fc.ipV4Extended()), (text) => {
      const host = readHost(text);
      if (host.kind === "name") expect(readHost(host.name)).toStrictEqual(host);
      if (host.kind === "address" && !host.address.includes(":")) expect(readHost(host.address)).toStrictEqual(host);
    }),
  );
});
