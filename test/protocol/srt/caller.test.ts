import { expect, test } from "vitest";
import { type CallStep, SrtCaller } from "../../../src/protocol/srt/caller.ts";
import { SrtListenerHandshake } from "../../../src/protocol/srt/listener.ts";
import { dataPacket } from "../../../src/protocol/srt/wire/packet.ts";

const PEER = { address: "127.0.0.1", port: 5_000 };
const HANDSHAKE_AT = 16;
const [EXTENSION_AT, TYPE_AT, SOCKET_AT] = [HANDSHAKE_AT + 6, HANDSHAKE_AT + 20, HANDSHAKE_AT + 24];
const PASSPHRASE = "correct horse battery";

/** A caller and a listener, and what the caller's next step sends. */
function open(passphrase?: string, listenerPassphrase = passphrase) {
  let drawn = 0;
  const randomBytes = (length: number) => {
    drawn += 1;
    return Buffer.alloc(length, drawn);
  };
  const options = { address: "127.0.0.1", streamId: "key", passphrase, keyLength: 16, latencyMs: 300 } as const;
  const caller = new SrtCaller({ ...options, randomBytes }, 0);
  const listener = new SrtListenerHandshake(Buffer.from("secret"), 0);
  const inductionReply = (): Buffer => {
    const step = listener.receive(sentBy(caller.tick(0)), PEER, 1_000);
    if (step.kind !== "reply") throw new Error(step.kind);
    return step.packet;
  };
  const response = (conclusion: Buffer): Buffer => {
    const step = listener.receive(conclusion, PEER, 2_000);
    if (step.kind !== "request") throw new Error(step.kind);
    const accepted = listener.accept(step.request, {
      ...{ localId: 0x12345, passphrase: listenerPassphrase, latencyMs: 500, nowUs: 2_000 },
    });
    if (typeof accepted === "string") throw new Error(accepted);
    return accepted.response;
  };
  return { caller, inductionReply, response };
}

function sentBy(step: CallStep): Buffer {
  if (step.kind !== "wait" || step.send === undefined) throw new Error(JSON.stringify(step));
  return step.send;
}

test("the listener's ID comes from the second reply; its latency is final", () => {
  const { caller, inductionReply, response } = open();
  const reply = inductionReply();
  // As the draft has it, and libsrt does not.
  reply.writeUInt32BE(0x777, SOCKET_AT);
  const step = caller.receive(response(sentBy(caller.receive(reply, 1_500))), 3_000);
  expect(step).toMatchObject({ kind: "connected", agreement: { peerId: 0x12345, latencyMs: 300, peerLatencyMs: 500 } });
});

test.each([
  { name: "no SRT", change: (reply: Buffer) => void reply.writeUInt16BE(0x4a16, EXTENSION_AT), failure: "not-srt" },
  {
    name: "an older SRT",
    change: (reply: Buffer) => void reply.writeUInt32BE(4, HANDSHAKE_AT),
    failure: "old-version",
  },
])("$name in the first reply fails", ({ change, failure }) => {
  const { caller, inductionReply } = open();
  const reply = inductionReply();
  change(reply);
  expect(caller.receive(reply, 1_500)).toEqual({ kind: "failed", failure: { kind: failure } });
});

test("a rejection fails with its code, and the handshake is not repeated", () => {
  const { caller, inductionReply, response } = open();
  const rejected = response(sentBy(caller.receive(inductionReply(), 1_500)));
  rejected.writeUInt32BE(2_401, TYPE_AT);
  expect(caller.receive(rejected, 3_000)).toEqual({ kind: "failed", failure: { kind: "rejected", code: 2_401 } });
});

test("data before the second reply: the request is repeated soon, and the data is not taken", () => {
  const { caller, inductionReply } = open();
  sentBy(caller.receive(inductionReply(), 1_500));
  const header = { sequence: 5, messageNumber: 1, keyIndex: 0, timestampUs: 0, destination: caller.localId } as const;
  const data = dataPacket(header, Buffer.alloc(188));
  expect(caller.receive(data, 2_000)).toEqual({ kind: "wait" });
  expect(caller.receive(data, 3_000)).toEqual({ kind: "wait" });
  expect(caller.tick(11_000)).toEqual({ kind: "wait" });
  expect(sentBy(caller.tick(12_000)).readUInt32BE(TYPE_AT)).toBe(0xffffffff);
});

test("a listener that does not return our key does not encrypt, or has another passphrase", () => {
  const inPlaceOfTheKey = (word: string) => (reply: Buffer) =>
    Buffer.concat([reply.subarray(0, 64 + 16), Buffer.from(`00040001${word}`, "hex")]);
  for (const { cut, failure } of [
    { cut: (reply: Buffer) => reply.subarray(0, 64 + 16), failure: "unsecure" },
    { cut: inPlaceOfTheKey("03000000"), failure: "unsecure" },
    { cut: inPlaceOfTheKey("00000003"), failure: "unsecure" },
    { cut: inPlaceOfTheKey("04000000"), failure: "bad-secret" },
    { cut: (reply: Buffer) => reply, failure: "bad-secret" },
  ]) {
    const { caller, inductionReply, response } = open(PASSPHRASE);
    const reply = Buffer.from(response(sentBy(caller.receive(inductionReply(), 1_500))));
    reply.writeUInt8(reply.readUInt8(reply.length - 1) ^ 1, reply.length - 1);
    expect(caller.receive(cut(reply), 3_000)).toEqual({ kind: "failed", failure: { kind: failure } });
  }
});

test("packets for another socket, and first replies after the first, do nothing", () => {
  const { caller, inductionReply } = open();
  const reply = inductionReply();
  const other = Buffer.from(reply);
  other.writeUInt32BE(caller.localId + 1, 12);
  expect(caller.receive(other, 1_400)).toEqual({ kind: "wait" });
  sentBy(caller.receive(reply, 1_500));
  expect(caller.receive(reply, 1_600)).toEqual({ kind: "wait" });
});
