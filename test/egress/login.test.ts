import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { preflight } from "../../src/egress/preflight.ts";
import { parseCidrList } from "../../src/net/cidr-list.ts";
import type { Resolver } from "../../src/net/dns/resolver.ts";
import { amf0Object } from "../../src/protocol/amf0/value.ts";
import { encodeMessage } from "../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { encodeCommand } from "../../src/protocol/rtmp/command.ts";
import type { KitTarget } from "../../src/testkit/target/target.ts";
import { ALLOWED, type DialOptions, dial, kitTarget, resolverOf } from "../support/stages/dialling.ts";
import { replyingTarget } from "../support/targets/handmade-target.ts";

const USER = { id: "someone", password: "canary-password" };
const KOREAN = { id: "한글", password: "비밀" };

/** The message a dial fails with, and how many connections the target saw. */
async function failureAt(target: KitTarget, options: DialOptions): Promise<object> {
  const { outcome } = dial(target.url, options);
  const { error } = await outcome;
  expect(JSON.stringify(error)).not.toContain("canary");
  return { code: error?.code, severity: error?.severity, says: error?.message, seen: target.connections.length };
}

const REFUSED = {
  code: "AUTH_FAILED",
  severity: "fatal",
  says: expect.stringContaining("rejected the username and password"),
};

const logins = [
  { name: "Adobe's way", login: { scheme: "adobe", ...USER } },
  { name: "with Adobe's scheme, without an opaque value", login: { scheme: "adobe", ...USER, proofOf: "challenge" } },
  { name: "with Adobe's scheme, in Hangul", login: { scheme: "adobe", ...KOREAN } },
  { name: "Limelight's way", login: { scheme: "llnw", ...USER } },
  { name: "with Limelight's scheme, in Hangul", login: { scheme: "llnw", ...KOREAN } },
  { name: "with Adobe's scheme, where it keeps its sockets", login: { scheme: "adobe", ...USER, keepsOpen: true } },
  { name: "with Limelight's scheme, where it keeps its sockets", login: { scheme: "llnw", ...USER, keepsOpen: true } },
] as const;
test.each(logins)("the dialer logs in to a target $name, on its third connection", async ({ login }) => {
  const target = await kitTarget({ login });
  const { link, outcome, dialer } = dial(target.url, { credentials: { id: login.id, password: login.password } });
  expect(await outcome).toEqual({ publishing: 1, error: undefined });
  link.write(encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(3_000, 0x17) }, 4_096));
  link.close("end");
  await dialer.idle();
  const reports = await Promise.all(target.connections.map((connection) => connection.closed));
  expect(reports.map(({ commands }) => commands)).toEqual([
    ["connect"],
    ["connect"],
    ["connect", "releaseStream", "FCPublish", "createStream", "publish", "FCUnpublish", "deleteStream"],
  ]);
  expect(reports[2]).toMatchObject({ app: "live", streamName: "the-key", mediaBytes: 3_000 });
});

test("the dialer logs in to a target whose application has a query and an instance", async () => {
  for (const scheme of ["adobe", "llnw"] as const) {
    const target = await kitTarget({ login: { scheme, ...USER } });
    const { outcome } = dial(`${target.url}/instance?backup=1`, { credentials: USER });
    expect((await outcome).publishing).toBe(1);
    expect(target.connections[2]?.report.app).toBe("live/instance?backup=1");
  }
});

test("a target that demands no login gets none", async () => {
  const target = await kitTarget();
  expect((await dial(target.url, { credentials: USER }).outcome).publishing).toBe(1);
  expect(target.connections.map(({ report }) => report.app)).toEqual(["live"]);
});

const wrong = [
  { name: "a wrong password", credentials: { ...USER, password: "canary-wrong" }, seen: 3 },
  { name: "an empty password", credentials: { ...USER, password: "" }, seen: 3 },
  { name: "an unknown user", credentials: { ...USER, id: "canary-nobody" }, seen: 2 },
];
for (const scheme of ["adobe", "llnw"] as const) {
  for (const keepsOpen of [false, true]) {
    test.each(wrong)(`$name is AUTH_FAILED, ${scheme}, ${keepsOpen ? "kept" : "closed"}`, async (given) => {
      const target = await kitTarget({ login: { scheme, ...USER, keepsOpen } });
      expect(await failureAt(target, given)).toEqual({ ...REFUSED, seen: given.seen });
    });
  }
}

test("a target that asks for the name again has refused us", async () => {
  const target = await kitTarget({ refuse: "login-demanded" });
  expect(await failureAt(target, { credentials: USER })).toEqual({ ...REFUSED, seen: 2 });
});

