import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, connect as dial, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { afterEach, expect, test } from "vitest";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import type { Log } from "../../src/base/log.ts";
import { readNatsAddress } from "../../src/cluster/nats-address.ts";
import { type NatsBus, type NatsBusOptions, openNatsBus } from "../../src/cluster/nats-bus.ts";
import { probeNats } from "../../src/cluster/nats-probe.ts";
import { ClusterLiveState } from "../../src/cluster/state/cluster-live-state.ts";
import type { Bus, BusMessage } from "../../src/control/ports/bus.ts";
import { freePort } from "../support/processes/free-port.ts";
import { NatsServer } from "../support/processes/nats-server.ts";
import { waitFor } from "../support/processes/waiting.ts";

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
/** Waits of the bus end ten times sooner. */
const quickClock: Clock = { ...systemClock, startTimer: (ms, run) => systemClock.startTimer(ms / 10, run) };
const WAIT_MS = 5_000;
/** What is refused is tried again after this long. */
const REFUSED_AGAIN_MS = 5_000;
/** Two pings without a reply, by the design's figure, and a new connection. */
const HALF_OPEN_MS = 9_000;

const opened: { close(): Promise<void> }[] = [];
const servers: NatsServer[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  for (const server of servers.splice(0)) await server.kill();
});

async function newServer(...args: readonly string[]): Promise<NatsServer> {
  const server = await NatsServer.start(...args);
  servers.push(server);
  return server;
}

async function newBus(url: string, cluster = "house", others: Partial<NatsBusOptions> = {}): Promise<NatsBus> {
  const bus = await openNatsBus({
    ...{ address: readNatsAddress(url), cluster, clientName: "test", clock: systemClock, log, random: Math.random },
    ...others,
  });
  opened.push(bus);
  return bus;
}

/** A file of settings for a server, which may be changed. */
async function newConfig(text: string): Promise<{ readonly path: string; change(text: string): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "nats-"));
  opened.push({ close: () => rm(folder, { recursive: true }) });
  const path = join(folder, "nats.conf");
  const change = (changed: string) => writeFile(path, changed);
  await change(text);
  return { path, change };
}

/** A log that keeps its errors and warnings, each as its sentence and its fields. */
function keptLog(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const keep: Log["warn"] = (event, fields) => void lines.push(`${event} ${JSON.stringify(fields ?? {})}`);
  return { log: { ...log, warn: keep, error: keep }, lines };
}

/** Collects what a bus hears. A message comes through once `flushed` with a later one that was heard. */
function heardBy(bus: Bus, pattern: string): { readonly subject: string; readonly message: BusMessage }[] {
  const heard: { readonly subject: string; readonly message: BusMessage }[] = [];
  bus.subscribe(pattern, (message, subject) => void heard.push({ subject, message }));
  return heard;
}

const connected = (bus: Bus, isConnected: boolean) =>
  waitFor(`connected: ${isConnected}`, HALF_OPEN_MS, () => (bus.isConnected === isConnected ? true : undefined));

/** Asks until it is answered: the other side's subscriptions may still be under way. */
const asked = (bus: Bus, subject: string) =>
  waitFor("a reply", WAIT_MS, async () => {
    const reply = await bus.request(subject, {}, 500);
    return reply.kind === "reply" ? reply.message : undefined;
  });

test("nodes of one cluster hear each other, not themselves, and not another cluster", async () => {
  const { url } = await newServer();
  const [first, second, stranger] = [await newBus(url), await newBus(url), await newBus(url, "other")];
  const [own, heard, strange] = [first, second, stranger].map((bus) => heardBy(bus, "node.*.hb"));
  second.serve("node.2.rpc", async () => ({ ok: 1 }));
  expect(await asked(first, "node.2.rpc")).toEqual({ ok: 1 });

  expect(first.publish("node.1.hb", { load: 0.5 })).toBe(true);
  // The reply comes after the message: NATS keeps the order of one connection to another.
  await first.request("node.2.rpc", {}, WAIT_MS);
  expect(heard).toEqual([{ subject: "node.1.hb", message: { load: 0.5 } }]);
  expect(own).toEqual([]);
  expect(strange).toEqual([]);
  expect(await stranger.request("node.2.rpc", {}, WAIT_MS)).toEqual({ kind: "none", why: "no-responders" });
});

