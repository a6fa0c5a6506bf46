import fc from "fast-check";
import { expect, test } from "vitest";
import { AMF0_LIMITS } from "../../../src/protocol/amf0/decode.ts";
import { encodeAmf0 } from "../../../src/protocol/amf0/encode.ts";
import { amf0Object, textProperty } from "../../../src/protocol/amf0/value.ts";
import { encodeMessage } from "../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { decodeCommand, encodeCommand } from "../../../src/protocol/rtmp/command.ts";
import { decodeControl, encodeControl } from "../../../src/protocol/rtmp/control.ts";
import { SERVER_DEADLINES } from "../../../src/protocol/rtmp/server/server-state.ts";
import { mediaMessage } from "../../support/streams/media-messages.ts";
import {
  C0C1,
  C2,
  closes,
  commands,
  KEYFRAME,
  kinds,
  media,
  names,
  Peer,
  replies,
  requests,
  S0S1S2_BYTES,
  sent,
} from "../../support/targets/server-peer.ts";

test("S0, S1 and S2 leave together as soon as C1 is complete, before any C2", () => {
  const peer = new Peer({ isGreeted: false });
  expect(sent(peer.say(C0C1.subarray(0, 1_536))).length).toBe(0);
  expect(sent(peer.say(C0C1.subarray(1_536))).length).toBe(S0S1S2_BYTES);
});

test("connect may come glued to C2, and byte by byte", () => {
  const connect = encodeMessage(
    3,
    encodeCommand(0, { name: "connect", transactionId: 1, object: amf0Object({ app: "relay" }), args: [] }),
    128,
  );
  const whole = new Peer({ isGreeted: false });
  whole.say(Buffer.concat([C0C1, C2, connect]));
  const single = new Peer({ isGreeted: false });
  for (const byte of Buffer.concat([C0C1, C2, connect])) single.say(Buffer.from([byte]));
  expect(names(whole)).toEqual(["_result 1"]);
  expect(sent(single.outputs)).toEqual(sent(whole.outputs));
});

test.each([
  { name: "RTMPE", first: 6 },
  { name: "a TLS ClientHello", first: 0x16 },
  { name: "HTTP", first: 0x47 },
])("$name is refused at its first byte", ({ first }) => {
  const peer = new Peer({ isGreeted: false });
  expect(closes(peer.say(Buffer.from([first])))).toEqual(["protocol-error"]);
});

test("the reply to connect has window, bandwidth, chunk size and the success that encoders look for", () => {
  const peer = new Peer();
  peer.connect();
  const answers = replies(peer);
  expect(answers.map(({ type }) => type)).toEqual([5, 6, 1, 20]);
  expect(decodeControl(answers[0] ?? KEYFRAME)).toEqual({ kind: "window-ack-size", bytes: 5_000_000 });
  expect(decodeControl(answers[1] ?? KEYFRAME)).toEqual({ kind: "set-peer-bandwidth", bytes: 5_000_000, limit: 2 });
  const [result] = commands(answers);
  expect(result).toEqual({
    name: "_result",
    transactionId: 1,
    object: amf0Object({ fmsVer: "FMS/3,0,1,123", capabilities: 31 }),
    args: [
      amf0Object({
        level: "status",
        code: "NetConnection.Connect.Success",
        description: "Connection succeeded.",
        objectEncoding: 0,
      }),
    ],
  });
});

test.each([
  { name: "the list of v1", properties: { fourCcList: ["hvc1"] } },
  { name: "a map of v2", properties: { videoFourCcInfoMap: amf0Object({ av01: 2 }) } },
  { name: "capsEx", properties: { capsEx: 2 } },
])("the reply to a connect with $name announces every codec and form", ({ properties }) => {
  const peer = new Peer();
  peer.connect({ app: "relay", ...properties });
  expect(commands(replies(peer))[0]?.object).toEqual(
    amf0Object({
      fmsVer: "FMS/3,0,1,123",
      capabilities: 31,
      fourCcList: ["*"],
      videoFourCcInfoMap: amf0Object({ "*": 4 }),
      audioFourCcInfoMap: amf0Object({ "*": 4 }),
      capsEx: 15,
    }),
  );
});

