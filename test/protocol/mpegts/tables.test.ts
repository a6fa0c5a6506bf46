import { expect, test } from "vitest";
import { TsDemuxer } from "../../../src/protocol/mpegts/ts-demuxer.ts";
import {
  ADTS,
  AUDIO_PID,
  AVC,
  adts,
  annexB,
  demuxed,
  HEVC_PPS,
  HEVC_SPS,
  PPS,
  SPS,
  type StreamEntry,
  shown,
  TsWriter,
  VIDEO_PID,
  VPS,
} from "../../support/streams/ts-packets.ts";

const KEYFRAME = annexB("09F0", SPS, PPS, "65888401");
const HEVC_KEYFRAME = annexB(VPS, HEVC_SPS, HEVC_PPS, "2601AF0102");

/** 48 kHz, 32 kbit/s: 1,536 samples in 128 bytes. */
const AC3 = `0b77480d0040${"00".repeat(122)}`;
/** 44.1 kHz: 138 or 140 bytes. */
const AC3_44 = `0b77480d4040${"00".repeat(132)}`;
const AC3_44_LONG = `0b77480d4140${"00".repeat(134)}`;
/** 1,536 samples in 32 bytes, and a frame of 16 bytes that depends on it. */
const EAC3 = `0b77000f3287${"00".repeat(26)}`;
const EAC3_DEPENDENT = `0b7740073287${"00".repeat(10)}`;
/** Layer III, 48 kHz, 32 kbit/s: 1,152 samples in 96 bytes. */
const MP3 = `fffb14c4${"00".repeat(92)}`;

test.each([
  { name: "AC-3", type: 0x81, head: "9161632d33", frames: [AC3, AC3], lastMs: 32 },
  { name: "AC-3, registered", type: 0x06, descriptors: "050441432d33", head: "9161632d33", frames: [AC3], lastMs: 0 },
  { name: "AC-3, DVB's", type: 0x06, descriptors: "6a0100", head: "9161632d33", frames: [AC3], lastMs: 0 },
  { name: "AC-3 at 44.1 kHz", type: 0x81, head: "9161632d33", frames: [AC3_44, AC3_44_LONG, AC3_44], lastMs: 70 },
  { name: "E-AC-3", type: 0x87, head: "9165632d33", frames: [EAC3, EAC3], lastMs: 32 },
  { name: "E-AC-3, the other type", type: 0x84, head: "9165632d33", frames: [EAC3], lastMs: 0 },
  {
    name: "E-AC-3, registered",
    type: 0x06,
    descriptors: "050445414333",
    head: "9165632d33",
    frames: [EAC3],
    lastMs: 0,
  },
  { name: "E-AC-3, DVB's", type: 0x06, descriptors: "7a0100", head: "9165632d33", frames: [EAC3], lastMs: 0 },
  { name: "E-AC-3 in two parts", type: 0x87, head: "9165632d33", frames: [EAC3 + EAC3_DEPENDENT, EAC3], lastMs: 32 },
  { name: "MP3", type: 0x03, head: "2f", frames: [MP3, MP3], lastMs: 24 },
  { name: "MP3, MPEG-2's type", type: 0x04, head: "2f", frames: [MP3], lastMs: 0 },
])("$name: each frame is a message, at the time of its samples", ({ type, head, frames, lastMs, ...more }) => {
  const ts = new TsWriter();
  const stream: StreamEntry = { pid: AUDIO_PID, type, ...more };
  const data = Buffer.from(frames.join(""), "hex");
  const messages = shown(demuxed(ts.tables([stream]), ts.pes(AUDIO_PID, data, { pts: 90_000 })));
  expect(messages.map((text) => text.split(" ")[2])).toEqual(frames.map((frame) => head + frame));
  expect(messages.at(-1)?.split(" ")[1]).toBe(`${1_000 + lastMs}`);
});

