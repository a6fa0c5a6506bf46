import { expect, test } from "vitest";
import { AMF0_LIMITS } from "../../../src/protocol/amf0/decode.ts";
import { type Amf0Value, amf0EcmaArray, amf0Object } from "../../../src/protocol/amf0/value.ts";
import { ChunkReader } from "../../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { encodeMessage } from "../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { LIMITS_PUBLISHING } from "../../../src/protocol/rtmp/chunk/reader-limits.ts";
import type { ClientOutput } from "../../../src/protocol/rtmp/client/client-outputs.ts";
import { ClientSession } from "../../../src/protocol/rtmp/client/client-session.ts";
import { enhancedProperties, takesFourCc } from "../../../src/protocol/rtmp/client/enhanced-connect.ts";
import { decodeCommand, encodeCommand } from "../../../src/protocol/rtmp/command.ts";
import { type ControlMessage, decodeControl, encodeControl } from "../../../src/protocol/rtmp/control.ts";
import type { Message } from "../../../src/protocol/rtmp/message.ts";

const RANDOM = Buffer.alloc(1_528, 0x5a);
const S0S1 = Buffer.concat([Buffer.from([3]), Buffer.alloc(1_536, 0x33)]);
const S2 = Buffer.alloc(1_536, 0x77);

/** A server by hand: sends what the test says, keeps what the session sends. */
class Server {
  readonly session: ClientSession;
  readonly outputs: ClientOutput[] = [];
  readonly c0c1: Buffer;
  #chunkSize = 128;

  constructor(name = "key", app = "live", tcUrl = "rtmp://host/live") {
    this.session = new ClientSession({ app, tcUrl, name }, RANDOM, 4_096);
    this.c0c1 = this.session.start();
  }

  say(bytes: Buffer): readonly ClientOutput[] {
    const outputs = this.session.receive(bytes, 0);
    this.outputs.push(...outputs);
    return outputs;
  }

