import { expect, test } from "vitest";
import type { TsMessage } from "../../../src/protocol/mpegts/message-order.ts";
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

const HEVC: StreamEntry = { pid: VIDEO_PID, type: 0x24, descriptors: "050448455643" };
const AVCC = `014D400DFFE10019${SPS}010004${PPS}`;
const HVCC_HEAD = "0101600000009000000000003CF000FCFDF8F800000F03";
const HVCC = `${HVCC_HEAD}2000010018${VPS}210001002B${HEVC_SPS}2200010006${HEVC_PPS}`;
const AUD = "09F0";
const IDR = "65888401";
const FRAME = "419A0102";

/** NAL units in the form of FLV. */
function sized(...units: readonly string[]): string {
  return units
    .map((unit) => (unit.length / 2).toString(16).padStart(8, "0") + unit)
    .join("")
    .toLowerCase();
}

test("a stream's metadata and headers come first, then frames in the order of time", () => {
  const ts = new TsWriter();
  const messages = demuxed(
    ts.tables([AVC, ADTS]),
    ts.pes(VIDEO_PID, annexB(AUD, SPS, PPS, IDR), { pts: 133_200, dts: 126_000 }),
    ts.pes(VIDEO_PID, annexB(AUD, FRAME), { pts: 144_000, dts: 129_600 }),
    ts.pes(AUDIO_PID, Buffer.concat([adts("0101"), adts("0202")]), { pts: 127_800 }),
    ts.pes(VIDEO_PID, annexB(AUD, FRAME), { pts: 136_800, dts: 133_200 }),
  );
  expect(messages[0]?.kind).toBe("data");
  expect(shown(messages)).toEqual([
    `video 1400 1700000000${AVCC.toLowerCase()}`,
    `video 1400 1701000050${sized(IDR)}`,
    "audio 1420 af001188",
    "audio 1420 af010101",
    `video 1440 27010000a0${sized(FRAME)}`,
    "audio 1441 af010202",
    `video 1480 2701000028${sized(FRAME)}`,
  ]);
});

test("HEVC becomes Enhanced RTMP, with a record of its three sets", () => {
  const ts = new TsWriter();
  const [config, frame] = shown(
    demuxed(
      ts.tables([HEVC]),
      ts.pes(VIDEO_PID, annexB("460150", VPS, HEVC_SPS, HEVC_PPS, "2601AF0102"), { pts: 9_000 }),
    ),
  );
  expect(config).toBe(`video 100 9068766331${HVCC.toLowerCase()}`);
  expect(frame).toBe(`video 100 9368766331${sized("2601AF0102")}`);
});

const KEYFRAME = annexB(AUD, SPS, PPS, IDR);
const started = (ts: TsWriter): Buffer =>
  Buffer.concat([ts.tables([AVC]), ts.pes(VIDEO_PID, KEYFRAME, { pts: 90_000 })]);
const frames = (messages: readonly TsMessage[]) => shown(messages).filter((text) => !text.includes(" 1700"));

test("a gap loses the frame it is in, and no other; a packet that came twice loses nothing", () => {
  const ts = new TsWriter();
  const large = `419A${"05".repeat(600)}`;
  const begun = started(ts);
  const broken = ts.pes(VIDEO_PID, annexB(large), { pts: 93_600 });
  const whole = ts.pes(VIDEO_PID, annexB(large), { pts: 97_200 });
  const demuxer = new TsDemuxer();
  const twice = whole.subarray(188, 376);
  const parts = [
    begun,
    broken.subarray(0, 188),
    broken.subarray(376),
    whole.subarray(0, 376),
    twice,
    whole.subarray(376),
  ];
  const messages = [...demuxer.push(Buffer.concat(parts)), ...demuxer.end()];
  expect(frames(messages)).toEqual([
    `video 1000 1701000000${sized(IDR)}`,
    `video 1080 2701000000${sized(large.toLowerCase())}`,
  ]);
  expect(demuxer.counts).toMatchObject({ continuityErrors: 1, droppedPes: 1 });
});