test("a request that nobody serves is refused at once, and one without an answer times out", async () => {
  const { url } = await newServer();
  const [first, second] = [await newBus(url), await newBus(url)];
  second.serve("mute", async () => undefined);
  second.serve("broken", () => Promise.reject(new Error("a mistake")));
  second.serve("works", async (message) => ({ doubled: [message, message] }));
  await waitFor("the last subscription", WAIT_MS, async () =>
    (await first.request("works", {}, 500)).kind === "reply" ? true : undefined,
  );
  expect(await first.request("nothing", {}, WAIT_MS)).toEqual({ kind: "none", why: "no-responders" });
  expect(await first.request("mute", {}, 50)).toEqual({ kind: "none", why: "timed-out" });
  expect(await first.request("broken", {}, 50)).toEqual({ kind: "none", why: "timed-out" });
  const message = { doubled: [{ a: 1 }, { a: 1 }] };
  expect(await first.request("works", { a: 1 }, WAIT_MS)).toEqual({ kind: "reply", message });
});

test("a message over 64 KiB is not sent, and foreign bytes are not taken", async () => {
  const { url } = await newServer();
  const [first, second] = [await newBus(url), await newBus(url)];
  const heard = heardBy(second, "claim");
  second.serve("ready", async () => ({}));
  await asked(first, "ready");
  const foreign = await connect({ servers: url });
  const subject = "fanfare.house.v1.claim";
  const over = JSON.stringify({ text: "x".repeat(64 * 1024) });
  for (const bytes of ["", "{", "[1]", "null", "7", '"text"', over, Uint8Array.of(0x7b, 0xff, 0x7d)]) {
    foreign.publish(subject, bytes);
  }
  foreign.publish(subject, '{"channel":"ls-1","unknown":{"a":[]}}');
  await foreign.flush();
  await foreign.close();

  const text = "x".repeat(64 * 1024 - '{"text":""}'.length);
  expect(first.publish("claim", { text: `${text}x` })).toBe(false);
  expect(first.publish("claim", { text })).toBe(true);
  await waitFor("the longest message", WAIT_MS, () => (heard.length > 1 ? true : undefined));
  expect(heard.map(({ message }) => message)).toEqual([{ channel: "ls-1", unknown: { a: [] } }, { text }]);
});

test("after a killed server comes back the nodes hear each other again; nothing was kept meanwhile", async () => {
  const server = await newServer();
  const [first, second] = [await newBus(server.url), await newBus(server.url)];
  const heard = heardBy(second, "node.*.state");
  second.serve("ready", async () => ({}));
  const changes: boolean[] = [];
  first.onConnection((isConnected) => void changes.push(isConnected));
  await asked(first, "ready");

  await server.kill();
  await Promise.all([connected(first, false), connected(second, false)]);
  expect(first.publish("node.1.state", { no: 1 })).toBe(false);
  expect(await first.request("ready", {}, WAIT_MS)).toEqual({ kind: "none", why: "disconnected" });
  await server.resume();
  await Promise.all([connected(first, true), connected(second, true)]);
  await asked(first, "ready");
  expect(first.publish("node.1.state", { no: 2 })).toBe(true);
  await first.request("ready", {}, WAIT_MS);
  expect(heard).toEqual([{ subject: "node.1.state", message: { no: 2 } }]);
  expect(changes).toEqual([false, true]);
});

test("a server that stands still is left for another one", async () => {
  const [first, second] = [await newServer(), await newServer()];
  const bus = await newBus(first.url);
  const address = `${first.url},${second.url}`;
  const moving = await newBus(address);
  first.freeze();
  await waitFor("the other server", HALF_OPEN_MS, () =>
    moving.serverInUse?.endsWith(`:${second.port}`) ? true : undefined,
  );
  await connected(bus, false);
  first.wake();
  await connected(bus, true);
});

test("a start without a server goes on, and the bus is there once the server is", async () => {
  const port = await freePort();
  const { log, lines } = keptLog();
  const bus = await newBus(`nats://127.0.0.1:${port}`, "house", { log, clock: quickClock });
  expect(bus.isConnected).toBe(false);
  expect(lines).toEqual([`no connection to NATS yet: trying on {"servers":"127.0.0.1:${port}"}`]);
  await waitFor(
    "the reason",
    WAIT_MS,
    () => lines.some((line) => /^NATS cannot be used .*refused/i.test(line)) || undefined,
  );
  const heard = heardBy(bus, "claim");
  const server = await newServer("-p", `${port}`);
  await connected(bus, true);
  const other = await newBus(`nats://127.0.0.1:${port}`);
  bus.serve("ready", async () => ({}));
  await asked(other, "ready");
  other.publish("claim", { epoch: 3 });
  await other.request("ready", {}, WAIT_MS);
  expect(heard).toEqual([{ subject: "claim", message: { epoch: 3 } }]);
  expect(server.port).not.toBe(port);
});