test("a demanded login without a name and a password is reported, after one connection", async () => {
  const target = await kitTarget({ login: { scheme: "adobe", ...USER } });
  expect(await failureAt(target, {})).toEqual({
    code: "AUTH_FAILED",
    severity: "fatal",
    says: "The platform requires a username and password for publishing.",
    seen: 1,
  });
});

test("a target that hangs up at our login is tried again, and the error mentions the login", async () => {
  const target = await kitTarget();
  target.behave((index) => (index === 0 ? { login: { scheme: "adobe", ...USER } } : { closeAt: "connect" }));
  expect(await failureAt(target, { credentials: USER })).toEqual({
    code: "AUTH_FAILED",
    severity: "transient",
    says: expect.stringContaining("when we logged in"),
    seen: 2,
  });
});

test("a target that hangs up at the key after a login is not blamed on the login", async () => {
  const target = await kitTarget({ login: { scheme: "adobe", ...USER }, closeAt: "publish" });
  expect(await failureAt(target, { credentials: USER })).toMatchObject({ code: "REMOTE_CLOSED", seen: 3 });
});

test("an unknown kind of login is reported as that", async () => {
  const refusal = encodeCommand(0, {
    name: "_error",
    transactionId: 1,
    object: null,
    args: [amf0Object({ level: "error", description: "[ AccessManager.Reject ] : [ authmod=kerberos ] : " })],
  });
  const url = await replyingTarget((socket) => socket.write(encodeMessage(3, refusal, 128)));
  const { error } = await dial(url, { credentials: USER }).outcome;
  expect(error).toMatchObject({ code: "AUTH_FAILED", severity: "fatal" });
  expect(error?.message).toContain("demands a kind of login that is not supported");
});

test("the name is resolved and its address checked for each connection of a login", async () => {
  const target = await kitTarget({ login: { scheme: "adobe", ...USER } });
  const answers = [["127.0.0.1"], ["127.0.0.1"], ["127.0.0.2"]];
  const changingResolver: Resolver = { resolve: async () => answers.shift() ?? [] };
  const policy = { ...ALLOWED, allowed: parseCidrList("127.0.0.1/32") };
  const url = `rtmp://changing.example:${target.port}/live`;
  const { error } = await dial(url, { resolver: changingResolver, policy, credentials: USER }).outcome;
  expect(error).toMatchObject({ code: "TARGET_FORBIDDEN" });
  expect(answers).toEqual([]);
  expect(target.connections).toHaveLength(2);
});

test("a link that is closed in the middle of a login leaves nothing behind and reports nothing", async () => {
  const target = await kitTarget({ login: { scheme: "adobe", ...USER, keepsOpen: true } });
  const { promise: secondLookup, resolve: lookedUp } = Promise.withResolvers<void>();
  let lookups = 0;
  const resolver: Resolver = {
    resolve: (host, signal) => {
      lookups += 1;
      if (lookups === 1) return resolverOf().resolve(host, signal);
      lookedUp();
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    },
  };
  const { link, outcome, dialer } = dial(target.url, { resolver, credentials: USER });
  await secondLookup;
  link.close("end");
  await dialer.idle();
  expect(await Promise.race([outcome, Promise.resolve("nothing")])).toBe("nothing");
  await target.connections[0]?.closed;
  expect(target.connections).toHaveLength(1);
});

test("a login that takes too long is given up, and tried again", async () => {
  const target = await kitTarget();
  let aheadMs = 0;
  target.behave(() => {
    aheadMs += 12_000;
    return { login: { scheme: "adobe", ...USER } };
  });
  const clock = { ...systemClock, awakeNow: () => systemClock.awakeNow() + aheadMs };
  expect(await failureAt(target, { credentials: USER, clock })).toMatchObject({
    code: "CONNECT_REJECTED",
    severity: "transient",
    seen: 2,
  });
});

test("a test of a target reports that it got as far as the login, and sends no media", async () => {
  const target = await kitTarget({ login: { scheme: "llnw", ...USER } });
  const spec = { targetId: 1, url: target.url, streamKey: "the-key", isEnabled: true };
  const { dialer } = dial("rtmp://nowhere.invalid/live");
  const run = (credentials: { id: string; password: string }) =>
    preflight({ ...spec, credentials }, dialer, systemClock);
  expect(await run(USER)).toMatchObject({ isOk: true, stage: "publish" });
  expect(await run({ ...USER, password: "canary-wrong" })).toMatchObject({
    isOk: false,
    stage: "login",
    error: { code: "AUTH_FAILED" },
  });
});