test.each([
  { name: "no app", properties: {}, app: "" },
  { name: "an empty app", properties: { app: "" }, app: "" },
  { name: "tcurl in lower case", properties: { app: "relay", tcurl: "rtmp://h/relay" }, app: "relay" },
  { name: "a quoted tcUrl", properties: { app: "relay", tcUrl: '"rtmp://h/relay"' }, app: "relay" },
  { name: "a tcUrl of 4 KiB", properties: { app: "relay", tcUrl: `rtmp://h/${"x".repeat(4_087)}` }, app: "relay" },
])("connect with $name is accepted", ({ properties, app }) => {
  const peer = new Peer();
  peer.connect(properties);
  peer.command("createStream", 2, null);
  peer.publish();
  expect(requests(peer).map((request) => request.app)).toEqual([app]);
});

test("object encoding 3 is granted where it is requested, and its commands are read", () => {
  const peer = new Peer();
  peer.connect({ app: "relay", objectEncoding: 3 });
  const [result] = commands(replies(peer));
  expect(result?.args[0]).toEqual(
    amf0Object({
      level: "status",
      code: "NetConnection.Connect.Success",
      description: "Connection succeeded.",
      objectEncoding: 3,
    }),
  );
  const create = encodeCommand(0, { name: "createStream", transactionId: 2, object: null, args: [] });
  peer.say(encodeMessage(3, { ...create, type: 17, payload: Buffer.concat([Buffer.from([0]), create.payload]) }, 128));
  peer.say(encodeMessage(3, { ...create, type: 17 }, 128));
  expect(names(peer)).toEqual(["_result 1", "_result 2", "_result 2"]);
});

const orders: readonly { name: string; run: (peer: Peer) => void; answers: string[] }[] = [
  {
    name: "OBS and FFmpeg",
    run: (peer) => {
      peer.connect();
      peer.command("releaseStream", 2, null, ["key"]);
      peer.command("FCPublish", 3, null, ["key"]);
      peer.command("createStream", 4, null);
      peer.publish();
    },
    answers: ["_result 1", "_result 2", "_result 3", "onFCPublish 0", "_result 4"],
  },
  {
    name: "Haivision, createStream before FCPublish",
    run: (peer) => {
      peer.connect();
      peer.command("createStream", 2, null);
      peer.command("releaseStream", 3, null, ["key"]);
      peer.command("FCPublish", 4, null, ["key"]);
      peer.publish();
    },
    answers: ["_result 1", "_result 2", "_result 3", "_result 4", "onFCPublish 0"],
  },
  {
    name: "Flash, without FCPublish",
    run: (peer) => {
      peer.connect();
      peer.command("createStream", 2, null);
      peer.publish();
    },
    answers: ["_result 1", "_result 2"],
  },
  {
    name: "an encoder that asks for its bandwidth and for the length first",
    run: (peer) => {
      peer.connect();
      peer.command("_checkbw", 2, null);
      peer.command("getStreamLength", 3, null, ["key"]);
      peer.command("FCSubscribe", 4, null, ["key"]);
      peer.command("createStream", 5, null);
      peer.publish();
    },
    answers: ["_result 1", "_result 2", "_result 3", "_result 4", "_result 5"],
  },
];

test.each(orders)("the order of $name works", ({ run, answers }) => {
  const peer = new Peer();
  run(peer);
  expect(names(peer)).toEqual(answers);
  expect(requests(peer)).toHaveLength(1);
  peer.answer("accept");
  expect(names(peer)).toEqual([...answers, "onStatus 0"]);
});

test("no reply to publish comes before the key was decided on, then StreamBegin and Start on that stream", () => {
  const peer = new Peer();
  peer.connect();
  peer.command("createStream", 4, null);
  expect(kinds(peer.publish("the-key"))).toEqual(["publish-requested"]);
  const before = replies(peer).length;
  peer.answer("accept");
  const [begin, start] = replies(peer).slice(before);
  expect(begin && decodeControl(begin)).toEqual({ kind: "stream-begin", streamId: 1 });
  expect(start?.streamId).toBe(1);
  expect(start && textProperty(decodeCommand(start, AMF0_LIMITS).args[0], "code")).toBe("NetStream.Publish.Start");
});

test("a wrong key gets BadName, never Start, and the session ends", () => {
  const peer = new Peer();
  peer.connect();
  peer.command("createStream", 4, null);
  peer.publish("wrong");
  expect(closes(peer.answer("refuse"))).toEqual(["refused"]);
  const codes = commands(replies(peer)).map(({ args }) => textProperty(args[0], "code"));
  expect(codes.at(-1)).toBe("NetStream.Publish.BadName");
  expect(codes).not.toContain("NetStream.Publish.Start");
  expect(peer.say(encodeMessage(3, KEYFRAME, 128))).toEqual([]);
});

