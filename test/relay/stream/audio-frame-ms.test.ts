import { expect, test } from "vitest";
import { audioFrameMs } from "../../../src/relay/stream/config/audio-frame-ms.ts";

test.each([
  ["AAC-LC, 48 kHz", "af001190", 1_024 / 48],
  ["AAC-LC, 44.1 kHz", "af001210", 1_024 / 44.1],
  ["HE-AAC, 44.1 kHz: its core has half the rate", "af00139056e5a0", 1_024 / 22.05],
  ["Enhanced RTMP, 48 kHz", "906d7034611190", 1_024 / 48],
  ["AAC that names no rate", "af001780", 0],
  ["a frame", "af012110", 0],
  ["MP3", "2ffffb9064", 0],
])("%s", (_, hex, expected) => {
  expect(audioFrameMs(Buffer.from(hex, "hex"))).toBeCloseTo(expected, 9);
});
