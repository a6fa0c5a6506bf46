import { expect, test } from "vitest";
import { type CallRequest, SrtListenerHandshake } from "../../../src/protocol/srt/listener.ts";
import { readExtensions } from "../../../src/protocol/srt/wire/extensions.ts";
import { readHandshake } from "../../../src/protocol/srt/wire/handshake.ts";
import { ENCRYPTED, REJECTED } from "./vectors.ts";

const PEER = { address: "127.0.0.1", port: 5_000 };
const SLOT_US = 60_000_000;
const COOKIE_AT = 44;

const newListener = () => new SrtListenerHandshake(Buffer.from("secret of this process"), 0);

/** libsrt's conclusion with our cookie; `change` may spoil it. */
function conclusion(cookie: number, change: (packet: Buffer) => Buffer | undefined = () => undefined): Buffer {
  const packet = Buffer.from(ENCRYPTED.conclusionRequest);
  packet.writeUInt32BE(cookie, COOKIE_AT);
  return change(packet) ?? packet;
}

function cookieFor(listener: SrtListenerHandshake, nowUs: number, peer = PEER): number {
  const step = listener.receive(ENCRYPTED.inductionRequest, peer, nowUs);
  if (step.kind !== "reply") throw new Error(step.kind);
  return step.packet.readUInt32BE(COOKIE_AT);
}

function request(listener: SrtListenerHandshake, change?: (packet: Buffer) => Buffer | undefined): CallRequest {
  const step = listener.receive(conclusion(cookieFor(listener, 100), change), PEER, 5_000);
  if (step.kind !== "request") throw new Error(step.kind);
  return step.request;
}

function rejection(change: (packet: Buffer) => Buffer | undefined): number | string {
  const listener = newListener();
  const step = listener.receive(conclusion(cookieFor(listener, 100), change), PEER, 5_000);
  if (step.kind !== "reply") return step.kind;
  expect(step.packet.length).toBe(64);
  return step.packet.readUInt32BE(36);
}

test("the reply to an induction is libsrt's, but for its time, its hint on keys and its cookie", () => {
  const step = newListener().receive(ENCRYPTED.inductionRequest, PEER, 0x945a0);
  if (step.kind !== "reply") throw new Error(step.kind);
  const expected = Buffer.from(ENCRYPTED.inductionResponse);
  expected.writeUInt16BE(0, 20);
  step.packet.copy(expected, COOKIE_AT, COOKIE_AT, COOKIE_AT + 4);
  expect(step.packet).toEqual(expected);
});

test("a datagram that is one byte too short gets no reply, and no reply is longer than its request", () => {
  const listener = newListener();
  expect(listener.receive(ENCRYPTED.inductionRequest.subarray(0, 63), PEER, 0)).toEqual({ kind: "ignore" });
  const step = listener.receive(ENCRYPTED.inductionRequest, PEER, 0);
  expect(step.kind === "reply" && step.packet.length).toBe(64);
});

test("a cookie is good for its address in its minute and the next one only", () => {
  const listener = newListener();
  const cookie = cookieFor(listener, SLOT_US / 2);
  const kindAt = (nowUs: number, peer = PEER) => listener.receive(conclusion(cookie), peer, nowUs).kind;
  expect([kindAt(SLOT_US / 2), kindAt(SLOT_US * 1.9), kindAt(SLOT_US * 2.1)]).toEqual(["request", "request", "ignore"]);
  expect(kindAt(SLOT_US / 2, { ...PEER, port: 5_001 })).toBe("ignore");
  expect(kindAt(SLOT_US / 2, { ...PEER, address: "127.0.0.2" })).toBe("ignore");
  expect(new SrtListenerHandshake(Buffer.from("other"), 0).receive(conclusion(cookie), PEER, SLOT_US / 2).kind).toBe(
    "ignore",
  );
});

test("libsrt's conclusion is accepted as libsrt accepts it", () => {
  const listener = newListener();
  const asked = request(listener);
  expect(asked.extensions.streamId?.toString()).toBe(ENCRYPTED.streamId);
  const options = { localId: 0x1327c7aa, passphrase: ENCRYPTED.passphrase, latencyMs: 200, nowUs: 5_000 };
  const accepted = listener.accept(asked, options);
  if (typeof accepted === "string") throw new Error(accepted);
  const { agreement, response } = accepted;
  const expected = Buffer.from(ENCRYPTED.conclusionResponse);
  response.copy(expected, 8, 8, 12);
  response.copy(expected, COOKIE_AT, COOKIE_AT, COOKIE_AT + 4);
  // Our version and flags. The other direction's latency is the caller's: we send nothing.
  response.copy(expected, 68, 68, 76);
  expected.writeUInt16BE(0x78, 78);
  expect(response).toEqual(expected);
  expect(agreement).toMatchObject({
    localId: 0x1327c7aa,
    peerId: 0x2619641b,
    initialSequence: 0x694af642,
    latencyMs: 200,
    peerLatencyMs: 120,
    windowPackets: 8_192,
    payloadBytesMax: 1_316,
  });
});

