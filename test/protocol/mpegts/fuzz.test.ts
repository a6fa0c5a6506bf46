import { expect, test } from "vitest";
import { TsMuxer } from "../../../src/protocol/mpegts/mux/ts-muxer.ts";
import { TsDemuxer } from "../../../src/protocol/mpegts/ts-demuxer.ts";
import { keptBytes, orHang } from "../../support/encoders/fuzz-bounds.ts";
import { Mutator } from "../../support/encoders/fuzz-mutator.ts";
import { tsSamples } from "../../support/streams/ts-samples.ts";

const INPUTS = Number(process.env["FANFARE_FUZZ_TS_INPUTS"] ?? 2_000);

test("no damaged stream makes the demuxer throw, hang, or keep much; what it sends can be muxed again", () => {
  const seed = Number(process.env["FANFARE_FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`fuzz: FANFARE_FUZZ_SEED=${seed}`);
  const mutator = new Mutator(seed);
  const streams = tsSamples();
  let media = 0;
  // One demuxer also takes everything in succession: what it keeps must not grow.
  const lasting = new TsDemuxer();
  const feed = () => {
    const input = Buffer.from(streams[mutator.below(streams.length)] ?? "");
    for (let changes = mutator.below(8); changes > 0; changes -= 1) mutator.change(input);
    const demuxer = new TsDemuxer();
    const cut = mutator.below(input.length);
    const messages = [...demuxer.push(input.subarray(0, cut)), ...demuxer.push(input.subarray(cut)), ...demuxer.end()];
    const muxer = new TsMuxer();
    let bytes = 0;
    for (const { kind, payload } of messages) {
      bytes += payload.length;
      if (kind === "data") continue;
      media += 1;
      const rest = muxer.write({ kind, payload, timeMs: 0 }).length % 188;
      if (rest !== 0) throw new Error(`seed ${seed}: a part of a packet`);
    }
    if (bytes > input.length + 4_096) throw new Error(`seed ${seed}: ${bytes} bytes of ${input.length}`);
    lasting.push(input);
  };
  const run = (count: number) => orHang(() => Array.from({ length: count }, feed));
  run(500);
  const before = keptBytes();
  for (let left = INPUTS; left > 0; left -= 5_000) run(Math.min(left, 5_000));
  expect(keptBytes() - before).toBeLessThan(24 * 1_024 * 1_024);
  expect(media).toBeGreaterThan(INPUTS);
}, 3_600_000);
