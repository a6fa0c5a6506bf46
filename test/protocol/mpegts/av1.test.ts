import { expect, test } from "vitest";
import { TsDemuxer } from "../../../src/protocol/mpegts/ts-demuxer.ts";
import { type StreamEntry, TsWriter, VIDEO_PID } from "../../support/streams/ts-packets.ts";

const RECORD_HEAD = "81000c00";
/** Registration `AV01`, and the AV1 descriptor. AOM, "Carriage of AV1 in MPEG-2 TS". */
const AV1: StreamEntry = { pid: VIDEO_PID, type: 0x06, descriptors: `0504415630318004${RECORD_HEAD}` };
const DELIMITER = "10";
/** A sequence header without a size. The 03 prevents a start code, and is none of its bytes. */
const SEQUENCE_HEADER = "08000003024455";
const SIZED_SEQUENCE_HEADER = "0a050000024455";
const KEYFRAME = "3010aabb";
const SIZED_KEYFRAME = "320310aabb";
/** A frame that has its size already. */
const INTER_FRAME = "320330aabb";

const unit = (...units: readonly string[]) => Buffer.from(units.map((one) => `000001${one}`).join(""), "hex");

function videoOf(entry: StreamEntry, frames: readonly Buffer[]): readonly string[] {
  const ts = new TsWriter();
  const demuxer = new TsDemuxer();
  const packets = frames.map((frame, index) => ts.pes(VIDEO_PID, frame, { pts: 90_000 + index * 3_600 }));
  const messages = [...demuxer.push(Buffer.concat([ts.tables([entry]), ...packets])), ...demuxer.end()];
  return messages
    .filter(({ kind }) => kind === "video")
    .map(({ timestamp, payload }) => `${timestamp} ${payload.toString("hex")}`);
}

test("AV1 becomes Enhanced RTMP: units with sizes, without start codes, delimiters and emulation prevention", () => {
  const frames = [
    unit(DELIMITER, SEQUENCE_HEADER, KEYFRAME),
    unit(DELIMITER, INTER_FRAME),
    unit(DELIMITER, SEQUENCE_HEADER, KEYFRAME),
  ];
  expect(videoOf(AV1, frames)).toEqual([
    `1000 9061763031${RECORD_HEAD}${SIZED_SEQUENCE_HEADER}`,
    `1000 9161763031${SIZED_SEQUENCE_HEADER}${SIZED_KEYFRAME}`,
    `1040 a161763031${INTER_FRAME}`,
    `1080 9161763031${SIZED_SEQUENCE_HEADER}${SIZED_KEYFRAME}`,
  ]);
});

test("without the descriptor the sequence header says what the record needs, and without both nothing begins", () => {
  const bare = { ...AV1, descriptors: "050441563031" };
  // Of libaom's, 4:4:4 with ten bits.
  const readable = "0a0a200000043d0724daf942";
  const sent = [unit(DELIMITER, INTER_FRAME), unit(DELIMITER, readable, KEYFRAME)];
  expect(videoOf(bare, sent)).toEqual([
    `1000 a161763031${INTER_FRAME}`,
    `1040 906176303181204000${readable}`,
    `1040 9161763031${readable}${SIZED_KEYFRAME}`,
  ]);
  expect(videoOf(bare, [unit(DELIMITER, SEQUENCE_HEADER, KEYFRAME)])).toEqual([]);
});

test("a unit whose size does not fit is passed over", () => {
  const [config, frame] = videoOf(AV1, [unit(SEQUENCE_HEADER, "327f10aabb", KEYFRAME)]);
  expect([config, frame]).toEqual([
    `1000 9061763031${RECORD_HEAD}${SIZED_SEQUENCE_HEADER}`,
    `1000 9161763031${SIZED_SEQUENCE_HEADER}${SIZED_KEYFRAME}`,
  ]);
});
