import { expect, test } from "vitest";
import { hasNoWayOut, machineTroubleNow } from "../../src/net/kernel/machine-trouble.ts";

const HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
const LAN = "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
const DEFAULT = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
const POINT_TO_POINT = "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n";
const HALF_OF_ALL = "tun0\t00000000\t0100000A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n";
const SAYS_NO = "*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n";

const ZERO = "0".repeat(32);
const LAN_6 = `fd${"0".repeat(30)} 40 ${ZERO} 00 ${ZERO} 00000100 00000001 00000000 00000001     eth0\n`;
const DEFAULT_6 = `${ZERO} 00 ${ZERO} 00 fd00000000000000000000000000000 00000400 00000003 00000000 00000003     eth0\n`;
const REJECT_6 = `${ZERO} 00 ${ZERO} 00 ${ZERO} ffffffff 00000001 00000000 00200200       lo\n`;

test.each([
  ["nothing", "", "", true],
  ["the local network alone", HEAD + LAN, LAN_6 + REJECT_6, true],
  ["a default route that refuses", HEAD + SAYS_NO, "", true],
  ["a default route", HEAD + LAN + DEFAULT, REJECT_6, false],
  ["a line without a gateway", HEAD + POINT_TO_POINT, "", false],
  ["a gateway for half of all addresses, as tunnels set it", HEAD + HALF_OF_ALL, "", false],
  ["a default route of IPv6 alone", HEAD, LAN_6 + DEFAULT_6 + REJECT_6, false],
])("with %s", (_, routes4, routes6, isCutOff) => {
  expect(hasNoWayOut(routes4, routes6)).toBe(isCutOff);
});

test("this machine lacks nothing that would keep the tests from running", () => {
  expect([undefined, "no-route"]).toContain(machineTroubleNow());
});