test("a refused login ends the start with a sentence, and a right one passes", async () => {
  const { port } = await newServer("--user", "node", "--pass", "a secret");
  await expect(newBus(`nats://node:wrong@127.0.0.1:${port}`)).rejects.toThrow(
    /^a NATS server refuses the login \(.*\)\.$/,
  );
  const bus = await newBus(`nats://node:a%20secret@127.0.0.1:${port}`);
  expect(bus.isConnected).toBe(true);
  // The doctor says the same of it.
  expect(await probeNats(readNatsAddress(`nats://node:a%20secret@127.0.0.1:${port}`))).toBe(`127.0.0.1:${port}`);
  await expect(probeNats(readNatsAddress(`nats://node:wrong@127.0.0.1:${port}`))).rejects.toThrow(/authorization/i);
});

/** A way to a port that can be cut, with the connections on it. */
async function openWay(toPort: number): Promise<{ readonly port: number; set(isCut: boolean): void }> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const listener = createServer((near) => {
    const far = dial(toPort, "127.0.0.1");
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one
        .on("error", () => undefined)
        .on("close", () => {
          sockets.delete(one);
          other.destroy();
        });
      one.pipe(other);
    }
    if (isCut) near.destroy();
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const close = () => {
    for (const socket of sockets) socket.destroy();
  };
  opened.push({
    close: async () => {
      close();
      listener.close();
    },
  });
  return {
    port: (listener.address() as AddressInfo).port,
    set: (cut) => {
      isCut = cut;
      if (cut) close();
    },
  };
}

test("a server that is cut off from the others keeps its client, which then hears no other node", async () => {
  const routePort = await freePort();
  const name = ["--cluster_name", "split", "--cluster"];
  const first = await newServer(...name, `nats://127.0.0.1:${routePort}`, "--no_advertise");
  const way = await openWay(routePort);
  const routes = ["--routes", `nats://127.0.0.1:${way.port}`, "--no_advertise"];
  const second = await newServer(...name, `nats://127.0.0.1:${await freePort()}`, ...routes);
  const [bus, other] = [await newBus(first.url), await newBus(second.url)];
  const state = new ClusterLiveState({
    ...{ self: 1, bus, clock: systemClock, log, nodeState: () => "serving", hasReaders: () => false },
    ...{ onNew: () => undefined },
    ...{ onChanged: () => undefined, onSamples: () => undefined },
  });
  state.start();
  const load = { channels: 0, egressBitsPerSecond: 0, loopDelayMs: 0, relayed: 0 };
  const beat = setInterval(
    () => other.publish("node.2.hb", { nodeId: "n2", state: "serving", version: "1", no: 0, load }),
    200,
  );
  const connections: boolean[] = [];
  bus.onConnection((isConnected) => void connections.push(isConnected));
  const heard = (isHeard: boolean) =>
    waitFor(`heard: ${isHeard}`, 3 * WAIT_MS, () => (state.isHeard(2) === isHeard ? true : undefined));
  try {
    await heard(true);
    way.set(true);
    await heard(false);
    expect([bus.isConnected, other.isConnected]).toEqual([true, true]);
    expect(await bus.request("nobody", {}, WAIT_MS)).toEqual({ kind: "none", why: "no-responders" });
    way.set(false);
    await heard(true);
    // Nothing told the client.
    expect(connections).toEqual([]);
  } finally {
    clearInterval(beat);
    state.stop();
  }
});

test("a reply may be as long as a broadcast of a hundred targets, and a message may not", async () => {
  const { url } = await newServer();
  const [first, second] = [await newBus(url), await newBus(url)];
  // Targets that were interrupted as often as a report remembers.
  const list = Array.from({ length: 50 }, (_, no) => ({
    time: 1.8e12 + no,
    durationMs: 12_345,
    reason: "TCP_TIMEOUT",
  }));
  const targets = Array.from({ length: 100 }, (_, targetId) => ({ targetId, interruptions: { list, count: 50 } }));
  second.serve("node.2.rpc", async () => ({ targets }));
  expect(await asked(first, "node.2.rpc")).toEqual({ targets });
  expect(first.publish("node.1.state", { targets })).toBe(false);
});

