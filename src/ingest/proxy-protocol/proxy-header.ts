import { SocketAddress } from "node:net";

// The PROXY protocol, version 2: https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, section 2.2.

const SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const VERSION_1 = Buffer.from("PROXY ");
const FIXED_BYTES = 16;
/** A whole header with all that may follow the addresses: no proxy sends as much. */
const HEADER_BYTES_MAX = 1_024;
const VERSION = 2;
const COMMANDS = { local: 0, proxy: 1 } as const;
const FAMILIES = { ipv4: 1, ipv6: 2 } as const;
/** Both addresses and both ports. */
const ADDRESS_BYTES = { ipv4: 12, ipv6: 36 } as const;

/**
 * `more`: wait for so many bytes. `header`: its length, and the address of the peer that the proxy names; absent where the
 * proxy speaks for itself, as its health checks do.
 */
export type ProxyHeader =
  | { readonly kind: "more"; readonly bytes: number }
  | { readonly kind: "header"; readonly length: number; readonly address?: string }
  | { readonly kind: "wrong"; readonly why: string };

/** Reads the header at the beginning of a connection. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const known = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.subarray(0, known).compare(SIGNATURE, 0, known) !== 0) return wrongBeginning(bytes);
  if (bytes.length < FIXED_BYTES) return { kind: "more", bytes: FIXED_BYTES };
  const version = bytes.readUInt8(12) >> 4;
  const command = bytes.readUInt8(12) & 0x0f;
  if (version !== VERSION) return { kind: "wrong", why: `PROXY protocol of the unknown version ${version}` };
  if (command !== COMMANDS.local && command !== COMMANDS.proxy) {
    return { kind: "wrong", why: `PROXY header with the unknown command ${command}` };
  }
  const length = FIXED_BYTES + bytes.readUInt16BE(14);
  if (length > HEADER_BYTES_MAX) return { kind: "wrong", why: `PROXY header of ${length} bytes` };
  if (bytes.length < length) return { kind: "more", bytes: length };
  if (command === COMMANDS.local) return { kind: "header", length };
  const family = bytes.readUInt8(13) >> 4;
  // The lower half is the transport; only streams arrive here. Other families name no address that can be used.
  if (family !== FAMILIES.ipv4 && family !== FAMILIES.ipv6) return { kind: "header", length };
  const wanted = family === FAMILIES.ipv4 ? ADDRESS_BYTES.ipv4 : ADDRESS_BYTES.ipv6;
  if (length - FIXED_BYTES < wanted) return { kind: "wrong", why: "PROXY header without its addresses" };
  const address = family === FAMILIES.ipv4 ? ipv4At(bytes, FIXED_BYTES) : ipv6At(bytes, FIXED_BYTES);
  return { kind: "header", length, address };
}

function wrongBeginning(bytes: Buffer): ProxyHeader {
  const known = Math.min(bytes.length, VERSION_1.length);
  if (bytes.subarray(0, known).compare(VERSION_1, 0, known) !== 0) return { kind: "wrong", why: "no PROXY header" };
  return { kind: "wrong", why: "PROXY protocol version 1: the proxy has to send version 2 (HAProxy: send-proxy-v2)" };
}

function ipv4At(bytes: Buffer, at: number): string {
  return [...bytes.subarray(at, at + 4)].join(".");
}

function ipv6At(bytes: Buffer, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(at + 2 * index).toString(16));
  return new SocketAddress({ address: groups.join(":"), family: "ipv6" }).address;
}
