import { createServer } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { machineError, nameNotResolved, socketError, tlsFailed } from "../../src/egress/link-errors.ts";
import { OpenError, openTcp } from "../../src/egress/open-socket.ts";
import { ResolveError } from "../../src/net/dns/resolver.ts";
import type { CheckedAddress } from "../../src/net/target-address.ts";
import { targetError } from "../../src/thread-protocol/targets/target-errors.ts";
import { dialerOf, dialWith, kitTarget, serve } from "../support/stages/dialling.ts";

const FOUR = { family: 4, port: 9 } as const;
/** Linux allows no TCP connection to it, whatever routes there are. */
const NOWHERE: CheckedAddress = { ...FOUR, address: "255.255.255.255" };

async function openError(addresses: readonly CheckedAddress[]): Promise<OpenError> {
  const error: unknown = await openTcp(addresses, systemClock, new AbortController().signal).catch((each) => each);
  if (error instanceof OpenError) return error;
  throw new Error("opened");
}

test("a connection that the kernel refuses to start is this server's trouble, with the address's family", async () => {
  const error = await openError([NOWHERE]);
  expect(error.trouble).toBe("no-route");
  expect(error.targetError).toEqual(targetError("server-no-route", "IPv4"));
  expect(error.targetError.code).toBe("SERVER_TROUBLE");
});

test("where another address replied, its error counts", async () => {
  const port = await serve(createServer());
  const closed: CheckedAddress = { ...FOUR, address: "127.0.0.2", port };
  for (const addresses of [
    [NOWHERE, closed],
    [closed, NOWHERE],
  ]) {
    const error = await openError(addresses);
    expect([error.trouble, error.targetError]).toEqual([undefined, targetError("connection-refused")]);
  }
});

test.each([
  ["EMFILE", "server-descriptors"],
  ["ENFILE", "server-descriptors"],
  ["ENOMEM", "server-memory"],
  ["ENOBUFS", "server-memory"],
] as const)("%s is this server's at every stage", (code, name) => {
  for (const stage of ["tcp", "handshake", "connect", "publish", "publishing"] as const) {
    expect(socketError(code, stage)).toEqual(targetError(name));
  }
  expect(tlsFailed(code)).toEqual(targetError(name));
});

test("later errors of the network stay the target's", () => {
  for (const code of ["EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"]) {
    expect(socketError(code, "tcp")).toEqual(targetError("connection-unanswered"));
    expect(socketError(code, "publishing")).toEqual(targetError("connection-lost"));
  }
});

test("the error of a name that could not be looked up says what was missing", () => {
  expect(nameNotResolved("failed", { host: "live.example.com", isPresetHost: false }, "descriptors")).toEqual(
    machineError("descriptors"),
  );
  expect(nameNotResolved("failed", { host: "live.example.com", isPresetHost: false })).toEqual(
    targetError("name-failed"),
  );
});

test("without a descriptor nothing is dialled, and the error says so, also for names", async () => {
  const target = await kitTarget();
  const troubles: string[] = [];
  let hasDescriptor = false;
  const resolver = {
    resolve: (host: string) =>
      host === "asked.example.com"
        ? Promise.reject(new ResolveError("failed", host, { trouble: "memory" }))
        : Promise.resolve(["127.0.0.1"]),
  };
  const dialer = dialerOf({
    resolver,
    onTrouble: (trouble) => troubles.push(trouble),
    takeDescriptor: () => hasDescriptor,
  });
  expect((await dialWith(dialer, target.url).outcome).error).toEqual(targetError("server-descriptors"));
  expect(target.connections).toEqual([]);
  hasDescriptor = true;
  expect((await dialWith(dialer, "rtmp://asked.example.com/live").outcome).error).toEqual(targetError("server-memory"));
  expect(troubles).toEqual(["descriptors", "memory"]);
  expect((await dialWith(dialer, target.url).outcome).error).toBeUndefined();
});
