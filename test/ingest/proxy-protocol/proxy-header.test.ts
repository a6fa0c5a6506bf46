import fc from "fast-check";
import { expect, test } from "vitest";
import { readProxyHeader } from "../../../src/ingest/proxy-protocol/proxy-header.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const IPV4 = `${SIGNATURE}2111000ccb0071070a000001d431078f`;
const IPV6 = `${SIGNATURE}2121002420010db8000000000000000000000007fd000000000000000000000000000001d431078f`;
/** With a TLV of HAProxy's: CRC-32C. */
const WITH_MORE = `${SIGNATURE}21110013cb0071070a000001d431078f03000401020304`;

const read = (hex: string) => readProxyHeader(Buffer.from(hex, "hex"));

test.each([
  [IPV4, { kind: "header", length: 28, address: "203.0.113.7" }],
  [IPV6, { kind: "header", length: 52, address: "2001:db8::7" }],
  [WITH_MORE, { kind: "header", length: 35, address: "203.0.113.7" }],
  [`${IPV4}03aabbcc`, { kind: "header", length: 28, address: "203.0.113.7" }],
  // LOCAL: a health check of the proxy itself; addresses are ignored.
  [`${SIGNATURE}20000000`, { kind: "header", length: 16 }],
  [`${SIGNATURE}2011000ccb0071070a000001d431078f`, { kind: "header", length: 28 }],
  // A Unix socket, and an unknown family.
  [`${SIGNATURE}21310000`, { kind: "header", length: 16 }],
  [`${SIGNATURE}21000000`, { kind: "header", length: 16 }],
])("%s is a header", (hex, expected) => {
  expect(read(hex)).toEqual(expected);
});

test("a header that has not arrived yet asks for more, wherever the network cuts it", () => {
  for (const hex of [IPV4, IPV6, WITH_MORE]) {
    for (let at = 0; at < hex.length; at += 2) expect(read(hex.slice(0, at)).kind).toBe("more");
  }
});

test.each([
  ["50524f585920544350342031", "PROXY protocol version 1: the proxy has to send version 2 (HAProxy: send-proxy-v2)"],
  ["5052", "PROXY protocol version 1: the proxy has to send version 2 (HAProxy: send-proxy-v2)"],
  ["03000000", "no PROXY header"],
  ["0d0a0d0a01", "no PROXY header"],
  [`${SIGNATURE}11110000`, "PROXY protocol of the unknown version 1"],
  [`${SIGNATURE}22110000`, "PROXY header with the unknown command 2"],
  [`${SIGNATURE}211103f1`, "PROXY header of 1025 bytes"],
  [`${SIGNATURE}2111ffff`, "PROXY header of 65551 bytes"],
  [`${SIGNATURE}2111000b${"00".repeat(11)}`, "PROXY header without its addresses"],
  [`${SIGNATURE}2121000c${"00".repeat(12)}`, "PROXY header without its addresses"],
])("%s is refused in words", (hex, why) => {
  expect(read(hex)).toEqual({ kind: "wrong", why });
});

test("whatever comes behind the signature, a header never needs more than 1 KiB, and nothing is thrown", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (rest) => {
      const header = readProxyHeader(Buffer.concat([Buffer.from(SIGNATURE, "hex"), rest]));
      if (header.kind === "more") expect(header.bytes).toBeLessThanOrEqual(1_024);
      if (header.kind === "header") expect(header.length).toBeLessThanOrEqual(12 + rest.length);
    }),
  );
});
