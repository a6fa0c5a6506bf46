import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildMetricsServer } from "../../../src/http/routes/health.ts";
import { HostNames } from "../../../src/http/server/host-names.ts";
import { HAS_PROC, openFilesBelow } from "../../support/processes/descriptors.ts";
import { certificate } from "../../support/stages/certificates.ts";
import { pourRecords } from "../../support/targets/one-byte-records.ts";
import { Api, type ApiOptions, CHANNELS } from "../api.ts";

/** No channel is on air. */
const NONE = { onAir: () => [] };

const quiet = () => undefined;
const SILENT = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** More than the kernel holds of a stream between a sender and a reader that reads nothing. */
const ASSET_BYTES = 32 * 1024 * 1024;
const REQUEST = "GET /assets/big.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

const folder = mkdtempSync(join(tmpdir(), "fanfare-guard-"));
beforeAll(() => {
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html>");
  writeFileSync(join(folder, "assets", "big.js"), Buffer.alloc(ASSET_BYTES, "x"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let api: Api;
let port = 0;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await api.close();
});

async function open(options: ApiOptions = {}): Promise<void> {
  api = await Api.open({ applicationFolder: folder, ...options });
  await api.server.listen({ host: "127.0.0.1", port: 0 });
  port = (api.server.server.address() as AddressInfo).port;
}

type Client = { readonly socket: Socket; readonly closed: Promise<unknown> };

/** Sends this and reads nothing. */
async function client(text: string, isTls = false): Promise<Client> {
  const options = { host: "127.0.0.1", port };
  const socket = isTls ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options);
  sockets.push(socket);
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, isTls ? "secureConnect" : "connect");
  socket.pause();
  socket.write(text);
  return { socket, closed };
}

