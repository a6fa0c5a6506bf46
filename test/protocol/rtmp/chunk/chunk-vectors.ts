import { type Amf0Value, amf0Object } from "../../../../src/protocol/amf0/value.ts";
import { encodeCommand } from "../../../../src/protocol/rtmp/command.ts";
import { type ControlMessage, encodeControl } from "../../../../src/protocol/rtmp/control.ts";
import type { Message } from "../../../../src/protocol/rtmp/message.ts";
import { hex } from "../../../support/streams/hex.ts";

/** One message, cut for a chunk size, as it is on the wire. */
export type WireVector = {
  readonly name: string;
  readonly csid: number;
  readonly chunkSize: number;
  readonly message: Message;
  readonly bytes: Buffer;
};

const control = (value: ControlMessage, bytes: string): WireVector => ({
  name: value.kind,
  csid: 2,
  chunkSize: 128,
  message: encodeControl(value),
  bytes: hex(bytes),
});

type CommandRow = {
  readonly name: string;
  readonly csid: number;
  readonly streamId: number;
  readonly chunkSize: number;
  readonly transactionId: number;
  readonly object: Amf0Value;
  readonly args: readonly Amf0Value[];
};

const command = ({ csid, streamId, chunkSize, ...value }: CommandRow, bytes: string): WireVector => ({
  name: value.name,
  csid,
  chunkSize,
  message: encodeCommand(streamId, value),
  bytes: hex(bytes),
});

const YOUTUBE = "rtmp://b.rtmp.youtube.com/live2?backup=1";

/** 200 bytes that look like a timestamp nowhere. */
export const videoPayload = Buffer.from(Array.from({ length: 200 }, (_, index) => (index * 31 + 0x27) & 0xff));

export const WIRE_VECTORS: readonly WireVector[] = [
  control({ kind: "set-chunk-size", chunkSize: 4_096 }, "02 000000 000004 01 00000000 00001000"),
  control({ kind: "acknowledgement", bytesTotal: 5_000_000 }, "02 000000 000004 03 00000000 004C4B40"),
  control({ kind: "window-ack-size", bytes: 2_500_000 }, "02 000000 000004 05 00000000 002625A0"),
  control({ kind: "set-peer-bandwidth", bytes: 2_500_000, limit: 2 }, "02 000000 000005 06 00000000 002625A0 02"),
  control({ kind: "stream-begin", streamId: 1 }, "02 000000 000006 04 00000000 0000 00000001"),
  control({ kind: "ping-request", timestamp: 1_000 }, "02 000000 000006 04 00000000 0006 000003E8"),
  control({ kind: "ping-response", timestamp: 1_000 }, "02 000000 000006 04 00000000 0007 000003E8"),
  control(
    { kind: "set-buffer-length", streamId: 1, bufferMs: 3_000 },
    "02 000000 00000A 04 00000000 0003 00000001 00000BB8",
  ),
  command(
    { name: "createStream", csid: 3, streamId: 0, chunkSize: 128, transactionId: 4, object: null, args: [] },
    "03 000000 000019 14 00000000 02000C63726561746553747265616D 004010000000000000 05",
  ),
  command(
    { name: "_result", csid: 3, streamId: 0, chunkSize: 128, transactionId: 4, object: null, args: [1] },
    "03 000000 00001D 14 00000000 0200075F726573756C74 004010000000000000 05 003FF0000000000000",
  ),
  command(
    { name: "publish", csid: 4, streamId: 1, chunkSize: 128, transactionId: 5, object: null, args: ["k", "live"] },
    "04 000000 00001F 14 01000000 0200077075626C697368 004014000000000000 05 0200016B 0200046C697665",
  ),
  command(
    {
      name: "onStatus",
      csid: 5,
      streamId: 1,
      chunkSize: 128,
      transactionId: 0,
      object: null,
      args: [amf0Object({ level: "status", code: "NetStream.Publish.Start", description: "Start publishing" })],
    },
    `05 000000 000069 14 01000000 0200086F6E537461747573 000000000000000000 05 03 00056C6576656C 020006737461747573
     0004636F6465 0200174E657453747265616D2E5075626C6973682E5374617274 000B6465736372697074696F6E
     0200105374617274207075626C697368696E67 000009`,
  ),
  // 190 bytes while the chunk size is still 128: note the c3 in the middle.
  command(
    {
      name: "_result",
      csid: 3,
      streamId: 0,
      chunkSize: 128,
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
    },
    `030000000000be14000000000200075f726573756c74003ff0000000000000030006666d7356657202000d464d532f332c302c312c31323300
     0c6361706162696c697469657300403f0000000000000000090300056c6576656c0200067374617475730004636f646502001d4e6574436f6e
     6e656374696f6e2e436f6e6e6563742e53756363657373000b64 c3 65736372697074696f6e020015436f6e6e656374696f6e20737563
     6365656465642e000e6f626a656374456e636f64696e67000000000000000000000009`,
  ),
  command(
    {
      name: "connect",
      csid: 3,
      streamId: 0,
      chunkSize: 4_096,
      transactionId: 1,
      object: amf0Object({
        app: "live2?backup=1",
        type: "nonprivate",
        flashVer: "FMLE/3.0 (compatible; FMSc/1.0)",
        swfUrl: YOUTUBE,
        tcUrl: YOUTUBE,
      }),
      args: [],
    },
    `030000000000d11400000000020007636f6e6e656374003ff000000000000003000361707002000e6c697665323f6261636b75703d310004
     7479706502000a6e6f6e707269766174650008666c61736856657202001f464d4c452f332e302028636f6d70617469626c653b20464d5363
     2f312e3029000673776655726c02002872746d703a2f2f622e72746d702e796f75747562652e636f6d2f6c697665323f6261636b75703d31
     0005746355726c02002872746d703a2f2f622e72746d702e796f75747562652e636f6d2f6c697665323f6261636b75703d31000009`,
  ),
  {
    name: "video beyond 4 h 39 min, its extended timestamp in both chunks",
    csid: 6,
    chunkSize: 128,
    message: { type: 9, timestamp: 16_777_216, streamId: 1, payload: videoPayload },
    bytes: Buffer.concat([
      hex("06 FFFFFF 0000C8 09 01000000 01000000"),
      videoPayload.subarray(0, 128),
      hex("C6 01000000"),
      videoPayload.subarray(128),
    ]),
  },
  {
    name: "a message without a payload",
    csid: 4,
    chunkSize: 128,
    message: { type: 8, timestamp: 0xff_ff_fe, streamId: 1, payload: Buffer.alloc(0) },
    bytes: hex("04 FFFFFE 000000 08 01000000"),
  },
  ...[
    { csid: 2, basic: "02" },
    { csid: 63, basic: "3F" },
    { csid: 64, basic: "00 00" },
    { csid: 319, basic: "00 FF" },
    { csid: 320, basic: "01 00 01" },
    { csid: 65_599, basic: "01 FF FF" },
  ].map(({ csid, basic }) => ({
    name: `chunk stream ${csid}`,
    csid,
    chunkSize: 128,
    message: { type: 8, timestamp: 1, streamId: 0x01_02_03_04, payload: hex("AF01") },
    bytes: hex(`${basic} 000001 000002 08 04030201 AF01`),
  })),
];