test("an overloaded server refuses with its own reason", () => {
  const peer = new Peer();
  peer.connect();
  peer.command("createStream", 4, null);
  peer.publish("key");
  expect(closes(peer.answer("overloaded"))).toEqual(["refused"]);
  const [status] = commands(replies(peer)).at(-1)?.args ?? [];
  expect(textProperty(status, "code")).toBe("NetStream.Publish.BadName");
  expect(textProperty(status, "description")).toContain("This server cannot keep up");
});

test("without a verdict the encoder is closed without a reply, so that it tries again", () => {
  const peer = new Peer();
  peer.connect();
  peer.command("createStream", 4, null);
  peer.publish();
  const outputs = peer.answer("unavailable");
  expect(kinds(outputs)).toEqual(["closed"]);
  expect(closes(outputs)).toEqual(["not-answered"]);
});

test("a verdict that comes too late, or twice, does nothing", () => {
  const peer = Peer.publishing();
  expect(peer.answer("refuse")).toEqual([]);
  expect(peer.answer("accept", 2)).toEqual([]);
});

test("publish on message stream 0 means the stream created last", () => {
  const peer = new Peer();
  peer.connect();
  peer.command("createStream", 4, null);
  peer.publish("key", 0);
  peer.answer("accept");
  expect(replies(peer).at(-1)?.streamId).toBe(1);
  peer.say(encodeMessage(6, { ...KEYFRAME, streamId: 0 }, 128));
  expect(media(peer)).toHaveLength(1);
});

test("createStream counts up, and a second publish on the same connection, and on another stream, is BadName", () => {
  const peer = new Peer();
  peer.connect();
  peer.command("createStream", 4, null);
  peer.command("createStream", 5, null);
  peer.publish("key", 1);
  peer.answer("accept");
  peer.publish("other", 1);
  peer.publish("key", 2);
  const results = commands(replies(peer));
  expect(results.filter(({ name }) => name === "_result").map(({ args }) => args[0])).toEqual([
    expect.anything(),
    1,
    2,
  ]);
  expect(results.slice(-2).map(({ args }) => textProperty(args[0], "code"))).toEqual([
    "NetStream.Publish.BadName",
    "NetStream.Publish.BadName",
  ]);
  expect(requests(peer)).toHaveLength(1);
  peer.say(encodeMessage(6, KEYFRAME, 128));
  peer.say(encodeMessage(6, { ...KEYFRAME, streamId: 2 }, 128));
  expect(media(peer)).toHaveLength(1);
});

test("a publish that repeats the one before, as HaishinKit sends it, starts again what goes on, without a look-up", () => {
  const peer = new Peer();
  peer.connect();
  peer.command("createStream", 4, null);
  // Both before the verdict about the first.
  peer.publish();
  peer.publish();
  peer.answer("accept");
  peer.publish("key", 0);
  const statuses = commands(replies(peer)).filter(({ name }) => name === "onStatus");
  expect(statuses.map(({ args }) => textProperty(args[0], "code"))).toEqual([
    "NetStream.Publish.Start",
    "NetStream.Publish.Start",
    "NetStream.Publish.Start",
  ]);
  expect(requests(peer)).toHaveLength(1);
  peer.say(encodeMessage(6, KEYFRAME, 128));
  expect(media(peer)).toHaveLength(1);
});

test("a ninth message stream ends the session", () => {
  const peer = new Peer();
  peer.connect();
  for (let count = 1; count <= 8; count += 1) expect(closes(peer.command("createStream", count, null))).toEqual([]);
  expect(closes(peer.command("createStream", 9, null))).toEqual(["protocol-error"]);
});

test("publish before connect breaks the protocol, and other commands before it are ignored", () => {
  const early = new Peer();
  expect(kinds(early.command("createStream", 2, null))).toEqual([]);
  expect(closes(early.publish())).toEqual(["protocol-error"]);
});