test("a gap that the network reports loses the frame it is in", () => {
  const ts = new TsWriter();
  const demuxer = new TsDemuxer();
  const begun = demuxer.push(started(ts));
  const frame = ts.pes(VIDEO_PID, annexB(`419A${"05".repeat(600)}`), { pts: 93_600 });
  const before = demuxer.push(frame.subarray(0, 188));
  demuxer.gap();
  const rest = [...begun, ...before, ...demuxer.push(frame.subarray(376)), ...demuxer.end()];
  expect(frames(rest)).toEqual([`video 1000 1701000000${sized(IDR)}`]);
});

test("an announced jump of the count is no gap", () => {
  const ts = new TsWriter();
  const begun = started(ts);
  ts.next(VIDEO_PID, 5);
  // Its time is 3,600 × 26.
  const pes = Buffer.concat([Buffer.from("000001e00000808005210005db41", "hex"), annexB(FRAME)]);
  const demuxer = new TsDemuxer();
  const announced = ts.packets(VIDEO_PID, pes, { isDiscontinuity: true });
  const messages = [...demuxer.push(Buffer.concat([begun, announced])), ...demuxer.end()];
  expect(demuxer.counts.continuityErrors).toBe(0);
  expect(frames(messages)).toHaveLength(2);
});

test("a frame without a length ends with the next one, and the last one with the stream", () => {
  const ts = new TsWriter();
  const demuxer = new TsDemuxer();
  demuxer.push(ts.tables([AVC]));
  expect(demuxer.push(ts.pes(VIDEO_PID, KEYFRAME, { pts: 90_000, hasLength: false }))).toEqual([]);
  expect(frames(demuxer.push(ts.pes(VIDEO_PID, annexB(FRAME), { pts: 93_600, hasLength: false })))).toHaveLength(1);
  expect(frames(demuxer.end())).toEqual([`video 1040 2701000000${sized(FRAME)}`]);
});

test("times go on over their end after 26 hours, for all tracks", () => {
  const ts = new TsWriter();
  const end = 2 ** 33;
  const messages = demuxed(
    ts.tables([AVC, ADTS]),
    ts.pes(VIDEO_PID, KEYFRAME, { pts: end - 3_600 }),
    ts.pes(AUDIO_PID, adts("0101"), { pts: end - 1_800 }),
    ts.pes(VIDEO_PID, annexB(FRAME), { pts: 3_600, dts: 0 }),
    ts.pes(AUDIO_PID, adts("0202"), { pts: 1_800 }),
  );
  const times = shown(messages).map((text) => Number(text.split(" ")[1]));
  const last = Math.round(end / 90);
  expect(times).toEqual([last - 40, last - 40, last - 20, last - 20, last, last + 20]);
  expect(shown(messages)[4]).toContain(" 2701000028");
});

test("several frames in one packet are spread over its time; a frame in several packets is one", () => {
  const ts = new TsWriter();
  const several = demuxed(
    started(ts),
    ts.pes(VIDEO_PID, annexB(AUD, FRAME, AUD, FRAME), { pts: 97_200 }),
    ts.pes(VIDEO_PID, annexB(AUD, FRAME, AUD, FRAME), { pts: 104_400 }),
  );
  expect(frames(several).map((text) => Number(text.split(" ")[1]))).toEqual([1_000, 1_080, 1_120, 1_160, 1_200]);
  const other = new TsWriter();
  const slice = "411A03";
  const parts = demuxed(
    started(other),
    ...[93_600, 97_200].flatMap((pts) => [
      other.pes(VIDEO_PID, annexB(AUD, FRAME), { pts }),
      other.pes(VIDEO_PID, annexB(slice), { pts }),
    ]),
  );
  // The first time, the frame had gone before its second part came.
  expect(frames(parts).slice(1)).toEqual([
    `video 1040 2701000000${sized(FRAME)}`,
    `video 1040 2701000000${sized(slice)}`,
    `video 1080 2701000000${sized(FRAME, slice)}`,
  ]);
});

