import { expect, test } from "vitest";
import { AckTotal } from "../../../src/protocol/rtmp/client/ack-total.ts";

const GIB = 2 ** 30;

/** Adds these totals, each with the bytes sent by then. Returns their sum. */
function sums(steps: readonly (readonly [total: number, sentBytes: number])[]): number[] {
  const acks = new AckTotal();
  return steps.map(([total, sentBytes]) => {
    acks.take(total, sentBytes);
    return acks.bytes;
  });
}

test("running totals add up, also over the end of 32 bits", () => {
  expect(
    sums([
      [GIB, 2 * GIB],
      [3 * GIB, 3 * GIB],
      [GIB, 6 * GIB],
      [2 * GIB, 6 * GIB],
    ]),
  ).toEqual([GIB, 3 * GIB, 5 * GIB, 6 * GIB]);
});

test("a repeated total counts nothing: a peer that reads nothing may repeat it for ever", () => {
  const acks = new AckTotal();
  for (let times = 0; times < 10; times += 1) acks.take(100, 200);
  expect([acks.bytes, acks.count]).toEqual([100, 1]);
  acks.take(150, 200);
  expect([acks.bytes, acks.count]).toEqual([150, 2]);
});

test("a total that goes back acknowledges nothing, and the next one goes on from there", () => {
  expect(
    sums([
      [100_000, 200_000],
      [50_000, 140_000],
      [60_000, 200_000],
    ]),
  ).toEqual([100_000, 100_000, 110_000]);
});

test("a peer that starts at 0 before its total is full, as nginx-rtmp does, is followed", () => {
  expect(
    sums([
      [0xf000_0000 - 5_000, 0xf000_0000],
      [5_000, 0xf000_0000 + 20_000],
      [10_000, 0xf000_0000 + 20_000],
    ]),
  ).toEqual([0xf000_0000 - 5_000, 0xf000_0000, 0xf000_0000 + 5_000]);
});

test("no total acknowledges more than was sent", () => {
  expect(
    sums([
      [4_000_000_000, 1_000],
      [7, 2_000],
      [4_294_967_295, 3_000],
    ]),
  ).toEqual([1_000, 1_007, 1_007]);
});

test("totals beyond what was sent are no proof that anything was read", () => {
  const acks = new AckTotal();
  for (let times = 1; times <= 10; times += 1) acks.take(times * 1_000_000, 300_000);
  expect([acks.bytes, acks.count]).toEqual([300_000, 1]);
});
