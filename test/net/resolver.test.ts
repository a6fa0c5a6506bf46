import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Clock } from "../../src/base/clock.ts";
import { createResolver, ResolveError, type Resolver, type ResolverOptions } from "../../src/net/dns/resolver.ts";
import { type DnsServer, startDnsServer } from "./dns-server.ts";

const NEVER = new AbortController().signal;
const NO_HOSTS = "/nonexistent/hosts";

let dns: DnsServer;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "fanfare-hosts-"));
  dns = await startDnsServer({
    "both.example": { a: ["192.0.2.1", "192.0.2.2"], aaaa: ["2001:db8::1"] },
    "four.example": { a: ["192.0.2.3"] },
    "six.example": { aaaa: ["2001:db8::6"] },
    "twice.example": { a: ["192.0.2.9", "192.0.2.9"] },
    "nothing.example": {},
    "silent.example": { a: "silent", aaaa: "silent" },
    "half.example": { a: ["192.0.2.4"], aaaa: "silent" },
    "half-none.example": { a: [], aaaa: "silent" },
    "broken.example": { a: "servfail", aaaa: "servfail" },
    "half-broken.example": { a: "servfail", aaaa: ["2001:db8::7"] },
    "xn--bcher-kva.example": { a: ["192.0.2.5"] },
    "short.second.test": { a: ["192.0.2.20"] },
    "both.example.first.test": { a: ["192.0.2.21"] },
    "slow.first.test": { a: "silent", aaaa: "silent" },
    "slow.second.test": { a: ["192.0.2.22"] },
    "sick.first.test": { a: "servfail", aaaa: "servfail" },
    "sick.second.test": { a: ["192.0.2.23"] },
  });
});

afterAll(async () => {
  await dns.close();
  await rm(directory, { recursive: true });
});

function open(options: ResolverOptions = {}): Resolver {
  return createResolver({ servers: [dns.server], hostsPath: NO_HOSTS, resolvConfPath: NO_HOSTS, ...options });
}

async function faultOf(look: Promise<unknown>): Promise<string> {
  try {
    await look;
    return "resolved";
  } catch (error) {
    return error instanceof ResolveError ? error.fault : String(error);
  }
}

type ManualClock = Clock & {
  /** Fires the timer of that length, as soon as it has been started. */
  elapse(delayMs: number): Promise<void>;
};

/** Time that passes when the test says so. */
function manualClock(): ManualClock {
  const running = new Map<number, () => void>();
  const waiting = new Map<number, () => void>();
  let awakeMs = 0;
  return {
    now: () => 0,
    awakeNow: () => awakeMs,
    wallNow: () => 0,
    startTimer(delayMs, run) {
      running.set(delayMs, run);
      waiting.get(delayMs)?.();
      return { cancel: () => running.delete(delayMs) };
    },
    async elapse(delayMs) {
      if (!running.has(delayMs)) await new Promise<void>((resolve) => waiting.set(delayMs, resolve));
      awakeMs += delayMs;
      running.get(delayMs)?.();
    },
  };
}

test.each([
  ["both.example", ["192.0.2.1", "192.0.2.2", "2001:db8::1"]],
  ["four.example", ["192.0.2.3"]],
  ["six.example", ["2001:db8::6"]],
  ["twice.example", ["192.0.2.9"]],
  ["half-broken.example", ["2001:db8::7"]],
  ["xn--bcher-kva.example", ["192.0.2.5"]],
])("%s has its addresses of both families, IPv4 first, each once", async (name, addresses) => {
  expect(await open().resolve(name, NEVER)).toStrictEqual(addresses);
});

test("both families are looked up", async () => {
  const before = dns.queries.length;
  await open().resolve("both.example", NEVER);
  expect(dns.queries.slice(before).sort()).toStrictEqual(["A both.example", "AAAA both.example"]);
});

test.each([
  ["unknown.example", "not-found"],
  ["nothing.example", "not-found"],
  ["broken.example", "failed"],
])("%s is a fault of its own: %s", async (name, fault) => {
  expect(await faultOf(open().resolve(name, NEVER))).toBe(fault);
});

