import { expect, test } from "vitest";
import type { TsMessage } from "../../../src/protocol/mpegts/message-order.ts";
import { TsDemuxer } from "../../../src/protocol/mpegts/ts-demuxer.ts";
import { AVC, annexB, demuxed, PPS, SPS, shown, TsWriter, VIDEO_PID } from "../../support/streams/ts-packets.ts";

const IDR = `6588${"a7".repeat(3_000)}`;
const FRAME = `419a${"05".repeat(500)}`;
const KEYFRAME = annexB("09f0", SPS, PPS, IDR);
const INTER = annexB("09f0", FRAME);

/** A frame's message, without its head: length and content of its one unit. */
const unitOf = (unit: string) => (unit.length / 2).toString(16).padStart(8, "0") + unit;
/** The frames' times and units. */
const frames = (messages: readonly TsMessage[]) =>
  shown(messages)
    .filter((text) => !text.includes(" 1700"))
    .map((text) => text.replace(/ [12]7010{6}/, " "));
/** Parts of so many bytes. */
const cut = (data: Buffer, bytes: number) =>
  Array.from({ length: Math.ceil(data.length / bytes) }, (_, index) =>
    data.subarray(index * bytes, (index + 1) * bytes),
  );

/** Two keyframes with an inter frame between them, which the encoder cuts into PES packets of 1,000 bytes at most. */
function inParts(
  options: { readonly hasLength?: boolean; readonly miscountedBy?: number },
  repeatsTimes = false,
): Buffer {
  const ts = new TsWriter();
  const pes = [KEYFRAME, INTER, KEYFRAME, INTER].flatMap((frame, index) =>
    cut(frame, 1_000).map((part, number) =>
      ts.pes(VIDEO_PID, part, { ...options, ...(number === 0 || repeatsTimes ? { pts: 90_000 + index * 3_600 } : {}) }),
    ),
  );
  return Buffer.concat([ts.tables([AVC]), ...pes]);
}

test.each([
  { name: "of the length that they say", options: {} },
  { name: "without a length", options: { hasLength: false } },
  { name: "three bytes shorter than they say, as MistServer's", options: { miscountedBy: 3 } },
])("a frame that goes on in packets without times is whole, the first one too: packets $name", ({ options }) => {
  for (const repeatsTimes of [false, true]) {
    // The last frame's end is not certain where its length is wrong.
    expect(frames(demuxed(inParts(options, repeatsTimes))).slice(0, 3)).toEqual([
      `video 1000 ${unitOf(IDR)}`,
      `video 1040 ${unitOf(FRAME)}`,
      `video 1080 ${unitOf(IDR)}`,
    ]);
  }
});

test("a length of more than 16 bits that was cut to them: the frame is whole", () => {
  const ts = new TsWriter();
  const long = `6588${"a7".repeat(70_000)}`;
  const keyframe = annexB("09f0", SPS, PPS, long);
  const stream = [keyframe, INTER, keyframe, INTER].map((frame, index) =>
    ts.pes(VIDEO_PID, frame, { pts: 90_000 + index * 3_600 }),
  );
  expect(frames(demuxed(ts.tables([AVC]), ...stream))).toEqual([
    `video 1000 ${unitOf(long)}`,
    `video 1040 ${unitOf(FRAME)}`,
    `video 1080 ${unitOf(long)}`,
    `video 1120 ${unitOf(FRAME)}`,
  ]);
});

test("a packet with a length is sent with its last byte, unless it is longer than any whole frame before", () => {
  const ts = new TsWriter();
  const demuxer = new TsDemuxer();
  const take = (data: Buffer, pts: number) => frames(demuxer.push(ts.pes(VIDEO_PID, data, { pts }))).length;
  demuxer.push(ts.tables([AVC]));
  expect(take(KEYFRAME, 90_000)).toBe(0);
  expect(take(INTER, 93_600)).toBe(2);
  expect(take(KEYFRAME, 97_200)).toBe(1);
  expect(take(annexB("09f0", SPS, PPS, `${IDR}a7`), 100_800)).toBe(0);
  expect(take(INTER, 104_400)).toBe(2);
  expect(frames(demuxer.end())).toEqual([]);
});

test("what comes behind the length that a packet says, within its last bytes, is not of the frame", () => {
  const ts = new TsWriter();
  const stream = [KEYFRAME, INTER].map((frame, index) =>
    ts.pes(VIDEO_PID, Buffer.concat([frame, Buffer.alloc(9, 7)]), { pts: 90_000 + index * 3_600, miscountedBy: -9 }),
  );
  expect(frames(demuxed(ts.tables([AVC]), ...stream))).toEqual([
    `video 1000 ${unitOf(IDR)}`,
    `video 1040 ${unitOf(FRAME)}`,
  ]);
});

