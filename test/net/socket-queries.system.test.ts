import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { KernelQueues } from "../../src/net/kernel/kernel-queues.ts";
import { KernelSocket } from "../../src/net/kernel/kernel-socket.ts";
import { SocketQueries } from "../../src/net/kernel/socket-queries.ts";
import { SystemCalls } from "../../src/net/kernel/system-calls.ts";
import type { TcpReading } from "../../src/net/kernel/tcp-table.ts";
import { startChild } from "../support/processes/children.ts";
import { NetworkNamespace } from "../support/processes/network-namespace.ts";
import { waitFor } from "../support/processes/waiting.ts";

const DEADLINE_MS = 20_000;
const READS_ALL = `require("node:net").createServer((socket) => socket.resume()).listen(1935, () => console.log("ready"));`;
const NO_TABLES = { four: "/nowhere", six: "/nowhere" };

test.runIf(NetworkNamespace.isPossible)(
  "on a path that loses packets a socket that is asked says what the kernel's table says: that it sends again, and how much waits",
  async () => {
    const namespace = await NetworkNamespace.open(214);
    onTestFinished(() => namespace.close());
    const [enter = "", ...place] = namespace.wrapper;
    const far = await startChild(enter, [...place, process.execPath, "-e", READS_ALL]);
    onTestFinished(async () => void (await far.stop("SIGKILL", 1_000)));
    await waitFor("a listener", DEADLINE_MS, () => far.stdout().includes("ready") || undefined, far.stderr);
    const socket = connect(1935, namespace.host);
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    const { localAddress = "", localPort = 0, remoteAddress = "", remotePort = 0 } = socket;
    const ends = { localAddress, localPort, remoteAddress, remotePort };
    const descriptor = () => KernelSocket.of(socket)?.descriptor;
    const read = (queues: KernelQueues) =>
      new Promise<TcpReading>((resolve) => {
        const stop = queues.watch(ends, {
          ...{ descriptor, begin: () => undefined },
          take: (reading) => {
            stop();
            resolve(reading);
          },
        });
      });
    const byTable = () => read(new KernelQueues(systemClock));
    const byCall = () => read(new KernelQueues(systemClock, { loadCalls: SystemCalls.load, tables: NO_TABLES }));
    /** What both say, once they say the same and it is this. */
    const settled = async (isIt: (reading: TcpReading) => boolean) =>
      await expect
        .poll(async () => {
          const reading = await byCall();
          return isDeepStrictEqual(reading, await byTable()) && isIt(reading);
        })
        .toBe(true);

    socket.write(Buffer.alloc(100_000));
    await settled(({ queuedBytes, isResending }) => queuedBytes === 0 && !isResending);
    await namespace.filter({ input: "tcp dport 1935 drop" });
    socket.write(Buffer.alloc(30_000));
    await settled(
      ({ queuedBytes, isResending, isWindowShut }) => queuedBytes === 30_000 && isResending && !isWindowShut,
    );
    await namespace.unfilter();
    await settled(({ queuedBytes, isResending }) => queuedBytes === 0 && !isResending);
  },
);

/** Makes connections, and says the descriptor of the near end of each. */
async function pairs() {
  const listener = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  onTestFinished(() => void listener.close());
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  return async () => {
    const accepted = once(listener, "connection");
    const near = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const [far] = (await accepted) as [Socket];
    onTestFinished(() => void [near, far].map((each) => each.destroy()));
    return { near, far, descriptor: KernelSocket.of(near)?.descriptor ?? -1 };
  };
}

test.runIf(process.platform === "linux")(
  "a socket that may still send says what waits, one that was ended says nothing, and what is no socket is known as such",
  async () => {
    const calls = await SystemCalls.load();
    if (calls === undefined) throw new Error("the package koffi is not there");
    const queries = new SocketQueries(calls);
    const look = (descriptor: number) => {
      const told: TcpReading[] = [];
      return { isSaid: queries.read(descriptor, (reading) => void told.push(reading)), told };
    };
    const pair = await pairs();
    const empty = { queuedBytes: 0, isWindowShut: false, isResending: false };
    const [first, second] = [await pair(), await pair()];
    expect(look(first.descriptor)).toEqual({ isSaid: true, told: [empty] });
    // The peer has ended its side alone.
    const ended = once(first.near.resume(), "end");
    first.far.end();
    await ended;
    expect(look(first.descriptor)).toEqual({ isSaid: true, told: [empty] });
    second.near.end();
    await expect.poll(() => look(second.descriptor)).toEqual({ isSaid: true, told: [] });
    const file = openSync("/dev/null", "r");
    onTestFinished(() => closeSync(file));
    expect(look(file)).toEqual({ isSaid: false, told: [] });
  },
);

test.runIf(process.platform === "linux")("a read of a socket tells bytes, none so far, and a reset apart", async () => {
  const calls = await SystemCalls.load();
  if (calls === undefined) throw new Error("the package koffi is not there");
  const { far, descriptor } = await (await pairs())();
  const into = new Uint8Array(16);
  expect(calls.receive(descriptor, into)).toBe("none");
  far.write("ab");
  await expect.poll(() => calls.receive(descriptor, into)).toBe(2);
  expect(calls.send(descriptor, into.subarray(0, 2))).toBe(2);
  far.resetAndDestroy();
  await expect.poll(() => calls.receive(descriptor, into)).toBe("failed");
  expect(calls.send(descriptor, into)).toBe(0);
});