test("a server that never replies ends the look-up at the deadline", async () => {
  const clock = manualClock();
  const look = faultOf(open({ clock, timeoutMs: 5_000, queryTimeoutMs: 60_000 }).resolve("silent.example", NEVER));
  await clock.elapse(5_000);
  expect(await look).toBe("timeout");
});

test("the deadline is five seconds by default", async () => {
  const clock = manualClock();
  const look = faultOf(open({ clock }).resolve("silent.example", NEVER));
  await clock.elapse(5_000);
  expect(await look).toBe("timeout");
});

test("once one family has replied the other has only a moment", async () => {
  const clock = manualClock();
  const look = open({ clock, otherFamilyMs: 300, queryTimeoutMs: 60_000 }).resolve("half.example", NEVER);
  await clock.elapse(300);
  expect(await look).toStrictEqual(["192.0.2.4"]);
});

test("a family without addresses does not cut the other short", async () => {
  const clock = manualClock();
  const before = dns.queries.length;
  const look = faultOf(open({ clock, otherFamilyMs: 300, queryTimeoutMs: 60_000 }).resolve("half-none.example", NEVER));
  await dns.received(before + 2);
  await clock.elapse(5_000);
  expect(await look).toBe("timeout");
});

test("a missing server is a failure", async () => {
  const gone = await startDnsServer({});
  await gone.close();
  expect(await faultOf(open({ servers: [gone.server] }).resolve("four.example", NEVER))).toBe("failed");
});

test("an aborted look-up throws the signal's reason, and leaves others alone", async () => {
  const resolver = open({ queryTimeoutMs: 60_000 });
  const abort = new AbortController();
  const before = dns.queries.length;
  const aborted = resolver.resolve("silent.example", abort.signal);
  await dns.received(before + 2);
  const other = resolver.resolve("four.example", NEVER);
  abort.abort(new Error("cancelled"));
  await expect(aborted).rejects.toThrow("cancelled");
  expect(await other).toStrictEqual(["192.0.2.3"]);
  await expect(resolver.resolve("four.example", abort.signal)).rejects.toThrow("cancelled");
});

test.each([
  ["192.0.2.77", ["192.0.2.77"]],
  ["2001:db8::77", ["2001:db8::77"]],
  ["localhost", ["127.0.0.1", "::1"]],
  ["a.localhost", ["127.0.0.1", "::1"]],
])("%s needs no name server", async (host, addresses) => {
  const before = dns.queries.length;
  expect(await open().resolve(host, NEVER)).toStrictEqual(addresses);
  expect(dns.queries).toHaveLength(before);
});

test("the hosts file goes before DNS, and is read again when it has changed", async () => {
  const hostsPath = join(directory, "hosts");
  const resolver = open({ hostsPath });
  expect(await resolver.resolve("four.example", NEVER)).toStrictEqual(["192.0.2.3"]);

  await writeFile(
    hostsPath,
    "# comment\n192.0.2.50\tfour.example Alias.Example. # note\r\n\n2001:db8::50 four.example\n192.0.2.50 four.example\nnonsense other.example\n",
  );
  expect(await resolver.resolve("four.example", NEVER)).toStrictEqual(["192.0.2.50", "2001:db8::50"]);
  expect(await resolver.resolve("alias.example", NEVER)).toStrictEqual(["192.0.2.50"]);
  expect(await faultOf(resolver.resolve("other.example", NEVER))).toBe("not-found");
  expect(await faultOf(resolver.resolve("note", NEVER))).toBe("not-found");

  await writeFile(hostsPath, "192.0.2.51 four.example\n");
  expect(await resolver.resolve("four.example", NEVER)).toStrictEqual(["192.0.2.51"]);

  await rm(hostsPath);
  expect(await resolver.resolve("four.example", NEVER)).toStrictEqual(["192.0.2.3"]);
});

/** A resolver whose system completes names by this resolv.conf. */
async function searching(resolvConf: string, options: ResolverOptions = {}): Promise<Resolver> {
  const resolvConfPath = join(directory, "resolv.conf");
  await writeFile(resolvConfPath, resolvConf);
  return open({ resolvConfPath, ...options });
}

const askedSince = (before: number) =>
  dns.queries
    .slice(before)
    .filter((query) => query.startsWith("A "))
    .map((query) => query.slice(2));

