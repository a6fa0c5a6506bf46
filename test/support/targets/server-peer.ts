import { AMF0_LIMITS } from "../../../src/protocol/amf0/decode.ts";
import { type Amf0Value, amf0Object } from "../../../src/protocol/amf0/value.ts";
import { ChunkReader } from "../../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { encodeMessage } from "../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { LIMITS_PUBLISHING } from "../../../src/protocol/rtmp/chunk/reader-limits.ts";
import { type Command, decodeCommand, encodeCommand } from "../../../src/protocol/rtmp/command.ts";
import type { Message } from "../../../src/protocol/rtmp/message.ts";
import type { MediaOutput, PublishDecision, ServerOutput } from "../../../src/protocol/rtmp/server/server-outputs.ts";
import { ServerSession } from "../../../src/protocol/rtmp/server/server-session.ts";

const SERVER_RANDOM = Buffer.alloc(1_528, 0x5a);
export const C0C1 = Buffer.concat([Buffer.from([3]), Buffer.alloc(8), Buffer.alloc(1_528, 0x11)]);
export const C2 = Buffer.alloc(1_536, 0xee);
export const S0S1S2_BYTES = 3_073;

/** An encoder by hand: sends what the test says, keeps the session's replies. */
export class Peer {
  nowMs = 0;
  readonly session = new ServerSession(SERVER_RANDOM, 0);
  readonly outputs: ServerOutput[] = [];

  constructor(options: { isGreeted?: boolean } = {}) {
    if (options.isGreeted !== false) this.say(Buffer.concat([C0C1, C2]));
  }

  say(bytes: Buffer): ServerOutput[] {
    const outputs = [...this.session.receive(bytes, this.nowMs)];
    this.outputs.push(...outputs);
    return outputs;
  }

  command(name: string, transactionId: number, object: Amf0Value, args: readonly Amf0Value[] = [], streamId = 0) {
    return this.say(encodeMessage(3, encodeCommand(streamId, { name, transactionId, object, args }), 128));
  }

  connect(properties: Readonly<Record<string, Amf0Value>> = { app: "relay", tcUrl: "rtmp://host/relay" }) {
    return this.command("connect", 1, amf0Object(properties));
  }

  publish(key: Amf0Value = "key", streamId = 1) {
    return this.command("publish", 5, null, [key, "live"], streamId);
  }

  answer(decision: PublishDecision, requestId = 1): ServerOutput[] {
    const outputs = [...this.session.answer(requestId, decision, this.nowMs)];
    this.outputs.push(...outputs);
    return outputs;
  }

  tick(atMs: number): ServerOutput[] {
    this.nowMs = atMs;
    const outputs = [...this.session.tick(atMs)];
    this.outputs.push(...outputs);
    return outputs;
  }

  /** An encoder that is on air. */
  static publishing(): Peer {
    const peer = new Peer();
    peer.connect();
    peer.command("createStream", 4, null);
    peer.publish();
    peer.answer("accept");
    return peer;
  }
}

export function sent(outputs: readonly ServerOutput[]): Buffer {
  return Buffer.concat(outputs.flatMap((output) => (output.kind === "send" ? [output.bytes] : [])));
}

/** The session's output after its handshake, read as an encoder reads it. */
export function replies(peer: Peer): Message[] {
  const reader = new ChunkReader({ ...LIMITS_PUBLISHING, chunkSizeMin: 1 });
  const messages: Message[] = [];
  reader.receive(sent(peer.outputs).subarray(S0S1S2_BYTES), (message) => messages.push(message));
  return messages;
}

export function commands(messages: readonly Message[]): Command[] {
  return messages.filter(({ type }) => type === 20).map((message) => decodeCommand(message, AMF0_LIMITS));
}

export function names(peer: Peer): string[] {
  return commands(replies(peer)).map(({ name, transactionId }) => `${name} ${transactionId}`);
}

export const kinds = (outputs: readonly ServerOutput[]) => outputs.map(({ kind }) => kind);
export const closes = (outputs: readonly ServerOutput[]) =>
  outputs.flatMap((output) => (output.kind === "closed" ? [output.reason] : []));
export const requests = (peer: Peer) =>
  peer.outputs.flatMap((output) => (output.kind === "publish-requested" ? [output.request] : []));
export const isMedia = (output: ServerOutput): output is MediaOutput =>
  output.kind === "audio" || output.kind === "video" || output.kind === "data";
export const media = (peer: Peer): MediaOutput[] => peer.outputs.filter(isMedia);

export const KEYFRAME = { type: 9, timestamp: 40, streamId: 1, payload: Buffer.from("1701000000000000026588", "hex") };
