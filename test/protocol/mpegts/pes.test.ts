import { expect, test } from "vitest";
import { PesAssembler } from "../../../src/protocol/mpegts/packets/pes.ts";

const PART_BYTES = 184;
const LONG = 70_000;
/** What a length of 16 bits says of so many bytes behind its field. */
const CUT = 2 ** 16;

type Head = { readonly pts?: number; readonly dts?: number; readonly flags?: number; readonly headBytes?: number };

/** A packet of video whose data is `bytes` times the byte `fill`, with times below 2^15. */
function pes(fill: number, bytes: number, { pts, dts, flags = 0x80, headBytes }: Head): Buffer {
  const field = (prefix: number, time: number) => [prefix, 0, 1, ((time << 1) >> 8) & 0xff, ((time << 1) & 0xff) | 1];
  const times = [
    ...(pts === undefined ? [] : field(dts === undefined ? 0x21 : 0x31, pts)),
    ...(dts === undefined ? [] : field(0x11, dts)),
  ];
  const has = pts === undefined ? 0 : dts === undefined ? 0x80 : 0xc0;
  const head = Buffer.from([0, 0, 1, 0xe0, 0, 0, flags, has, headBytes ?? times.length, ...times]);
  head.writeUInt16BE((head.length - 6 + bytes) % CUT, 4);
  return Buffer.concat([head, Buffer.alloc(bytes, fill)]);
}

/** Takes packets, in parts as transport packets have them, and tells what came whole: byte, length and times. */
function stage(joins = true) {
  const whole: string[] = [];
  const assembler = new PesAssembler({ bytesMax: 1_000_000, joins }, ({ bytes, from, end, pts, dts }) => {
    const data = bytes.subarray(from, end);
    const isOne = data.every((byte) => byte === data[0]);
    whole.push(`${isOne ? data[0] : "mixed"} × ${data.length} at ${pts} ${dts}`);
  });
  const take = (packet: Buffer, bytesMax = packet.length) => {
    for (let at = 0; at < Math.min(packet.length, bytesMax); at += PART_BYTES)
      assembler.take(packet, at, Math.min(packet.length, at + PART_BYTES), at === 0);
  };
  return { assembler, whole, take };
}

test("a length that was cut to 16 bits, and is that of an earlier packet, is believed once", () => {
  const { assembler, whole, take } = stage();
  take(pes(1, 5_000, { pts: 1 }));
  take(pes(2, 100, { pts: 2 }));
  for (const at of [3, 4, 5]) take(pes(at, LONG, { pts: at }));
  assembler.end();
  const cut = LONG + 8 - CUT - 8;
  expect(whole).toEqual([
    "1 × 5000 at 1 undefined",
    "2 × 100 at 2 undefined",
    `3 × ${cut} at 3 undefined`,
    `4 × ${LONG} at 4 undefined`,
    `5 × ${LONG} at 5 undefined`,
  ]);
});

test("once a length was none, no other is believed, whatever came whole", () => {
  const { assembler, whole, take } = stage();
  take(pes(1, LONG, { pts: 1 }));
  take(pes(2, 5_000, { pts: 2 }));
  take(pes(3, LONG, { pts: 3 }));
  assembler.end();
  expect(whole).toEqual([`1 × ${LONG} at 1 undefined`, "2 × 5000 at 2 undefined", `3 × ${LONG} at 3 undefined`]);
});

test("what came whole without a length says nothing of how long a whole packet is", () => {
  const { assembler, whole, take } = stage();
  const endless = pes(1, 5_000, { pts: 1 });
  endless.writeUInt16BE(0, 4);
  take(endless);
  take(pes(2, 300, { pts: 2 }));
  take(pes(3, 300, { pts: 2 }));
  assembler.end();
  expect(whole).toEqual(["1 × 5000 at 1 undefined", "mixed × 600 at 2 undefined"]);
});