test("MPEG audio of layer II has no form in RTMP: nothing of it is passed on but that it came", () => {
  const ts = new TsWriter();
  const layer2 = Buffer.from(`fffd14c4${"00".repeat(92)}`, "hex");
  const tables = ts.tables([AVC, { pid: AUDIO_PID, type: 0x03 }]);
  const messages = demuxed(
    tables,
    ts.pes(VIDEO_PID, KEYFRAME, { pts: 90_000 }),
    ts.pes(AUDIO_PID, layer2, { pts: 90_000 }),
  );
  expect(messages.map(({ kind }) => kind)).toEqual(["audio", "data", "video", "video"]);
  expect(messages[0]?.payload.toString("hex")).toBe("f000000000000000");
});

test("audio alone is a stream", () => {
  const ts = new TsWriter();
  const demuxer = new TsDemuxer();
  const parts = [ts.tables([ADTS]), ts.pes(AUDIO_PID, adts("0101"), { pts: 90_000 })];
  const messages = [...demuxer.push(Buffer.concat(parts)), ...demuxer.end()];
  expect(shown(messages)).toEqual(["audio 1000 af001188", "audio 1000 af010101"]);
  expect(demuxer.progress).toBe("media");
});

test("the clock reference is on its own PID, is wrong, or is missing: times are the frames' own", () => {
  const clocks: readonly ((ts: TsWriter, n: number) => Buffer)[] = [
    () => Buffer.alloc(0),
    (ts, n) => ts.clock(0x1f0, 80_000 + n * 3_600),
    (ts, n) => ts.clock(VIDEO_PID, n * 1_000_000_000),
  ];
  const [missing, ...others] = clocks.map((clock) => {
    const ts = new TsWriter();
    const parts = [0, 1, 2].flatMap((n) => [
      clock(ts, n),
      ts.pes(VIDEO_PID, KEYFRAME, { pts: 90_000 + n * 3_600 }),
      ts.pes(AUDIO_PID, adts("0101"), { pts: 90_000 + n * 1_920 }),
    ]);
    const demuxer = new TsDemuxer();
    const messages = shown([...demuxer.push(Buffer.concat([ts.tables([AVC, ADTS]), ...parts])), ...demuxer.end()]);
    expect(demuxer.counts.continuityErrors).toBe(0);
    return messages;
  });
  expect(missing?.length).toBe(8);
  for (const messages of others) expect(messages).toEqual(missing);
});

test("a table that changes: a stream on another PID, another codec on the same PID, and no new version", () => {
  const ts = new TsWriter();
  const moved: StreamEntry = { pid: 0x110, type: 0x1b };
  const messages = demuxed(
    ts.tables([AVC], 0),
    ts.pes(VIDEO_PID, KEYFRAME, { pts: 90_000 }),
    ts.tables([moved], 1),
    ts.pes(0x110, KEYFRAME, { pts: 93_600 }),
    // The old PID is no track any more.
    ts.pes(VIDEO_PID, KEYFRAME, { pts: 97_200 }),
    ts.tables([{ ...moved, type: 0x24 }], 1),
    ts.pes(0x110, HEVC_KEYFRAME, { pts: 100_800 }),
  );
  const found = shown(messages).map((text) => text.slice(0, 22));
  expect(found).toEqual([
    "video 1000 1700000000014d40".slice(0, 22),
    "video 1000 1701000000000000".slice(0, 22),
    "video 1040 1700000000014d40".slice(0, 22),
    "video 1040 1701000000000000".slice(0, 22),
    "video 1120 9068766331010160".slice(0, 22),
    "video 1120 9368766331000000".slice(0, 22),
  ]);
  expect(messages.filter(({ kind }) => kind === "data").length).toBe(2);
});

test("of several programs the first with video is taken", () => {
  const ts = new TsWriter();
  const messages = demuxed(
    ts.programs([
      { program: 3, pmtPid: 0x1003, streams: [{ pid: 0x130, type: 0x1b }] },
      { program: 1, pmtPid: 0x1001, streams: [{ pid: 0x111, type: 0x0f }] },
      { program: 2, pmtPid: 0x1002, streams: [AVC, ADTS] },
    ]),
    ts.pes(0x111, adts("aaaa"), { pts: 90_000 }),
    ts.pes(0x130, KEYFRAME, { pts: 90_000 }),
    ts.pes(VIDEO_PID, KEYFRAME, { pts: 90_000 }),
    ts.pes(AUDIO_PID, adts("0101"), { pts: 90_000 }),
  );
  expect(shown(messages).filter((text) => text.startsWith("audio"))).toEqual([
    "audio 1000 af001188",
    "audio 1000 af010101",
  ]);
  expect(shown(messages).filter((text) => text.startsWith("video")).length).toBe(2);
});

