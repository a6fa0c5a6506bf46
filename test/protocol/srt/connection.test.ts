import { expect, test } from "vitest";
import { SrtConnection, type SrtEnd } from "../../../src/protocol/srt/connection.ts";
import { SessionKeys } from "../../../src/protocol/srt/crypto/session-keys.ts";
import { PeerTime } from "../../../src/protocol/srt/flow/peer-time.ts";
import { RoundTrip } from "../../../src/protocol/srt/flow/round-trip.ts";
import { controlPacket, controlTypeOf, dataPacket, isControl } from "../../../src/protocol/srt/wire/packet.ts";
import { addSequence } from "../../../src/protocol/srt/wire/sequence.ts";
import { seededRandom } from "../../support/stages/seeded-random.ts";

const FIRST = 0x7ffffff0;
const [ACK, NAK, SHUTDOWN, DROP] = [2, 3, 5, 7];

/** One side of a connection, of which a test plays the other. */
function open(latencyMs = 100, keys?: SessionKeys, peerFlags = 0x3f) {
  const sent: Buffer[] = [];
  const delivered: number[] = [];
  const gaps: number[] = [];
  const ends: SrtEnd[] = [];
  const connection = new SrtConnection(
    {
      localId: 1,
      peerId: 2,
      initialSequence: FIRST,
      startUs: 0,
      peerTime: new PeerTime(0, 0),
      latencyMs,
      peerLatencyMs: 120,
      windowPackets: 8_192,
      payloadBytesMax: 1_316,
      peerFlags,
      keys,
    },
    0,
    {
      send: (packet) => void sent.push(packet),
      deliver: (payload) => void delivered.push(payload.length < 4 ? -1 : payload.readUInt32BE(0)),
      onGap: (packets) => void gaps.push(packets),
      onEnd: (end) => void ends.push(end),
      randomBytes: (length) => Buffer.alloc(length),
    },
  );
  const data = (number: number, sentUs: number, nowUs = sentUs) => {
    const payload = Buffer.alloc(188);
    payload.writeUInt32BE(number, 0);
    const header = { sequence: addSequence(FIRST, number), messageNumber: 1, keyIndex: 0, destination: 1 } as const;
    connection.receive(dataPacket({ ...header, timestampUs: sentUs }, payload), nowUs);
  };
  const control = (type: "ack" | "nak" | "dropRequest", hex: string, nowUs: number, info = 0) =>
    connection.receive(
      controlPacket(type, { destination: 1, timestampUs: nowUs }, Buffer.from(hex, "hex"), { info }),
      nowUs,
    );
  /** Ticks every 10 ms, up to and with the last time. */
  const ticks = (fromUs: number, untilUs: number) => {
    for (let nowUs = fromUs; nowUs <= untilUs; nowUs += 10_000) connection.tick(nowUs);
  };
  const contents = (type: number) =>
    sent
      .filter((packet) => isControl(packet) && controlTypeOf(packet) === type)
      .map((packet) => packet.subarray(16).toString("hex"));
  return { connection, sent, delivered, gaps, ends, data, control, ticks, contents };
}

const hexOf = (number: number, bit = 0) => ((addSequence(FIRST, number) | bit) >>> 0).toString(16).padStart(8, "0");
const RANGE = 0x80000000;

test("a gap is reported at once, again after half the time of a reply, and not after it is filled", () => {
  const { connection, data, contents } = open(1_000);
  data(0, 1_000);
  data(2, 2_000);
  data(5, 3_000);
  expect(contents(NAK)).toEqual([hexOf(1), hexOf(3, RANGE) + hexOf(4)]);
  connection.tick(151_000);
  expect(contents(NAK).length).toBe(2);
  connection.tick(153_000);
  expect(contents(NAK).slice(2)).toEqual([hexOf(1) + hexOf(3, RANGE) + hexOf(4)]);
  data(1, 154_000);
  data(3, 154_000);
  data(4, 154_000);
  connection.tick(600_000);
  expect(contents(NAK).length).toBe(3);
});

