import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { preflight } from "../../src/egress/preflight.ts";
import { parseCidrList } from "../../src/net/cidr-list.ts";
import { type Amf0Value, amf0Object } from "../../src/protocol/amf0/value.ts";
import { encodeMessage } from "../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { encodeCommand } from "../../src/protocol/rtmp/command.ts";
import { targetError } from "../../src/thread-protocol/targets/target-errors.ts";
import { ALLOWED, dial, dialerOf, fastClock, kitTarget, resolverOf } from "../support/stages/dialling.ts";
import { replyingTarget } from "../support/targets/handmade-target.ts";

/** Targets that redirect each to the next, the last to `to`. */
async function chain(length: number, to: string): Promise<string> {
  let next = to;
  for (let index = 0; index < length; index += 1) next = (await kitTarget({ redirect: next })).url;
  return next;
}

test("the dialer follows a target's redirection, with the key, over three hops", async () => {
  const real = await kitTarget();
  const { outcome } = dial(await chain(3, `rtmp://127.0.0.1:${real.port}/edge?x=1`));
  expect(await outcome).toEqual({ publishing: 1, error: undefined });
  expect(real.connections[0]?.report).toMatchObject({ app: "edge?x=1", streamName: "the-key" });
});

test("a fourth hop is not followed, and a circle ends", async () => {
  const real = await kitTarget();
  expect((await dial(await chain(4, real.url)).outcome).error).toEqual(targetError("redirect-endless"));
  const circle = await kitTarget({ redirect: "/live" });
  expect((await dial(circle.url).outcome).error).toEqual(targetError("redirect-endless"));
  expect(real.connections).toHaveLength(0);
  expect(circle.connections).toHaveLength(4);
});

test("a login that is demanded after a redirection takes place there", async () => {
  const user = { id: "someone", password: "canary" };
  const real = await kitTarget({ login: { scheme: "adobe", ...user } });
  const first = await kitTarget({ redirect: real.url });
  expect((await dial(first.url, { credentials: user }).outcome).publishing).toBe(1);
  expect([first.connections.length, real.connections.length]).toEqual([1, 3]);
});

test.each([
  ["a forbidden address", "rtmp://10.0.0.1/app", targetError("redirect-refused", "TARGET_FORBIDDEN")],
  [
    "an address where clouds serve credentials",
    "rtmp://169.254.169.254/",
    targetError("redirect-refused", "TARGET_FORBIDDEN"),
  ],
  ["another protocol", "http://127.0.0.1/app", targetError("redirect-refused")],
  ["an unknown name", "rtmp://nowhere.invalid/app", targetError("redirect-unreachable", "DNS_FAILED")],
  ["a closed port", "rtmp://127.0.0.1:1/app", targetError("redirect-refused", "TARGET_FORBIDDEN")],
])("a target that redirects us to %s is blamed for it", async (_, redirect, error) => {
  const target = await kitTarget({ redirect });
  const policy = { ...ALLOWED, allowed: parseCidrList("127.0.0.1/32") };
  expect((await dial(target.url, { policy, resolver: resolverOf() }).outcome).error).toEqual(error);
  expect(target.connections).toHaveLength(1);
});

test("the test of a target follows redirections in the same way", async () => {
  const real = await kitTarget();
  const dialer = dialerOf();
  const spec = { targetId: 1, url: await chain(2, real.url), streamKey: "the-key", isEnabled: true };
  expect(await preflight(spec, dialer, systemClock)).toMatchObject({ isOk: true, stage: "publish" });
  expect(await preflight({ ...spec, url: await chain(4, real.url) }, dialer, systemClock)).toMatchObject({
    isOk: false,
    stage: "publish",
    error: { code: "CONNECT_REJECTED" },
  });
});

test.each([
  ["full", targetError("connect-full", "NetConnection.Connect.Rejected")],
  ["forbidden", targetError("connect-forbidden", "NetConnection.Connect.Rejected")],
  ["own-code", targetError("publish-refused-otherwise", "NetStream.Publish.InvalidSign")],
] as const)("a target that refuses as %s has its own message", async (refuse, error) => {
  const target = await kitTarget({ refuse });
  // Given credentials change nothing: no server demanded a login.
  expect((await dial(target.url, { credentials: { id: "a", password: "b" } }).outcome).error).toEqual(error);
  expect(target.connections).toHaveLength(1);
});

test.each([
  ["closes the connection", (socket: Socket) => void socket.end(), targetError("closed-at-once")],
  [
    "rejects the key",
    (socket: Socket) => void socket.write(status("NetStream.Publish.BadName")),
    targetError("publish-refused", "NetStream.Publish.BadName"),
  ],
])("a test of a target that accepts every key, and then %s, fails", async (_name, refuse, error) => {
  const start = status("NetStream.Publish.Start", "", "status");
  const url = await replyingTarget((socket) => {
    socket.write(Buffer.concat([command("_result", 1, []), command("_result", 4, [1]), start]));
    refuse(socket);
  });
  const spec = { targetId: 1, url, streamKey: "the-key", isEnabled: true };
  expect(await preflight(spec, dialerOf(), systemClock)).toMatchObject({ isOk: false, stage: "publish", error });
});

