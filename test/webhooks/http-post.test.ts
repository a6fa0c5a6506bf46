import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createServer as createHttp, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer as createTcp } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { AddressPolicy } from "../../src/net/address-check.ts";
import { parseCidrList } from "../../src/net/cidr-list.ts";
import { ResolveError, type Resolver } from "../../src/net/dns/resolver.ts";
import { createHttpPost } from "../../src/webhooks/http-post.ts";
import { certificate } from "../support/stages/certificates.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const LOOPBACK_ALLOWED: AddressPolicy = { allowed: parseCidrList("127.0.0.0/8"), ownPorts: [], ownHosts: [] };
const NOTHING_ALLOWED: AddressPolicy = { ...LOOPBACK_ALLOWED, allowed: [] };

/** Resolves every name to this machine. */
const resolver: Resolver = { resolve: async (host) => [/^[\d.]+$/.test(host) ? host : "127.0.0.1"] };

type Options = { readonly policy?: AddressPolicy; readonly resolver?: Resolver; readonly clock?: VirtualClock };

function send(url: string, options: Options = {}, signal = new AbortController().signal) {
  const post = createHttpPost({ clock: systemClock, resolver, policy: LOOPBACK_ALLOWED, ...options });
  return post({ url, headers: { "content-type": "application/json", "webhook-id": "evt_1" }, body: '{"é":1}' }, signal);
}

async function listen(server: Server | ReturnType<typeof createTcp>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function receiver(answer: RequestListener) {
  const seen: { readonly request: IncomingMessage; readonly body: string }[] = [];
  const server = createHttp((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      seen.push({ request, body: Buffer.concat(chunks).toString() });
      answer(request, response);
    });
  });
  onTestFinished(() => void server.closeAllConnections());
  const port = await listen(server);
  return { seen, port };
}

test("a message is posted whole, with its headers, to path and query, under the name's own Host", async () => {
  const { seen, port } = await receiver((_request, response) => response.writeHead(204).end());
  expect(await send(`http://Hooks.Example.com:${port}/a%20b?token=x&y`)).toEqual({ status: 204 });
  expect(seen).toHaveLength(1);
  const [{ request, body } = { request: undefined, body: "" }] = seen;
  expect(body).toBe('{"é":1}');
  expect(request?.method).toBe("POST");
  expect(request?.url).toBe("/a%20b?token=x&y");
  expect(request?.headers).toMatchObject({
    host: `hooks.example.com:${port}`,
    "content-type": "application/json",
    "content-length": "8",
    "webhook-id": "evt_1",
  });
});

test.each([200, 301, 307, 404, 410, 503])(
  "an answer of %i is the result, and a redirect is not followed",
  async (status) => {
    const { seen, port } = await receiver((_request, response) => {
      response.writeHead(status, { location: "/elsewhere" }).end("text");
    });
    expect(await send(`http://127.0.0.1:${port}/`)).toEqual({ status });
    expect(seen.map(({ request }) => request.url)).toEqual(["/"]);
  },
);

test("an address that is not allowed is never connected to, whatever name leads there", async () => {
  const connections: unknown[] = [];
  const port = await listen(createTcp((socket) => void connections.push(socket.destroy())));
  for (const host of ["127.0.0.1", "localhost", "hooks.example.com", "127.1", "2130706433", "[::ffff:127.0.0.1]"]) {
    expect(await send(`http://${host}:${port}/`, { policy: NOTHING_ALLOWED }), host).toEqual({
      problem: "ADDRESS_FORBIDDEN",
    });
  }
  expect(connections).toEqual([]);
});

test("our own ports and ports of inner services are not connected to, though the network is allowed", async () => {
  const { seen, port } = await receiver((_request, response) => response.end());
  const policy = { ...LOOPBACK_ALLOWED, ownPorts: [port] };
  expect(await send(`http://127.0.0.1:${port}/`, { policy })).toEqual({ problem: "ADDRESS_FORBIDDEN" });
  expect(await send("http://127.0.0.1:6379/")).toEqual({ problem: "ADDRESS_FORBIDDEN" });
  expect(await send("http://127.0.0.1:22/")).toEqual({ problem: "ADDRESS_FORBIDDEN" });
  expect(seen).toEqual([]);
});

test("an address that our public name leads to is our own, on a port of ours", async () => {
  // No program listens there, and elsewhere it is refused as well: the requested name tells them apart.
  const asked: string[] = [];
  const resolver: Resolver = {
    resolve: async (host) => {
      asked.push(host);
      return ["198.51.100.7"];
    },
  };
  const policy = { ...LOOPBACK_ALLOWED, allowed: parseCidrList("198.51.100.0/24"), ownPorts: [8_443] };
  const ours = { ...policy, ownHosts: ["ingest.example"] };
  expect(await send("http://hooks.example.com:8443/", { policy: ours, resolver })).toEqual({
    problem: "ADDRESS_FORBIDDEN",
  });
  expect(asked.sort()).toEqual(["hooks.example.com", "ingest.example"]);
});

