import { expect, test } from "vitest";
import { AacMisfit } from "../../../src/protocol/flv/audio/aac-misfit.ts";

const [LOW_COMPLEXITY, LOW_DELAY] = [2, 23];
/** By the index of its rate, its channels, and the kind of AAC. */
const header = (rateIndex: number, channels: number, objectType = LOW_COMPLEXITY) =>
  Buffer.from([0xaf, 0, (objectType << 3) | (rateIndex >> 1), ((rateIndex & 1) << 7) | (channels << 3)]);
/** A frame that begins with this element. */
const frame = (element: number) => Buffer.from([0xaf, 1, (element << 5) | 1, 0]);
const [ONE, TWO, FILL] = [0, 1, 6];

/** After how many frames of this rate it notices that they do not fit; undefined: never. */
function noticedAfter(
  misfit: AacMisfit,
  {
    rate,
    element = TWO,
    count = 500,
    jitterMs = 0,
  }: { rate: number; element?: number; count?: number; jitterMs?: number },
): number | undefined {
  for (let at = 0; at < count; at += 1) {
    const timestamp = Math.round((at * 1_024_000) / rate) + (at % 2) * jitterMs;
    if (misfit.isAfter({ timestamp, payload: frame(element) })) return at + 1;
  }
  return undefined;
}

function begun(rateIndex: number, channels: number): AacMisfit {
  const misfit = new AacMisfit();
  expect(misfit.isAfter({ timestamp: 0, payload: header(rateIndex, channels) })).toBe(false);
  return misfit;
}

test.each([
  { name: "as the header says", rateIndex: 3, rate: 48_000, after: undefined },
  { name: "as the header says, in bursts", rateIndex: 3, rate: 48_000, jitterMs: 20, after: undefined },
  { name: "by a clock that drifts", rateIndex: 3, rate: 47_500, after: undefined },
  { name: "by a clock that is no rate of AAC", rateIndex: 3, rate: 50_500, after: undefined },
  { name: "44.1 in place of 48 kHz", rateIndex: 3, rate: 44_100, after: 101 },
  { name: "48 in place of 44.1 kHz", rateIndex: 4, rate: 48_000, after: 101 },
  { name: "24 in place of 48 kHz", rateIndex: 3, rate: 24_000, after: 101 },
])("the times of frames show their rate: $name", ({ rateIndex, rate, jitterMs, after }) => {
  expect(noticedAfter(begun(rateIndex, 2), { rate, ...(jitterMs === undefined ? {} : { jitterMs }) })).toBe(after);
});

test.each([
  { name: "mono in place of stereo", channels: 2, element: ONE, after: 10 },
  { name: "stereo in place of mono", channels: 1, element: TWO, after: 10 },
  { name: "stereo", channels: 2, element: TWO, after: undefined },
  { name: "frames that begin with filling", channels: 2, element: FILL, after: undefined },
  { name: "5.1, which begins with one channel", channels: 6, element: ONE, after: undefined },
])("the first element of frames shows how many channels there are: $name", ({ channels, element, after }) => {
  expect(noticedAfter(begun(3, channels), { rate: 48_000, element })).toBe(after);
});

test("frames that are 1 ms apart since a source began anew show no rate, whenever that was", () => {
  for (let from = 0; from < 200; from += 1) {
    const misfit = begun(3, 2);
    for (let at = 0; at < 500; at += 1) {
      const timestamp = Math.round((Math.min(at, from) * 1_024_000) / 48_000) + Math.max(0, at - from);
      expect(misfit.isAfter({ timestamp, payload: frame(TWO) })).toBe(false);
    }
  }
});

test("kinds of AAC that have another number of samples in a frame show no rate", () => {
  const misfit = new AacMisfit();
  misfit.isAfter({ timestamp: 0, payload: header(3, 2, LOW_DELAY) });
  // It has 512.
  expect(noticedAfter(misfit, { rate: 96_000 })).toBeUndefined();
});

test("frames with gaps between them, of another codec, and before a header show nothing", () => {
  const misfit = begun(3, 2);
  for (let at = 0; at < 500; at += 1)
    expect(misfit.isAfter({ timestamp: at * 23 + Math.floor(at / 50) * 5_000, payload: frame(TWO) })).toBe(false);
  expect(noticedAfter(new AacMisfit(), { rate: 44_100 })).toBeUndefined();
  expect(misfit.isAfter({ timestamp: 0, payload: Buffer.from([0x2f, 0xff, 0xfb]) })).toBe(false);
});

test("a new header is what counts from then on", () => {
  const misfit = begun(3, 2);
  expect(noticedAfter(misfit, { rate: 44_100, count: 90 })).toBeUndefined();
  misfit.isAfter({ timestamp: 0, payload: header(4, 2) });
  expect(noticedAfter(misfit, { rate: 44_100 })).toBeUndefined();
});
