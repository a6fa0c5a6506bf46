import { expect, test } from "vitest";
import { networkOf, networksOf } from "../../src/base/networks.ts";

test.each([
  ["192.0.2.7", ["192.0.2.7", "192.0.2.0/24", undefined]],
  ["::ffff:192.0.2.7", ["192.0.2.7", "192.0.2.0/24", undefined]],
  ["::ffff:c000:207", ["192.0.2.7", "192.0.2.0/24", undefined]],
  ["2001:db8:1:2aff:3:4:5:6", ["2001:db8:1:2aff::/64", "2001:db8:1:2a00::/56", "2001:db8:1::/48"]],
  ["2001:0DB8:0001:2a00::", ["2001:db8:1:2a00::/64", "2001:db8:1:2a00::/56", "2001:db8:1::/48"]],
  ["2001:db8::1", ["2001:db8:0:0::/64", "2001:db8:0:0::/56", "2001:db8:0::/48"]],
  ["64:ff9b::192.0.2.7", ["64:ff9b:0:0::/64", "64:ff9b:0:0::/56", "64:ff9b:0::/48"]],
  ["fe80::1%eth0", ["fe80:0:0:0::/64", "fe80:0:0:0::/56", "fe80:0:0::/48"]],
  ["::1", ["0:0:0:0::/64", "0:0:0:0::/56", "0:0:0::/48"]],
  // A text that is no address counts as a network of its own.
  ["unknown", ["unknown", undefined, undefined]],
  ["", ["", undefined, undefined]],
  ["1:2:3", ["1:2:3", undefined, undefined]],
  ["1::2::3", ["1::2::3", undefined, undefined]],
  ["1:2:3:4:5:6:7::8", ["1:2:3:4:5:6:7::8", undefined, undefined]],
  ["300.0.0.1", ["300.0.0.1", undefined, undefined]],
])("%s is in the networks %j", (address, [own, near, wide]) => {
  expect(networksOf(address)).toEqual({
    own,
    ...(near === undefined ? {} : { near }),
    ...(wide === undefined ? {} : { wide }),
  });
  expect(networkOf(address)).toBe(own);
});
