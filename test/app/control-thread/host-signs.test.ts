import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pass } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { SocketHostSigns } from "../../../src/app/control-thread/cluster/host-signs.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { MemoryBus, MemoryNetwork } from "../../support/stages/memory-bus.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

/** Far more than a kernel on this machine takes to accept a connection, in milliseconds. */
const SILENT_MS = 300;
const LISTEN =
  "const s=require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},()=>console.log(s.address().port))";

/** A process that listens and stands still. */
async function stoppedProcess() {
  const child = spawn(process.execPath, ["-e", LISTEN], { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  child.kill("SIGSTOP");
  return { child, port: Number(line.toString()) };
}

const signs = (clock = new VirtualClock()) => new SocketHostSigns(new MemoryBus(new MemoryNetwork()), clock);

/** Whether the host is reached, or silent for a while. */
async function probed(of: SocketHostSigns, port: number): Promise<"reached" | "silent"> {
  const { reached } = await of.probe({ address: `127.0.0.1:${port}` });
  return await Promise.race([reached.then(() => "reached" as const), pass(SILENT_MS).then(() => "silent" as const)]);
}

test("a host is there while its process stands still, and where nobody listens", async () => {
  const { port } = await stoppedProcess();
  expect(await probed(signs(), port)).toBe("reached");
  expect(await probed(signs(), await freePort())).toBe("reached");
});

test("a host whose kernel is silent is not there; it is dialled anew until it is, by all who ask for it together", async () => {
  const { child, port } = await stoppedProcess();
  // The kernel replies no more once the queue of the process is full.
  const fillers = Array.from({ length: 8 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, "connect")));
  const clock = new VirtualClock();
  const silent = signs(clock);
  expect(await probed(silent, port)).toBe("silent");
  const { reached } = await silent.probe({ address: `127.0.0.1:${port}` });
  for (const filler of fillers) filler.destroy();
  child.kill("SIGCONT");
  clock.advance(60);
  await reached;
  // It counts as there for a second, without another connection.
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await probed(silent, port)).toBe("reached");
});

test("the bus is heard where its server says that nobody serves a subject", async () => {
  const bus = new MemoryBus(new MemoryNetwork());
  const of = new SocketHostSigns(bus, new VirtualClock());
  await of.busHeard();
  bus.isConnected = false;
  const heard = of.busHeard().then(() => "heard");
  expect(await Promise.race([heard, new Promise(setImmediate).then(() => "not heard")])).toBe("not heard");
});
