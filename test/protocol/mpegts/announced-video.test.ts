import { expect, test } from "vitest";
import { AMF0_LIMITS, decodeAmf0 } from "../../../src/protocol/amf0/decode.ts";
import { readMetadata } from "../../../src/protocol/flv/metadata.ts";
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

const AUDIO_ALONE = { audiocodecid: 10, audiosamplerate: 48_000, audiosamplesize: 16, audiochannels: 1, stereo: false };
const KEYFRAME = annexB("09F0", SPS, PPS, "65888401");
const MPEG2: StreamEntry = { pid: VIDEO_PID, type: 0x02 };
const HEVC: StreamEntry = { pid: VIDEO_PID, type: 0x24 };
const AV1: StreamEntry = { pid: VIDEO_PID, type: 0x06, descriptors: "050441563031800481000c00" };
const FourCc = { hevc: 0x68766331, av1: 0x61763031 };

/** The properties of each metadata message. */
function metadataOf(messages: readonly TsMessage[]) {
  return messages.flatMap(({ kind, payload }) => {
    if (kind !== "data") return [];
    const data = readMetadata(decodeAmf0(payload, AMF0_LIMITS));
    return [data.kind === "metadata" ? Object.fromEntries(data.entries) : data.kind];
  });
}

test.each([
  { name: "H.264", streams: [AVC, ADTS], said: { videocodecid: 7 } },
  { name: "HEVC", streams: [HEVC, ADTS], said: { videocodecid: FourCc.hevc } },
  { name: "AV1", streams: [AV1, ADTS], said: { videocodecid: FourCc.av1 } },
  { name: "no video", streams: [ADTS], said: {} },
  { name: "video that RTMP cannot carry", streams: [MPEG2, ADTS], said: {} },
])("before any video came, metadata says what the program lists: $name", ({ streams, said }) => {
  const ts = new TsWriter();
  const messages = demuxed(ts.tables(streams), ts.pes(AUDIO_PID, adts("01"), { pts: 90_000 }));
  expect(metadataOf(messages)).toEqual([{ ...said, ...AUDIO_ALONE }]);
  expect(shown(messages)).toEqual(["audio 1000 af001188", "audio 1000 af0101"]);
});

/** Audio from `from` on, a frame each 40 ms: more than a second, for which audio waits for video here. */
const audioFrom = (ts: TsWriter, from: number, count = 30) =>
  Buffer.concat(
    Array.from({ length: count }, (_, index) => ts.pes(AUDIO_PID, adts("01"), { pts: from + index * 3_600 })),
  );

test("metadata names the size once video comes, and nothing is taken back where described video goes", () => {
  const ts = new TsWriter();
  const messages = demuxed(
    ts.tables([AVC, ADTS]),
    audioFrom(ts, 90_000),
    ts.pes(VIDEO_PID, KEYFRAME, { pts: 198_000 }),
    audioFrom(ts, 198_000),
    ts.tables([ADTS], 1),
    audioFrom(ts, 306_000),
    ts.tables([AVC, ADTS], 2),
    audioFrom(ts, 414_000),
    ts.pes(VIDEO_PID, KEYFRAME, { pts: 522_000 }),
  );
  const whole = { width: 320, height: 180, videocodecid: 7, framerate: 25, ...AUDIO_ALONE };
  expect(metadataOf(messages)).toEqual([{ videocodecid: 7, ...AUDIO_ALONE }, whole]);
});

test("video that appears in the table is announced, and taken back where it goes before it came", () => {
  const ts = new TsWriter();
  const messages = demuxed(
    ts.tables([ADTS]),
    audioFrom(ts, 90_000),
    ts.tables([ADTS, AVC], 1),
    audioFrom(ts, 198_000),
    ts.tables([ADTS], 2),
    audioFrom(ts, 306_000),
    // The same as it says already.
    ts.tables([ADTS, MPEG2], 3),
    audioFrom(ts, 414_000),
  );
  expect(metadataOf(messages)).toEqual([AUDIO_ALONE, { videocodecid: 7, ...AUDIO_ALONE }, AUDIO_ALONE]);
});

const INTER = annexB("09F0", "419A0102");

test("inter frames before the first sequence header are passed on, keyframes without their sets are not", () => {
  const ts = new TsWriter();
  const messages = demuxed(
    ts.tables([AVC]),
    ts.pes(VIDEO_PID, INTER, { pts: 90_000 }),
    // A keyframe without sets, and a part of one.
    ts.pes(VIDEO_PID, annexB("09F0", "65888401"), { pts: 93_600 }),
    ts.pes(VIDEO_PID, annexB("65088401"), { pts: 97_200 }),
    // One that decoding may begin with.
    ts.pes(VIDEO_PID, annexB("09F0", "06060184", "419A0102"), { pts: 100_800 }),
    ts.pes(VIDEO_PID, KEYFRAME, { pts: 104_400 }),
  );
  expect(shown(messages).map((text) => text.slice(0, 21))).toEqual([
    "video 1000 2701000000",
    "video 1160 1700000000",
    "video 1160 1701000000",
  ]);
  expect(metadataOf(messages)).toEqual([
    { videocodecid: 7 },
    { width: 320, height: 180, videocodecid: 7, framerate: 25 },
  ]);
});

test("HEVC's inter frames are passed on before its sets too", () => {
  const ts = new TsWriter();
  const messages = demuxed(
    ts.tables([HEVC]),
    ts.pes(VIDEO_PID, annexB("460150", "0201D00102"), { pts: 90_000 }),
    ts.pes(VIDEO_PID, annexB("460150", "2601AF0102"), { pts: 93_600 }),
    ts.pes(VIDEO_PID, annexB(VPS, HEVC_SPS, HEVC_PPS, "2601AF0102"), { pts: 97_200 }),
  );
  expect(shown(messages).map((text) => text.slice(0, 21))).toEqual([
    "video 1000 a368766331",
    "video 1080 9068766331",
    "video 1080 9368766331",
  ]);
});

test("AV1's inter frames are passed on before its sequence header too", () => {
  const unit = (...units: readonly string[]) => Buffer.from(units.map((one) => `000001${one}`).join(""), "hex");
  const ts = new TsWriter();
  const messages = demuxed(
    ts.tables([AV1]),
    ts.pes(VIDEO_PID, unit("10", "320330aabb"), { pts: 90_000 }),
    ts.pes(VIDEO_PID, unit("10", "3010aabb"), { pts: 93_600 }),
    ts.pes(VIDEO_PID, unit("10", "08000003024455", "3010aabb"), { pts: 97_200 }),
  );
  expect(shown(messages).map((text) => text.slice(0, 21))).toEqual([
    "video 1000 a161763031",
    "video 1080 9061763031",
    "video 1080 9161763031",
  ]);
});

test("a table that changes with each of its packets costs one metadata message for each message of audio at most", () => {
  const ts = new TsWriter();
  const demuxer = new TsDemuxer();
  const messages: TsMessage[] = [];
  for (let version = 0; version < 200; version += 1) {
    const streams = version % 2 === 0 ? [ADTS, AVC] : [ADTS];
    const sent = [ts.tables(streams, version % 32), ts.pes(AUDIO_PID, adts("01"), { pts: 90_000 + version * 3_600 })];
    messages.push(...demuxer.push(Buffer.concat(sent)));
  }
  messages.push(...demuxer.end());
  const frames = shown(messages).filter((text) => text.endsWith(" af0101"));
  expect(frames).toHaveLength(200);
  expect(metadataOf(messages).length).toBeLessThanOrEqual(200);
});
