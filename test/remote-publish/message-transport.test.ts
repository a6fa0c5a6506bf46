import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { portTransport } from "../../src/remote-publish/message-transport.ts";
import { listen, messageTransportSuite } from "../support/stages/transport-suite.ts";

messageTransportSuite("between threads", async () => {
  const { port1, port2 } = new MessageChannel();
  const faults: unknown[] = [];
  const over = (port: typeof port1) => portTransport<string, string>(port, (error) => faults.push(error));
  return { near: over(port1), far: over(port2), faults };
});

test("a thread that ends closes its transports", async () => {
  const { port1, port2 } = new MessageChannel();
  const near = listen(portTransport<string, string>(port1, () => undefined));
  const take = "require('node:worker_threads').parentPort.once('message', ({ port }) => port.on('message', () => {}))";
  const worker = new Worker(take, { eval: true });
  await once(worker, "online");
  worker.postMessage({ port: port2 }, [port2]);
  await worker.terminate();
  await near.closed;
  expect(near.heard).toEqual(["closed"]);
});