test("unknown commands get a reply where one is expected, and are ignored where not", () => {
  const peer = Peer.publishing();
  const before = replies(peer).length;
  peer.command("somethingNew", 9, null);
  peer.command("somethingElse", 0, null);
  peer.command("_result", 9, null);
  expect(commands(replies(peer).slice(before)).map(({ name, transactionId }) => [name, transactionId])).toEqual([
    ["_result", 9],
  ]);
});

const keys: readonly { name: string; key: string }[] = [
  { name: "300 characters", key: "k".repeat(300) },
  { name: "a query", key: "key?a=b&c=d" },
  { name: "a colon", key: "live:key" },
  { name: "an escaped slash", key: "a%2Fb" },
  { name: "blanks", key: " key with blanks " },
  { name: "CR and LF", key: "key\r\n" },
  { name: "Hangul", key: "스트림키" },
  { name: "nothing", key: "" },
  { name: "a query alone", key: "?streamname=x&key=y" },
];
test.each(keys)("a name with $name reaches the decision unchanged", ({ key }) => {
  const peer = new Peer();
  peer.connect();
  peer.command("createStream", 4, null);
  peer.publish(key);
  expect(requests(peer).map(({ name }) => name)).toEqual([key]);
});

test("a name beyond 2048 characters is refused without a look-up", () => {
  const peer = new Peer();
  peer.connect();
  peer.command("createStream", 4, null);
  expect(closes(peer.publish("k".repeat(2_049)))).toEqual(["refused"]);
  expect(requests(peer)).toEqual([]);
});

test("an application name beyond 512 characters is refused in connect", () => {
  const peer = new Peer();
  expect(closes(peer.connect({ app: "a".repeat(513) }))).toEqual(["refused"]);
  expect(names(peer)).toEqual(["_error 1"]);
});

test("the encoder's name is kept printable and short", () => {
  const peer = new Peer();
  peer.connect({ app: "relay", flashVer: `FMLE/3.0\u0007 ${"v".repeat(100)}` });
  peer.command("createStream", 4, null);
  peer.publish();
  expect(requests(peer).map(({ encoder }) => encoder)).toEqual([`FMLE/3.0 ${"v".repeat(55)}`]);
});

test.each([
  { name: "FCUnpublish", end: (peer: Peer) => peer.command("FCUnpublish", 6, null, ["key"]) },
  { name: "deleteStream", end: (peer: Peer) => peer.command("deleteStream", 7, null, [1]) },
  { name: "deleteStream with a name (GStreamer)", end: (peer: Peer) => peer.command("deleteStream", 7, null, ["key"]) },
  { name: "closeStream", end: (peer: Peer) => peer.command("closeStream", 0, null, [], 1) },
])("$name ends the publication, and the connection may publish again", ({ end }) => {
  const peer = Peer.publishing();
  expect(kinds(end(peer)).filter((kind) => kind === "unpublished")).toHaveLength(1);
  peer.say(encodeMessage(6, KEYFRAME, 128));
  expect(media(peer)).toEqual([]);
  peer.publish("key");
  peer.answer("accept", 2);
  peer.say(encodeMessage(6, KEYFRAME, 128));
  expect(media(peer)).toHaveLength(1);
});

test("OBS's clean stop, FCUnpublish then deleteStream, ends the publication once", () => {
  const peer = Peer.publishing();
  peer.command("FCUnpublish", 6, null, ["key"]);
  peer.command("deleteStream", 7, null, [1]);
  expect(kinds(peer.outputs).filter((kind) => kind === "unpublished")).toHaveLength(1);
});

test("media before publish, and on an unpublished stream, goes nowhere; afterwards it comes complete and in order", () => {
  const peer = new Peer();
  peer.connect();
  peer.say(encodeMessage(6, KEYFRAME, 128));
  peer.command("createStream", 4, null);
  peer.say(encodeMessage(6, KEYFRAME, 128));
  peer.publish();
  peer.answer("accept");
  peer.say(encodeMessage(6, { ...KEYFRAME, streamId: 3 }, 128));
  const audio = { type: 8, timestamp: 50, streamId: 1, payload: Buffer.from("af0121", "hex") };
  const silence = { ...audio, payload: Buffer.alloc(0) };
  for (const message of [KEYFRAME, audio, silence]) peer.say(encodeMessage(6, message, 128));
  expect(media(peer)).toEqual([KEYFRAME, audio, silence].map(mediaMessage));
});

