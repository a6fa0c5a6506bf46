import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isSilentAac } from "../../../src/protocol/flv/audio/aac-silence.ts";
import { seededRandom } from "../../support/stages/seeded-random.ts";
import { BitWriter } from "./bit-writer.ts";

type Frames = Readonly<Record<string, readonly string[]>>;
const fixture = JSON.parse(readFileSync(new URL("../../fixtures/aac-frames.json", import.meta.url), "utf8")) as {
  readonly sound: Frames;
  readonly silence: Frames;
};

const isSilent = (frame: Buffer) => isSilentAac(frame, 0, frame.length);
const bytesOf = (frames: readonly string[]) => frames.map((frame) => Buffer.from(frame, "base64"));

describe("frames of real encoders", () => {
  test.each(Object.entries(fixture.silence))("digital silence is silent: %s", (_name, frames) => {
    expect(bytesOf(frames).map(isSilent)).toEqual([true, true]);
  });

  test.each(Object.entries(fixture.sound))("quiet audio is not silent: %s", (_name, frames) => {
    expect(bytesOf(frames).map(isSilent)).toEqual([false, false]);
  });

  test("a frame is read from its offset to its end, and one that breaks off is not silent", () => {
    const [frame = Buffer.alloc(0)] = bytesOf(fixture.silence["FFmpeg 2 ch 48000 Hz 64kbit/s"] ?? []);
    const payload = Buffer.concat([Buffer.from("af01", "hex"), frame, Buffer.alloc(3, 0xff)]);
    expect(isSilentAac(payload, 2, 2 + frame.length)).toBe(true);
    expect(Array.from({ length: frame.length }, (_, length) => isSilentAac(frame, 0, length))).not.toContain(true);
  });
});

/** Writes fields as `[value, bits]`. */
function written(...fields: readonly (readonly [number, number])[]): Buffer {
  const writer = new BitWriter();
  for (const [value, count] of fields) writer.bits(value, count);
  return writer.bytes();
}

const END = [7, 3] as const;
/** A mono channel element whose long window has `maxBand` bands. */
const mono = (maxBand: number) =>
  [
    [0, 3],
    [0, 4],
    [140, 8],
    [0, 1],
    [0, 2],
    [0, 1],
    [maxBand, 6],
    [0, 1],
  ] as const;
const NO_TOOLS = [0, 3] as const;

describe("frames made by hand", () => {
  test("bands without lines are silent, also in a section longer than its field; one coded band is not", () => {
    const section = (codebook: number) =>
      [
        [codebook, 4],
        [31, 5],
        [9, 5],
      ] as const;
    expect(isSilent(written(...mono(40), ...section(0), NO_TOOLS, END))).toBe(true);
    expect(isSilent(written(...mono(40), ...section(1), NO_TOOLS, END))).toBe(false);
    expect(isSilent(written(...mono(40), [0, 4], [30, 5], [11, 4], [10, 5], NO_TOOLS, END))).toBe(false);
  });

  test("eight short windows in two groups", () => {
    const short = (second: number) =>
      written(
        ...([
          [0, 3],
          [0, 4],
          [140, 8],
          [0, 1],
          [2, 2],
          [0, 1],
          [3, 4],
          [0b1110111, 7],
        ] as const),
        ...([[0, 4], [3, 3], [second, 4], [3, 3], NO_TOOLS, END] as const),
      );
    expect([short(0), short(5)].map(isSilent)).toEqual([true, false]);
  });

  test("elements around the channels are skipped, and a frame without a channel is not silent", () => {
    const fill = [
      [6, 3],
      [2, 4],
      [0xffff, 16],
    ] as const;
    const data = [
      [4, 3],
      [0, 4],
      [0, 1],
      [1, 8],
      [0xff, 8],
    ] as const;
    expect(isSilent(written(...fill, ...mono(0), NO_TOOLS, ...data, END))).toBe(true);
    expect(isSilent(written(...fill, END))).toBe(false);
    expect(isSilent(written(...mono(0), [0b010, 3], END))).toBe(false);
    expect(isSilent(written(...mono(0), NO_TOOLS, [5, 3], END))).toBe(false);
  });

  test("a section without bands ends the reading", () => {
    expect(isSilent(Buffer.concat([written(...mono(40)), Buffer.alloc(4_096)]))).toBe(false);
  });

  test("any bytes are read in a bounded time, and hardly any are silent", () => {
    const random = seededRandom(7);
    let silent = 0;
    for (let count = 0; count < 20_000; count += 1) {
      const frame = Buffer.from(Array.from({ length: count % 64 }, () => Math.floor(random() * 256)));
      if (isSilent(frame)) silent += 1;
    }
    expect(silent).toBeLessThan(20);
  });
});