test("a gap is given up exactly when the first packet behind it is due, and the ACK goes past it", () => {
  const { connection, data, delivered, gaps, ticks, contents } = open(100);
  data(0, 1_000);
  data(3, 10_000);
  data(4, 20_000);
  ticks(29_000, 109_000);
  expect([delivered, gaps]).toEqual([[0], []]);
  expect(contents(ACK).at(-1)?.slice(0, 8)).toBe(hexOf(1));
  connection.tick(110_000);
  expect([delivered, gaps]).toEqual([[0, 3, 4], [2]]);
  ticks(120_000, 140_000);
  expect(contents(ACK).at(-1)?.slice(0, 8)).toBe(hexOf(5));
  data(1, 140_000);
  data(4, 140_000);
  expect(connection.stats).toMatchObject({ receiveDropped: 2, receiveBelated: 1, receiveDuplicate: 1 });
});

test("a pause of the process counts against no packet, whether its tick comes before the reads or behind them", () => {
  for (const isTickFirst of [true, false]) {
    const { connection, data, delivered, gaps, ticks } = open(100);
    data(0, 1_000);
    data(2, 10_000);
    ticks(20_000, 60_000);
    // Until 760 ms it stands still. Two packets came in the pause, and one between them did not.
    if (isTickFirst) connection.tick(760_000);
    data(3, 100_000, 760_000);
    data(5, 700_000, 760_000);
    data(1, 2_000, 760_000);
    connection.tick(760_000);
    expect([delivered, gaps]).toEqual([[0, 1, 2, 3], []]);
    ticks(770_000, 850_000);
    expect(gaps).toEqual([]);
    // 100 ms after the end of the pause: so long nothing else could be heard of it.
    connection.tick(860_000);
    expect([delivered, gaps]).toEqual([[0, 1, 2, 3, 5], [1]]);
  }
});

test("a packet that waited before a pause of the process waits only what is left", () => {
  const { connection, data, gaps, ticks } = open(100);
  data(0, 1_000);
  data(2, 10_000);
  ticks(20_000, 60_000);
  ticks(760_000, 800_000);
  expect(gaps).toEqual([]);
  connection.tick(810_000);
  expect(gaps).toEqual([1]);
});

test("a process that is always late gives packets up nevertheless", () => {
  const { connection, data, gaps } = open(100);
  data(0, 1_000);
  data(2, 10_000);
  for (let nowUs = 210_000; nowUs <= 1_610_000; nowUs += 200_000) connection.tick(nowUs);
  expect(gaps).toEqual([]);
  connection.tick(1_810_000);
  expect(gaps).toEqual([1]);
});

test("the round trip is not measured over a pause of the process", () => {
  const { connection, sent, data, ticks } = open(100);
  const confirm = (nowUs: number) => {
    const last = sent.filter((packet) => isControl(packet) && controlTypeOf(packet) === ACK).at(-1);
    const info = last?.readUInt32BE(4) ?? 0;
    connection.receive(controlPacket("ackAck", { destination: 1, timestampUs: nowUs }, undefined, { info }), nowUs);
  };
  data(0, 1_000);
  ticks(10_000, 20_000);
  confirm(30_000);
  const before = connection.stats.rttMs;
  data(1, 40_000);
  ticks(50_000, 50_000);
  confirm(900_000);
  expect(connection.stats.rttMs).toBe(before);
  // It was confirmed: it is not repeated.
  const count = sent.length;
  ticks(910_000, 1_000_000);
  expect(sent.length).toBe(count);
});

test("packets with any timestamps do not wait longer than the latency", () => {
  const { connection, delivered, ticks } = open(100);
  const payload = Buffer.alloc(188);
  const header = { sequence: addSequence(FIRST, 5), messageNumber: 1, keyIndex: 0, destination: 1 } as const;
  connection.receive(dataPacket({ ...header, timestampUs: 2_000_000_000 }, payload), 1_000);
  ticks(11_000, 101_000);
  expect(delivered).toEqual([0]);
});

test("the sender gives packets up: the gap is over at once, and only as far as packets came", () => {
  const { data, control, delivered, gaps, contents } = open(1_000);
  data(0, 1_000);
  data(4, 2_000);
  control("dropRequest", hexOf(1) + hexOf(3), 3_000);
  expect([delivered, gaps]).toEqual([[0, 4], [3]]);
  control("dropRequest", hexOf(2) + hexOf(1_000_000), 4_000);
  control("dropRequest", hexOf(9) + hexOf(8), 4_000);
  control("dropRequest", "0000", 4_000);
  data(5, 5_000);
  expect(delivered).toEqual([0, 4, 5]);
  expect(contents(NAK).length).toBe(1);
});

