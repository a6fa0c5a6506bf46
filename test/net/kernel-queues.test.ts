import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { KernelQueues, readingIntervalMs } from "../../src/net/kernel/kernel-queues.ts";
import { KernelSocket } from "../../src/net/kernel/kernel-socket.ts";
import { SystemCalls } from "../../src/net/kernel/system-calls.ts";
import { type TcpReading, TcpTable, tableKey } from "../../src/net/kernel/tcp-table.ts";
import { HAS_PROC } from "../support/processes/descriptors.ts";

const HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const line = (number: number, key: string, state: string, queue: string) =>
  `${String(number).padStart(4)}: ${key} ${state} ${queue}:00000000 01:00000019 00000002     0        0 4711 2 0 20 4 24 15 -1      `;

const FOUR = { localAddress: "127.0.0.1", localPort: 8_080, remoteAddress: "203.0.113.9", remotePort: 1_935 };
const FOUR_KEY = "0100007F:1F90 097100CB:078F";
const SIX = { localAddress: "2001:db8::1", localPort: 8_080, remoteAddress: "2001:db8::2", remotePort: 1_935 };
const SIX_KEY = "B80D0120000000000000000001000000:1F90 B80D0120000000000000000002000000:078F";

test("a connection is named as the kernel's table names it, in either order of bytes", () => {
  expect(tableKey(FOUR, "LE")).toBe(FOUR_KEY);
  expect(tableKey(SIX, "LE")).toBe(SIX_KEY);
  expect(tableKey(FOUR, "BE")).toBe("7F000001:1F90 CB007109:078F");
  expect(tableKey({ ...SIX, localAddress: "fe80::1%eth0" }, "BE")).toMatch(/^FE80/);
  expect(tableKey({ ...FOUR, remoteAddress: "nonsense" })).toBeUndefined();
  expect(tableKey({ ...FOUR, remoteAddress: "2001:db8::2" })).toBeUndefined();
});

test("waiting bytes are read of wanted connections that may still send, wherever the pieces are cut", () => {
  const text = [
    HEAD,
    line(0, "0100007F:1F90 00000000:0000", "0A", "00000000"),
    line(1, FOUR_KEY, "01", "00012C00"),
    line(2, "0100007F:1F91 097100CB:078F", "01", "00000001"),
    line(3, SIX_KEY, "08", "0000000A"),
    line(4, FOUR_KEY, "06", "00000099"),
    "garbage",
    ": : : :",
    "",
  ].join("\n");
  for (const size of [1, 7, 64, 1_000]) {
    const taken: [string, number][] = [];
    const table = new TcpTable(new Set([FOUR_KEY, SIX_KEY]), (key, { queuedBytes }) => taken.push([key, queuedBytes]));
    for (let at = 0; at < text.length; at += size) table.take(text.slice(at, at + size));
    expect(taken).toEqual([
      [FOUR_KEY, 76_800],
      [SIX_KEY, 10],
    ]);
  }
});

test("the kernel's timer and its unanswered probes distinguish a shut window of a peer whose TCP answers from a silent path", () => {
  const shut = (tail: string) => {
    const taken: boolean[] = [];
    const table = new TcpTable(new Set([FOUR_KEY]), (_key, { isWindowShut }) => taken.push(isWindowShut));
    table.take(`   7: ${FOUR_KEY} 01 0038D286:00000000 ${tail}\n`);
    return taken;
  };
  expect(shut("04:00000287 00000000     0        0 2323115 2 0 20 4 24 15 -1")).toEqual([true]);
  expect(shut("04:00000032 00000000  1000        1 2323115 2 0 20 4 24 15 -1")).toEqual([true]);
  expect(shut("04:00000032 00000000     0        2 2323115 2 0 20 4 24 15 -1")).toEqual([false]);
  expect(shut("01:00000019 00000005     0        0 2323115 2 0 20 4 24 15 -1")).toEqual([false]);
  expect(shut("00:00000000 00000000     0        0 2323115 2 0 20 4 24 15 -1")).toEqual([false]);
  expect(shut("04")).toEqual([false]);
  expect(shut("")).toEqual([false]);
});

