import { once } from "node:events";
import { connect } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { KernelQueues } from "../../src/net/kernel/kernel-queues.ts";
import { KernelSocket } from "../../src/net/kernel/kernel-socket.ts";
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
    const [ip = "", ...exec] = namespace.wrapper;
    const far = await startChild(ip, [...exec, process.execPath, "-e", READS_ALL]);
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
