import { expect, test } from "vitest";
import { encodeAmf0 } from "../../../src/protocol/amf0/encode.ts";
import { amf0EcmaArray, amf0Object } from "../../../src/protocol/amf0/value.ts";
import { encodeMessage } from "../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { encodeCommand } from "../../../src/protocol/rtmp/command.ts";
import { hex } from "../../support/streams/hex.ts";
import { mediaMessage } from "../../support/streams/media-messages.ts";
import {
  closes,
  commands,
  KEYFRAME,
  kinds,
  media,
  names,
  Peer,
  replies,
  requests,
} from "../../support/targets/server-peer.ts";

const say = (peer: Peer, type: number, payload: Buffer, streamId = 0) =>
  peer.say(encodeMessage(3, { type, timestamp: 0, streamId, payload }, 128));

const ODD = [
  { name: "an empty command", type: 20, payload: hex("") },
  { name: "an empty AMF3 command", type: 17, payload: hex("") },
  { name: "a format selector alone", type: 17, payload: hex("00") },
  {
    name: "a format selector in front of a type 20",
    type: 20,
    payload: Buffer.concat([hex("00"), encodeAmf0(["onKeepAlive", 0, null])]),
  },
  { name: "a number where the name belongs", type: 20, payload: encodeAmf0([1, "x"]) },
  {
    name: "metadata sent as a command",
    type: 20,
    payload: encodeAmf0(["@setDataFrame", "onMetaData", amf0EcmaArray({ width: 320 })]),
  },
  { name: "a string cut short", type: 20, payload: Buffer.concat([encodeAmf0(["onX", 0]), hex("02 0032 41")]) },
  { name: "an unused marker", type: 20, payload: Buffer.concat([encodeAmf0(["onX", 0, null]), hex("0e")]) },
  {
    name: "AMF3 values without their marker",
    type: 17,
    payload: Buffer.concat([hex("00"), encodeAmf0(["onX", 0]), hex("0a0b0101")]),
  },
  { name: "data that is no AMF", type: 18, payload: hex("ffeeddcc") },
  { name: "an aggregate cut short", type: 22, payload: hex("08 00ffff 000000 00 000000 01") },
  { name: "a shared object", type: 16, payload: hex("00000000") },
  { name: "an unknown type", type: 99, payload: hex("00000000") },
  { name: "a control message too short", type: 4, payload: hex("00") },
  { name: "a chunk size too short", type: 1, payload: hex("00") },
];

test.each(ODD)("$name, sent on air, ends nothing", ({ type, payload }) => {
  const peer = Peer.publishing();
  expect(closes(say(peer, type, payload))).toEqual([]);
  peer.say(encodeMessage(6, KEYFRAME, 128));
  expect(media(peer).at(-1)).toEqual(mediaMessage(KEYFRAME));
});

test("one such message with each frame, sixty a second, ends nothing either, and commands still work", () => {
  const peer = Peer.publishing();
  for (let frame = 0; frame < 600; frame += 1) {
    peer.nowMs = frame * (1_000 / 60);
    say(peer, 20, encodeAmf0([1, "x"]));
    peer.say(encodeMessage(6, KEYFRAME, 128));
  }
  expect(closes(peer.outputs)).toEqual([]);
  expect(media(peer)).toHaveLength(600);
});

test("a caption and a time code for each of sixty frames a second all go on, and the encoder can still stop", () => {
  const peer = Peer.publishing();
  peer.nowMs = 10_000;
  for (let frame = 0; frame < 60; frame += 1) {
    peer.nowMs += 16;
    say(peer, 18, encodeAmf0(["onTextData", amf0EcmaArray({ text: "x" })]), 1);
    say(peer, 18, encodeAmf0(["onFI", amf0EcmaArray({ st: "10:00:00.0" })]), 1);
  }
  expect(media(peer)).toHaveLength(120);
  peer.command("FCUnpublish", 6, null, ["key"]);
  peer.command("deleteStream", 7, null, [1]);
  expect(kinds(peer.outputs).filter((kind) => kind === "unpublished" || kind === "closed")).toEqual(["unpublished"]);
});

test("of data beyond any encoder's the rest of a second is lost, long messages sooner, and no command", () => {
  const taken = (bytes: number, count: number) => {
    const peer = Peer.publishing();
    peer.nowMs = 10_000;
    for (let index = 0; index < count; index += 1) say(peer, 18, Buffer.alloc(bytes, 5), 1);
    expect(closes(peer.command("FCUnpublish", 6, null, ["other"]))).toEqual([]);
    const inFirst = media(peer).length;
    peer.nowMs = 11_000;
    say(peer, 18, Buffer.alloc(bytes, 5), 1);
    expect(media(peer)).toHaveLength(inFirst + 1);
    return inFirst;
  };
  expect([taken(20, 300), taken(60_000, 30), taken(1_000_000, 4)]).toEqual([256, 18, 2]);
});

test("the messages of a peer whose key is not known yet are bounded", () => {
  const peer = new Peer();
  peer.connect();
  expect(closes(say(peer, 20, encodeAmf0([1, "x"])))).toEqual(["protocol-error"]);
});

test.each([
  { name: "without its end mark", cut: 3 },
  { name: "with a third of it", cut: 2 },
  { name: "with two thirds of it", cut: 1 },
])("connect $name gets a reply", ({ cut }) => {
  const peer = new Peer();
  const { payload } = encodeCommand(0, {
    name: "connect",
    transactionId: 1,
    object: amf0Object({ app: "relay" }),
    args: [],
  });
  say(peer, 20, payload.subarray(0, payload.length - cut));
  expect(names(peer)).toEqual(["_result 1"]);
});