test("data leave as AMF0 values, whichever type they came in, with and without a format selector", () => {
  const peer = Peer.publishing();
  const values = encodeAmf0(["onCuePoint", "ad"]);
  const selected = Buffer.concat([Buffer.from([0]), values]);
  for (const [type, payload] of [
    [18, values],
    [18, selected],
    [15, values],
    [15, selected],
  ] as const) {
    peer.say(encodeMessage(4, { type, timestamp: 70, streamId: 1, payload }, 128));
  }
  expect(media(peer)).toEqual(Array.from({ length: 4 }, () => ({ kind: "data", timestamp: 70, payload: values })));
});

test("an aggregate is split into its messages", () => {
  const peer = Peer.publishing();
  const part = (type: number, time: number, body: Buffer) => {
    const head = Buffer.alloc(11);
    head[0] = type;
    head.writeUIntBE(body.length, 1, 3);
    head.writeUIntBE(time, 4, 3);
    const back = Buffer.alloc(4);
    back.writeUInt32BE(11 + body.length);
    return Buffer.concat([head, body, back]);
  };
  const payload = Buffer.concat([part(9, 10, KEYFRAME.payload), part(8, 33, Buffer.from("af0121", "hex"))]);
  peer.say(encodeMessage(6, { type: 22, timestamp: 1_000, streamId: 1, payload }, 128));
  expect(media(peer).map(({ kind, timestamp }) => [kind, timestamp])).toEqual([
    ["video", 1_000],
    ["audio", 1_023],
  ]);
  const corrupt = Buffer.from(payload);
  corrupt.writeUIntBE(5_000, 1, 3);
  expect(peer.say(encodeMessage(6, { type: 22, timestamp: 1_000, streamId: 1, payload: corrupt }, 128))).toEqual([]);
});

test("each window of bytes is acknowledged with the running total, and no acknowledgement is ever needed from the peer", () => {
  const peer = Peer.publishing();
  peer.say(encodeMessage(2, encodeControl({ kind: "window-ack-size", bytes: 5_000 }), 128));
  const before = replies(peer).length;
  const frame = { ...KEYFRAME, payload: Buffer.alloc(1_000, 0x27) };
  for (let count = 0; count < 12; count += 1) peer.say(encodeMessage(6, frame, 128));
  const totals = replies(peer)
    .slice(before)
    .map((message) => decodeControl(message))
    .flatMap((control) => (control?.kind === "acknowledgement" ? [control.bytesTotal] : []));
  expect(totals).toHaveLength(2);
  const [first = 0, second = 0] = totals;
  expect(first).toBeGreaterThanOrEqual(5_000);
  expect(second - first).toBeGreaterThanOrEqual(5_000);
  expect(second - first).toBeLessThan(6_100);
});

test.each([5_000_000, 2 ** 32 - 1])(
  "a peer that asks for an acknowledgement in %i bytes, and sends no more ahead than it may, never waits for one",
  (bytes) => {
    const peer = Peer.publishing();
    const controls = () => replies(peer).map((message) => decodeControl(message));
    // Some peers take the bandwidth for it, some the window.
    const mayBytes = controls().flatMap((control) =>
      control?.kind === "set-peer-bandwidth" || control?.kind === "window-ack-size" ? [control.bytes] : [],
    );
    const leastBytes = Math.min(...mayBytes);
    peer.say(encodeMessage(2, encodeControl({ kind: "window-ack-size", bytes }), 128));
    const frame = encodeMessage(6, { ...KEYFRAME, payload: Buffer.alloc(50_000, 0x27) }, 128);
    const acknowledged = () => controls().findLast((control) => control?.kind === "acknowledgement")?.bytesTotal ?? 0;
    for (let total = frame.length; total < 3 * leastBytes; total += frame.length) {
      // As much again may be under way, or wait for its turn to be read.
      expect(total - acknowledged()).toBeLessThan(0.6 * leastBytes);
      peer.say(frame);
    }
    expect(mayBytes).toEqual([5_000_000, 5_000_000]);
  },
);

test.each([0, 1])("a window of %i bytes does not make an acknowledgement per message", (bytes) => {
  const peer = Peer.publishing();
  peer.say(encodeMessage(2, encodeControl({ kind: "window-ack-size", bytes }), 128));
  const before = replies(peer).length;
  for (let count = 0; count < 10; count += 1) peer.say(encodeMessage(6, KEYFRAME, 128));
  expect(replies(peer).length).toBe(before);
});