  control(control: ControlMessage): readonly ClientOutput[] {
    const outputs = this.say(encodeMessage(2, encodeControl(control), this.#chunkSize));
    if (control.kind === "set-chunk-size") this.#chunkSize = control.chunkSize;
    return outputs;
  }

  command(name: string, transactionId: number, args: readonly Amf0Value[], object: Amf0Value = null, streamId = 0) {
    return this.say(encodeMessage(3, encodeCommand(streamId, { name, transactionId, object, args }), this.#chunkSize));
  }

  status(code: string, level = "status", description = "", transactionId = 0): readonly ClientOutput[] {
    return this.command("onStatus", transactionId, [amf0Object({ level, code, description })], null, 1);
  }

  greet(): this {
    this.say(Buffer.concat([S0S1, S2]));
    return this;
  }

  admit(): this {
    this.greet();
    this.command("_result", 1, [amf0Object({ level: "status", code: "NetConnection.Connect.Success" })]);
    return this;
  }

  /** A session that has been started. */
  static publishing(name = "key"): Server {
    const server = new Server(name).admit();
    server.command("_result", 4, [1]);
    server.status("NetStream.Publish.Start");
    return server;
  }
}

function sent(server: Server): Buffer {
  return Buffer.concat(server.outputs.flatMap((output) => (output.kind === "send" ? [output.bytes] : [])));
}

/** What the session sent after its handshake (C2), read as a server reads it. */
function said(server: Server): Message[] {
  const reader = new ChunkReader(LIMITS_PUBLISHING);
  const messages: Message[] = [];
  reader.receive(sent(server).subarray(1_536), (message) => messages.push(message));
  return messages;
}

function commands(server: Server) {
  return said(server)
    .filter(({ type }) => type === 20)
    .map((message) => ({ ...decodeCommand(message, AMF0_LIMITS), streamId: message.streamId }));
}

const failures = (outputs: readonly ClientOutput[]) =>
  outputs.flatMap((output) => (output.kind === "failed" ? [output.failure] : []));
const isPublishing = (server: Server) => server.outputs.some(({ kind }) => kind === "publishing");

test("C0 and C1 go first, C2 as soon as S1 is complete, and connect not before all of S2 is there", () => {
  const server = new Server();
  expect(server.c0c1.length).toBe(1_537);
  expect(server.c0c1[0]).toBe(3);
  server.say(S0S1.subarray(0, 1_000));
  expect(sent(server).length).toBe(0);
  server.say(S0S1.subarray(1_000));
  expect(sent(server)).toEqual(S0S1.subarray(1));
  server.say(S2.subarray(0, 1_535));
  expect(sent(server).length).toBe(1_536);
  server.say(
    Buffer.concat([S2.subarray(1_535), encodeMessage(2, encodeControl({ kind: "ping-request", timestamp: 7 }), 128)]),
  );
  expect(said(server).map(({ type }) => type)).toEqual([1, 20, 4]);
});

test("Set Chunk Size and connect are, byte for byte, what OBS sends for a URL with a query, and Enhanced RTMP after it", () => {
  const server = new Server("key", "live2?backup=1", "rtmp://b.rtmp.youtube.com/live2?backup=1").greet();
  expect(sent(server).subarray(1_536).toString("hex")).toBe(
    "02000000000004010000000000001000" +
      "0300000000012a1400000000020007636f6e6e656374003ff000000000000003000361707002000e6c697665323f6261636b75703d310004747970650200" +
      "0a6e6f6e707269766174650008666c61736856657202001f464d4c452f332e302028636f6d70617469626c653b20464d53632f312e30290006737766557" +
      "26c02002872746d703a2f2f622e72746d702e796f75747562652e636f6d2f6c697665323f6261636b75703d310005746355726c02002872746d703a2f2f" +
      "622e72746d702e796f75747562652e636f6d2f6c697665323f6261636b75703d31" +
      "0012766964656f466f75724363496e666f4d61700300012a004010000000000000000009" +
      "0012617564696f466f75724363496e666f4d61700300012a004010000000000000000009" +
      "000663617073457800402e000000000000" +
      "000009",
  );
});

test("a login goes after the application in app and tcUrl, unchanged, and nowhere else", () => {
  const loginQuery = "?authmod=adobe&user=한글&response=a+/b==";
  const publication = { app: "live2?backup=1", tcUrl: "rtmp://host/live2?backup=1", name: "key", loginQuery };
  const session = new ClientSession(publication, RANDOM, 4_096);
  const [, connect] = session.receive(Buffer.concat([S0S1, S2]), 0);
  const bytes = connect?.kind === "send" ? connect.bytes : Buffer.alloc(0);
  const messages: Message[] = [];
  new ChunkReader(LIMITS_PUBLISHING).receive(bytes, (message) => messages.push(message));
  const [, command] = messages;
  if (command === undefined) throw new Error("no connect");
  expect(decodeCommand(command, AMF0_LIMITS).object).toEqual(
    amf0Object({
      app: `live2?backup=1${loginQuery}`,
      type: "nonprivate",
      flashVer: "FMLE/3.0 (compatible; FMSc/1.0)",
      swfUrl: "rtmp://host/live2?backup=1",
      tcUrl: `rtmp://host/live2?backup=1${loginQuery}`,
      ...enhancedProperties(),
    }),
  );
});

const KEYS = ["k".repeat(300), "id?s_bl=1&s_sw=0&a=Abc", "live:key", "한글", "key with blanks", "?streamname=x&key=y"];
test.each(KEYS)("the key %s goes out byte for byte, in releaseStream, FCPublish and publish", (key) => {
  const server = Server.publishing(key);
  expect(
    commands(server).map(({ name, transactionId, args, streamId }) => [name, transactionId, args, streamId]),
  ).toEqual([
    ["connect", 1, [], 0],
    ["releaseStream", 2, [key], 0],
    ["FCPublish", 3, [key], 0],
    ["createStream", 4, [], 0],
    ["publish", 5, [key, "live"], 1],
  ]);
});

test("replies may be split at every byte", () => {
  const whole = Server.publishing();
  const script = Buffer.concat([
    S0S1,
    S2,
    encodeMessage(3, encodeCommand(0, { name: "_result", transactionId: 1, object: null, args: [] }), 128),
    encodeMessage(3, encodeCommand(0, { name: "_result", transactionId: 4, object: null, args: [1] }), 128),
    encodeMessage(
      3,
      encodeCommand(1, {
        name: "onStatus",
        transactionId: 0,
        object: null,
        args: [amf0Object({ level: "status", code: "NetStream.Publish.Start" })],
      }),
      128,
    ),
  ]);
  const single = new Server();
  for (const byte of script) single.say(Buffer.from([byte]));
  expect(isPublishing(single)).toBe(true);
  expect(commands(single)).toEqual(commands(whole));
});

test("the reply to createStream may come before the others, and errors about releaseStream and FCPublish mean nothing", () => {
  const server = new Server().admit();
  server.command("_result", 4, [7]);
  server.command("_error", 2, [amf0Object({ level: "error", code: "NetConnection.Call.Failed" })]);
  server.command("_error", 3, [amf0Object({ level: "error", code: "NetConnection.Call.Failed" })]);
  server.status("NetStream.Publish.Start");
  expect(server.outputs.at(-1)).toEqual({ kind: "publishing", streamId: 7 });
  expect(commands(server).at(-1)?.streamId).toBe(7);
});

test("a chunk size of 60000 and a big reply right after it are read", () => {
  const server = new Server().greet();
  server.control({ kind: "set-chunk-size", chunkSize: 60_000 });
  server.command("_result", 1, [amf0Object({ level: "status", description: "d".repeat(20_000) })]);
  expect(server.session.stage).toBe("publish");
});

test.each([
  { name: "onStatus with transaction 0", start: (server: Server) => server.status("NetStream.Publish.Start") },
  {
    name: "onStatus with transaction 5",
    start: (server: Server) => server.status("NetStream.Publish.Start", "status", "", 5),
  },
  { name: "a _result for publish alone", start: (server: Server) => server.command("_result", 5, [null]) },
])("$name starts, without any window, acknowledgement or StreamBegin", ({ start }) => {
  const server = new Server().admit();
  server.command("_result", 4, [1]);
  expect(isPublishing(server)).toBe(false);
  start(server);
  expect(server.outputs.filter(({ kind }) => kind === "publishing")).toHaveLength(1);
  start(server);
  expect(server.outputs.filter(({ kind }) => kind === "publishing")).toHaveLength(1);
});

test("a start before publish starts nothing", () => {
  const server = new Server().admit();
  server.status("NetStream.Publish.Start");
  expect(isPublishing(server)).toBe(false);
});

const refusals: readonly { name: string; say: (server: Server) => readonly ClientOutput[]; failure: unknown }[] = [
  {
    name: "a rejected connect",
    say: (server) =>
      server.greet().command("_error", 1, [amf0Object({ level: "error", code: "NetConnection.Connect.Rejected" })]),
    failure: { kind: "connect-rejected", code: "NetConnection.Connect.Rejected" },
  },
  {
    name: "an unknown application, by onStatus",
    say: (server) => server.greet().status("NetConnection.Connect.InvalidApp", "error"),
    failure: { kind: "connect-rejected", code: "NetConnection.Connect.InvalidApp" },
  },
  {
    name: "a demand to log in",
    say: (server) =>
      server.greet().command("_error", 1, [
        amf0Object({
          level: "error",
          code: "NetConnection.Connect.Rejected",
          description: "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ",
        }),
      ]),
    failure: {
      kind: "login-demanded",
      code: "NetConnection.Connect.Rejected",
      demand: { kind: "name-wanted", scheme: "adobe" },
    },
  },
  {
    name: "a bad key",
    say: (server) => server.admit().status("NetStream.Publish.BadName", "error"),
    failure: { kind: "publish-rejected", code: "NetStream.Publish.BadName", isInUse: false },
  },
  {
    name: "a bad key that is called a status",
    say: (server) => server.admit().status("NetStream.Publish.BadName", "status"),
    failure: { kind: "publish-rejected", code: "NetStream.Publish.BadName", isInUse: false },
  },
  {
    name: "a key in use",
    say: (server) => server.admit().status("NetStream.Publish.BadName", "error", "Already publishing"),
    failure: { kind: "publish-rejected", code: "NetStream.Publish.BadName", isInUse: true },
  },
  {
    name: "a denied publication",
    say: (server) => server.admit().status("NetStream.Publish.Denied", "error"),
    failure: { kind: "publish-rejected", code: "NetStream.Publish.Denied", isInUse: false },
  },
  {
    name: "an error about publish",
    say: (server) => {
      server.admit().command("_result", 4, [1]);
      return server.command("_error", 5, [amf0Object({ level: "error", code: "NetStream.Failed" })]);
    },
    failure: { kind: "publish-rejected", code: "NetStream.Failed", isInUse: false },
  },
  {
    name: "an error about createStream",
    say: (server) => server.admit().command("_error", 4, []),
    failure: { kind: "publish-rejected", code: "", isInUse: false },
  },
  {
    name: "close before publish",
    say: (server) => server.admit().command("close", 0, []),
    failure: { kind: "ended-by-server", code: "close" },
  },
];
test.each(refusals)("$name ends the session with its code", ({ say, failure }) => {
  const server = new Server();
  expect(failures(say(server))).toEqual([failure]);
  expect(server.session.stage).toBe("closed");
  expect(server.say(encodeMessage(2, encodeControl({ kind: "ping-request", timestamp: 1 }), 128))).toEqual([]);
});

const redirection = amf0Object({ code: 302, redirect: "rtmp://other:1936/app" });
const connectRefusals: readonly { name: string; info: Record<string, Amf0Value>; failure: object }[] = [
  {
    name: "code=302 and an address",
    info: { description: "[ AccessManager.Reject ] : [ code=302 ] : ", ex: amf0Object({ redirect: "/edge" }) },
    failure: { kind: "redirected", tcUrl: "/edge" },
  },
  {
    name: "an address under another text",
    info: { description: "Connection failed", ex: redirection },
    failure: { kind: "redirected", tcUrl: "rtmp://other:1936/app" },
  },
  {
    name: "an address in an ECMA array, its code as text",
    info: { description: "", ex: amf0EcmaArray({ code: "302", redirect: "rtmp://other/app" }) },
    failure: { kind: "redirected", tcUrl: "rtmp://other/app" },
  },
  {
    name: "code=302 and no address",
    info: { description: "[ AccessManager.Reject ] : [ code=302 ] : " },
    failure: { kind: "connect-rejected" },
  },
  {
    name: "an address and another code",
    info: { description: "", ex: amf0Object({ code: 200, redirect: "rtmp://other/app" }) },
    failure: { kind: "connect-rejected" },
  },
  {
    name: "an address beside a demand to log in",
    info: { description: "[ code=403 need auth; authmod=llnw ]", ex: redirection },
    failure: { kind: "login-demanded", demand: { kind: "name-wanted", scheme: "llnw" } },
  },
  {
    name: "403",
    info: { description: "[ AccessManager.Reject ] : [ code=403 ] : " },
    failure: { kind: "connect-rejected", why: "forbidden" },
  },
  {
    name: "403 in its object",
    info: { description: "no", ex: amf0Object({ code: 403 }) },
    failure: { kind: "connect-rejected", why: "forbidden" },
  },
  {
    name: "403 that it is full",
    info: { description: "[ AccessManager.Reject ] : [ code=403 ] : app is full" },
    failure: { kind: "connect-rejected", why: "full" },
  },
  {
    name: "its limit",
    info: { description: "Connection limit reached" },
    failure: { kind: "connect-rejected", why: "full" },
  },
  {
    name: "a 4030 and a fuller text",
    info: { description: "code=4030 fuller" },
    failure: { kind: "connect-rejected" },
  },
];
test.each(connectRefusals)(
  "a refused connect with $name is reported as that, by _error and by onStatus",
  ({ info, failure }) => {
    const code = "NetConnection.Connect.Rejected";
    for (const level of ["error", "Error", "ERROR "]) {
      const status = amf0Object({ level, code, ...info });
      expect(failures(new Server().greet().command("_error", 1, [status]))).toEqual([{ code, ...failure }]);
      expect(failures(new Server().greet().command("onStatus", 0, [status]))).toEqual([{ code, ...failure }]);
    }
  },
);

test.each([
  ["NetStream.Publish.InvalidSign", "status", "NetStream.Publish.InvalidSign"],
  ["NetStream.Publish.InvalidSign", "warning", "NetStream.Publish.InvalidSign"],
  ["NetStream.Publish.Forbidden", "Error", "NetStream.Publish.Forbidden"],
  ["NetStream.Own.Word", "ERROR", "NetStream.Own.Word"],
  ["NetStream.Publish.No way_2<b>", "status", "NetStream.Publish.No?way_2?b?"],
  [`NetStream.Publish.${"x".repeat(2_000)}`, "status", `NetStream.Publish.${"x".repeat(46)}`],
  ["NetStream.Publish.the-secret-key", "status", ""],
])("before the start %j with level %s refuses, and is shown as %j", (code, level, shown) => {
  const server = new Server("the-secret-key?token=1").admit();
  server.command("_result", 4, [1]);
  expect(failures(server.status(code, level))).toEqual([{ kind: "publish-rejected", code: shown, isInUse: false }]);
});

test.each([
  ["NetStream.Publish.Idle", "status"],
  ["NetStream.Play.Reset", "status"],
  ["NetStream.Data.Start", "Status"],
  ["NetConnection.Connect.Success", "status"],
  ["", ""],
])("before the start %j with level %j is ignored, and the start that follows counts", (code, level) => {
  const server = new Server().admit();
  server.command("_result", 4, [1]);
  expect(failures(server.status(code, level))).toEqual([]);
  server.status("NetStream.Publish.Start", "error");
  expect(isPublishing(server)).toBe(true);
});

test("on air an unknown code about publishing is ignored, and an error in any case ends", () => {
  const server = Server.publishing();
  expect(failures(server.status("NetStream.Publish.Warned", "status"))).toEqual([]);
  expect(failures(server.status("NetStream.Publish.Warned", "Error"))).toEqual([
    { kind: "ended-by-server", code: "NetStream.Publish.Warned" },
  ]);
});

test("a refusal beside the reply is the reason only where no reply comes", () => {
  const refused = amf0Object({ level: "error", code: "NetStream.Publish.BadName", description: "no" });
  const doubted = new Server().admit();
  expect(doubted.session.doubt).toBe(undefined);
  doubted.command("_result", 4, [1]);
  doubted.command("onFCPublish", 0, [refused]);
  expect(doubted.session.doubt).toEqual({
    kind: "publish-rejected",
    code: "NetStream.Publish.BadName",
    isInUse: false,
  });
  doubted.status("NetStream.Publish.Start");
  expect(isPublishing(doubted)).toBe(true);
  expect(doubted.session.doubt).toBe(undefined);
});

test.each([0, 1, 7, 2 ** 31, 2 ** 32 - 1])("a stream may have the number %d", (number) => {
  const server = new Server("key").admit();
  server.command("_result", 4, [number]);
  expect(commands(server).at(-1)).toMatchObject({ name: "publish", streamId: number });
  server.status("NetStream.Publish.Start");
  expect(server.outputs.at(-1)).toEqual({ kind: "publishing", streamId: number });
  expect(server.session.unpublish().length).toBeGreaterThan(0);
});

test("a stream's number may stand where the null belongs, and only the first one counts", () => {
  const server = new Server().admit();
  server.command("_result", 4, [], 3);
  server.command("_result", 4, [4]);
  const published = commands(server).filter(({ name }) => name === "publish");
  expect(published.map(({ streamId }) => streamId)).toEqual([3]);
});

test.each([[-1], [2 ** 32], [1.5], [Number.NaN], [Number.POSITIVE_INFINITY], [], ["1"], [null]])(
  "the target's reply %j to createStream breaks the protocol",
  (...args) => {
    expect(failures(new Server().admit().command("_result", 4, args))).toEqual([{ kind: "bad-stream-number" }]);
  },
);

const requestOf = (more: Record<string, Amf0Value>) =>
  amf0Object({ level: "status", code: "NetConnection.Connect.ReconnectRequest", ...more });

test.each([
  { name: "before the reply to connect", server: () => new Server().greet() },
  { name: "after it", server: () => new Server().admit() },
])("a request to connect elsewhere that comes $name is a redirection: there is no stream to keep", ({ server }) => {
  const asked = server();
  expect(failures(asked.command("onStatus", 0, [requestOf({ tcUrl: "rtmp://other/app" })]))).toEqual([
    { kind: "redirected", code: "NetConnection.Connect.ReconnectRequest", tcUrl: "rtmp://other/app" },
  ]);
});

test("a request to connect again that comes before the stream is accepted counts once it is", () => {
  const server = new Server().admit();
  expect(server.command("onStatus", 0, [requestOf({})])).toEqual([]);
  server.command("_result", 4, [1]);
  expect(server.status("NetStream.Publish.Start").map(({ kind }) => kind)).toEqual([
    "publishing",
    "reconnect-requested",
  ]);
});

test.each([
  { name: "onStatus", say: (server: Server, info: Amf0Value) => server.command("onStatus", 0, [info], null, 1) },
  { name: "_error", say: (server: Server, info: Amf0Value) => server.command("_error", 5, [info]) },
])("a refusal of publish that names another server, in $name, is a redirection", ({ say }) => {
  const server = new Server().admit();
  server.command("_result", 4, [1]);
  const ex = amf0Object({ code: 302, redirect: "rtmp://other/app" });
  const info = amf0Object({ level: "error", code: "NetStream.Publish.Rejected", description: "moved", ex });
  expect(failures(say(server, info))).toEqual([
    { kind: "redirected", code: "NetStream.Publish.Rejected", tcUrl: "rtmp://other/app" },
  ]);
});

test("codes are kept only where they look like codes: a server may echo the key", () => {
  const server = new Server("secret-key").admit();
  expect(failures(server.status("secret-key", "error"))).toEqual([
    { kind: "publish-rejected", code: "", isInUse: false },
  ]);
});

test.each([
  { name: "Unpublish.Success", end: (server: Server) => server.status("NetStream.Unpublish.Success") },
  { name: "onFCUnpublish", end: (server: Server) => server.command("onFCUnpublish", 0, []) },
  { name: "close", end: (server: Server) => server.command("close", 0, []) },
  { name: "error", end: (server: Server) => server.status("NetStream.Publish.BadName", "error") },
])("on air, an unrequested $name is the server's end of it", ({ end }) => {
  expect(failures(end(Server.publishing())).map(({ kind }) => kind)).toEqual(["ended-by-server"]);
});

test("on air the server may say that another encoder has the key", () => {
  expect(failures(Server.publishing().status("NetStream.Publish.BadName", "error", "Stream is busy"))).toEqual([
    { kind: "ended-by-server", code: "NetStream.Publish.BadName", isInUse: true },
  ]);
});

test("a message for information only is ignored", () => {
  const server = Server.publishing();
  server.status("NetStream.Data.Start");
  server.status("NetConnection.Connect.ReconnectRequest");
  server.command("onBWDone", 0, []);
  server.command("onFCPublish", 0, [amf0Object({ code: "NetStream.Publish.Start" })]);
  server.say(encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(500) }, 128));
  server.say(encodeMessage(5, { type: 18, timestamp: 0, streamId: 1, payload: Buffer.from("garbage") }, 128));
  expect(server.session.stage).toBe("publishing");
});

test("pings, bandwidth checks and bandwidth get a reply", () => {
  const server = Server.publishing();
  const before = said(server).length;
  server.control({ kind: "ping-request", timestamp: 99 });
  server.control({ kind: "set-peer-bandwidth", bytes: 5_000_000, limit: 2 });
  server.control({ kind: "set-peer-bandwidth", bytes: 5_000_000, limit: 2 });
  server.command("_onbwcheck", 12, []);
  const news = said(server).slice(before);
  expect(news.slice(0, 2).map(decodeControl)).toEqual([
    { kind: "ping-response", timestamp: 99 },
    { kind: "window-ack-size", bytes: 5_000_000 },
  ]);
  expect(news.slice(2).map((message) => decodeCommand(message, AMF0_LIMITS))).toEqual([
    { name: "_result", transactionId: 12, object: null, args: [] },
  ]);
});

test.each([
  [0, 4_096],
  [1, 4_096],
  [2 ** 32 - 1, 2 ** 31 - 1],
])("a bandwidth of %d bytes is answered with a window of %d", (bytes, window) => {
  const server = Server.publishing();
  server.control({ kind: "set-peer-bandwidth", bytes, limit: 0 });
  expect(said(server).map(decodeControl).at(-1)).toEqual({ kind: "window-ack-size", bytes: window });
});

test.each([
  { name: "before the answer to connect", server: () => new Server().greet() },
  { name: "on air", server: () => Server.publishing() },
])("a burst of 500 pings $name gets replies, one of 1,500 is a flood", ({ server }) => {
  const pings = (count: number) =>
    Buffer.concat(
      Array.from({ length: count }, (_, timestamp) =>
        encodeMessage(2, encodeControl({ kind: "ping-request", timestamp }), 128),
      ),
    );
  // One turn's share at once, the rest in the turns that follow.
  const all = (from: Server, count: number) => {
    from.say(pings(count));
    for (let turn = 1; from.session.isBehind && turn < 100; turn += 1) {
      from.outputs.push(...from.session.receive(Buffer.alloc(0), turn * 5));
    }
    return from;
  };
  const patient = server();
  const before = said(patient).length;
  expect(said(all(patient, 500)).length - before).toBe(500);
  expect(failures(all(server(), 1_500).outputs)).toEqual([{ kind: "flooded" }]);
});

test("the server's bytes are acknowledged once a window, and its own acknowledgements are reported", () => {
  const server = Server.publishing();
  server.control({ kind: "window-ack-size", bytes: 4_500 });
  const before = said(server).length;
  for (let count = 0; count < 5; count += 1) {
    server.say(encodeMessage(5, { type: 18, timestamp: 0, streamId: 1, payload: Buffer.alloc(1_000) }, 128));
  }
  const acks = said(server).slice(before).map(decodeControl);
  expect(acks.map((control) => control?.kind)).toEqual(["acknowledgement"]);
  expect(server.control({ kind: "acknowledgement", bytesTotal: 123_456 })).toEqual([
    { kind: "acknowledged", bytesTotal: 123_456 },
  ]);
});

test("a clean stop sends FCUnpublish and deleteStream, and nothing before publish", () => {
  const server = Server.publishing("the-key");
  const reader = new ChunkReader(LIMITS_PUBLISHING);
  const messages: Message[] = [];
  reader.receive(Buffer.concat([sent(server).subarray(1_536), server.session.unpublish()]), (message) =>
    messages.push(message),
  );
  expect(
    messages
      .slice(-2)
      .map((message) => decodeCommand(message, AMF0_LIMITS))
      .map(({ name, transactionId, args }) => [name, transactionId, args]),
  ).toEqual([
    ["FCUnpublish", 6, ["the-key"]],
    ["deleteStream", 7, [1]],
  ]);
  expect(new Server().greet().session.unpublish().length).toBe(0);
});

test("a reply that is not RTMP is a failure of the stage it came in", () => {
  const web = new Server();
  expect(failures(web.say(Buffer.from("HTTP/1.1 400 Bad Request\r\n")))).toEqual([
    { kind: "protocol-error", during: "handshake", detail: expect.stringContaining("bad-version") },
  ]);
  const broken = new Server().greet();
  expect(failures(broken.say(Buffer.from("ff".repeat(40), "hex"))).map(({ kind }) => kind)).toEqual(["protocol-error"]);
});

test.each([
  ["a string cut short", 20, "0200106f6e58"],
  ["an unused marker", 20, "0200036f6e5800000000000000000005 0e".replaceAll(" ", "")],
  ["AMF3 of an unknown kind", 17, "000200036f6e5800000000000000000005110d"],
  ["no name", 20, "05"],
])("a command on air with %s is passed over, and the next one counts", (_, type, payload) => {
  const server = Server.publishing();
  const message = { type, timestamp: 0, streamId: 0, payload: Buffer.from(payload, "hex") };
  expect(server.say(encodeMessage(3, message, 128))).toEqual([]);
  expect(server.session.stage).toBe("publishing");
  expect(failures(server.status("NetStream.Publish.BadName", "error"))).toHaveLength(1);
});

test.each([
  ["with an address", "rtmp://other/live", { kind: "reconnect-requested", tcUrl: "rtmp://other/live" }],
  ["without", undefined, { kind: "reconnect-requested" }],
])("a request to connect again is reported, %s", (_, tcUrl, output) => {
  const code = "NetConnection.Connect.ReconnectRequest";
  const info = amf0Object({ level: "status", code, ...(tcUrl === undefined ? {} : { tcUrl }) });
  const server = Server.publishing();
  expect(server.command("onStatus", 0, [info])).toEqual([output]);
  expect(server.session.stage).toBe("publishing");
});

test("the server's Enhanced RTMP capabilities are remembered", () => {
  const server = new Server().greet();
  expect(server.session.peer).toEqual({ capsEx: 0, fourCcs: [] });
  const object = amf0Object({
    fourCcList: ["hvc1", 7, "too long"],
    capsEx: 3,
    audioFourCcInfoMap: amf0Object({ Opus: 4 }),
  });
  server.command("_result", 1, [], object);
  expect(server.session.peer).toEqual({ capsEx: 3, fourCcs: ["hvc1", "Opus"] });
  expect(["hvc1", "av01"].map((name) => takesFourCc(server.session.peer, name))).toEqual([true, false]);
});

test("an acknowledgement is requested about once a second of the stream: anew where its rate differs much, never at odd sizes", () => {
  const server = Server.publishing();
  const asked = (bytesPerSecond: number) => {
    const message = server.session.askForAcks(bytesPerSecond);
    return message === undefined ? undefined : message.readUInt32BE(12);
  };
  expect(server.session.ackWindowBytes).toBe(2_500_000);
  expect(asked(8_000)).toBe(8_000);
  expect(asked(12_000)).toBeUndefined();
  expect(asked(5_000)).toBeUndefined();
  expect(asked(59_500)).toBe(59_500);
  expect(asked(1)).toBe(4_096);
  expect(asked(900_000_000)).toBe(2_500_000);
  expect(server.session.ackWindowBytes).toBe(2_500_000);
  expect(new Server().admit().session.askForAcks(8_000)).toBeUndefined();
});
