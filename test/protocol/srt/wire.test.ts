import { expect, test } from "vitest";
import { SequenceRanges } from "../../../src/protocol/srt/flow/sequence-ranges.ts";
import { readLossReport, writeLossReport } from "../../../src/protocol/srt/wire/loss-report.ts";
import {
  controlPacket,
  dataPacket,
  isControl,
  isRetransmitted,
  keyIndexOf,
  markRetransmitted,
  sequenceOf,
} from "../../../src/protocol/srt/wire/packet.ts";
import { rejectionOf } from "../../../src/protocol/srt/wire/rejections.ts";
import { addSequence, nextMessageNumber, sequenceDistance } from "../../../src/protocol/srt/wire/sequence.ts";
import { seededRandom } from "../../support/stages/seeded-random.ts";
import { ENCRYPTED, RUNNING } from "./vectors.ts";

test("sequence numbers wrap after 31 bits, message numbers after 26 and without 0", () => {
  expect(addSequence(0x7fffffff, 1)).toBe(0);
  expect(addSequence(0, -1)).toBe(0x7fffffff);
  expect([sequenceDistance(0x7ffffffe, 1), sequenceDistance(1, 0x7ffffffe)]).toEqual([3, -3]);
  expect([nextMessageNumber(1), nextMessageNumber(0x3ffffff)]).toEqual([2, 1]);
});

test("control packets are libsrt's", () => {
  const at = (timestampUs: number, destination: number) => ({ timestampUs, destination });
  expect(controlPacket("keepalive", at(0xf668f, 0x133598f5))).toEqual(RUNNING.keepalive);
  expect(controlPacket("shutdown", at(0x2e1a58, 0x3587428e))).toEqual(RUNNING.shutdown);
  expect(controlPacket("ackAck", at(0x9cd9, 0x3587428e), undefined, { info: 1 })).toEqual(RUNNING.ackAck);
  expect(controlPacket("ack", at(0x158ee9, 0x3f1898d), Buffer.from("323724BB", "hex"))).toEqual(RUNNING.lightAck);
});

test("a data packet's header is FFmpeg's, but for the flag of order; a repeated one differs in one bit", () => {
  const packet = dataPacket(
    { sequence: 0x694af642, messageNumber: 1, keyIndex: 1, timestampUs: 0x4b8d, destination: 0x1327c7aa },
    ENCRYPTED.cipherText,
  );
  const expected = Buffer.from(ENCRYPTED.dataHeader);
  expected.writeUInt8(0xc8, 4);
  expect(packet.subarray(0, 16)).toEqual(expected);
  expect(packet.subarray(16)).toEqual(ENCRYPTED.cipherText);
  expect([isControl(packet), isRetransmitted(packet), keyIndexOf(packet)]).toEqual([false, false, 1]);
  markRetransmitted(packet);
  expect([packet.readUInt8(4), isRetransmitted(packet), sequenceOf(packet)]).toEqual([0xcc, true, 0x694af642]);
});

test("loss reports: one, a range, and both", () => {
  const [lost, from, to] = [0x261447a0, 0x261447a7, 0x261447a9];
  expect(readLossReport(RUNNING.nakSingle.subarray(16))).toEqual([{ from: lost, to: lost }]);
  expect(readLossReport(RUNNING.nakRange.subarray(16))).toEqual([{ from, to }]);
  const mixed = [
    { from: lost, to: lost },
    { from: 0x261447a5, to: 0x261447a5 },
    { from, to },
  ];
  expect(readLossReport(RUNNING.nakMixedContent)).toEqual(mixed);
  expect(writeLossReport(mixed)).toEqual(RUNNING.nakMixedContent);
});

test("loss reports that are malformed, or longer than a packet", () => {
  for (const hex of ["", "26", "2614470000", "a61447a7", "a61447a7a61447a9"])
    expect(readLossReport(Buffer.from(hex, "hex"))).toBeUndefined();
  expect(readLossReport(Buffer.alloc(365 * 4))).toBeUndefined();
  const many = Array.from({ length: 500 }, (_, index) => ({ from: index * 4, to: index * 4 + 1 }));
  expect(writeLossReport(many).length).toBe(364 * 4);
});

test("ranges hold what a plain set of numbers holds, across the wrap", () => {
  const random = seededRandom(7);
  const start = 0x7fffffff - 100;
  const ranges = new SequenceRanges();
  let plain = new Set<number>();
  const draw = (below: number) => Math.floor(random() * below);
  for (let step = 0; step < 3_000; step += 1) {
    const [from, length] = [draw(200), draw(12)];
    const all = Array.from({ length: length + 1 }, (_, index) => from + index);
    const [first, last] = [addSequence(start, from), addSequence(start, from + length)];
    switch (draw(4)) {
      case 0:
        ranges.add(first, last);
        for (const number of all) plain.add(number);
        break;
      case 1:
        expect(ranges.remove(first)).toBe(plain.delete(from));
        break;
      case 2:
        ranges.removeRange(first, last);
        for (const number of all) plain.delete(number);
        break;
      default:
        if (from > 60) break;
        ranges.removeBefore(first);
        plain = new Set([...plain].filter((number) => number >= from));
    }
    expect(ranges.count).toBe(plain.size);
    expect(ranges.has(first)).toBe(plain.has(from));
    expect(ranges.ranges[0]?.from).toBe(plain.size === 0 ? undefined : addSequence(start, Math.min(...plain)));
  }
});

test("numbers of rejections", () => {
  expect([1_010, 2_404, 2_409, 1_999].map(rejectionOf)).toEqual(["badSecret", "notFound", "conflict", undefined]);
});