test("a ping gets its own bytes back, unknown user control events are ignored", () => {
  const peer = Peer.publishing();
  const before = replies(peer).length;
  peer.say(encodeMessage(2, encodeControl({ kind: "ping-request", timestamp: 0xfedcba98 }), 128));
  peer.say(encodeMessage(2, { type: 4, timestamp: 0, streamId: 0, payload: Buffer.from("00ff01020304", "hex") }, 128));
  peer.say(encodeMessage(2, { type: 4, timestamp: 0, streamId: 0, payload: Buffer.from("00", "hex") }, 128));
  expect(replies(peer).slice(before).map(decodeControl)).toEqual([{ kind: "ping-response", timestamp: 0xfedcba98 }]);
});

test("a silent encoder is pinged after 15 s; its reply keeps it, silence beyond any channel's limit ends it", () => {
  const peer = Peer.publishing();
  peer.say(encodeMessage(6, KEYFRAME, 128));
  expect(peer.tick(SERVER_DEADLINES.pingAfterMs - 1)).toEqual([]);
  expect(kinds(peer.tick(SERVER_DEADLINES.pingAfterMs))).toEqual(["send"]);
  expect(peer.tick(SERVER_DEADLINES.pingAfterMs + 1_000)).toEqual([]);
  const ping = replies(peer).map(decodeControl).at(-1);
  expect(ping).toEqual({ kind: "ping-request", timestamp: SERVER_DEADLINES.pingAfterMs });
  peer.say(encodeMessage(2, encodeControl({ kind: "ping-response", timestamp: 15_000 }), 128));
  expect(kinds(peer.tick(SERVER_DEADLINES.silenceMs))).toEqual([]);
  expect(closes(peer.tick(SERVER_DEADLINES.silenceMs + 16_000))).toEqual([]);
  expect(closes(peer.tick(SERVER_DEADLINES.silenceOfMediaMs + 15_999))).toEqual([]);
  expect(closes(peer.tick(SERVER_DEADLINES.silenceOfMediaMs + 16_000))).toEqual(["timed-out"]);
});

test("one frame a second is not silence, for as long as it goes on", () => {
  const peer = Peer.publishing();
  for (let second = 1; second <= 120; second += 1) {
    peer.nowMs = second * 1_000;
    peer.say(encodeMessage(6, { ...KEYFRAME, timestamp: second * 1_000 }, 128));
    expect(peer.tick(second * 1_000)).toEqual([]);
  }
});

test("an encoder whose bytes take a second each way is on air, over TLS too", () => {
  const peer = new Peer({ isGreeted: false });
  const tick = (atMs: number) => expect(closes(peer.tick(atMs))).toEqual([]);
  // TLS 1.2 took two round trips.
  tick(4_000);
  peer.say(C0C1);
  tick(6_000);
  peer.say(C2);
  peer.connect();
  tick(8_000);
  peer.command("createStream", 4, null);
  tick(10_000);
  peer.publish();
  peer.answer("accept");
  expect(kinds(peer.outputs)).not.toContain("closed");
  expect(requests(peer)).toHaveLength(1);
});

const deadlines: readonly { name: string; reach: () => Peer; atMs: number }[] = [
  { name: "no first byte", reach: () => new Peer({ isGreeted: false }), atMs: SERVER_DEADLINES.publishMs },
  {
    name: "a handshake that trickles",
    reach: () => {
      const peer = new Peer({ isGreeted: false });
      peer.say(C0C1.subarray(0, 1));
      peer.nowMs = 5_000;
      peer.say(C0C1.subarray(1, 2));
      return peer;
    },
    atMs: SERVER_DEADLINES.publishMs,
  },
  { name: "no connect", reach: () => new Peer(), atMs: SERVER_DEADLINES.publishMs },
  {
    name: "no publish",
    reach: () => {
      const peer = new Peer();
      peer.connect();
      return peer;
    },
    atMs: SERVER_DEADLINES.publishMs,
  },
  { name: "no media", reach: () => Peer.publishing(), atMs: SERVER_DEADLINES.firstMediaMs },
];
test.each(deadlines)("$name ends the session at its deadline and not before", ({ reach, atMs }) => {
  expect(closes(reach().tick(atMs - 1))).toEqual([]);
  expect(closes(reach().tick(atMs))).toEqual(["timed-out"]);
});

