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

/** The same with a full queue: its kernel replies no more until that is `free`. */
async function silentHost() {
  const { child, port } = await stoppedProcess();
  const fillers = Array.from({ length: 8 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, "connect")));
  const free = (): void => {
    for (const filler of fillers) filler.destroy();
    child.kill("SIGCONT");
  };
  return { child, port, free };
}

/** Of a question that never ends. */
const never = new AbortController().signal;

const signs = (clock = new VirtualClock()) => new SocketHostSigns(new MemoryBus(new MemoryNetwork()), clock);

/** Whether the host is reached, or silent for a while. */
async function probed(of: SocketHostSigns, port: number, over = never): Promise<"reached" | "silent"> {
  const { reached } = await of.probe({ address: `127.0.0.1:${port}` }, over);
  return await Promise.race([reached.then(() => "reached" as const), pass(SILENT_MS).then(() => "silent" as const)]);
}

test("a host is there while its process stands still, and where nobody listens", async () => {
  const { port } = await stoppedProcess();
  expect(await probed(signs(), port)).toBe("reached");
  expect(await probed(signs(), await freePort())).toBe("reached");
});

test("a host whose kernel is silent is not there; it is dialled anew until it is, by all who ask for it together", async () => {
  const { child, port, free } = await silentHost();
  const clock = new VirtualClock();
  const silent = signs(clock);
  expect(await probed(silent, port)).toBe("silent");
  const { reached } = await silent.probe({ address: `127.0.0.1:${port}` }, never);
  free();
  clock.advance(60);
  await reached;
  // It counts as there for a second, without another connection.
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await probed(silent, port)).toBe("reached");
});

test("a host is dialled for as long as a question about it lasts, and not longer", async () => {
  const { port, free } = await silentHost();
  const clock = new VirtualClock();
  const silent = signs(clock);
  const [first, second] = [new AbortController(), new AbortController()];
  expect(await probed(silent, port, first.signal)).toBe("silent");
  const { reached } = await silent.probe({ address: `127.0.0.1:${port}` }, second.signal);
  first.abort();
  clock.advance(3_000);
  expect(clock.pending).toBe(1);
  free();
  clock.advance(60);
  await reached;
  // Once it was reached it is forgotten after a second, and dialled again for the next question.
  clock.advance(1_000);
  expect(clock.pending).toBe(0);
  const third = new AbortController();
  const again = await silent.probe({ address: "127.0.0.1:1" }, third.signal);
  third.abort();
  expect(clock.pending).toBe(0);
  expect(await Promise.race([again.reached.then(() => "reached"), pass(SILENT_MS).then(() => "over")])).toBe("over");
});

test("the bus is heard where its server says that nobody serves a subject", async () => {
  const bus = new MemoryBus(new MemoryNetwork());
  const of = new SocketHostSigns(bus, new VirtualClock());
  await of.busHeard();
  bus.isConnected = false;
  const heard = of.busHeard().then(() => "heard");
  expect(await Promise.race([heard, new Promise(setImmediate).then(() => "not heard")])).toBe("not heard");
});