test("64 packets without a full ACK make a light one", () => {
  const { data, contents } = open();
  for (let number = 0; number < 64; number += 1) data(number, 1_000);
  expect(contents(ACK)).toEqual([hexOf(64)]);
});

test("an ACK that is not confirmed is repeated ever more rarely, a confirmed one never", () => {
  const { connection, sent, data, contents } = open();
  data(0, 1_000);
  for (let nowUs = 10_000; nowUs <= 1_010_000; nowUs += 10_000) connection.tick(nowUs);
  const repeated = contents(ACK).length;
  expect(repeated).toBeGreaterThan(5);
  expect(repeated).toBeLessThan(12);
  const last = sent.filter((packet) => controlTypeOf(packet) === ACK).at(-1);
  connection.receive(
    controlPacket("ackAck", { destination: 1, timestampUs: 0 }, undefined, { info: last?.readUInt32BE(4) ?? 0 }),
    1_030_000,
  );
  for (let nowUs = 1_040_000; nowUs <= 1_500_000; nowUs += 10_000) connection.tick(nowUs);
  expect(contents(ACK).length).toBe(repeated);
  expect(connection.stats.rttMs).toBeGreaterThanOrEqual(20);
});

test("a packet from far outside of the window is dropped; many in a row end the connection", () => {
  const { data, ends, delivered } = open();
  data(0, 1_000);
  data(900_000, 2_000);
  data(1, 3_000);
  expect(delivered).toEqual([0, 1]);
  for (let count = 0; count < 64; count += 1) data(900_000 + count, 4_000);
  expect(ends).toEqual([{ kind: "broken", detail: "packets far outside of the window" }]);
});

test("a sender that gave up more than a window: the stream goes on behind the gap", () => {
  const { connection, data, ends, delivered, gaps, contents } = open();
  data(0, 1_000);
  data(2, 2_000);
  for (let count = 0; count < 70; count += 1) data(20_000 + count, 3_000_000 + count * 100);
  expect(delivered).toEqual([0, 2, 20_063, 20_064, 20_065, 20_066, 20_067, 20_068, 20_069]);
  expect(gaps).toEqual([1, 20_060]);
  expect(connection.stats).toMatchObject({ receiveDropped: 20_061, waiting: 0 });
  connection.tick(3_100_000);
  expect(contents(ACK).at(-1)?.slice(0, 8)).toBe(hexOf(20_070));
  expect(ends).toEqual([]);
});

test("what the peer reports as lost is sent again once, with the same time, and not again within a round trip", () => {
  const { connection, sent, control } = open();
  control("ack", `${hexOf(0)}0000c3500000000000002000`, 1_000, 1);
  for (let number = 0; number < 4; number += 1) connection.write(Buffer.alloc(188, number), 2_000 + number);
  const before = sent.length;
  control("nak", hexOf(1, RANGE) + hexOf(2), 20_000);
  control("nak", hexOf(1, RANGE) + hexOf(2), 30_000);
  const again = sent.slice(before);
  expect(again.map((packet) => packet.readUInt32BE(0))).toEqual([addSequence(FIRST, 1), addSequence(FIRST, 2)]);
  expect(again.map((packet) => packet.readUInt32BE(8))).toEqual([2_001, 2_002]);
  expect(again.every((packet) => (packet.readUInt8(4) & 4) !== 0)).toBe(true);
  control("nak", hexOf(1), 71_000);
  expect(sent.length).toBe(before + 3);
});

test("a report about packets that are gone gets a request to drop them", () => {
  const { connection, control, contents } = open();
  for (let number = 0; number < 4; number += 1) connection.write(Buffer.alloc(188), 1_000);
  control("ack", hexOf(2), 2_000);
  control("nak", hexOf(0, RANGE) + hexOf(2), 3_000);
  expect(contents(DROP)).toEqual([hexOf(0) + hexOf(1)]);
  expect(connection.stats.sentRetransmitted).toBe(1);
});

