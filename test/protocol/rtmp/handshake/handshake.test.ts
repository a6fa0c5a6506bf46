import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ClientHandshake,
  type HandshakeStep,
  ServerHandshake,
} from "../../../../src/protocol/rtmp/handshake/handshake.ts";

const patterned = (length: number, factor: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, index) => (index * factor + 3) & 0xff));

const random = patterned(1_528, 11);
const c1 = Buffer.concat([Buffer.from("0000002a00000000", "hex"), patterned(1_528, 7)]);
const c0c1 = Buffer.concat([Buffer.from([3]), c1]);
const c2 = patterned(1_536, 5);
const s1 = Buffer.concat([Buffer.alloc(8), random]);
const s0s1s2 = Buffer.concat([Buffer.from([3]), s1, c1]);
const connect = Buffer.from("0300000000001914", "hex");

type Handshake = { receive(bytes: Buffer): HandshakeStep };

/** Everything that was sent and what was left over, and after how many received bytes each came. */
function run(
  handshake: Handshake,
  parts: readonly Buffer[],
): { sent: Buffer; sentAt: number; doneAt: number; rest: Buffer } {
  const sent: Buffer[] = [];
  const rest: Buffer[] = [];
  let received = 0;
  let sentAt = -1;
  let doneAt = -1;
  for (const part of parts) {
    const step = handshake.receive(part);
    received += part.length;
    if (step.send !== undefined) {
      sent.push(step.send);
      sentAt = received;
    }
    if (step.isDone && doneAt < 0) doneAt = received;
    rest.push(step.rest);
  }
  return { sent: Buffer.concat(sent), sentAt, doneAt, rest: Buffer.concat(rest) };
}

const singly = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

test("the server sends S0, S1 with version 0 and S2 as an exact echo, in one piece, as soon as C1 is complete", () => {
  const step = new ServerHandshake(random).receive(c0c1);
  expect(step).toEqual({ send: s0s1s2, isDone: false, rest: Buffer.alloc(0) });
});

test("the server does not wait for C2 before it sends S2, nor send before all of C1 came", () => {
  const handshake = new ServerHandshake(random);
  expect(handshake.receive(c0c1.subarray(0, 1_536)).send).toBeUndefined();
  expect(handshake.receive(c0c1.subarray(1_536)).send).toEqual(s0s1s2);
});

test("bytes that come one by one change nothing for the server", () => {
  const all = Buffer.concat([c0c1, c2, connect]);
  expect(run(new ServerHandshake(random), singly(all))).toEqual({
    sent: s0s1s2,
    sentAt: 1_537,
    doneAt: 1_537 + 1_536,
    rest: connect,
  });
});

test("a connect glued to C2 is left over", () => {
  const handshake = new ServerHandshake(random);
  handshake.receive(c0c1);
  expect(handshake.receive(Buffer.concat([c2, connect]))).toEqual({ send: undefined, isDone: true, rest: connect });
});

test("a whole conversation in one segment gets its replies in one step", () => {
  const step = new ServerHandshake(random).receive(Buffer.concat([c0c1, c2, connect]));
  expect(step).toEqual({ send: s0s1s2, isDone: true, rest: connect });
});

test("a client that announces a digest gets a simple reply, with S1 version 0", () => {
  const announcing = Buffer.from(c0c1);
  announcing.set([0x80, 0, 7, 2], 5);
  const { send } = new ServerHandshake(random).receive(announcing);
  expect(send?.subarray(5, 9)).toEqual(Buffer.alloc(4));
  expect(send?.subarray(1_537)).toEqual(announcing.subarray(1));
});

test("the server accepts any C2", () => {
  for (const garbage of [Buffer.alloc(1_536), Buffer.alloc(1_536, 0xff), c2]) {
    const handshake = new ServerHandshake(random);
    handshake.receive(c0c1);
    expect(handshake.receive(garbage).isDone).toBe(true);
  }
});

test.each([
  { name: "RTMPE", first: 0x06 },
  { name: "RTMPE with other keys", first: 0x08 },
  { name: "a TLS ClientHello", first: 0x16 },
  { name: "HTTP", first: 0x47 },
  { name: "the lowest forbidden version", first: 32 },
  { name: "the highest", first: 255 },
])("$name is refused at its first byte, by both sides", ({ first }) => {
  const byte = Buffer.from([first]);
  expect(() => new ServerHandshake(random).receive(byte)).toThrow(/^bad-version/);
  expect(() => new ClientHandshake(random).receive(byte)).toThrow(/^bad-version/);
});

test("a client that gets a TLS alert gives up at its first byte", () => {
  expect(() => new ClientHandshake(random).receive(Buffer.from([0x15]))).toThrow(/^expects-tls/);
});

test("versions that are obsolete or reserved get version 3", () => {
  for (const version of [0, 1, 2, 4, 5, 7, 9, 0x15, 31]) {
    const odd = Buffer.from(c0c1);
    odd[0] = version;
    expect(new ServerHandshake(random).receive(odd).send).toEqual(s0s1s2);
  }
});

test("the client starts with C0 and C1 of time 0 and version 0", () => {
  expect(new ClientHandshake(random).start()).toEqual(Buffer.concat([Buffer.from([3]), s1]));
});

test("the client echoes S1 before S2 is there, and is done only after all of S2", () => {
  const handshake = new ClientHandshake(random);
  const serverS1 = patterned(1_536, 13);
  const s2 = patterned(1_536, 17);
  expect(handshake.receive(Buffer.concat([Buffer.from([3]), serverS1]))).toEqual({
    send: serverS1,
    isDone: false,
    rest: Buffer.alloc(0),
  });
  expect(handshake.receive(s2.subarray(0, 1_535)).isDone).toBe(false);
  const control = Buffer.from("02000000000004050000000000262", "hex");
  expect(handshake.receive(Buffer.concat([s2.subarray(1_535), control]))).toEqual({
    send: undefined,
    isDone: true,
    rest: control,
  });
});

test("both sides send and leave over the same, wherever the network cuts the bytes", () => {
  const all = Buffer.concat([c0c1, c2, connect]);
  const cuts = fc.array(fc.nat({ max: all.length }), { maxLength: 8 });
  fc.assert(
    fc.property(cuts, (points) => {
      const sorted = [0, ...points.sort((a, b) => a - b), all.length];
      const parts = sorted.slice(1).map((end, index) => all.subarray(sorted[index] ?? 0, end));
      const server = run(new ServerHandshake(random), parts);
      expect({ sent: server.sent, rest: server.rest }).toEqual({ sent: s0s1s2, rest: connect });
      const client = run(new ClientHandshake(random), parts);
      expect({ sent: client.sent, rest: client.rest }).toEqual({ sent: c1, rest: connect });
    }),
  );
});

test("the two sides complete a handshake with each other", () => {
  const client = new ClientHandshake(random);
  const server = new ServerHandshake(patterned(1_528, 19));
  const answer = server.receive(client.start());
  const clientStep = client.receive(answer.send ?? Buffer.alloc(0));
  expect(clientStep.isDone).toBe(true);
  expect(server.receive(clientStep.send ?? Buffer.alloc(0))).toEqual({
    send: undefined,
    isDone: true,
    rest: Buffer.alloc(0),
  });
});

test("a handshake takes exactly 1528 random bytes", () => {
  expect(() => new ServerHandshake(Buffer.alloc(1_527))).toThrow(RangeError);
  expect(() => new ClientHandshake(Buffer.alloc(1_536))).toThrow(RangeError);
});