test.each([0, 2 ** 32 - 1])("media reaches a target that gives the stream the number %d", async (streamNumber) => {
  const target = await kitTarget({ streamNumber });
  const { link, outcome, dialer } = dial(target.url);
  expect(await outcome).toEqual({ publishing: streamNumber, error: undefined });
  link.write(
    encodeMessage(6, { type: 9, timestamp: 0, streamId: streamNumber, payload: Buffer.alloc(3_000, 0x17) }, 4_096),
  );
  link.close("end");
  await dialer.idle();
  expect(target.connections[0]?.report).toMatchObject({ mediaBytes: 3_000, state: "ended" });
});

test.each([-1, 0.5, Number.NaN, 2 ** 32])(
  "the stream number %d is reported as the target's fault",
  async (streamNumber) => {
    const target = await kitTarget({ streamNumber });
    expect((await dial(target.url).outcome).error).toEqual(targetError("stream-number-broken"));
  },
);

test("a reply to publish may take twenty seconds, one to connect ten", async () => {
  const waits: number[] = [];
  const clock = {
    ...fastClock,
    startTimer: (delayMs: number, run: () => void) => {
      waits.push(delayMs);
      return fastClock.startTimer(delayMs, run);
    },
  };
  const target = await kitTarget({ silentAt: "publish" });
  expect((await dial(target.url, { clock }).outcome).error).toEqual(targetError("publish-unanswered"));
  expect(Math.max(...waits.splice(0))).toBeGreaterThan(20_000);
  const deaf = await kitTarget({ silentAt: "connect" });
  expect((await dial(deaf.url, { clock }).outcome).error).toEqual(targetError("connect-unanswered"));
  expect(Math.max(...waits)).toBe(10_000);
});

const command = (name: string, transactionId: number, args: readonly Amf0Value[]) =>
  encodeMessage(3, encodeCommand(0, { name, transactionId, object: null, args }), 128);
const media = (bytes: number) => ({ type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(bytes, 0x27) });
const status = (code: string, description = "", level = "error") =>
  command("onStatus", 0, [amf0Object({ level, code, description })]);

test.each([
  ["hangs up", (socket: Socket) => void socket.end()],
  ["resets the connection once its reply was read", (socket: Socket) => void socket.resetAndDestroy()],
])("the error quotes a target that refuses beside its reply and %s", async (_name, leave) => {
  const refusal = amf0Object({ level: "error", code: "NetStream.Publish.BadName", description: "no" });
  const replies = [command("_result", 1, []), command("_result", 4, [1]), command("onFCPublish", 0, [refusal])];
  let turn = 0;
  const url = await replyingTarget((socket) => {
    turn += 1;
    // The request to publish shows that the replies were read.
    if (turn === 1) socket.write(Buffer.concat(replies));
    else leave(socket);
  });
  const { error } = await dial(url).outcome;
  expect(error).toEqual(targetError("publish-refused", "NetStream.Publish.BadName"));
});

test.each([
  { name: "a video message of 300 kB", bytes: () => encodeMessage(6, media(300_000), 128) },
  { name: "a chunk without a header before it", bytes: () => Buffer.from("c9ffffff", "hex") },
])("a target that accepts and then sends $name is not blamed on URL or key", async ({ bytes }) => {
  const start = status("NetStream.Publish.Start", "", "status");
  const url = await replyingTarget((socket) =>
    socket.write(Buffer.concat([command("_result", 1, []), command("_result", 4, [1]), start, bytes()])),
  );
  const { outcome, closed } = dial(url);
  expect((await outcome).publishing).toBe(1);
  const error = await closed;
  expect(error).toEqual(targetError("unreadable-on-air"));
  expect(error).toMatchObject({ code: "REMOTE_CLOSED", severity: "transient" });
});

test.each([
  {
    name: "a key that it does not know",
    refusal: status("NetStream.Publish.BadName"),
    soon: targetError("publish-refused", "NetStream.Publish.BadName"),
    late: targetError("ended-by-target", "NetStream.Publish.BadName"),
  },
  {
    name: "a key in use",
    refusal: status("NetStream.Publish.BadName", "Stream is already publishing."),
    soon: targetError("key-in-use", "NetStream.Publish.BadName"),
    late: targetError("ended-by-target", "NetStream.Publish.BadName"),
  },
  {
    name: "an expired signature",
    refusal: status("NetStream.Publish.InvalidSign"),
    soon: targetError("publish-refused-otherwise", "NetStream.Publish.InvalidSign"),
    late: targetError("ended-by-target", "NetStream.Publish.InvalidSign"),
  },
  {
    name: "nothing about publishing",
    refusal: status("NetConnection.Connect.Closed", "", "status"),
    soon: targetError("ended-by-target", "NetConnection.Connect.Closed"),
    late: targetError("ended-by-target", "NetConnection.Connect.Closed"),
  },
])(
  "a target that accepts and then refuses $name refuses it within five seconds only",
  async ({ refusal, soon, late }) => {
    const start = status("NetStream.Publish.Start", "", "status");
    for (const [error, times] of [
      [soon, 1],
      [late, 1_000_000],
    ] as const) {
      const accepted = Promise.withResolvers<Socket>();
      const url = await replyingTarget((socket) => {
        socket.write(Buffer.concat([command("_result", 1, []), command("_result", 4, [1]), start]));
        accepted.resolve(socket);
      });
      const clock = { ...systemClock, now: () => systemClock.now() * times };
      const { outcome, closed } = dial(url, { clock });
      expect((await outcome).publishing).toBe(1);
      (await accepted.promise).write(refusal);
      expect(await closed).toEqual(error);
    }
  },
);
