import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { SourceStatus } from "../../src/control/channels/source.ts";
import type { FlvTag } from "../../src/protocol/flv/flv-tag.ts";
import { gatewayTo } from "../../src/relay/publish-gateway.ts";
import { PullRun } from "../../src/sources/pull-run.ts";
import { SourceRun } from "../../src/sources/source-run.ts";
import { marksOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { AAC_CONFIG, AVC_CONFIG, aacFrame, avcFrame } from "../support/streams/media-messages.ts";

const quiet = () => undefined;
const HOLD_SECONDS = 60;

/** What FFmpeg writes: headers, and a second of frames with this mark; then nothing more, and it ends or hangs. */
class FakeFfmpeg {
  readonly input = new PassThrough();
  readonly gone = Promise.resolve();
  readonly words = "";
  readonly waiting: FlvTag[];
  takenTotal = 0;
  isRead: boolean;
  failure: string | undefined;

  constructor(mark: number, hangs: boolean) {
    this.isRead = !hangs;
    this.waiting = [
      { type: 9, timestamp: 0, payload: AVC_CONFIG },
      { type: 8, timestamp: 0, payload: AAC_CONFIG },
      ...Array.from({ length: 25 }, (_, index) => [
        { type: 9, timestamp: index * 40, payload: avcFrame(index === 0, mark) },
        { type: 8, timestamp: index * 40, payload: aacFrame(mark) },
      ]).flat(),
    ];
  }

  get clip() {
    return this;
  }
  get next() {
    return this.waiting[0];
  }
  get waitingMs() {
    return (this.waiting.at(-1)?.timestamp ?? 0) - (this.waiting[0]?.timestamp ?? 0);
  }
  get isOver() {
    return this.isRead && this.waiting.length === 0;
  }
  take() {
    this.takenTotal += 1;
    return this.waiting.shift();
  }
  kill(reason?: string) {
    this.failure ??= reason;
    this.isRead = true;
  }
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
    openFile: (fileId) => new FakeFfmpeg(fileId === "hangs" ? 1 : 2, fileId === "hangs"),
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
      openLink: async () => ({
        ...{ address: "192.0.2.7", input: ["-i", "pipe:0"], env: {}, aheadMs: 1_000, feed: (stdin) => stdin.end() },
        ...{ isUnread: () => false, failure: quiet, close: quiet },
      }),
      startFfmpeg: () => new FakeFfmpeg(1, true),
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