test.each([
  { name: "a reversed range", type: "nak", hex: hexOf(2, RANGE) + hexOf(1) },
  { name: "a loss that was never sent", type: "nak", hex: hexOf(4) },
  { name: "an ACK beyond what was sent", type: "ack", hex: hexOf(5) },
] as const)("$name ends the connection", ({ type, hex }) => {
  const { connection, control, ends, contents } = open();
  for (let number = 0; number < 4; number += 1) connection.write(Buffer.alloc(188), 1_000);
  control(type, hex, 2_000);
  expect(ends.map(({ kind }) => kind)).toEqual(["broken"]);
  expect(contents(SHUTDOWN).length).toBe(1);
});

test("a peer that confirms nothing: packets are given up after 1.02 s, and memory is bounded", () => {
  const { connection } = open();
  for (let number = 0; number < 10_000; number += 1) connection.write(Buffer.alloc(188), 1_000);
  expect(connection.unacknowledged).toBe(8_192);
  connection.receive(controlPacket("keepalive", { destination: 1, timestampUs: 0 }), 1_000_000);
  connection.tick(1_020_000);
  expect(connection.unacknowledged).toBe(8_192);
  connection.tick(1_022_000);
  expect(connection.unacknowledged).toBe(0);
  expect(connection.stats.sendDropped).toBe(10_000);
});

test("a peer that waits for each packet: none is given up, and one that finds no room has no number", () => {
  const doesNotDrop = 0x37;
  const { connection, sent, control } = open(100, undefined, doesNotDrop);
  for (let number = 0; number < 10_000; number += 1) connection.write(Buffer.alloc(188), 1_000);
  for (let nowUs = 500_000; nowUs <= 4_000_000; nowUs += 500_000) {
    connection.receive(controlPacket("keepalive", { destination: 1, timestampUs: 0 }), nowUs);
    connection.tick(nowUs);
  }
  expect(connection.unacknowledged).toBe(8_192);
  expect(connection.stats.sendDropped).toBe(10_000 - 8_192);
  control("ack", hexOf(8_192), 4_000_000);
  expect(connection.unacknowledged).toBe(0);
  connection.write(Buffer.alloc(188), 4_000_000);
  const data = sent.findLast((packet) => !isControl(packet));
  expect(data?.readUInt32BE(0)).toBe(addSequence(FIRST, 8_192));
});

test("a peer whose window is full gets nothing more until it confirms", () => {
  const { connection, control } = open();
  control("ack", `${hexOf(0)}0000c3500000000000000002`, 1_000, 1);
  for (let number = 0; number < 5; number += 1) connection.write(Buffer.alloc(188), 2_000);
  const dataSent = () => connection.stats.sentBytes;
  expect(dataSent()).toBe(5 * 188);
  control("ack", `${hexOf(2)}0000c3500000000000000002`, 3_000, 2);
  control("ack", hexOf(5), 4_000);
  // Only four packets can have arrived by then.
  expect(connection.isOver).toBe(true);
});

test("a storm of loss reports makes at most twice the stream's bytes, and costs little", () => {
  const { connection, sent, control } = open();
  control("ack", `${hexOf(0)}000003e80000000000002000`, 1_000, 1);
  const secondsUs = 4_000_000;
  let written = 0;
  for (let nowUs = 10_000; nowUs < secondsUs; nowUs += 10_000) {
    for (let each = 0; each < 10; each += 1) connection.write(Buffer.alloc(1_316), nowUs);
    written += 10;
    const newest = addSequence(FIRST, written - 1);
    const oldest = addSequence(FIRST, Math.max(0, written - 1_000));
    const report = ((oldest | RANGE) >>> 0).toString(16).padStart(8, "0") + newest.toString(16).padStart(8, "0");
    for (let storm = 0; storm < 20; storm += 1) control("nak", report, nowUs + storm);
    connection.tick(nowUs);
  }
  const { sentBytes, sentRetransmittedBytes } = connection.stats;
  expect(sentRetransmittedBytes).toBeGreaterThan(0);
  expect(sentRetransmittedBytes).toBeLessThan(sentBytes * 1.6);
  expect(sent.length).toBeLessThan(written * 3);
});

