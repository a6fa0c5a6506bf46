import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type ControlMessage,
  decodeControl,
  encodeControl,
  PeerBandwidthLimit,
} from "../../../src/protocol/rtmp/control.ts";
import { MessageType } from "../../../src/protocol/rtmp/message.ts";
import { hex } from "../../support/streams/hex.ts";

const table: readonly { value: ControlMessage; type: number; bytes: string }[] = [
  { value: { kind: "set-chunk-size", chunkSize: 60_000 }, type: 1, bytes: "0000EA60" },
  { value: { kind: "abort", csid: 6 }, type: 2, bytes: "00000006" },
  { value: { kind: "acknowledgement", bytesTotal: 0xffff_ffff }, type: 3, bytes: "FFFFFFFF" },
  { value: { kind: "window-ack-size", bytes: 0 }, type: 5, bytes: "00000000" },
  {
    value: { kind: "set-peer-bandwidth", bytes: 5_000_000, limit: PeerBandwidthLimit.Hard },
    type: 6,
    bytes: "004C4B40 00",
  },
  { value: { kind: "set-peer-bandwidth", bytes: 1, limit: PeerBandwidthLimit.Soft }, type: 6, bytes: "00000001 01" },
  { value: { kind: "stream-begin", streamId: 0 }, type: 4, bytes: "0000 00000000" },
  { value: { kind: "stream-eof", streamId: 1 }, type: 4, bytes: "0001 00000001" },
  { value: { kind: "stream-dry", streamId: 1 }, type: 4, bytes: "0002 00000001" },
  { value: { kind: "set-buffer-length", streamId: 1, bufferMs: 36_000_000 }, type: 4, bytes: "0003 00000001 02255100" },
  { value: { kind: "stream-is-recorded", streamId: 1 }, type: 4, bytes: "0004 00000001" },
  { value: { kind: "ping-request", timestamp: 0xffff_fffe }, type: 4, bytes: "0006 FFFFFFFE" },
  { value: { kind: "ping-response", timestamp: 1 }, type: 4, bytes: "0007 00000001" },
  { value: { kind: "other-user-control", event: 5, data: hex("00") }, type: 4, bytes: "0005 00" },
  { value: { kind: "other-user-control", event: 26, data: hex("") }, type: 4, bytes: "001A" },
  { value: { kind: "other-user-control", event: 0xbeef, data: hex("010203") }, type: 4, bytes: "BEEF 010203" },
];

test.each(table)("$value.kind as $bytes is written and read back", ({ value, type, bytes }) => {
  const message = { type, timestamp: 0, streamId: 0, payload: hex(bytes) };
  expect(encodeControl(value)).toEqual(message);
  expect(decodeControl(message)).toEqual(value);
});

test.each(table.filter(({ value }) => value.kind !== "other-user-control"))(
  "$value.kind with more bytes than it needs is read, with one less it is none",
  ({ value, type, bytes }) => {
    const payload = hex(bytes);
    const read = (part: Buffer): ControlMessage | undefined =>
      decodeControl({ type, timestamp: 5, streamId: 1, payload: part });
    expect(read(Buffer.concat([payload, hex("FF00FF")]))).toEqual(value);
    expect(read(payload.subarray(0, payload.length - 1))).toBeUndefined();
  },
);

test("messages that are about media or commands are not control messages", () => {
  for (const type of [MessageType.Audio, MessageType.Video, MessageType.CommandAmf0, 0, 7, 255]) {
    expect(decodeControl({ type, timestamp: 0, streamId: 0, payload: Buffer.alloc(16) })).toBeUndefined();
  }
});

test("any bytes under any type are read without an error", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 8 }), fc.uint8Array({ maxLength: 12 }), (type, bytes) => {
      decodeControl({ type, timestamp: 0, streamId: 0, payload: Buffer.from(bytes) });
    }),
  );
});