test("the checked address is the one connected to: the name is looked up once", async () => {
  const { seen, port } = await receiver((_request, response) => response.end());
  let count = 0;
  const rebinding: Resolver = {
    resolve: async () => {
      count += 1;
      return [count === 1 ? "127.0.0.1" : "127.0.0.99"];
    },
  };
  expect(await send(`http://hooks.example.com:${port}/`, { resolver: rebinding })).toEqual({ status: 200 });
  expect([seen.length, count]).toEqual([1, 1]);
});

test("one forbidden address among several forbids the name", async () => {
  const mixed: Resolver = { resolve: async () => ["127.0.0.1", "10.0.0.1"] };
  expect(await send("http://hooks.example.com/", { resolver: mixed })).toEqual({ problem: "ADDRESS_FORBIDDEN" });
});

test("of several addresses one that takes the connection is enough", async () => {
  const { port } = await receiver((_request, response) => response.end());
  const both: Resolver = { resolve: async () => ["127.0.0.9", "127.0.0.1"] };
  expect(await send(`http://hooks.example.com:${port}/`, { resolver: both })).toEqual({ status: 200 });
});

test("a name without addresses, a closed port, a cut connection and another protocol have different reasons", async () => {
  const unknown: Resolver = { resolve: () => Promise.reject(new ResolveError("not-found", "x")) };
  expect(await send("http://hooks.example.com/", { resolver: unknown })).toEqual({ problem: "DNS_FAILED" });
  const closed = await listen(createTcp((socket) => socket.destroy()));
  expect(await send(`http://127.0.0.1:${closed}/`)).toEqual({ problem: "CONNECTION_FAILED" });
  const foreign = await listen(createTcp((socket) => socket.end("SSH-2.0-OpenSSH\r\n")));
  expect(await send(`http://127.0.0.1:${foreign}/`)).toEqual({ problem: "ANSWER_UNREADABLE" });
  expect(await send(`https://127.0.0.1:${foreign}/`)).toEqual({ problem: "TLS_FAILED" });
});

test("an answer that switches protocols is an answer, and one that never comes is none", async () => {
  const switching = await listen(
    createTcp((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
      });
      socket.on("error", () => undefined);
    }),
  );
  expect(await send(`http://127.0.0.1:${switching}/`)).toEqual({ status: 101 });
  const mute = await listen(createTcp((socket) => void socket.once("data", () => socket.end())));
  expect(await send(`http://127.0.0.1:${mute}/`)).toEqual({ problem: "CONNECTION_FAILED" });
});

test("a receiver that takes longer than 10 s, before or after the head of the answer, is given up", async () => {
  const clock = new VirtualClock();
  const silent = await receiver(() => clock.advance(10_000));
  expect(await send(`http://127.0.0.1:${silent.port}/`, { clock })).toEqual({ problem: "TIMEOUT" });
  // Once its head is there the answer is known, though its body never ends.
  const slow = await receiver((_request, response) => void response.writeHead(200).write("a"));
  const onHead = () => void setImmediate(() => clock.advance(10_000));
  subscribe("http.client.response.finish", onHead);
  onTestFinished(() => void unsubscribe("http.client.response.finish", onHead));
  expect(await send(`http://127.0.0.1:${slow.port}/`, { clock })).toEqual({ status: 200 });
  const stuck: Resolver = {
    resolve: (_host, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        clock.advance(10_000);
      }),
  };
  expect(await send("http://hooks.example.com/", { clock, resolver: stuck })).toEqual({ problem: "TIMEOUT" });
});

test("no more than 64 KiB of an answer is read", async () => {
  let written = 0;
  const { port } = await receiver((_request, response) => {
    const chunk = Buffer.alloc(64 * 1024);
    const more = () => {
      if (response.destroyed) return;
      written += chunk.length;
      response.write(chunk, more);
    };
    response.on("error", () => undefined);
    more();
  });
  expect(await send(`http://127.0.0.1:${port}/`)).toEqual({ status: 200 });
  // Far below what an endless answer would have been; the sockets' own buffers hold some.
  expect(written).toBeLessThan(64 * 1024 * 1024);
});

test("an end of the process breaks it off, without a result", async () => {
  const closing = new AbortController();
  const { port } = await receiver(() => closing.abort());
  expect(await send(`http://127.0.0.1:${port}/`, {}, closing.signal)).toBeUndefined();
  expect(await send(`http://127.0.0.1:${port}/`, {}, closing.signal)).toBeUndefined();
});

test("a certificate without a known authority is refused, and TLS names a host name, but no address", async () => {
  const names: (string | undefined)[] = [];
  const server = createHttps({
    ...certificate("hooks.example.com"),
    SNICallback: (name, done) => {
      names.push(name);
      done(null);
    },
  });
  const port = await listen(server);
  expect(await send(`https://hooks.example.com:${port}/`)).toEqual({ problem: "TLS_FAILED" });
  expect(await send(`https://127.0.0.1:${port}/`)).toEqual({ problem: "TLS_FAILED" });
  expect(names).toEqual(["hooks.example.com"]);
});