test("changed parameter sets become a new header, once; the same ones none", () => {
  const ts = new TsWriter();
  const otherPps = "68CE3C81";
  const messages = demuxed(
    started(ts),
    ts.pes(VIDEO_PID, KEYFRAME, { pts: 93_600 }),
    ts.pes(VIDEO_PID, annexB(AUD, SPS, otherPps, IDR), { pts: 97_200 }),
    ts.pes(VIDEO_PID, annexB(AUD, SPS, otherPps, IDR), { pts: 100_800 }),
  );
  const headers = shown(messages).filter((text) => text.includes(" 1700"));
  expect(headers).toEqual([
    `video 1000 1700000000${AVCC.toLowerCase()}`,
    `video 1080 1700000000${AVCC.replace(PPS, otherPps).toLowerCase()}`,
  ]);
  expect(frames(messages).every((text) => text.endsWith(sized(IDR)))).toBe(true);
});

test("sets that change within a group stay in their frame", () => {
  const ts = new TsWriter();
  const otherPps = "68CE3C81";
  const messages = demuxed(started(ts), ts.pes(VIDEO_PID, annexB(AUD, otherPps, FRAME), { pts: 93_600 }));
  expect(frames(messages).at(-1)).toBe(`video 1040 2701000000${sized(otherPps, FRAME)}`);
});

test("a recovery point is flagged as a keyframe, as FFmpeg flags it over RTMP", () => {
  const ts = new TsWriter();
  const recovery = "0605FF060184";
  const messages = demuxed(started(ts), ts.pes(VIDEO_PID, annexB(AUD, "06060184", FRAME), { pts: 93_600 }));
  expect(frames(messages).at(-1)).toBe(`video 1040 1701000000${sized("06060184", FRAME)}`);
  const other = new TsWriter();
  const unflagged = demuxed(started(other), other.pes(VIDEO_PID, annexB(AUD, recovery, FRAME), { pts: 93_600 }));
  expect(frames(unflagged).at(-1)).toContain("video 1040 27");
});

test("an I picture behind its parameter sets begins a group, also where nothing marks it: open groups of hardware encoders", () => {
  const ts = new TsWriter();
  // first_mb_in_slice 0 and 80, slice_type 7 (I); then 5 (P).
  const [intra, further, inter] = ["418884", "41028884", "419884"];
  const sent = [
    annexB(AUD, inter),
    annexB(AUD, SPS, PPS, intra, further),
    annexB(AUD, intra),
    annexB(AUD, SPS, PPS, intra, inter.replace("4198", "410286")),
    annexB(AUD, SPS, PPS, inter),
  ];
  const messages = demuxed(
    ts.tables([AVC]),
    ...sent.map((data, index) => ts.pes(VIDEO_PID, data, { pts: 90_000 + index * 3_600 })),
  );
  expect(shown(messages).map((text) => text.slice(0, 21))).toEqual([
    "video 1000 2701000000",
    "video 1040 1700000000",
    "video 1040 1701000000",
    // An I picture without sets, and pictures of which some slice refers to another one.
    "video 1080 2701000000",
    "video 1120 2701000000",
    "video 1160 2701000000",
  ]);
  expect(shown(messages)[2]).toContain(sized(intra, further));
});

test("audio frames that continue in the next packet are whole, and have the time of their samples", () => {
  const ts = new TsWriter();
  const all = Buffer.concat([adts("0101"), adts("0202"), adts("0303")]);
  const messages = demuxed(
    ts.tables([ADTS]),
    ts.pes(AUDIO_PID, all.subarray(0, 14), { pts: 90_000 }),
    ts.pes(AUDIO_PID, all.subarray(14), { pts: 93_840 }),
  );
  expect(shown(messages)).toEqual([
    "audio 1000 af001188",
    "audio 1000 af010101",
    "audio 1021 af010202",
    "audio 1043 af010303",
  ]);
});

