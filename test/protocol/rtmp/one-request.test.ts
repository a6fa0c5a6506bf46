import fc from "fast-check";
import { expect, test } from "vitest";
import { amf0Object } from "../../../src/protocol/amf0/value.ts";
import { encodeMessage } from "../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { encodeCommand } from "../../../src/protocol/rtmp/command.ts";
import { encodeControl } from "../../../src/protocol/rtmp/control.ts";
import { mediaMessage } from "../../support/streams/media-messages.ts";
import { closes, KEYFRAME, kinds, media, Peer, requests } from "../../support/targets/server-peer.ts";

const command = (name: string, args: readonly (string | number)[] = [], transactionId = 5) =>
  encodeMessage(3, encodeCommand(1, { name, transactionId, object: null, args }), 128);
const PUBLISH = command("publish", ["key", "live"]);
const CHUNK_SIZE = encodeMessage(2, encodeControl({ kind: "set-chunk-size", chunkSize: 4_096 }), 128);
const METADATA = {
  type: 18,
  timestamp: 0,
  streamId: 1,
  payload: encodeCommand(1, { name: "@setDataFrame", transactionId: 0, object: null, args: [] }).payload,
};
const HEADER = { type: 9, timestamp: 0, streamId: 1, payload: Buffer.from("1700000000014200", "hex") };

function asking(): Peer {
  const peer = new Peer();
  peer.connect();
  peer.command("createStream", 4, null);
  return peer;
}

/** What a relay sends that does not wait for replies. */
const AT_ONCE = Buffer.concat([
  PUBLISH,
  CHUNK_SIZE,
  encodeMessage(5, METADATA, 4_096),
  encodeMessage(6, HEADER, 4_096),
  encodeMessage(6, KEYFRAME, 4_096),
]);

test("media in one read with publish is there once the key was accepted, complete and in order", () => {
  const peer = asking();
  peer.say(AT_ONCE);
  expect(peer.session.isAsking).toBe(true);
  expect(peer.session.isBehind).toBe(true);
  expect(media(peer)).toEqual([]);
  peer.answer("accept");
  expect(media(peer)).toEqual([METADATA, HEADER, KEYFRAME].map(mediaMessage));
  expect(peer.session.isAsking).toBe(false);
  expect(peer.session.isBehind).toBe(false);
});

test("media after publish, before its reply, is the same wherever the network cuts it", () => {
  fc.assert(
    fc.property(fc.nat({ max: AT_ONCE.length }), fc.nat({ max: AT_ONCE.length }), (one, two) => {
      const peer = asking();
      const [from, to] = [Math.max(PUBLISH.length, Math.min(one, two)), Math.max(PUBLISH.length, one, two)];
      for (const part of [AT_ONCE.subarray(0, from), AT_ONCE.subarray(from, to)]) peer.say(part);
      peer.answer("accept");
      peer.say(AT_ONCE.subarray(to));
      expect(media(peer)).toEqual([METADATA, HEADER, KEYFRAME].map(mediaMessage));
    }),
  );
});

test("a first keyframe beyond the limits before publish, sent along with publish, does not close the connection", () => {
  const peer = asking();
  const large = { ...KEYFRAME, payload: Buffer.concat([KEYFRAME.payload, Buffer.alloc(200_000)]) };
  const bytes = encodeMessage(6, large, 4_096);
  peer.say(Buffer.concat([PUBLISH, CHUNK_SIZE, bytes.subarray(0, 60_000)]));
  peer.answer("accept");
  peer.say(bytes.subarray(60_000));
  expect(closes(peer.outputs)).toEqual([]);
  expect(media(peer).map(({ payload }) => payload.length)).toEqual([large.payload.length]);
});

test("an unauthenticated peer has one request at a time, and a second one is read after the reply", () => {
  const peer = asking();
  const again = Buffer.concat([command("deleteStream", [1], 6), command("publish", ["second", "live"], 7)]);
  peer.say(Buffer.concat([PUBLISH, again, again, again]));
  expect(requests(peer).map(({ name }) => name)).toEqual(["key"]);
  expect(closes(peer.answer("refuse"))).toEqual(["refused"]);
  expect(requests(peer)).toHaveLength(1);
});

test("an encoder that withdraws its key before the reply has published nothing", () => {
  const peer = asking();
  peer.say(Buffer.concat([PUBLISH, command("deleteStream", [1], 6)]));
  expect(kinds(peer.answer("accept"))).toEqual(["send", "send", "unpublished"]);
  expect(media(peer)).toEqual([]);
});

test("messages after a connect that needs a login are read once the login was accepted", () => {
  const peer = new Peer();
  const connect = encodeCommand(0, {
    name: "connect",
    transactionId: 1,
    object: amf0Object({ app: "relay/login?authmod=adobe&user=me" }),
    args: [],
  });
  peer.say(Buffer.concat([encodeMessage(3, connect, 128), command("createStream"), PUBLISH]));
  expect(kinds(peer.outputs).at(-1)).toBe("login-requested");
  peer.outputs.push(...peer.session.answerLogin(1, { kind: "accept" }, 0));
  expect(requests(peer).map(({ name }) => name)).toEqual(["key"]);
});
