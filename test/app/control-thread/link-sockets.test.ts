import { expect, test } from "vitest";
import { LinkSockets } from "../../../src/app/control-thread/media/link-sockets.ts";
import type { PoolWorker } from "../../../src/app/threads/pool-worker.ts";
import type { ControlRequest, MediaReply } from "../../../src/thread-protocol/messages.ts";

const nothing = () => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** A thread whose replies the test gives. */
function stage() {
  const asked: string[] = [];
  const replies: ((reply: MediaReply) => void)[] = [];
  const ask = (_: PoolWorker, request: ControlRequest) => {
    if (request.kind === "accept-links") asked.push(request.path);
    return new Promise<MediaReply>((resolve) => replies.push(resolve));
  };
  const worker = { index: 0, name: "media-0", life: {} as object | undefined, post: nothing };
  const reply = (problem?: string) =>
    replies.shift()?.({ kind: "accept-links", ...(problem === undefined ? {} : { problem }) });
  return { worker, asked, reply, sockets: new LinkSockets({ log, ask }) };
}

test("a thread makes one socket at a path, also where it is asked twice at once, and is found there once it has", async () => {
  const { worker, asked, reply, sockets } = stage();
  const both = [sockets.accept(worker, "/a"), sockets.accept(worker, "/a")];
  expect([asked, sockets.of(worker)]).toEqual([["/a"], undefined]);
  reply();
  await Promise.all(both);
  expect(sockets.of(worker)).toBe("/a");
  await sockets.accept(worker, "/a");
  expect(asked).toEqual(["/a"]);
});

test("a thread that accepts links already makes a socket at a new path", async () => {
  const { worker, asked, reply, sockets } = stage();
  const first = sockets.accept(worker, "/a");
  reply();
  await first;
  const second = sockets.accept(worker, "/b");
  expect([asked, sockets.of(worker)]).toEqual([["/a", "/b"], undefined]);
  reply();
  await second;
  expect(sockets.of(worker)).toBe("/b");
});

test("a thread that could not is asked again, and so is its next life", async () => {
  const { worker, asked, reply, sockets } = stage();
  const failed = sockets.accept(worker, "/a");
  reply("EADDRINUSE");
  await expect(failed).rejects.toThrow("EADDRINUSE");
  expect(sockets.of(worker)).toBeUndefined();
  const again = sockets.accept(worker, "/a");
  reply();
  await again;
  worker.life = undefined;
  expect(sockets.of(worker)).toBeUndefined();
  worker.life = {};
  sockets.started(worker);
  expect(asked).toEqual(["/a", "/a", "/a"]);
  reply();
  await sockets.accept(worker, "/a");
  expect([asked.length, sockets.of(worker)]).toEqual([3, "/a"]);
});