test("what a loss leaves of a packet whose length may be none is dropped, wherever the loss is", () => {
  for (let parts = 1; parts * PART_BYTES < LONG + 14; parts += 1) {
    const { assembler, whole, take } = stage();
    take(pes(1, LONG, { pts: 1 }));
    take(pes(2, LONG, { pts: 2 }), parts * PART_BYTES);
    assembler.abandon();
    expect([parts, whole, assembler.dropped]).toEqual([parts, [`1 × ${LONG} at 1 undefined`], 1]);
  }
});

test("a packet whose length is believed is whole before a loss", () => {
  const { assembler, whole, take } = stage();
  take(pes(1, 500, { pts: 1 }));
  expect(whole).toEqual([]);
  assembler.abandon();
  expect([whole, assembler.dropped]).toEqual([["1 × 500 at 1 undefined"], 0]);
});

test("packets with one time of showing and two of decoding are two frames", () => {
  const { assembler, whole, take } = stage();
  take(pes(1, 300, { pts: 9, dts: 1 }));
  take(pes(2, 400, { pts: 9, dts: 2 }));
  take(pes(3, 400, { pts: 9, dts: 2 }));
  assembler.end();
  expect(whole).toEqual(["1 × 300 at 9 1", "mixed × 800 at 9 2"]);
});

test("after a loss nothing is taken of a frame before its next one begins, with its times or without", () => {
  for (const times of [{ pts: 1 }, {}]) {
    const { assembler, whole, take } = stage();
    take(pes(1, 1_000, { pts: 1 }), PART_BYTES);
    assembler.abandon();
    take(pes(1, 700, times));
    take(pes(2, 300, { pts: 2 }));
    assembler.end();
    expect(whole).toEqual(["2 × 300 at 2 undefined"]);
  }
});

test("times for which a header has no room are not read, and the data is", () => {
  const { assembler, whole, take } = stage(false);
  const [pts, both] = [pes(1, 300, { pts: 1 }), pes(2, 300, { pts: 2, dts: 1 })];
  // Their times are data to a header of this length.
  pts[8] = 0;
  both[8] = 5;
  take(pts);
  take(both);
  assembler.end();
  expect(whole).toEqual(["mixed × 305 at undefined undefined", "mixed × 305 at 2 undefined"]);
});

test("a packet that is a few bytes shorter than it says is whole, of audio too; one that lacks more is dropped", () => {
  for (const joins of [true, false]) {
    const { assembler, whole, take } = stage(joins);
    const short = (fill: number, lacks: number) => {
      const packet = pes(fill, 500, { pts: fill });
      return packet.subarray(0, packet.length - lacks);
    };
    take(short(1, 3));
    take(short(2, PART_BYTES));
    take(pes(3, 500, { pts: 3 }));
    assembler.end();
    expect([whole, assembler.dropped]).toEqual([["1 × 497 at 1 undefined", "3 × 500 at 3 undefined"], 1]);
  }
});

test("a packet that breaks off before its length goes on with nothing", () => {
  const { assembler, whole, take } = stage();
  take(pes(1, 500, { pts: 1 }).subarray(0, 5));
  // It could pass for the rest of a header, and data.
  take(pes(0x80, 500, {}));
  take(pes(2, 500, { pts: 2 }));
  assembler.end();
  expect([whole, assembler.dropped]).toEqual([["2 × 500 at 2 undefined"], 1]);
});

test.each([
  { what: "is scrambled", head: { flags: 0x90 } },
  { what: "lacks its mark", head: { flags: 0x00 } },
  { what: "is longer than the packet", head: { headBytes: 255 } },
])("a packet whose header $what is dropped, also where a frame waits for its next part", ({ head }) => {
  const { assembler, whole, take } = stage();
  take(pes(1, 300, { pts: 1 }));
  take(pes(2, 100, head));
  take(pes(3, 300, { pts: 3 }));
  assembler.end();
  expect([whole, assembler.dropped]).toEqual([["1 × 300 at 1 undefined", "3 × 300 at 3 undefined"], 1]);
});
