import { mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import type { EncoderTime } from "../../../src/testkit/encoder/encoder-time.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { startChild } from "../../support/processes/children.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { isCodedMedia, isVideo } from "../../support/streams/flv-file.ts";
import { expectProperStart } from "../../support/streams/recorded-stream.ts";

const SECONDS = 8;
/** A target that is there late begins with a later keyframe, yet well before a clock does odd things. */
const LATE_FRAMES_MAX = 3 * 25;
const HOUR_MS = 3_600_000;

const clocks: readonly { name: string; time: EncoderTime }[] = [
  { name: "from_2_31", time: { startMs: 2 ** 31 } },
  { name: "over_2_32", time: { startMs: 2 ** 32 - 5_000 } },
  {
    name: "hour_forth_and_back",
    time: {
      jumps: [
        { atMs: 4_000, byMs: HOUR_MS },
        { atMs: 6_000, byMs: -HOUR_MS },
      ],
    },
  },
  { name: "pictures_5_s_late", time: { videoSkewMs: 5_000 } },
];

test("a target gets a stream from 0 on that decodes and never steps back, whatever an encoder's clock does", async () => {
  const stage = await Stage.open();
  const { api } = await sharedServer(stage);
  const outcomes = clocks.map(async ({ name, time }) => {
    const recordInto = await mkdtemp(join(stage.folder, `${name}-`));
    const target = await stage.target({}, { recordInto });
    const channel = await api.createChannel(name, [{ rtmpUrl: target.url, streamKey: uniqueKey(name) }]);
    const encoder = stage.kitEncoder(channel, { clip: syntheticClip({ seconds: SECONDS }), time });
    expect((await encoder.closed).end).toEqual({ how: "finished" });
    const report = await target.connections[0]?.closed;
    expect(target.connections).toHaveLength(1);
    return { name, path: report?.recordings[0] ?? "" };
  });
  const sent = [...syntheticClip({ seconds: SECONDS }).tags()]
    .filter((tag) => isVideo(tag) && isCodedMedia(tag))
    .map(({ payload }) => payload.toString("base64"));
  for (const { name, path } of await Promise.all(outcomes)) {
    const tags = readFlv(await readFile(path));
    expectProperStart(tags);
    const frames = tags.filter((tag) => isVideo(tag) && isCodedMedia(tag));
    const got = frames.map(({ payload }) => payload.toString("base64"));
    expect(got.length, name).toBeGreaterThanOrEqual(sent.length - LATE_FRAMES_MAX);
    expect(got, name).toEqual(sent.slice(sent.length - got.length));
    expect(Math.min(...tags.map((tag) => tag.timestamp)), name).toBe(0);
    expect(frames.at(-1)?.timestamp, name).toBeLessThan((SECONDS + 6) * 1_000);
    const decoder = await startChild("ffmpeg", ["-v", "error", "-nostdin", "-i", path, "-f", "null", "-"]);
    expect([(await decoder.exited).code, decoder.stderr()], join(name, path)).toEqual([0, ""]);
  }
});