test("a server that takes short messages alone gets those; longer ones are not sent, and that is told once", async () => {
  const { path } = await newConfig("max_payload: 1024");
  const { url } = await newServer("-c", path);
  const { log, lines } = keptLog();
  const [first, second] = [await newBus(url, "house", { log }), await newBus(url)];
  const heard = heardBy(second, "node.*.state");
  second.serve("node.2.rpc", async (message) => message);
  await asked(first, "node.2.rpc");
  const long = { text: "x".repeat(2_000) };
  expect([first.publish("node.1.state", long), first.publish("node.1.state", long)]).toEqual([false, false]);
  expect(await first.request("node.2.rpc", long, WAIT_MS)).toEqual({ kind: "none", why: "disconnected" });
  expect(first.publish("node.1.state", { no: 1 })).toBe(true);
  expect(await first.request("node.2.rpc", { no: 2 }, WAIT_MS)).toEqual({ kind: "reply", message: { no: 2 } });
  expect(heard).toEqual([{ subject: "node.1.state", message: { no: 1 } }]);
  const about = { subject: "node.1.state", bytes: 2_011, maxPayload: 1_024 };
  expect(lines).toEqual([
    `the NATS server takes no messages of this length: raise its max_payload ${JSON.stringify(about)}`,
  ]);
});

test("what a server refused to a node it gets once the permissions allow it, and what it refuses is told once", async () => {
  const may = (subjects: string) => `authorization { users: [
    { user: "node", password: "secret", permissions: { ${subjects} } }, { user: "other", password: "secret" } ] }`;
  const config = await newConfig(may('subscribe: { deny: "fanfare.house.v1.claim" }, publish: { deny: "*.*.*.mute" }'));
  const server = await newServer("-c", config.path);
  const [host] = server.url.split("//").slice(1);
  const { log, lines } = keptLog();
  let tries = 0;
  const startTimer: Clock["startTimer"] = (ms, run) =>
    quickClock.startTimer(ms, () => {
      if (ms === REFUSED_AGAIN_MS) tries += 1;
      run();
    });
  const bus = await newBus(`nats://node:secret@${host}`, "house", { log, clock: { ...quickClock, startTimer } });
  const other = await newBus(`nats://other:secret@${host}`);
  const heard = heardBy(bus, "claim");
  for (let times = 0; times < 3; times += 1) expect(bus.publish("mute", {})).toBe(true);
  const about = (what: string) => lines.filter((line) => line.includes(what)).length;
  await waitFor("both refusals", WAIT_MS, () => (about("claim") > 0 && about("mute") > 0 ? true : undefined));
  expect(lines.toSorted()).toEqual([
    expect.stringMatching(/^NATS refuses a subscription .*fanfare\.house\.v1\.claim/),
    expect.stringMatching(/^NATS reports an error .*Publish.*fanfare\.house\.v1\.mute/),
  ]);
  // Two more have been refused by then.
  await waitFor("three more tries", WAIT_MS, () => tries >= 3 || undefined);
  expect(about("claim")).toBe(1);
  await config.change(may(""));
  process.kill(server.pid, "SIGHUP");
  let epoch = 0;
  await waitFor("a claim", HALF_OPEN_MS, async () => {
    epoch += 1;
    other.publish("claim", { epoch });
    return heard.length > 0 ? true : undefined;
  });
  // Once each, though it was tried several times.
  const told = heard.map(({ message }) => message["epoch"]);
  expect(told).toEqual([...new Set(told)]);
  expect([about("claim"), about("mute")]).toEqual([1, 1]);
  // What worked and is refused again is news.
  await config.change(may('subscribe: { deny: "fanfare.house.v1.claim" }'));
  process.kill(server.pid, "SIGHUP");
  await waitFor("the next refusal", HALF_OPEN_MS, () => about("NATS refuses a subscription") > 1 || undefined);
});

test("of one connection ten different errors are told, of the next one all again, and of a bus that is closed nothing", async () => {
  const may = `authorization { users: [
    { user: "node", password: "secret", permissions: { publish: { deny: "*.*.*.mute.*" } } } ] }`;
  const server = await newServer("-c", (await newConfig(may)).path);
  const { log, lines } = keptLog();
  const bus = await newBus(server.url.replace("//", "//node:secret@"), "house", { log });
  const other = await newBus(server.url.replace("//", "//node:secret@"));
  other.serve("ready", async () => ({}));
  const errors = () => lines.filter((line) => line.startsWith("NATS reports an error"));
  for (let no = 0; no < 15; no += 1) bus.publish(`mute.${no}`, {});
  await waitFor("ten of them", WAIT_MS, () => errors().length >= 10 || undefined);
  // The reply comes after all refusals.
  await asked(bus, "ready");
  expect(errors().map((line) => /mute\.(\d+)/.exec(line)?.[1])).toEqual([
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
  ]);
  await server.kill();
  await connected(bus, false);
  expect(lines.slice(10)).toEqual([`connection to NATS lost: trying on {"servers":"127.0.0.1:${server.port}"}`]);
  await server.resume();
  await connected(bus, true);
  bus.publish("mute.3", {});
  await waitFor("the same one", WAIT_MS, () => errors().length > 10 || undefined);
  const before = lines.length;
  await bus.close();
  expect([lines.length, bus.isConnected]).toEqual([before, false]);
});

