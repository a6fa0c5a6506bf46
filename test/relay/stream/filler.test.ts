import { expect, test } from "vitest";
import { Filler, type FillerFrame } from "../../../src/relay/stream/filler/filler.ts";
import { FillerStock } from "../../../src/relay/stream/filler/filler-stock.ts";
import type { Packet } from "../../../src/relay/stream/packet.ts";
import { AAC_CONFIG, AVC_CONFIG, avcFrame } from "../../support/streams/media-messages.ts";

const KEY = avcFrame(true, 1);
const FOLLOWING = avcFrame(false, 2);

function stocked(): FillerStock {
  const stock = new FillerStock();
  stock.add(KEY, true, AVC_CONFIG);
  stock.add(FOLLOWING, false, undefined);
  return stock;
}

const videoOf = (frames: readonly FillerFrame[]) =>
  frames.filter(({ kind }) => kind === "video").map(({ timeMs, isKeyframe, payload }) => [timeMs, isKeyframe, payload]);
const audioTimes = (frames: readonly FillerFrame[]) =>
  frames.filter(({ kind }) => kind === "audio").map(({ timeMs }) => timeMs);

test("filler alternates the keyframe and the frame after it, two a second, each returned once", () => {
  const filler = new Filler(stocked(), undefined, 10_000);
  expect(filler.until(9_999)).toEqual([]);
  expect(videoOf(filler.until(11_000))).toEqual([
    [10_000, true, KEY],
    [10_500, false, FOLLOWING],
    [11_000, true, KEY],
  ]);
  expect(filler.until(11_499)).toEqual([]);
  expect(videoOf(filler.until(11_500))).toEqual([[11_500, false, FOLLOWING]]);
});

test("silent AAC comes at its exact cadence, without drift, in one order of time with the video", () => {
  const filler = new Filler(stocked(), AAC_CONFIG, 0);
  const frames: FillerFrame[] = [];
  for (let timeMs = 0; timeMs <= 60_000; timeMs += 100) frames.push(...filler.until(timeMs));
  const times = audioTimes(frames);
  // 48 kHz: 1,024 samples are 21.33 ms.
  expect(times.slice(0, 4)).toEqual([0, 21, 43, 64]);
  expect(times).toHaveLength(2_813);
  expect(times.at(-1)).toBe(Math.round((2_812 * 1_024) / 48));
  const stereo = frames.find(({ kind }) => kind === "audio")?.payload;
  expect(stereo?.toString("hex")).toBe("af01210049900219002380");
  const all = frames.map(({ timeMs }) => timeMs);
  expect(all).toEqual([...all].sort((left, right) => left - right));
});

test.each([
  { name: "IDR", units: "00000003 2601af", end: "" },
  { name: "of an open group (CRA)", units: "00000003 2a01af", end: "000000024801" },
  { name: "of an open group, behind a message", units: "00000004 4e010500 00000003 2a01af", end: "000000024801" },
])("a keyframe of HEVC that is repeated ends its sequence, unless it begins one: $name", ({ units, end }) => {
  const key = Buffer.from(`9368766331${units.replaceAll(" ", "")}`, "hex");
  const stock = new FillerStock();
  stock.add(key, true, undefined);
  const [shown, again] = new Filler(stock, undefined, 0).until(500);
  expect([shown?.payload.toString("hex"), again?.payload.toString("hex")]).toEqual(
    Array(2).fill(`${key.toString("hex")}${end}`),
  );
});

test("after a pause of the process only the last 5 s are made up, and video goes on with a keyframe", () => {
  const filler = new Filler(stocked(), AAC_CONFIG, 0);
  filler.until(0);
  const frames = filler.until(60_200);
  expect(videoOf(frames)[0]).toEqual([56_000, true, KEY]);
  expect(videoOf(frames)).toHaveLength(9);
  expect(audioTimes(frames)[0]).toBe(Math.round((Math.ceil((55_200 * 48) / 1_024) * 1_024) / 48));
});

test("filler has each kind only where the stream has it, and no silence for audio other than AAC-LC", () => {
  expect(videoOf(new Filler(new FillerStock(), AAC_CONFIG, 0).until(1_000))).toEqual([]);
  expect(audioTimes(new Filler(stocked(), undefined, 0).until(1_000))).toEqual([]);
  // HE-AAC: object type 5.
  expect(audioTimes(new Filler(stocked(), Buffer.from("af002b11", "hex"), 0).until(1_000))).toEqual([]);
});

test("frames that are packets stay where they are, and their blocks are named until the next pair is there", () => {
  const packets = new Map<Packet, Buffer>();
  const packet = (payload: Buffer) => {
    const block = { bytes: Buffer.alloc(0), holders: 0, isKept: false };
    const made: Packet = {
      ...{ kind: "video", type: 9, isConfig: false, isKeyframe: false, trackId: 0, startsTrack: false },
      ...{ timeMs: 0, arrivalMs: 0, ordinal: 1, payloadLength: payload.length, block, start: 0, end: 0, deltaMs: 0 },
    };
    packets.set(made, payload);
    return made;
  };
  const stock = new FillerStock((of) => packets.get(of) ?? Buffer.alloc(0));
  const [key, following, nextKey, next] = [KEY, FOLLOWING, avcFrame(true, 7), avcFrame(false, 8)].map(packet);
  if (key === undefined || following === undefined || nextKey === undefined || next === undefined) throw new Error();
  stock.add(KEY, true, AVC_CONFIG, 0, key);
  stock.add(FOLLOWING, false, undefined, 0, following);
  stock.add(FOLLOWING, false, undefined, 0, packet(FOLLOWING));
  expect(stock.blocks).toEqual([key.block, following.block]);
  expect(stock.blocks[0]).toBe(key.block);
  expect(stock.frames).toMatchObject({ key: KEY, following: FOLLOWING });
  stock.add(avcFrame(true, 7), true, AVC_CONFIG, 0, nextKey);
  expect(new Set(stock.blocks)).toEqual(new Set([key.block, following.block, nextKey.block]));
  expect(stock.frames).toMatchObject({ key: KEY });
  stock.add(avcFrame(false, 8), false, undefined, 0, next);
  expect(new Set(stock.blocks)).toEqual(new Set([nextKey.block, next.block]));
  // A frame of several messages is gathered.
  stock.goOn(avcFrame(false, 9));
  expect(stock.blocks).toEqual([nextKey.block]);
  expect(stock.frames?.following).toEqual(Buffer.concat([avcFrame(false, 8), avcFrame(false, 9).subarray(5)]));
  stock.clear();
  expect([stock.blocks, stock.frames, stock.keyTime]).toEqual([[], undefined, undefined]);
});

test("what the stock takes after the filler began does not change it", () => {
  const stock = stocked();
  const filler = new Filler(stock, undefined, 0);
  stock.add(avcFrame(true, 9), true, AVC_CONFIG);
  stock.add(avcFrame(false, 9), false, undefined);
  expect(videoOf(filler.until(500))).toEqual([
    [0, true, KEY],
    [500, false, FOLLOWING],
  ]);
});

test("the stock holds the last group of which both frames are there, and a changed header clears it", () => {
  const stock = stocked();
  stock.add(avcFrame(true, 7), true, AVC_CONFIG);
  expect(stock.frames).toMatchObject({ key: KEY, following: FOLLOWING });
  stock.add(avcFrame(false, 8), false, undefined);
  expect(stock.frames).toMatchObject({ key: avcFrame(true, 7), following: avcFrame(false, 8) });
  stock.clear();
  expect(stock.frames).toBeUndefined();
});
