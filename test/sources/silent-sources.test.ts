import { expect, test } from "vitest";
import type { SourceStatus } from "../../src/control/channels/source.ts";
import { gatewayTo } from "../../src/relay/publish-gateway.ts";
import { PullRun } from "../../src/sources/pull-run.ts";
import { SourceRun } from "../../src/sources/source-run.ts";
import { FakeFfmpeg, fakePullLink } from "../support/sources/fake-ffmpeg.ts";
import { marksOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { AAC_CONFIG, AVC_CONFIG, aacFrame, avcFrame } from "../support/streams/media-messages.ts";

const HOLD_SECONDS = 60;

/** FFmpeg that writes headers, and a second of frames with this mark; then nothing more, and it ends or hangs. */
function ffmpegOf(mark: number, hangs: boolean): FakeFfmpeg {
  const ffmpeg = new FakeFfmpeg();
  ffmpeg.waiting.push({ type: 9, timestamp: 0, payload: AVC_CONFIG }, { type: 8, timestamp: 0, payload: AAC_CONFIG });
  ffmpeg.writes(0, 1_000, { video: (ms) => avcFrame(ms === 0, mark), audio: () => aacFrame(mark) });
  if (!hangs) ffmpeg.ends();
  return ffmpeg;
}

/** A channel with one platform, on air with a source. */
function stageOf(holdSeconds = HOLD_SECONDS) {
  const stage = new RelayStage(holdSeconds);
  const statuses: SourceStatus[] = [];
  const spec = stage.spec([target(1)]);
  const deps = {
    ...{ clock: stage.clock, random: () => 1, publish: async () => gatewayTo(stage.engine, spec, "main") },
    onStatus: (status: SourceStatus) => void statuses.push(status),
  };
  const start = { channelId: spec.channelId, position: 0, read: async () => spec };
  const accepted = new Set<unknown>();
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 40) {
      stage.clock.advance(Math.min(40, ms - passed));
      for (const link of stage.dialer.links) if (!accepted.has(link)) link.accept();
      for (const link of stage.dialer.links) accepted.add(link);
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    }
  };
  /** The marks of the video that the platform got over its one connection, each once. */
  const shown = () => [
    ...new Set(marksOf(stage.dialer.latest(1)).flatMap(([type, , mark]) => (type === 9 ? [mark] : []))),
  ];
  const held = () =>
    stage.facts.flatMap((fact) => (fact.kind === "ingest-held" || fact.kind === "ingest-ended" ? [fact.end] : []));
  return { stage, statuses, deps, start, pass, shown, held };
}

test("a file that hangs on air is held as long as it takes to notice it, and the next file goes on over the same connection", async () => {
  const { stage, statuses, deps, start, pass, shown, held } = stageOf();
  const skipped: string[] = [];
  const source = { kind: "files", fileIds: ["hangs", "next"], isLooped: false } as const;
  const run = new SourceRun(start, source, {
    ...deps,
    openFile: (fileId) => ffmpegOf(fileId === "hangs" ? 1 : 2, fileId === "hangs"),
    onSkipped: (fileId, detail) => void skipped.push(`${fileId}: ${detail}`),
    mayReturn: () => false,
  });
  await pass(14_000);
  expect(run.status).toMatchObject({ state: "playing", fileId: "hangs" });
  await pass(5_000);
  expect(skipped).toEqual(["hangs: nothing came from it for 15 s"]);
  const words = statuses.map((each) => {
    const more = { ...{ fileId: "", reason: "" }, ...each };
    return `${each.state} ${more.fileId}${more.reason}`;
  });
  expect(words).toEqual(["playing hangs", "playing next", "stopped finished"]);
  expect(held()).toEqual(["frozen", "clean"]);
  expect(stage.statuses(1).slice(0, 2)).toEqual(["CONNECTING", "PUBLISHING"]);
  expect(shown().slice(-1)).toEqual([2]);
});

test.each([
  { hold: "is held", holdSeconds: HOLD_SECONDS, noticedMs: 15_000, ended: ["frozen", "connection-lost"] },
  { hold: "is not held", holdSeconds: 0, noticedMs: 6_000, ended: ["frozen"] },
])("a pulled source that falls silent is named as such, and not this server: the channel $hold", async (given) => {
  const { holdSeconds, noticedMs, ended } = given;
  const { statuses, deps, start, pass, held } = stageOf(holdSeconds);
  const run = new PullRun(
    start,
    { kind: "pull", url: "rtmp://a/live/key" },
    {
      ...deps,
      openLink: async () => fakePullLink(),
      startFfmpeg: () => ffmpegOf(1, true),
    },
  );
  await pass(noticedMs - 500);
  expect(run.status.state).toBe("playing");
  await pass(2_500);
  const failed = statuses.filter(({ state }) => state === "failed");
  expect(failed).toMatchObject([{ link: { lastError: { code: "STALLED" } } }]);
  expect(held()).toEqual(ended);
  await run.abandon();
});
