import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { encodeAmf0 } from "../../../src/protocol/amf0/encode.ts";
import { encodeMessage } from "../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { encodeControl } from "../../../src/protocol/rtmp/control.ts";
import { MessageType } from "../../../src/protocol/rtmp/message.ts";
import { certificate } from "../stages/certificates.ts";
import { serve } from "../stages/dialling.ts";
import { acceptPublish } from "./handmade-target.ts";

/** A message on a chunk stream of its own, then the same again and again with one byte of header. */
function repeated(type: number, payload: Buffer): { readonly first: Buffer; readonly next: Buffer } {
  const first = encodeMessage(20, { type, timestamp: 0, streamId: 0, payload }, 4_096);
  return { first, next: Buffer.concat([Buffer.from([0xc0 | 20]), payload]) };
}

const number = (value: number) => Buffer.from(value.toString(16).padStart(8, "0"), "hex");

/** What targets are known, or could be made, to pour out. */
export const FLOODS = {
  empty: repeated(MessageType.Audio, Buffer.alloc(0)),
  pings: repeated(MessageType.UserControl, encodeControl({ kind: "ping-request", timestamp: 7 }).payload),
  commands: repeated(MessageType.CommandAmf0, encodeAmf0(["x", 0, null])),
  "bandwidth checks": repeated(MessageType.CommandAmf0, encodeAmf0(["_onbwcheck", 9, null])),
  bandwidths: repeated(MessageType.SetPeerBandwidth, Buffer.concat([number(9), Buffer.from([2])])),
  acknowledgements: repeated(MessageType.Acknowledgement, number(1)),
  /** Over TLS each byte of them in a record of its own. */
  trickle: repeated(MessageType.Video, Buffer.alloc(60_000)),
  video: repeated(MessageType.Video, Buffer.alloc(4_000)),
} as const;

/** Records of a trickle in one turn of the event loop, which the target shares with the code that closes it. */
const RECORDS_AT_ONCE = 1_000;

/**
 * A target that takes the stream, and pours out as much as it can, over RTMP or RTMPS; returns the authority of its
 * certificate.
 */
export async function floodingTarget(
  flood: keyof typeof FLOODS,
  scheme: "rtmp" | "rtmps",
): Promise<{ readonly url: string; readonly extraCa?: string }> {
  const { first, next } = FLOODS[flood];
  const batch = Buffer.alloc(Math.floor(65_536 / next.length) * next.length, next);
  const take = (socket: Socket) => {
    socket.on("error", () => undefined);
    const trickle = () => {
      for (let bytes = 0; bytes < RECORDS_AT_ONCE; bytes += 1) socket.write(Buffer.alloc(1));
      if (!socket.destroyed) setImmediate(trickle);
    };
    const pour = () => {
      while (!socket.destroyed && socket.write(batch));
      if (!socket.destroyed) socket.once("drain", pour);
    };
    acceptPublish(socket, () => {
      socket.write(first);
      if (flood === "trickle") trickle();
      else pour();
    });
  };
  if (scheme === "rtmp") return { url: `rtmp://127.0.0.1:${await serve(createServer(take))}/live` };
  const pair = certificate("127.0.0.1");
  const server = createTlsServer(pair);
  server.on("secureConnection", take);
  return { url: `rtmps://127.0.0.1:${await serve(server)}/live`, extraCa: pair.cert };
}