test("one damaged ADTS header does not change the configuration, two in succession do", () => {
  const ts = new TsWriter();
  const other = (body: string) => {
    const frame = adts(body);
    frame[3] = 0x80;
    return frame;
  };
  const once = [adts("01"), other("02"), adts("03")];
  const twice = [other("04"), other("05")];
  const messages = demuxed(ts.tables([ADTS]), ts.pes(AUDIO_PID, Buffer.concat([...once, ...twice]), { pts: 90_000 }));
  const bodies = shown(messages).map((text) => text.split(" ")[2]);
  expect(bodies).toEqual(["af001188", "af0101", "af0103", "af001190", "af0104", "af0105"]);
});

test("Opus: channels come from the descriptor, the delay from the first trim", () => {
  const ts = new TsWriter();
  const opus: StreamEntry = { pid: AUDIO_PID, type: 0x06, descriptors: "05044F7075737F028002" };
  const data = Buffer.from(`7FF0FF2D0138F8${"11".repeat(299)}7FE002F833`, "hex");
  const messages = demuxed(ts.tables([opus]), ts.pes(AUDIO_PID, data, { pts: 90_000 }));
  const head = "4f707573486561640102380180bb0000000000";
  expect(shown(messages)).toEqual([
    `audio 1000 904f707573${head}`,
    `audio 1000 914f707573f8${"11".repeat(299)}`,
    "audio 1020 914f707573f833",
  ]);
});

test("further audio tracks have their ids, and keep them; other streams are passed over", () => {
  const ts = new TsWriter();
  const second: StreamEntry = { pid: 0x102, type: 0x0f };
  const cues: StreamEntry = { pid: 0x103, type: 0x86, descriptors: "050443554549" };
  const mpeg2: StreamEntry = { pid: 0x104, type: 0x02 };
  const demuxer = new TsDemuxer();
  const both = [
    ts.tables([cues, ADTS, second, mpeg2]),
    ts.packets(0x103, Buffer.from("00fc301100", "hex")),
    ts.pes(AUDIO_PID, adts("01"), { pts: 90_000 }),
    ts.pes(0x102, adts("02"), { pts: 90_000 }),
  ];
  const later = [ts.tables([second], 1), ts.pes(0x102, adts("03"), { pts: 91_920 })];
  const messages = [...demuxer.push(Buffer.concat([...both, ...later])), ...demuxer.end()];
  expect(shown(messages)).toEqual([
    "audio 1000 af001188",
    "audio 1000 af0101",
    "audio 1000 95006d703461011188",
    "audio 1000 95016d7034610102",
    "audio 1021 95016d7034610103",
  ]);
});

test("what RTMP cannot carry becomes messages that the ingest check counts, unless there is other audio or video", () => {
  const ts = new TsWriter();
  const mpeg2: StreamEntry = { pid: VIDEO_PID, type: 0x02 };
  const layer2: StreamEntry = { pid: AUDIO_PID, type: 0x03 };
  const dts: StreamEntry = { pid: 0x102, type: 0x82 };
  // MPEG-1 layer II, 48 kHz, 192 kbit/s: 576 bytes, as FFmpeg sends by default.
  const frame = Buffer.alloc(576);
  frame.writeUInt32BE(0xfffda404);
  const sent = (pid: number) => ts.pes(pid, frame, { pts: 90_000 });
  const demuxer = new TsDemuxer();
  const unreadable = demuxer.push(
    Buffer.concat([ts.tables([mpeg2, layer2]), sent(VIDEO_PID), sent(AUDIO_PID), sent(VIDEO_PID)]),
  );
  expect(unreadable.map(({ kind, payload }) => `${kind} ${payload[0]}`)).toEqual(["video 31", "audio 240", "video 31"]);
  expect(demuxer.progress).toBe("no-media");
  const readable = demuxer.push(
    Buffer.concat([ts.tables([ADTS, dts], 1), ts.pes(AUDIO_PID, adts("01"), { pts: 91_920 }), sent(0x102)]),
  );
  expect(shown([...readable, ...demuxer.end()])).toEqual(["audio 1021 af001188", "audio 1021 af0101"]);
});

