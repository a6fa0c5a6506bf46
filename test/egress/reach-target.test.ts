import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { reachTarget } from "../../src/egress/reach-target.ts";
import { parseCidrList } from "../../src/net/cidr-list.ts";
import { createResolver } from "../../src/net/dns/resolver.ts";
import { certificate, fingerprintOf } from "../support/stages/certificates.ts";

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

const reach = async (url: string, tls = {}, allowed = "127.0.0.0/8") => {
  const policy = { allowed: parseCidrList(allowed), ownHosts: [], ownPorts: [] };
  const deps = { clock: systemClock, resolver: createResolver(), policy, extraCa: "" };
  const reached = await reachTarget({ targetId: 1, url, tls }, deps, new AbortController().signal);
  return reached.stage === "failed" ? reached.error.code : reached;
};

test("a target is reached as far as a connection and TLS, and nothing is sent to it", async () => {
  let [connections, bytes] = [0, 0];
  const count = createTcpServer((socket) => {
    connections += 1;
    socket.on("error", () => undefined);
    socket.on("data", ({ length }) => {
      bytes += length;
    });
  });
  const port = await listening(count);
  expect(await reach(`rtmp://127.0.0.1:${port}/app`)).toEqual({ stage: "connected", address: "127.0.0.1", port });
  await expect.poll(() => connections).toBe(1);
  expect(bytes).toBe(0);
  expect(await reach("srt://127.0.0.1:8890")).toEqual({ stage: "resolved", address: "127.0.0.1", port: 8_890 });
  expect(await reach(`rtmp://127.0.0.1:${port}/app`, {}, "")).toBe("TARGET_FORBIDDEN");
  expect(connections).toBe(1);
});

test("TLS is tried with the target's own trust", async () => {
  const pair = certificate("127.0.0.1");
  const server = createTlsServer(pair);
  server.on("tlsClientError", () => undefined);
  const port = await listening(server);
  const url = `rtmps://127.0.0.1:${port}/app`;
  expect(await reach(url)).toBe("TLS_FAILED");
  expect(await reach(url, { ca: pair.cert })).toEqual({ stage: "secured", address: "127.0.0.1", port });
  expect(await reach(url, { fingerprint: fingerprintOf(pair).replaceAll(":", "").toLowerCase() })).toMatchObject({
    stage: "secured",
  });
});
