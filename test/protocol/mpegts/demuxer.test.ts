import { expect, test } from "vitest";
import type { TsMessage } from "../../../src/protocol/mpegts/message-order.ts";
import { TsDemuxer } from "../../../src/protocol/mpegts/ts-demuxer.ts";
import { AUDIO_PID, type StreamEntry, TsWriter, VIDEO_PID } from "../../support/streams/ts-packets.ts";

const AVC: StreamEntry = { pid: VIDEO_PID, type: 0x1b };
const HEVC: StreamEntry = { pid: VIDEO_PID, type: 0x24, descriptors: "050448455643" };
const ADTS: StreamEntry = { pid: AUDIO_PID, type: 0x0f };
/** Sets of FFmpeg's, 320 × 180 and 160 × 90. */
const SPS = "674D400DECA0A0CFCF80880000030008000003019078A14CB0";
const PPS = "68CE3C80";
const AVCC = `014D400DFFE10019${SPS}010004${PPS}`;
const VPS = "40010C01FFFF01600000030090000003000003003C959409";
const HEVC_SPS = "42010101600000030090000003000003003CA00A080C1F3E595952930BC05A020000030002000003003210";
const HEVC_PPS = "4401C073C189";
const HVCC_HEAD = "0101600000009000000000003CF000FCFDF8F800000F03";
const HVCC = `${HVCC_HEAD}2000010018${VPS}210001002B${HEVC_SPS}2200010006${HEVC_PPS}`;
const AUD = "09F0";
const IDR = "65888401";
const FRAME = "419A0102";

function annexB(...units: readonly string[]): Buffer {
  return Buffer.from(units.map((unit) => `00000001${unit}`).join(""), "hex");
}

/** NAL units in the form of FLV. */
function sized(...units: readonly string[]): string {
  return units
    .map((unit) => (unit.length / 2).toString(16).padStart(8, "0") + unit)
    .join("")
    .toLowerCase();
}

function demuxed(...parts: readonly Buffer[]): readonly TsMessage[] {
  const demuxer = new TsDemuxer();
  return [...demuxer.push(Buffer.concat(parts)), ...demuxer.end()];
}

function shown(messages: readonly TsMessage[]): readonly string[] {
  return messages
    .filter(({ kind }) => kind !== "data")
    .map(({ kind, timestamp, payload }) => `${kind} ${timestamp} ${payload.toString("hex")}`);
}

function adts(body: string): Buffer {
  const bytes = Buffer.from(`FFF14C40000FFC${body}`, "hex");
  bytes[4] = bytes.length >> 3;
  bytes[5] = ((bytes.length & 7) << 5) | 0x1f;
  return bytes;
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