test("retransmissions are read from their number, and not from the timer alone", () => {
  const resending = (tail: string) => {
    const taken: boolean[] = [];
    const table = new TcpTable(new Set([FOUR_KEY]), (_key, { isResending }) => taken.push(isResending));
    table.take(`   7: ${FOUR_KEY} 01 0038D286:00000000 ${tail}\n`);
    return taken;
  };
  expect(resending("01:00000019 00000000     0        0 2323115 2 0 20 4 24 15 -1")).toEqual([false]);
  expect(resending("01:00000019 00000001     0        0 2323115 2 0 20 4 24 15 -1")).toEqual([true]);
  expect(resending("01:00000019 0000000A     0        0 2323115 2 0 20 4 24 15 -1")).toEqual([true]);
  expect(resending("04:00000019 00000001     0        1 2323115 2 0 20 4 24 15 -1")).toEqual([false]);
  expect(resending("01:00000019 nonsense     0        0 2323115")).toEqual([false]);
  expect(resending("01")).toEqual([false]);
});

test("a table that never ends a line fills no memory", () => {
  const table = new TcpTable(new Set([FOUR_KEY]), () => undefined);
  for (let piece = 0; piece < 1_000; piece += 1) table.take("x".repeat(64 * 1024));
  table.take(`\n${line(0, FOUR_KEY, "01", "00000001")}\n`);
  expect.assertions(0);
});

/** A connection over loopback whose far end reads nothing. */
async function unread(): Promise<Socket> {
  const server = createServer((socket) => void socket.on("error", () => undefined).pause());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const socket = connect(address.port, "127.0.0.1");
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  return socket;
}

/** What is read of a connection once its window is shut. */
function readShut(queues: KernelQueues, socket: Socket, descriptor?: () => number | undefined): Promise<TcpReading> {
  const { localAddress = "", localPort = 0, remoteAddress = "", remotePort = 0 } = socket;
  return new Promise((resolve) => {
    const stop = queues.watch(
      { localAddress, localPort, remoteAddress, remotePort },
      {
        ...(descriptor === undefined ? {} : { descriptor }),
        begin: () => undefined,
        take: (reading) => {
          if (reading.queuedBytes === 0 || !reading.isWindowShut) return;
          stop();
          resolve(reading);
        },
      },
    );
  });
}

const NO_TABLES = { four: "/nowhere", six: "/nowhere" };

test.runIf(HAS_PROC)("a socket that is asked says what the system's own table says of it", async () => {
  const socket = await unread();
  socket.write(Buffer.alloc(8 * 1024 * 1024));
  const kernel = KernelSocket.of(socket);
  const byTable = () => readShut(new KernelQueues(systemClock), socket);
  const byCall = (descriptor = kernel?.descriptor) =>
    readShut(
      new KernelQueues(systemClock, { loadCalls: SystemCalls.load, tables: NO_TABLES }),
      socket,
      () => descriptor,
    );
  const byEither = (descriptor?: number) =>
    readShut(new KernelQueues(systemClock, { loadCalls: SystemCalls.load }), socket, () => descriptor);
  // The kernel takes bytes for a moment still.
  await expect.poll(async () => isDeepStrictEqual(await byCall(), await byTable())).toBe(true);
  const reading = await byTable();
  expect(reading.queuedBytes).toBeGreaterThan(10_000);
  // What has no number, or one that is not a socket's, is looked up in the table.
  for (const descriptor of [undefined, 0, 1_000_000]) expect(await byEither(descriptor)).toEqual(reading);
});

test("the table is read as it is at that time, and without one nothing is reported", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-tables-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const tables = { four: join(folder, "tcp"), six: join(folder, "tcp6") };
  await writeFile(tables.four, `${HEAD}\n${line(0, FOUR_KEY, "01", "0000000A")}\n`);
  const queues = new KernelQueues(systemClock, { tables });
  const taken: string[] = [];
  // The other table has no file.
  queues.watch(SIX, { begin: () => undefined, take: () => taken.push("missing") });
  const read = Promise.withResolvers<TcpReading>();
  queues.watch(FOUR, { begin: () => undefined, take: read.resolve });
  expect(await read.promise).toEqual({ queuedBytes: 10, isWindowShut: false, isResending: true });
  expect(taken).toEqual([]);
});

test("a server with thousands of connections, most of them over, keeps no target waiting for seconds", () => {
  const MIB = 1024 * 1024;
  const intervals = (isHurried: boolean) => [0.1, 0.9, 3, 8].map((mib) => readingIntervalMs(mib * MIB, isHurried));
  // A target that caught up after a pause got 16 KiB each two seconds, and lost whole groups because of that.
  expect(intervals(true)).toEqual([200, 450, 1_500, 2_000]);
  expect(intervals(false)).toEqual([1_000, 1_000, 1_500, 2_000]);
});