/** The status of one request on a connection of its own, or that it was closed. */
async function status(path: string, headers: Record<string, string> = {}): Promise<string> {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const { socket, closed } = await client(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}\r\n`);
  socket.resume();
  const [answer] = await Promise.race([once(socket, "data"), closed.then(() => ["closed"])]);
  socket.destroy();
  return String(answer).slice(0, 12);
}

async function cuts(): Promise<Record<string, number>> {
  const text = await api.metrics.text();
  const found = text.matchAll(/^fanfare_api_connections_cut_total\{reason="([a-z-]+)"\} (\d+)$/gm);
  return Object.fromEntries([...found].map(([, reason, count]) => [reason, Number(count)]));
}

const seconds = (count: number) => {
  for (let each = 0; each < count; each += 1) api.clock.advance(1_000);
};

const connections = () =>
  new Promise<number>((resolve) => api.server.server.getConnections((_error, count) => resolve(count)));

describe.each([
  ["HTTP", false],
  ["HTTPS", true],
])("over %s", (_name, isTls) => {
  const start = () => open(isTls ? { tls: pair() } : {});

  test.runIf(HAS_PROC)(
    "an asset that is not read holds no descriptor, and its connection is cut after 10 s without progress",
    async () => {
      await start();
      const { socket, closed } = await client(REQUEST.repeat(4), isTls);
      await once(socket.resume(), "data");
      socket.pause();
      expect(openFilesBelow(folder)).toEqual([]);
      seconds(10);
      expect(await connections()).toBe(1);
      seconds(2);
      await expect.poll(connections).toBe(0);
      expect(await cuts()).toEqual({ "not-reading": 1 });
      socket.destroy();
      await closed;
    },
  );

  test("a connection that reads slowly is not cut, whatever time that takes", async () => {
    await start();
    const came = once(api.server.server, isTls ? "secureConnection" : "connection");
    const { socket } = await client(REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"), isTls);
    const [ours]: Socket[] = await came;
    const taken = () => (ours?.bytesWritten ?? 0) - (ours?.writableLength ?? 0);
    let read = 0;
    let takenBefore = 0;
    socket.on("data", (part: Buffer) => {
      read += part.length;
      if (taken() > takenBefore) socket.pause();
    });
    const ended = once(socket, "end");
    for (let step = 0; step < 4; step += 1) {
      socket.resume();
      await expect.poll(taken).toBeGreaterThan(takenBefore);
      takenBefore = taken();
      seconds(9);
    }
    takenBefore = Number.POSITIVE_INFINITY;
    socket.resume();
    await ended;
    expect([read > ASSET_BYTES, await cuts()]).toEqual([true, {}]);
  });
});

function pair() {
  const { cert, key } = certificate("127.0.0.1");
  return { cert, key };
}

describe("TLS without payload", () => {
  /** The server's socket, under TLS. */
  async function secure(text: string): Promise<Client & { readonly bytesBelow: () => number }> {
    const came = once(api.server.server, "connection");
    const opened = await client(text, true);
    const [below]: Socket[] = await came;
    return { ...opened, bytesBelow: () => below?.bytesRead ?? 0 };
  }

  test("a byte in each record is cut within a tenth of a second", async () => {
    await open({ tls: pair() });
    const { socket, bytesBelow, closed } = await secure("GET /livez HTTP/1.1\r\nX-A: ");
    await pourRecords(socket, Buffer.alloc(3_000, "a"));
    await expect.poll(bytesBelow).toBeGreaterThan(66_000);
    api.clock.advance(100);
    await closed;
    expect(await cuts()).toEqual({ "empty-tls": 1 });
  });

  test("also before its handshake has come to an end", async () => {
    await open({ tls: pair() });
    const came = once(api.server.server, "connection");
    const socket = connect({ host: "127.0.0.1", port });
    sockets.push(socket);
    socket.on("error", () => undefined);
    const closed = once(socket, "close");
    const [below]: Socket[] = await came;
    // A ClientHello of 64 KiB, of which each record brings two bytes.
    socket.write(Buffer.from("16030100040100fffc", "hex"));
    const piece = Buffer.from("1603010002abab", "hex");
    socket.write(Buffer.alloc(piece.length * 8_000, piece));
    socket.resume();
    await expect.poll(() => below?.bytesRead).toBeGreaterThan(50_000);
    api.clock.advance(100);
    await closed;
    expect(await cuts()).toEqual({ "empty-tls": 1 });
  });

  test("a long body, and a request in pieces of sixteen bytes, are read", async () => {
    await open({ tls: pair() });
    const length = 1_500_000;
    const { socket, bytesBelow } = await secure(
      `POST /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${length}\r\n\r\n`,
    );
    socket.resume();
    expect(String((await once(socket, "data"))[0])).toContain("404 Not Found");
    socket.write("x".repeat(length));
    await expect.poll(bytesBelow).toBeGreaterThan(length);
    api.clock.advance(100);
    const request = `GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ${"a".repeat(15_000)}\r\n\r\n`;
    const answered = once(socket, "data");
    for (let at = 0; at < request.length; at += 16) {
      await new Promise<void>((resolve) => socket.write(request.slice(at, at + 16), () => resolve()));
    }
    api.clock.advance(100);
    expect(String((await answered)[0])).toContain("200 OK");
    expect(await cuts()).toEqual({});
  });
});

test("a connection has eight requests under way, and a ninth closes it", async () => {
  await open();
  const eight = await client(REQUEST.repeat(8));
  const nine = await client(REQUEST.repeat(9));
  await nine.closed;
  expect([eight.socket.closed, await cuts()]).toEqual([false, { "too-many-requests": 1 }]);
  expect(await status("/livez")).toBe("HTTP/1.1 200");
});

test("requests one after the other are not counted together", async () => {
  await open();
  const { socket } = await client("");
  socket.resume();
  for (let count = 0; count < 20; count += 1) {
    socket.write("GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await once(socket, "data");
  }
  expect(await cuts()).toEqual({});
});

describe("bytes that are poured after a request are not read to their end", () => {
  const head = (line: string) => `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\n`;
  test.each([
    ["a body in pieces where there is nothing", `${head("POST /nothing")}Transfer-Encoding: chunked\r\n\r\n`],
    [
      "a body in pieces for a call without credentials",
      `${head(`POST ${CHANNELS}`)}Transfer-Encoding: chunked\r\n\r\n`,
    ],
    ["a body in pieces after a GET", `${head("GET /livez")}Transfer-Encoding: chunked\r\n\r\n`],
    ["a body of a terabyte", `${head("POST /nothing")}Content-Length: 1000000000000\r\n\r\n`],
    ["another protocol", `${head("GET /livez")}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`],
  ])("%s", async (_name, text) => {
    await open();
    const { socket, closed } = await client(text);
    socket.resume();
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1\.1 \d{3} .*\r\nconnection: close\r\n/is);
    await closed;
    await expect.poll(connections).toBe(0);
  });

  test("except a body that comes to its end soon, whose connection is kept", async () => {
    await open();
    const length = 1_500_000;
    const { socket } = await client(`${head("POST /nothing")}Content-Length: ${length}\r\n\r\n`);
    socket.resume();
    expect(String((await once(socket, "data"))[0])).toContain("404 Not Found");
    socket.write(`${"x".repeat(length)}${head("GET /livez")}\r\n`);
    expect(String((await once(socket, "data"))[0])).toContain("200 OK");
  });
});

test("half requests keep no client out: the oldest makes room, an event stream stays", async () => {
  await open({ limits: { places: { connectionsMax: 5 } } });
  const stream = CHANNELS.replace("channels", "events/stream");
  const signed = Object.entries(api.signedHeaders("GET", stream)).map(([name, value]) => `${name}: ${value}\r\n`);
  const reader = await client(`GET ${stream} HTTP/1.1\r\nHost: 127.0.0.1\r\n${signed.join("")}\r\n`);
  await expect.poll(() => api.live.readerCount).toBe(1);
  const half: Client[] = [];
  for (let count = 0; count < 4; count += 1) half.push(await client("GET / HTTP/1.1\r\nX-A: "));
  await expect.poll(connections).toBe(5);
  expect(await status("/livez")).toBe("HTTP/1.1 200");
  await half[0]?.closed;
  expect(await status(CHANNELS, api.signedHeaders("GET", CHANNELS))).toBe("HTTP/1.1 200");
  expect([reader.socket.closed, half[3]?.socket.closed, api.live.readerCount]).toEqual([false, false, 1]);
});

test("a client whose request cannot be read, and that leaves its side open, is closed", async () => {
  await open();
  const silent = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  sockets.push(silent);
  silent.on("error", () => undefined);
  silent.write("no HTTP\r\n\r\n");
  silent.resume();
  await once(silent, "end");
  seconds(4);
  expect(await connections()).toBe(1);
  seconds(3);
  await expect.poll(connections).toBe(0);
  expect(await cuts()).toEqual({ "half-closed": 1 });
});

test("the metrics' own port has the same bounds", async () => {
  await open({ areMetricsHere: false });
  const own = buildMetricsServer({
    source: api.metrics,
    onAir: NONE,
    clock: api.clock,
    log: SILENT,
    hosts: new HostNames([]),
  });
  await own.listen({ host: "127.0.0.1", port: 0 });
  port = (own.server.address() as AddressInfo).port;
  const { closed } = await client("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(9));
  await closed;
  expect(await status("/metrics")).toBe("HTTP/1.1 200");
  expect(await cuts()).toEqual({ "too-many-requests": 1 });
  await own.close();
});