test("control packets with and without libsrt's four zero bytes count the same", () => {
  for (const length of [16, 20]) {
    const { connection, data, ends, contents } = open();
    const receive = (type: "ackAck" | "keepalive" | "shutdown", nowUs: number, info = 0) =>
      connection.receive(
        controlPacket(type, { destination: 1, timestampUs: 0 }, undefined, { info }).subarray(0, length),
        nowUs,
      );
    data(0, 1_000);
    connection.tick(10_000);
    receive("ackAck", 24_000, 1);
    expect(connection.stats.rttMs).toBe(14);
    receive("keepalive", 4_900_000);
    connection.tick(5_100_000);
    expect(ends).toEqual([]);
    receive("shutdown", 5_200_000);
    expect(ends).toEqual([{ kind: "shutdown" }]);
    expect(contents(ACK).length).toBe(1);
  }
});

test("packets that are too short or too long, of unknown types, and confirmations of nothing do nothing", () => {
  const { connection, sent, ends } = open();
  for (const length of [0, 1, 15, 1_473, 2_000]) connection.receive(Buffer.alloc(length, 0x80), 1_000);
  for (const type of [4, 8, 9, 0x1234]) {
    const packet = Buffer.alloc(20);
    packet.writeUInt16BE(0x8000 | type, 0);
    connection.receive(packet, 1_000);
  }
  connection.receive(controlPacket("ackAck", { destination: 1, timestampUs: 0 }, undefined, { info: 9 }), 2_000);
  expect([sent, ends, connection.stats.rttMs]).toEqual([[], [], undefined]);
});

test("the round trip: the first measurement counts whole, later ones an eighth", () => {
  const roundTrip = new RoundTrip();
  roundTrip.measured(40_000);
  expect([roundTrip.rttUs, roundTrip.varianceUs, roundTrip.replyTimeUs]).toEqual([40_000, 20_000, 120_000]);
  roundTrip.measured(48_000);
  expect([roundTrip.rttUs, roundTrip.varianceUs]).toEqual([41_000, 17_000]);
  // A peer's values before it has measured.
  roundTrip.told(100_000, 50_000);
  expect(roundTrip.rttUs).toBe(41_000);
  roundTrip.told(7_000, 1_000);
  expect([roundTrip.rttUs, roundTrip.varianceUs]).toEqual([7_000, 1_000]);
});

test("clear packets on an encrypted connection are a gap, and are not asked for again", () => {
  const keys = SessionKeys.create("correct horse battery", 16, (length) => Buffer.alloc(length, 3));
  const { connection, data, delivered, gaps, contents } = open(100, keys);
  data(0, 1_000);
  data(1, 2_000);
  expect([delivered, gaps, contents(NAK)]).toEqual([[], [1, 1], []]);
  expect(connection.stats.receiveUndecrypted).toBe(2);
});

test("a stream of few packets is confirmed every 30 ms, one of many every 10 ms", () => {
  for (const { perTick, acks } of [
    { perTick: 5, acks: 33 },
    { perTick: 40, acks: 99 },
  ]) {
    const { connection, sent, data } = open();
    let number = 0;
    for (let nowUs = 10_000; nowUs < 1_000_000; nowUs += 10_000) {
      for (let each = 0; each < perTick; each += 1) data(number++, nowUs);
      connection.tick(nowUs);
      const last = sent.at(-1)?.readUInt32BE(4) ?? 0;
      connection.receive(
        controlPacket("ackAck", { destination: 1, timestampUs: nowUs }, undefined, { info: last }),
        nowUs + 1_000,
      );
    }
    expect(connection.stats.sentAck).toBe(acks);
  }
});

test("random and mutated packets are harmless", () => {
  const random = seededRandom(12);
  const byte = () => Math.floor(random() * 256);
  const types = [0, 1, 2, 3, 5, 6, 7, 8, 0x7fff];
  let { connection } = open();
  for (let round = 0; round < 20_000; round += 1) {
    const packet = Buffer.from(Array.from({ length: Math.floor(random() * 60) }, byte));
    if (packet.length > 4 && random() < 0.7) packet.writeUInt16BE(0x8000 | (types[byte() % types.length] ?? 0), 0);
    else if (packet.length > 4) packet.writeUInt32BE(addSequence(FIRST, Math.floor(random() * 9_000)), 0);
    connection.receive(packet, round * 100);
    if (round % 10 === 0) connection.write(Buffer.alloc(188), round * 100);
    if (round % 50 === 0) connection.tick(round * 100);
    if (connection.isOver) ({ connection } = open());
    expect(connection.stats.waiting).toBeLessThanOrEqual(8_192);
  }
});