test("programs whose tables share a PID: the first is taken, and stays", () => {
  const ts = new TsWriter();
  const listed = [
    { program: 1, pmtPid: 0x1001, streams: [AVC, ADTS] },
    { program: 2, pmtPid: 0x1001, streams: [{ pid: 0x130, type: 0x1b }] },
  ];
  const parts = [0, 1, 2].flatMap((n) => [
    ts.programs(listed),
    // The table of a program that is not listed.
    ts.programs([{ program: 9, pmtPid: 0x1001, streams: [{ pid: 0x140, type: 0x1b }] }]).subarray(188),
    ts.pes(VIDEO_PID, KEYFRAME, { pts: 90_000 + n * 3_600 }),
    ts.pes(0x130, KEYFRAME, { pts: 90_000 + n * 3_600 }),
    ts.pes(AUDIO_PID, adts("0101"), { pts: 90_000 + n * 3_600 }),
  ]);
  const alone = { program: 2, pmtPid: 0x1001, streams: [{ pid: 0x130, type: 0x1b }] };
  const found = shown(demuxed(...parts, ts.programs([alone]), ts.pes(0x130, KEYFRAME, { pts: 100_800 })));
  expect(found.map((text) => text.slice(0, 15))).toEqual([
    ...["video 1000 1700", "video 1000 1701", "audio 1000 af00", "audio 1000 af01"],
    ...["video 1040 1701", "audio 1040 af01", "video 1080 1701", "audio 1080 af01"],
    ...["video 1120 1700", "video 1120 1701"],
  ]);
});

test("a table with another number than the list's counts, where its PID has no other", () => {
  const ts = new TsWriter();
  const tables = ts.programs([{ program: 1, pmtPid: 0x1001, streams: [] }]).subarray(0, 188);
  const other = ts.programs([{ program: 9, pmtPid: 0x1001, streams: [ADTS] }]).subarray(188);
  const messages = demuxed(tables, other, ts.pes(AUDIO_PID, adts("0101"), { pts: 90_000 }));
  expect(shown(messages)).toEqual(["audio 1000 af001188", "audio 1000 af010101"]);
});

test("scrambled packets are left out, and are told where nothing else comes", () => {
  const ts = new TsWriter();
  const demuxer = new TsDemuxer();
  demuxer.push(ts.tables([AVC, ADTS]));
  const pes = ts.pes(VIDEO_PID, KEYFRAME, { pts: 90_000 });
  for (let at = 3; at < pes.length; at += 188) pes[at] = (pes[at] ?? 0) | 0x80;
  demuxer.push(Buffer.concat([pes, ts.clock(0x1ff, 0), ts.clock(0x1ff, 0)]));
  expect([demuxer.progress, demuxer.counts.scrambled]).toEqual(["scrambled", 1]);
  const clear = demuxer.push(ts.pes(AUDIO_PID, adts("0101"), { pts: 90_000 }));
  expect(shown([...clear, ...demuxer.end()])).toEqual(["audio 1000 af001188", "audio 1000 af010101"]);
  expect(demuxer.progress).toBe("media");
});

test("a clock that jumps ahead by an hour loses nothing", () => {
  const ts = new TsWriter();
  const hour = 3_600 * 90_000;
  const messages = demuxed(
    ts.tables([AVC, ADTS]),
    ...[0, 1].flatMap((n) => [
      ts.pes(VIDEO_PID, KEYFRAME, { pts: 90_000 + n * hour }),
      ts.pes(AUDIO_PID, adts("0101"), { pts: 90_000 + n * hour }),
    ]),
  );
  const frames = shown(messages).filter((text) => /17010000|af01/.test(text));
  expect(frames.map((text) => text.split(" ").slice(0, 2).join(" "))).toEqual([
    "video 1000",
    "audio 1000",
    "video 3601000",
    "audio 3601000",
  ]);
});