test.each([
  { kind: "audio", types: [0x1c, 0x2d, 0x82, 0x83, 0x8a] },
  { kind: "video", types: [0x01, 0x02, 0x10, 0x21, 0x32, 0x33, 0x35, 0x42, 0xd1, 0xea] },
])("$kind of the types $types is named as what cannot be carried", ({ kind, types }) => {
  for (const type of types) {
    const ts = new TsWriter();
    const stream: StreamEntry = { pid: AUDIO_PID, type };
    const sent = Buffer.concat([
      ts.tables([stream]),
      ts.pes(AUDIO_PID, Buffer.from("00"), { pts: 90_000 }),
      ts.clock(0x1ff, 0),
    ]);
    expect(
      new TsDemuxer().push(sent).map((message) => message.kind),
      type.toString(16),
    ).toEqual([kind]);
  }
});

test.each<{ name: string; streams: readonly StreamEntry[]; progress: string }>([
  {
    name: "MPEG-2 video with DTS",
    streams: [
      { pid: VIDEO_PID, type: 0x02 },
      { pid: 0x102, type: 0x82 },
    ],
    progress: "no-media",
  },
  { name: "subtitles alone", streams: [{ pid: 0x103, type: 0x06, descriptors: "5900" }], progress: "no-media" },
  { name: "nothing", streams: [], progress: "no-program" },
])("a program of $name has come as far as: $progress", ({ streams, progress }) => {
  const demuxer = new TsDemuxer();
  demuxer.push(new TsWriter().tables(streams));
  demuxer.push(Buffer.concat([0, 1, 2].map(() => new TsWriter().clock(0x1ff, 0))));
  expect(demuxer.progress).toBe(progress);
});

test("tables with a wrong CRC, for later, or of other kinds change nothing", () => {
  const ts = new TsWriter();
  const wrong = ts.tables([ADTS]);
  wrong[170] = (wrong[170] ?? 0) ^ 1;
  wrong[376 - 5] = (wrong[376 - 5] ?? 0) ^ 1;
  const pmt = ts.section(0x1000, Buffer.from("fc300000", "hex"));
  const demuxer = new TsDemuxer();
  demuxer.push(Buffer.concat([wrong, pmt, wrong]));
  expect(demuxer.progress).toBe("no-program");
});

test("garbage before and between packets is passed over; packets may lie 192 or 204 bytes apart", () => {
  const ts = new TsWriter();
  const begun = started(ts);
  const more = Buffer.concat([3, 4, 5, 6].map((n) => ts.pes(VIDEO_PID, annexB(FRAME), { pts: 90_000 + n * 3_600 })));
  const garbage = Buffer.alloc(100, 0x47);
  expect(frames(demuxed(garbage, begun, Buffer.from("0102"), more))).toHaveLength(5);
  for (const extra of [4, 16]) {
    const packets = Buffer.concat([begun, more]);
    const apart = Array.from({ length: packets.length / 188 }, (_, index) =>
      Buffer.concat([packets.subarray(index * 188, index * 188 + 188), Buffer.alloc(extra, 1)]),
    );
    expect(frames(demuxed(...apart))).toHaveLength(5);
  }
  expect(new TsDemuxer().progress).toBe("no-sync");
});

test("a clock that jumps back loses nothing", () => {
  const ts = new TsWriter();
  const messages = demuxed(
    ts.tables([AVC, ADTS]),
    ts.pes(VIDEO_PID, KEYFRAME, { pts: 9_000_000 }),
    ts.pes(AUDIO_PID, adts("01"), { pts: 9_000_000 }),
    ts.pes(VIDEO_PID, KEYFRAME, { pts: 90_000 }),
    ts.pes(AUDIO_PID, adts("02"), { pts: 9_001_920 }),
    ts.pes(AUDIO_PID, adts("03"), { pts: 90_000 }),
    ts.pes(VIDEO_PID, annexB(FRAME), { pts: 93_600 }),
  );
  expect(frames(messages).map((text) => text.split(" ").slice(0, 2).join(" "))).toEqual([
    "video 100000",
    "audio 100000",
    "audio 100000",
    "video 1000",
    "audio 100021",
    "audio 1000",
    "video 1040",
  ]);
});
