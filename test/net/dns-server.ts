import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";

/** What the server replies for one name and record type. `silent`: never anything. */
export type DnsAnswer = readonly string[] | "nxdomain" | "servfail" | "silent";

export type DnsServer = {
  /** In the form of `dns.setServers`. */
  readonly server: string;
  /** Queries received so far, as "A name" and "AAAA name". */
  readonly queries: readonly string[];
  /** Settles once so many queries have been received in all. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
};

const HEADER_BYTES = 12;
const RecordType = { A: 1, Aaaa: 28 } as const;
const CODES = { nxdomain: 3, servfail: 2 } as const;

function readQuestion(packet: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let offset = HEADER_BYTES;
  for (let size = packet[offset] ?? 0; size > 0; size = packet[offset] ?? 0) {
    labels.push(packet.toString("latin1", offset + 1, offset + 1 + size));
    offset += 1 + size;
  }
  return { name: labels.join(".").toLowerCase(), type: packet.readUInt16BE(offset + 1), end: offset + 5 };
}

function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail = ""] = address.split("::");
  const words = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16));
  const gap = new Array<number>(8 - words(head).length - words(tail).length).fill(0);
  return Buffer.from([...words(head), ...gap, ...words(tail)].flatMap((word) => [word >> 8, word & 0xff]));
}

function respond(packet: Buffer, questionEnd: number, type: number, answer: Exclude<DnsAnswer, "silent">): Buffer {
  const addresses = typeof answer === "string" ? [] : answer;
  const head = Buffer.from(packet.subarray(0, questionEnd));
  head.writeUInt16BE(0x8180 | (typeof answer === "string" ? CODES[answer] : 0), 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const records = addresses.map((address) => {
    const bytes = addressBytes(address);
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0); // the name of the question
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(60, 6);
    record.writeUInt16BE(bytes.length, 10);
    return Buffer.concat([record, bytes]);
  });
  return Buffer.concat([head, ...records]);
}

/** A name server on loopback. Unknown names do not exist; unknown types have no records. */
export async function startDnsServer(
  zone: Readonly<Record<string, { readonly a?: DnsAnswer; readonly aaaa?: DnsAnswer }>>,
): Promise<DnsServer> {
  const socket = createSocket("udp4");
  const queries: string[] = [];
  socket.on("message", (packet, peer) => {
    const { name, type, end } = readQuestion(packet);
    queries.push(`${type === RecordType.A ? "A" : "AAAA"} ${name}`);
    socket.emit("query");
    const entry = zone[name];
    const known = type === RecordType.A ? entry?.a : entry?.aaaa;
    const answer: DnsAnswer = entry === undefined ? "nxdomain" : (known ?? []);
    if (answer !== "silent") socket.send(respond(packet, end, type, answer), peer.port, peer.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    server: `127.0.0.1:${socket.address().port}`,
    queries,
    async received(count) {
      while (queries.length < count) await once(socket, "query");
    },
    async close() {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}