test("the 65th message without publishing, and the 51st command of a second on air, end the session", () => {
  const flood = encodeMessage(2, encodeControl({ kind: "ping-response", timestamp: 1 }), 128);
  const before = new Peer();
  for (let count = 1; count <= 64; count += 1) expect(closes(before.say(flood))).toEqual([]);
  expect(closes(before.say(flood))).toEqual(["too-many-messages"]);
  const onAir = Peer.publishing();
  onAir.nowMs = 10_000;
  for (let count = 1; count <= 50; count += 1) expect(closes(onAir.say(flood))).toEqual([]);
  onAir.nowMs = 11_000;
  for (let count = 1; count <= 50; count += 1) expect(closes(onAir.say(flood))).toEqual([]);
  expect(closes(onAir.say(flood))).toEqual(["too-many-messages"]);
});

test("messages in aggregates are counted each, so that they use no more of a turn than single messages", () => {
  const peer = Peer.publishing();
  peer.nowMs = 10_000;
  const tag = Buffer.alloc(15);
  tag[0] = 8;
  const aggregate = { type: 22, timestamp: 0, streamId: 1, payload: Buffer.alloc(1_000 * tag.length, tag) };
  peer.say(Buffer.concat(Array.from({ length: 5 }, () => encodeMessage(6, aggregate, 128))));
  expect(media(peer)).toHaveLength(2_000);
  expect(peer.session.isBehind).toBe(true);
  for (const turn of [1, 2]) {
    peer.outputs.push(...peer.session.receive(Buffer.alloc(0), 10_000 + turn * 50));
    expect(media(peer)).toHaveLength(2_000 + (turn === 1 ? 2_000 : 3_000));
  }
  expect(peer.session.isBehind).toBe(false);
});

test("before publishing a message beyond 64 KiB ends the session; on air a keyframe of 300 KiB is whole", () => {
  const big = { ...KEYFRAME, payload: Buffer.alloc(300 * 1024, 0x17) };
  expect(closes(new Peer().say(encodeMessage(6, big, 128)))).toEqual(["protocol-error"]);
  const peer = Peer.publishing();
  peer.say(encodeMessage(6, big, 128));
  expect(media(peer)).toEqual([mediaMessage(big)]);
});

test("the session sends and hands on the same wherever the network cuts the bytes", () => {
  const script = Buffer.concat([
    C0C1,
    C2,
    encodeMessage(2, encodeControl({ kind: "set-chunk-size", chunkSize: 4_096 }), 128),
    ...[
      encodeCommand(0, { name: "connect", transactionId: 1, object: amf0Object({ app: "relay" }), args: [] }),
      encodeCommand(0, { name: "createStream", transactionId: 2, object: null, args: [] }),
      encodeCommand(1, { name: "publish", transactionId: 3, object: null, args: ["key", "live"] }),
    ].map((message) => encodeMessage(3, message, 4_096)),
  ]);
  const whole = new Peer({ isGreeted: false });
  whole.say(script);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 40 }), (cuts) => {
      const peer = new Peer({ isGreeted: false });
      let offset = 0;
      for (let turn = 0; offset < script.length; turn += 1) {
        const length = cuts[turn % cuts.length] ?? 1;
        peer.say(script.subarray(offset, offset + length));
        offset += length;
      }
      expect(sent(peer.outputs)).toEqual(sent(whole.outputs));
      expect(requests(peer)).toEqual(requests(whole));
    }),
    { numRuns: 50 },
  );
});

test.each([
  { name: "one that can", capsEx: 1, isAsked: true },
  { name: "one that cannot", capsEx: 14, isAsked: false },
  { name: "one that says nothing", capsEx: null, isAsked: false },
])("an encoder is asked to reconnect: $name", ({ capsEx, isAsked }) => {
  const peer = new Peer();
  peer.connect({ app: "relay", tcUrl: "rtmp://host/relay", capsEx });
  expect(peer.session.requestReconnect()).toEqual([]);
  peer.command("createStream", 4, null);
  peer.publish();
  peer.answer("accept");
  const before = replies(peer).length;
  peer.outputs.push(...peer.session.requestReconnect());
  const asked = commands(replies(peer).slice(before)).map(({ name, args }) => [name, textProperty(args[0], "code")]);
  expect(asked).toEqual(isAsked ? [["onStatus", "NetConnection.Connect.ReconnectRequest"]] : []);
});