test.each([
  ["search first.test second.test", "short", ["short.first.test", "short.second.test"], ["192.0.2.20"]],
  ["search first.test", "both.example", ["both.example"], ["192.0.2.1", "192.0.2.2", "2001:db8::1"]],
  ["search first.test\noptions ndots:2", "both.example", ["both.example.first.test"], ["192.0.2.21"]],
  ["search first.test\noptions ndots:2", "both.example.", ["both.example"], ["192.0.2.1", "192.0.2.2", "2001:db8::1"]],
  ["search first.test second.test", "sick", ["sick.first.test", "sick.second.test"], ["192.0.2.23"]],
])("with %j %s is looked up as %j", async (resolvConf, name, asked, addresses) => {
  const resolver = await searching(resolvConf);
  const before = dns.queries.length;
  expect(await resolver.resolve(name, NEVER)).toStrictEqual(addresses);
  expect(askedSince(before)).toStrictEqual(asked);
});

test("a name that exists in no domain of the search list is looked up unchanged last, and reported as unknown", async () => {
  const resolver = await searching("search first.test second.test\n");
  const before = dns.queries.length;
  expect(await faultOf(resolver.resolve("nowhere", NEVER))).toBe("not-found");
  expect(askedSince(before)).toStrictEqual(["nowhere.first.test", "nowhere.second.test", "nowhere"]);
});

test("a failure within the search list is reported, and one deadline is for all", async () => {
  expect(await faultOf((await searching("search first.test")).resolve("sick", NEVER))).toBe("failed");
  const clock = manualClock();
  const resolver = await searching("search first.test second.test", { clock, queryTimeoutMs: 60_000 });
  const look = faultOf(resolver.resolve("slow", NEVER));
  await clock.elapse(5_000);
  expect(await look).toBe("timeout");
});

test("a changed search list counts at once", async () => {
  const resolver = await searching("search first.test");
  expect(await faultOf(resolver.resolve("short", NEVER))).toBe("not-found");
  await writeFile(join(directory, "resolv.conf"), "search elsewhere.test second.test");
  expect(await resolver.resolve("short", NEVER)).toStrictEqual(["192.0.2.20"]);
});

test("the system looks up names that end in .local, because it may know multicast DNS", async () => {
  const asked: string[] = [];
  const askSystem = async (name: string) => {
    asked.push(name);
    if (name === "gone.local") throw Object.assign(new Error("no"), { code: "ENOTFOUND" });
    if (name === "sick.local") throw Object.assign(new Error("no"), { code: "EAI_AGAIN" });
    return ["192.0.2.30"];
  };
  const resolver = await searching("search first.test", { askSystem });
  const before = dns.queries.length;
  expect(await resolver.resolve("studio.local", NEVER)).toStrictEqual(["192.0.2.30"]);
  expect(await faultOf(resolver.resolve("gone.local", NEVER))).toBe("not-found");
  expect(await faultOf(resolver.resolve("sick.local", NEVER))).toBe("failed");
  expect(asked).toStrictEqual(["studio.local", "gone.local", "sick.local"]);
  expect(dns.queries).toHaveLength(before);
});

test("a system that hangs gets one name at a time, and each look-up ends at its deadline", async () => {
  const clock = manualClock();
  const asked: string[] = [];
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  const begun = Promise.withResolvers<void>();
  const resolver = open({
    clock,
    askSystem: (name) => {
      asked.push(name);
      begun.resolve();
      return promise;
    },
  });
  const first = faultOf(resolver.resolve("one.local", NEVER));
  await begun.promise;
  await clock.elapse(5_000);
  expect(await first).toBe("timeout");
  const second = faultOf(resolver.resolve("two.local", NEVER));
  await clock.elapse(5_000);
  expect(await second).toBe("timeout");
  expect(asked).toStrictEqual(["one.local"]);
  const third = resolver.resolve("three.local", NEVER);
  resolve(["192.0.2.31"]);
  expect(await third).toStrictEqual(["192.0.2.31"]);
  expect(asked).toStrictEqual(["one.local", "three.local"]);
});

test("an aborted look-up by the system is over at once", async () => {
  const abort = new AbortController();
  const look = open({ askSystem: () => new Promise(() => undefined) }).resolve("one.local", abort.signal);
  abort.abort(new Error("cancelled"));
  await expect(look).rejects.toThrow("cancelled");
});