test.each([
  { name: "without times", repeatsTimes: false },
  { name: "with the same times", repeatsTimes: true },
])("of a frame in parts $name of which something was lost nothing is sent", ({ repeatsTimes }) => {
  const stream = inParts({}, repeatsTimes);
  const tables = 2 * 188;
  // The first keyframe's first part takes six packets, its second one as well.
  for (const lost of [1, 7]) {
    const demuxer = new TsDemuxer();
    const at = tables + lost * 188;
    const before = demuxer.push(stream.subarray(0, at));
    demuxer.gap();
    const messages = [...before, ...demuxer.push(stream.subarray(at + 188)), ...demuxer.end()];
    expect(frames(messages)).toEqual([
      `video 1040 ${unitOf(FRAME)}`,
      `video 1080 ${unitOf(IDR)}`,
      `video 1120 ${unitOf(FRAME)}`,
    ]);
  }
});

test("a slice whose frame's first slice was lost with its packet is not sent", () => {
  const ts = new TsWriter();
  const slice = "411a03";
  const tables = ts.tables([AVC]);
  const keyframe = ts.pes(VIDEO_PID, KEYFRAME, { pts: 90_000 });
  const first = ts.pes(VIDEO_PID, annexB("09f0", FRAME), { pts: 93_600 });
  const second = ts.pes(VIDEO_PID, annexB(slice), { pts: 93_600 });
  const next = ts.pes(VIDEO_PID, INTER, { pts: 97_200 });
  expect(frames(demuxed(tables, keyframe, first, second, next)).some((text) => text.includes(slice))).toBe(true);
  const demuxer = new TsDemuxer();
  const before = demuxer.push(Buffer.concat([tables, keyframe]));
  demuxer.gap();
  const messages = [...before, ...demuxer.push(Buffer.concat([second, next])), ...demuxer.end()];
  expect(frames(messages).at(-1)).toBe(`video 1080 ${unitOf(FRAME)}`);
  expect(frames(messages).some((text) => text.includes(slice))).toBe(false);
});

test("a packet that a gap cut in two does not go on with what comes behind the gap", () => {
  const ts = new TsWriter();
  const tables = ts.tables([AVC]);
  const short = (byte: string) => annexB("09f0", `419a${byte.repeat(20)}`);
  const packets = Buffer.concat([
    ts.pes(VIDEO_PID, KEYFRAME, { pts: 90_000 }),
    ...["01", "02", "03", "04", "05", "06"].map((byte, index) =>
      ts.pes(VIDEO_PID, short(byte), { pts: 93_600 + index * 3_600 }),
    ),
  ]);
  // 3,100 bytes of a keyframe take 17 packets; the first short frame's packet is cut.
  const at = 17 * 188 + 180;
  const demuxer = new TsDemuxer();
  const before = [...demuxer.push(tables), ...demuxer.push(packets.subarray(0, at))];
  demuxer.gap();
  const messages = [...before, ...demuxer.push(packets.subarray(at + 376)), ...demuxer.end()];
  const units = frames(messages).map((text) => text.split(" ")[2]);
  const known = [IDR, ...["01", "02", "03", "04", "05", "06"].map((byte) => `419a${byte.repeat(20)}`)].map(unitOf);
  expect(units.every((unit) => known.includes(unit ?? ""))).toBe(true);
  expect(units.at(-1)).toBe(known.at(-1));
});

test("a packet that never ends is given up at eight MiB, and the next one is read", () => {
  const ts = new TsWriter();
  const demuxer = new TsDemuxer();
  demuxer.push(ts.tables([AVC]));
  demuxer.push(ts.pes(VIDEO_PID, KEYFRAME, { pts: 90_000 }));
  demuxer.push(ts.pes(VIDEO_PID, Buffer.alloc(8 * 1_024 * 1_024, 5), { pts: 93_600, hasLength: false }));
  const messages = [
    ...demuxer.push(ts.pes(VIDEO_PID, KEYFRAME, { pts: 97_200 })),
    ...demuxer.push(ts.pes(VIDEO_PID, INTER, { pts: 100_800 })),
    ...demuxer.end(),
  ];
  expect(frames(messages)).toEqual([`video 1080 ${unitOf(IDR)}`, `video 1120 ${unitOf(FRAME)}`]);
  expect(demuxer.counts.droppedPes).toBe(1);
});