test("256 requests are answered at a time: further ones get no reply", async () => {
  const { url } = await newServer();
  const [first, second] = [await newBus(url), await newBus(url)];
  const waits = Promise.withResolvers<void>();
  let begun = 0;
  second.serve("slow", async () => {
    begun += 1;
    await waits.promise;
    return {};
  });
  const heard = heardBy(second, "claim");
  second.serve("ready", async () => ({}));
  await asked(first, "ready");
  const replies = Array.from({ length: 300 }, () => first.request("slow", {}, WAIT_MS));
  first.publish("claim", {});
  // It comes after all of them.
  await waitFor("the message", WAIT_MS, () => heard.length > 0 || undefined);
  expect(begun).toBe(256);
  waits.resolve();
  const kinds = (await Promise.all(replies)).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "reply")).toHaveLength(256);
  expect(await asked(first, "ready")).toEqual({});
});

test("a mistake of a listener is logged, and disturbs no other one", async () => {
  const { url } = await newServer();
  const { log, lines } = keptLog();
  const [first, second] = [await newBus(url), await newBus(url, "house", { log })];
  const fails = (what: string) => () => {
    throw new Error(`a mistake of ${what}`);
  };
  second.subscribe("claim", fails("a subscription"));
  const heard = heardBy(second, "claim");
  second.serve("broken", fails("an answer"));
  second.serve("ready", async () => ({}));
  const connections: boolean[] = [];
  second.onConnection(fails("a watcher"));
  second.onConnection((isConnected) => void connections.push(isConnected));
  await asked(first, "ready");
  for (const epoch of [1, 2]) first.publish("claim", { epoch });
  expect(await first.request("broken", {}, 50)).toEqual({ kind: "none", why: "timed-out" });
  // Those 50 ms may pass before anything has arrived. What is asked after it is answered after it.
  await asked(first, "ready");
  expect(heard.map(({ message }) => message)).toEqual([{ epoch: 1 }, { epoch: 2 }]);
  await servers[0]?.kill();
  await connected(second, false);
  expect(connections).toEqual([false]);
  const told = lines.flatMap((line) => /^bus message not taken (.*Error: a mistake of [a-z ]+)/.exec(line)?.[1] ?? []);
  expect(told).toEqual([
    ...Array(2).fill('{"subject":"claim","detail":"Error: a mistake of a subscription'),
    '{"subject":"broken","detail":"Error: a mistake of an answer',
    '{"subject":"connection","detail":"Error: a mistake of a watcher',
  ]);
});

test("a server that refuses the login once it is back is tried on, and the log says why", async () => {
  const first = await newServer("--user", "node", "--pass", "old");
  const { log, lines } = keptLog();
  const bus = await newBus(`nats://node:old@127.0.0.1:${first.port}`, "house", { log, clock: quickClock });
  await first.kill();
  await connected(bus, false);
  const second = await newServer("-p", `${first.port}`, "--user", "node", "--pass", "new");
  const told = (what: RegExp) =>
    waitFor(`${what}`, HALF_OPEN_MS, () => (lines.some((line) => what.test(line)) ? true : undefined));
  await told(/^NATS (reports an error|cannot be used) .*authorization/i);
  await second.kill();
  await told(/^NATS cannot be used .*(refused|ECONNREFUSED)/);
  const back = await newServer("-p", `${first.port}`, "--user", "node", "--pass", "old");
  await connected(bus, true);
  expect(bus.publish("claim", { epoch: 1 })).toBe(true);
  const atConnection = lines.length;
  await back.kill();
  await connected(bus, false);
  // Up to the loss: soon after it the log says why once more.
  const sinceConnection = lines.slice(atConnection);
  const lost = sinceConnection.findIndex((line) => line.startsWith("connection to NATS lost"));
  expect(sinceConnection.slice(0, lost + 1)).toEqual([expect.stringContaining("connection to NATS lost")]);
});
