import fc from "fast-check";
import { expect, test } from "vitest";
import { boxesIn, readBox } from "../../../src/protocol/mp4/box-reader.ts";
import { encodeFragmentHead } from "../../../src/protocol/mp4/fragment.ts";
import { encodeDuration, readMovieHeader } from "../../../src/protocol/mp4/movie-header.ts";
import { readFragmentTimes } from "../../../src/protocol/mp4/read-fragment.ts";

const KEY = { data: Buffer.alloc(5), durationUnits: 40, compositionUnits: 80, isSync: true };
const INTER = { data: Buffer.alloc(3), durationUnits: 40, compositionUnits: -40, isSync: false };

test("a fragment of two tracks is these bytes", () => {
  const head = encodeFragmentHead(7, [
    { trackId: 1, startUnits: 1_000, samples: [KEY, INTER] },
    { trackId: 2, startUnits: 48_000, samples: [{ ...KEY, durationUnits: 1_024, compositionUnits: 0 }] },
  ]);
  expect(head.toString("hex")).toBe(
    [
      "000000c86d6f6f66", // moof, 200 bytes
      "000000106d66686400000000" + "00000007",
      "0000006074726166", // traf
      "000000107466686400020000" + "00000001",
      "000000147466647401000000" + "00000000000003e8",
      "000000347472756e01000f01" + "00000002" + "000000d0",
      "00000028" + "00000005" + "02000000" + "00000050",
      "00000028" + "00000003" + "01010000" + "ffffffd8",
      "0000005074726166",
      "000000107466686400020000" + "00000002",
      "000000147466647401000000" + "000000000000bb80",
      "000000247472756e01000f01" + "00000001" + "000000d8",
      "00000400" + "00000005" + "02000000" + "00000000",
      "000000156d646174", // mdat, 13 bytes of samples
    ].join(""),
  );
  expect(readFragmentTimes(head.subarray(0, head.length - 8))).toEqual([
    { trackId: 1, startUnits: 1_000, endUnits: 1_080 },
    { trackId: 2, startUnits: 48_000, endUnits: 49_024 },
  ]);
});

test("a damaged fragment has no times, and nothing throws", () => {
  const head = encodeFragmentHead(1, [{ trackId: 1, startUnits: 0, samples: [KEY, INTER] }]);
  const moof = head.subarray(0, head.length - 8);
  fc.assert(
    fc.property(fc.nat(moof.length - 1), fc.nat(255), fc.nat(moof.length), (at, value, end) => {
      const damaged = Buffer.from(moof);
      damaged[at] = value;
      readFragmentTimes(damaged.subarray(0, end));
    }),
  );
  // More samples than there are.
  const more = Buffer.from(moof);
  more.writeUInt32BE(3, more.indexOf("trun") + 8);
  expect(readFragmentTimes(more)).toBeUndefined();
});

test("boxes are read with short and long lengths, and impossible ones are not", () => {
  const long = Buffer.concat([Buffer.from("00000001" + "6d646174" + "0000000000000018", "hex"), Buffer.alloc(8)]);
  expect(readBox(long, 0)).toEqual({ type: "mdat", start: 0, content: 16, end: 24 });
  expect(readBox(Buffer.from("000000076d646174", "hex"), 0)).toBeUndefined();
  expect(readBox(Buffer.alloc(16), 0)).toBeUndefined();
  expect(readBox(long.subarray(0, 12), 0)).toBeUndefined();
  expect(boxesIn(Buffer.concat([long, Buffer.from("000000206672656500", "hex")]), 0, 33)).toHaveLength(1);
  expect(readMovieHeader(long)).toBeUndefined();
});

test("a duration is written in the header's own units", () => {
  const header = { tracks: [], timescale: 57_600, durationAt: 0, end: 0 };
  expect(encodeDuration({ ...header, durationBytes: 4 }, 1_500).toString("hex")).toBe("00015180");
  expect(encodeDuration({ ...header, durationBytes: 8 }, 1_500).toString("hex")).toBe("0000000000015180");
  expect(encodeDuration({ ...header, durationBytes: 4 }, 1e9).toString("hex")).toBe("fffffffe");
});
