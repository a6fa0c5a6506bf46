import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { parseCidrList } from "../../src/net/cidr-list.ts";
import { encodeMessage } from "../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { encodeControl } from "../../src/protocol/rtmp/control.ts";
import { reconnectRequested } from "../../src/protocol/rtmp/server/server-replies.ts";
import { resolveTargetUrl } from "../../src/protocol/rtmp/url.ts";
import { targetError } from "../../src/thread-protocol/targets/target-errors.ts";
import { ALLOWED, dial, kitTarget, serve } from "../support/stages/dialling.ts";
import { acceptPublish, replyingTarget } from "../support/targets/handmade-target.ts";

test.each([
  ["rtmp://h/live", "rtmp://other/app", "rtmp://other/app"],
  ["rtmp://h:1936/live/a?b=1", "x", "rtmp://h:1936/live/x"],
  ["rtmp://h/live", "/app", "rtmp://h/app"],
  ["rtmps://h/live", "//other:443/app", "rtmps://other:443/app"],
  ["rtmp://h/live?a=1", "?a=2", "rtmp://h/live?a=2"],
  ["rtmp://h/live", "rtmps://h/live", "rtmps://h/live"],
  ["rtmps://h/live", "rtmp://h/live", undefined],
  ["rtmp://h/live", "http://h/live", undefined],
  ["rtmp://h/live", `rtmp://h/${"x".repeat(2_000)}`, undefined],
])("from %s a target may redirect us by %s to %s", (present, reference, url) => {
  expect(resolveTargetUrl(present, reference)).toBe(url);
});

test.each([
  { name: "to an absolute address", tcUrl: "rtmp://127.0.0.2:19350/app", url: "rtmp://127.0.0.2:19350/app" },
  { name: "to a relative one", tcUrl: "/app", url: /^rtmp:\/\/127\.0\.0\.1:\d+\/app$/ },
])("a target redirects us $name", async ({ tcUrl, url }) => {
  const target = await kitTarget({ reconnect: { afterMs: 0, tcUrl } });
  const wanted = await new Promise<string | undefined>((resolve) => {
    dial(target.url, { onReconnectWanted: resolve });
  });
  if (typeof url === "string") expect(wanted).toBe(url);
  else expect(wanted).toMatch(url);
});

test("a target asks us to reconnect to the same address", async () => {
  const target = await kitTarget({ reconnect: { afterMs: 0 } });
  const wanted = new Promise<string | undefined>((resolve) => {
    dial(target.url, { onReconnectWanted: resolve });
  });
  expect(await wanted).toBe(undefined);
});

test.each([
  ["a private address", "rtmp://10.0.0.1/app"],
  ["the address where clouds serve credentials", "rtmp://169.254.169.254/app"],
  ["another protocol", "http://127.0.0.1/app"],
])("a target that redirects us to %s keeps its link", async (_, tcUrl) => {
  const target = await kitTarget({ reconnect: { afterMs: 0, tcUrl } });
  const wanted: unknown[] = [];
  const policy = { ...ALLOWED, allowed: parseCidrList("127.0.0.1/32") };
  const { link, outcome, dialer } = dial(target.url, { policy, onReconnectWanted: (url) => wanted.push(url) });
  expect((await outcome).publishing).toBe(1);
  // The request came before the target's reply here: its connection ends after it was read.
  target.connections[0]?.end();
  await dialer.idle();
  expect(wanted).toEqual([]);
  link.close("abort");
});

test("a target that asks us to go elsewhere before it accepts is followed there at once", async () => {
  const real = await kitTarget();
  const request = encodeMessage(5, reconnectRequested("Moving.", real.url), 128);
  const url = await replyingTarget((socket) => socket.write(request));
  expect(await dial(url).outcome).toEqual({ publishing: 1, error: undefined });
  expect(real.connections[0]?.report).toMatchObject({ streamName: "the-key", state: "open" });
});

test("a target that asks so for a forbidden address is blamed for it", async () => {
  const request = encodeMessage(5, reconnectRequested("Moving.", "rtmp://10.0.0.1/app"), 128);
  const url = await replyingTarget((socket) => socket.write(request));
  const policy = { ...ALLOWED, allowed: parseCidrList("127.0.0.1/32") };
  expect((await dial(url, { policy }).outcome).error).toEqual(targetError("redirect-refused", "TARGET_FORBIDDEN"));
});

test("a target that redirects us to one name after the other makes us look up ten of them in ten seconds", async () => {
  const allSent = Promise.withResolvers<void>();
  const take = (socket: Socket) =>
    acceptPublish(socket, () => void sendOn(socket).then(allSent.resolve, allSent.reject));
  const port = await serve(createServer({ noDelay: true }, take));
  const looked: string[] = [];
  const resolver = {
    resolve: async (host: string) => {
      if (host === "127.0.0.1") return [host];
      looked.push(host);
      return ["127.0.0.2"];
    },
  };
  const { link } = dial(`rtmp://127.0.0.1:${port}/live`, { resolver });
  await allSent.promise;
  expect(looked).toEqual(Array.from({ length: 10 }, (_, each) => `n${each}.example`));
  link.close("abort");
});

/**
 * The reply to a ping after each proves that it was read before the next is sent: requests that come together count as
 * one.
 */
async function sendOn(socket: Socket): Promise<void> {
  const ping = encodeMessage(2, encodeControl({ kind: "ping-request", timestamp: 7 }), 4_096);
  for (let each = 0; each < 30; each += 1) {
    const message = reconnectRequested("Moving.", `rtmp://n${each}.example/app`);
    socket.write(Buffer.concat([encodeMessage(5, message, 4_096), ping]));
    await once(socket, "data");
  }
}
