import { expect, test } from "vitest";
import { AMF0_LIMITS, AMF0_LIMITS_BEFORE_PUBLISH } from "../../../src/protocol/amf0/decode.ts";
import { encodeAmf0 } from "../../../src/protocol/amf0/encode.ts";
import { type Amf0Value, amf0EcmaArray, amf0Object } from "../../../src/protocol/amf0/value.ts";
import { ProtocolError } from "../../../src/protocol/protocol-error.ts";
import { amf0Part, decodeCommand, encodeCommand } from "../../../src/protocol/rtmp/command.ts";
import { type Message, MessageType } from "../../../src/protocol/rtmp/message.ts";

const SELECTOR = Buffer.from([0]);

const message = (type: number, ...parts: Buffer[]): Message => ({
  type,
  timestamp: 0,
  streamId: 1,
  payload: Buffer.concat(parts),
});

const connect = {
  name: "connect",
  transactionId: 1,
  object: amf0Object({ app: "live", objectEncoding: 3 }),
  args: ["extra", amf0Object({})],
};
const connectBytes = encodeAmf0([connect.name, connect.transactionId, connect.object, ...connect.args]);

test.each([
  { name: "type 20", message: message(MessageType.CommandAmf0, connectBytes) },
  { name: "type 17 with its format selector", message: message(MessageType.CommandAmf3, SELECTOR, connectBytes) },
  { name: "type 17 without it", message: message(MessageType.CommandAmf3, connectBytes) },
])("a command of $name is read", (row) => {
  expect(decodeCommand(row.message, AMF0_LIMITS)).toEqual(connect);
});

test("a command is written as type 20 on its message stream", () => {
  expect(encodeCommand(7, connect)).toEqual({
    type: MessageType.CommandAmf0,
    timestamp: 0,
    streamId: 7,
    payload: connectBytes,
  });
});

test("a command object in AMF3 after its marker is read", () => {
  const amf3Object = Buffer.from("110a0b01076170700609" + "6c69766501", "hex");
  const bytes = Buffer.concat([encodeAmf0(["connect", 1]), amf3Object]);
  expect(decodeCommand(message(MessageType.CommandAmf3, SELECTOR, bytes), AMF0_LIMITS)).toEqual({
    name: "connect",
    transactionId: 1,
    object: amf0Object({ app: "live" }),
    args: [],
  });
});

test.each<{ name: string; values: Amf0Value[]; transactionId: number; object: Amf0Value; args: Amf0Value[] }>([
  { name: "a name alone", values: ["close"], transactionId: 0, object: null, args: [] },
  { name: "no command object", values: ["FCPublish", 2], transactionId: 2, object: null, args: [] },
  {
    name: "null for a transaction number",
    values: ["FCPublish", null, null, "k"],
    transactionId: 0,
    object: null,
    args: ["k"],
  },
])("a command with $name is read", ({ values, transactionId, object, args }) => {
  const command = decodeCommand(message(MessageType.CommandAmf0, encodeAmf0(values)), AMF0_LIMITS);
  expect(command).toEqual({ name: values[0], transactionId, object, args });
});

test.each([
  { name: "empty", payload: Buffer.alloc(0) },
  { name: "a format selector alone", payload: SELECTOR },
  { name: "a number first", payload: encodeAmf0([1, "connect"]) },
  { name: "cut short", payload: connectBytes.subarray(0, 30) },
])("a command that is $name is refused", ({ payload }) => {
  for (const type of [MessageType.CommandAmf0, MessageType.CommandAmf3]) {
    expect(() => decodeCommand(message(type, payload), AMF0_LIMITS)).toThrow(ProtocolError);
  }
});

test("a command keeps within the limits it is read with", () => {
  const long = message(MessageType.CommandAmf0, encodeAmf0(["publish", 5, null, "k".repeat(9_000)]));
  expect(decodeCommand(long, AMF0_LIMITS).args).toEqual(["k".repeat(9_000)]);
  expect(() => decodeCommand(long, AMF0_LIMITS_BEFORE_PUBLISH)).toThrow(/^bad-amf/);
});

test("data are AMF0 values in type 18 and in type 15, with and without their format selector", () => {
  const values: Amf0Value[] = ["@setDataFrame", "onMetaData", amf0EcmaArray({ width: 1920, encoder: "obs" })];
  const bytes = encodeAmf0(values);
  expect(amf0Part(message(MessageType.DataAmf0, bytes))).toEqual(bytes);
  expect(amf0Part(message(MessageType.DataAmf3, SELECTOR, bytes))).toEqual(bytes);
  expect(amf0Part(message(MessageType.DataAmf3, bytes))).toEqual(bytes);
  expect(amf0Part(message(MessageType.DataAmf0))).toEqual(Buffer.alloc(0));
});