test("the caller's latency counts where it is longer", () => {
  const listener = newListener();
  const accepted = listener.accept(request(listener), {
    ...{ localId: 5, passphrase: ENCRYPTED.passphrase, latencyMs: 50, nowUs: 5_000 },
  });
  expect(typeof accepted === "string" ? accepted : accepted.agreement.latencyMs).toBe(120);
});

test("a smaller packet size leaves room for fewer packets of MPEG-TS", () => {
  const listener = newListener();
  const asked = request(listener, (packet) => void packet.writeUInt32BE(1_200, 28));
  const accepted = listener.accept(asked, { localId: 5, passphrase: ENCRYPTED.passphrase, latencyMs: 50, nowUs: 0 });
  expect(typeof accepted === "string" ? accepted : accepted.agreement.payloadBytesMax).toBe(1_128);
});

test("passphrases that do not fit", () => {
  const listener = newListener();
  const options = { localId: 5, latencyMs: 200, nowUs: 5_000 };
  const encrypted = request(listener);
  expect(listener.accept(encrypted, { ...options, passphrase: "something else" })).toBe("badSecret");
  expect(listener.accept(encrypted, { ...options, passphrase: undefined })).toBe("unsecure");
  const clear = request(listener, (packet) => packet.subarray(0, 64 + 16));
  expect(listener.accept(clear, { ...options, passphrase: "something else" })).toBe("unsecure");
});

const append = (hex: string) => (packet: Buffer) => Buffer.concat([packet, Buffer.from(hex, "hex")]);

test.each([
  { name: "HSv4", code: 1_008, change: (packet: Buffer) => void packet.writeUInt32BE(4, 16) },
  { name: "another version", code: 1_004, change: (packet: Buffer) => void packet.writeUInt32BE(6, 16) },
  { name: "no settings", code: 1_004, change: (packet: Buffer) => packet.subarray(0, 64) },
  { name: "an extension beyond its datagram", code: 1_004, change: append("00050100") },
  { name: "half an extension's head", code: 1_004, change: append("0005") },
  { name: "the buffer API", code: 1_012, change: (packet: Buffer) => void packet.writeUInt32BE(0xff, 72) },
  { name: "congestion control for files", code: 1_013, change: append("00060001656c6966") },
  { name: "a filter", code: 1_014, change: append("000700012c636566") },
  { name: "a group", code: 1_015, change: append("00080002000000010100000a") },
  { name: "a stream ID of 516 bytes", code: 2_400, change: append(`00050081${"61".repeat(516)}`) },
  { name: "a packet size of 75", code: 1_004, change: (packet: Buffer) => void packet.writeUInt32BE(75, 28) },
  { name: "a window of 1", code: 1_004, change: (packet: Buffer) => void packet.writeUInt32BE(1, 32) },
  {
    name: "a sequence number of 32 bits",
    code: 1_004,
    change: (packet: Buffer) => void packet.writeUInt32BE(0xffffffff, 24),
  },
])("$name is rejected with $code", ({ code, change }) => {
  expect(rejection(change)).toBe(code);
});

test.each([
  { name: "congestion control for live media", change: append("000600016576696c") },
  { name: "a stream ID of 512 bytes", change: append(`00050080${"61".repeat(512)}`) },
  { name: "an unknown extension", change: append("00990001ffffffff") },
  { name: "an unknown extension beyond its datagram, as of a maker", change: append("bd010040ffffffff") },
])("$name is not rejected", ({ change }) => {
  expect(rejection(change)).toBe("request");
});

test("a rejection is libsrt's", () => {
  const handshake = readHandshake(REJECTED.wrongPassphrase);
  if (handshake === undefined) throw new Error("too short");
  const asked = { ...handshake, type: 0xffffffff };
  const reply = newListener().reject(asked, "badSecret", 0xbd4ad);
  const expected = Buffer.from(REJECTED.wrongPassphrase);
  // The recording's destination is the caller's ID, as here.
  expected.writeUInt32BE(handshake.socketId, 12);
  expect(reply).toEqual(expected);
  expect(REJECTED.passphraseMissing.readUInt32BE(36)).toBe(1_011);
});

test("the bytes of each word of a stream ID are reversed", () => {
  expect(readExtensions(REJECTED.streamIdExtension)?.streamId?.toString()).toBe("%23!::r=live/key1,m=publish,u=user");
});