/** On air on the second of two streams, as `secondKey`. */
function onSecondStream(): Peer {
  const peer = new Peer();
  peer.connect();
  peer.command("createStream", 4, null);
  peer.command("createStream", 5, null);
  peer.publish("second-key", 2);
  peer.answer("accept");
  return peer;
}

const FAREWELLS = [
  { name: "deleteStream of the first", ends: 0, say: (peer: Peer) => peer.command("deleteStream", 7, null, [1]) },
  { name: "closeStream on the first", ends: 0, say: (peer: Peer) => peer.command("closeStream", 0, null, [], 1) },
  {
    name: "FCUnpublish of another name",
    ends: 0,
    say: (peer: Peer) => peer.command("FCUnpublish", 6, null, ["first-key"]),
  },
  { name: "deleteStream of this one", ends: 1, say: (peer: Peer) => peer.command("deleteStream", 7, null, [2]) },
  { name: "closeStream on this one", ends: 1, say: (peer: Peer) => peer.command("closeStream", 0, null, [], 2) },
  {
    name: "FCUnpublish of this name",
    ends: 1,
    say: (peer: Peer) => peer.command("FCUnpublish", 6, null, ["second-key"]),
  },
  {
    name: "FCUnpublish of this name with a query",
    ends: 1,
    say: (peer: Peer) => peer.command("FCUnpublish", 6, null, ["second-key?a=b"]),
  },
  { name: "FCUnpublish of no name", ends: 1, say: (peer: Peer) => peer.command("FCUnpublish", 6, null, [""]) },
  {
    name: "deleteStream of a number that was never given",
    ends: 1,
    say: (peer: Peer) => peer.command("deleteStream", 7, null, [0]),
  },
  { name: "closeStream on stream 0", ends: 1, say: (peer: Peer) => peer.command("closeStream", 0, null, [], 0) },
];

test.each(FAREWELLS)("$name ends $ends publications", ({ ends, say: sayFarewell }) => {
  const peer = onSecondStream();
  sayFarewell(peer);
  expect(kinds(peer.outputs).filter((kind) => kind === "unpublished")).toHaveLength(ends);
  peer.say(encodeMessage(6, { ...KEYFRAME, streamId: 2 }, 128));
  expect(media(peer)).toHaveLength(1 - ends);
});

test("an encoder may publish twenty times on one connection, each time on a new stream", () => {
  const peer = new Peer();
  peer.connect();
  for (let round = 1; round <= 20; round += 1) {
    peer.command("createStream", 4, null);
    peer.publish("key", 1);
    peer.answer("accept", round);
    peer.command("deleteStream", 7, null, [1]);
  }
  expect(closes(peer.outputs)).toEqual([]);
  expect(requests(peer)).toHaveLength(20);
});

test.each([
  { name: "closeStream", end: (peer: Peer, streamId: number) => peer.command("closeStream", 0, null, [], streamId) },
  { name: "FCUnpublish", end: (peer: Peer) => peer.command("FCUnpublish", 6, null, ["key"]) },
  { name: "deleteStream without a number", end: (peer: Peer) => peer.command("deleteStream", 7, null, []) },
])("an encoder that ends by $name, and deletes no stream, may publish twenty times as well", ({ end }) => {
  const peer = new Peer();
  peer.connect();
  for (let round = 1; round <= 20; round += 1) {
    peer.command("createStream", 4, null);
    const streamId = Number(commands(replies(peer)).at(-1)?.args[0]);
    peer.publish("key", streamId);
    peer.answer("accept", round);
    peer.say(encodeMessage(6, { ...KEYFRAME, streamId }, 128));
    end(peer, streamId);
  }
  expect(closes(peer.outputs)).toEqual([]);
  expect(media(peer)).toHaveLength(20);
  expect(kinds(peer.outputs).filter((kind) => kind === "unpublished")).toHaveLength(20);
});

test("a stream on air is never the one that is forgotten", () => {
  const peer = new Peer();
  peer.connect();
  peer.command("createStream", 4, null);
  peer.publish("key", 1);
  peer.answer("accept");
  peer.command("closeStream", 0, null, [], 1);
  peer.publish("key", 1);
  peer.answer("accept", 2);
  for (let count = 1; count < 8; count += 1) peer.command("createStream", 4, null);
  expect(closes(peer.command("createStream", 4, null))).toEqual(["protocol-error"]);
});

test("a stream on air stays when another one is deleted, however many are asked for", () => {
  const peer = new Peer();
  peer.connect();
  for (let count = 0; count < 2; count += 1) peer.command("createStream", 4, null);
  peer.publish("key", 1);
  peer.answer("accept");
  peer.command("deleteStream", 7, null, [2]);
  for (let count = 1; count < 8; count += 1) peer.command("createStream", 4, null);
  expect(closes(peer.command("createStream", 4, null))).toEqual(["protocol-error"]);
});

test("more than eight streams open at once are too many", () => {
  const peer = new Peer();
  peer.connect();
  for (let count = 0; count < 8; count += 1) peer.command("createStream", 4, null);
  expect(closes(peer.outputs)).toEqual([]);
  peer.command("createStream", 4, null);
  expect(closes(peer.outputs)).toEqual(["protocol-error"]);
});
