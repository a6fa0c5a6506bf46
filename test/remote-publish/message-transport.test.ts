import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { type MessageTransport, portTransport } from "../../src/remote-publish/message-transport.ts";

type Way = MessageTransport<string, string>;

function open() {
  const { port1, port2 } = new MessageChannel();
  const faults: unknown[] = [];
  const way = (port: typeof port1): Way => portTransport(port, (error) => faults.push(error));
  return { near: way(port1), far: way(port2), faults };
}

/** What arrives at one end, `closed` last. */
function listen(way: Way): { readonly heard: string[]; readonly closed: Promise<void> } {
  const heard: string[] = [];
  const closed = new Promise<void>((resolve) => {
    way.listen(
      (message) => heard.push(message),
      () => {
        heard.push("closed");
        resolve();
      },
    );
  });
  return { heard, closed };
}

test("messages posted before a transport is closed arrive, then the end, once, and nothing is posted afterwards", async () => {
  const { near, far } = open();
  near.post("one");
  near.post("two");
  near.close();
  near.post("three");
  near.close();
  const { heard, closed } = listen(far);
  await closed;
  far.post("to a closed end");
  far.close();
  expect(heard).toEqual(["one", "two", "closed"]);
});

test("a side that closes its transport gets nothing more", async () => {
  const { near, far } = open();
  const own = listen(near);
  far.post("too late");
  near.close();
  await listen(far).closed;
  expect(own.heard).toEqual([]);
});

test("a listener that fails ends its own transport, for both sides, and is reported", async () => {
  const { near, far, faults } = open();
  const fault = new Error("a mistake");
  const failed = new Promise<void>((resolve) => {
    far.listen(() => {
      throw fault;
    }, resolve);
  });
  near.post("one");
  await Promise.all([failed, listen(near).closed]);
  expect(faults).toEqual([fault]);
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
