import { expect, test } from "vitest";
import { encodeAmf0 } from "../../../src/protocol/amf0/encode.ts";
import { amf0Object } from "../../../src/protocol/amf0/value.ts";
import { ChunkReader } from "../../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { encodeMessage } from "../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { LIMITS_PUBLISHING } from "../../../src/protocol/rtmp/chunk/reader-limits.ts";
import { ClientSession } from "../../../src/protocol/rtmp/client/client-session.ts";
import { encodeCommand } from "../../../src/protocol/rtmp/command.ts";
import type { Message } from "../../../src/protocol/rtmp/message.ts";
import { Peer, replies } from "../../support/targets/server-peer.ts";

/** Reads what go2rtc reads of AMF0: numbers, booleans, strings, objects, null, ECMA arrays. Throws at anything else. */
function readSimply(bytes: Buffer): unknown[] {
  let at = 0;
  const take = (length: number) => {
    if (at + length > bytes.length) throw new Error("cut short");
    at += length;
    return bytes.subarray(at - length, at);
  };
  const text = () => take(take(2).readUInt16BE()).toString();
  const properties = (): [string, unknown][] => {
    const all: [string, unknown][] = [];
    for (let name = text(); name !== "" || bytes[at] !== 9; name = text()) all.push([name, value()]);
    take(1);
    return all;
  };
  const value = (): unknown => {
    const marker = take(1).readUInt8();
    switch (marker) {
      case 0:
        return take(8).readDoubleBE();
      case 1:
        return take(1).readUInt8() !== 0;
      case 2:
        return text();
      case 3:
        return properties();
      case 5:
        return null;
      case 8:
        take(4);
        return properties();
      default:
        throw new Error(`marker ${marker}`);
    }
  };
  const values: unknown[] = [];
  while (at < bytes.length) values.push(value());
  return values;
}

const namesOf = (messages: readonly Message[]) =>
  messages.filter(({ type }) => type === 20).map(({ payload }) => readSimply(payload)[0]);

test("the reader of this test knows no strict arrays", () => {
  expect(readSimply(encodeAmf0(["a", 1, null, amf0Object({ b: amf0Object({}) })]))).toEqual([
    "a",
    1,
    null,
    [["b", []]],
  ]);
  expect(() => readSimply(encodeAmf0([["a"]]))).toThrow("marker 10");
});

test("an encoder that knows the simplest values only can read every reply up to its stop", () => {
  const peer = new Peer();
  peer.connect();
  peer.command("releaseStream", 2, null, ["key"]);
  peer.command("FCPublish", 3, null, ["key"]);
  peer.command("createStream", 4, null);
  peer.publish();
  peer.answer("accept");
  peer.command("FCUnpublish", 6, null, ["key"]);
  expect(namesOf(replies(peer))).toEqual([
    ...["_result", "_result", "_result", "onFCPublish", "_result", "onStatus", "onFCUnpublish"],
  ]);
});

test("a target that knows the simplest values only can read every command up to our stop", () => {
  const session = new ClientSession(
    { app: "live", tcUrl: "rtmp://host/live", name: "key" },
    Buffer.alloc(1_528),
    4_096,
  );
  const sent: Buffer[] = [];
  const say = (bytes: Buffer) => {
    for (const output of session.receive(bytes, 0)) if (output.kind === "send") sent.push(output.bytes);
  };
  const result = (transactionId: number, args: readonly number[] = []) =>
    encodeMessage(3, encodeCommand(0, { name: "_result", transactionId, object: null, args }), 128);
  say(Buffer.concat([Buffer.from([3]), Buffer.alloc(3_072), result(1), result(4, [1]), result(5)]));
  const messages: Message[] = [];
  const chunks = Buffer.concat([...sent.slice(1), session.unpublish()]);
  new ChunkReader(LIMITS_PUBLISHING).receive(chunks, (message) => messages.push(message));
  expect(namesOf(messages)).toEqual([
    ...["connect", "releaseStream", "FCPublish", "createStream", "publish", "FCUnpublish", "deleteStream"],
  ]);
});
