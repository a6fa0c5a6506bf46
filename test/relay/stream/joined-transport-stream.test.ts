import { expect, test } from "vitest";
import { TsDemuxer } from "../../../src/protocol/mpegts/ts-demuxer.ts";
import type { PublisherHandle } from "../../../src/relay/publisher/publisher.ts";
import { marksOf, mediaOf, RelayStage, target } from "../../support/stages/relay-stage.ts";
import {
  ADTS,
  AUDIO_PID,
  AVC,
  adts,
  annexB,
  PPS,
  SPS,
  type StreamEntry,
  TsWriter,
  VIDEO_PID,
} from "../../support/streams/ts-packets.ts";

const STEP_MS = 40;
const TICKS_PER_MS = 90;
const MPEG2: StreamEntry = { pid: VIDEO_PID, type: 0x02 };
const [VIDEO, AUDIO] = [9, 8];

/** A transport stream from its demuxer into a channel, on virtual time. */
class TsRun {
  readonly stage: RelayStage;
  readonly publisher: PublisherHandle;
  readonly #ts = new TsWriter();
  readonly #demuxer = new TsDemuxer();
  #version = -1;

  constructor(stage: RelayStage, mark = 1) {
    this.stage = stage;
    this.publisher = stage.open("ls-1", "SRT", mark);
  }

  list(...streams: readonly StreamEntry[]): void {
    this.#version += 1;
    this.#push(this.#ts.tables(streams, this.#version));
  }

  /** Advances time; every 40 ms a frame of audio comes, and the video that `videoAt` says. The last byte of both is `markAt`. */
  run(forMs: number, videoAt: (ms: number) => "key" | "inter" | "none"): void {
    for (let leftMs = forMs; leftMs > 0; leftMs -= STEP_MS) {
      const ms = this.stage.clock.now();
      const times = { pts: (ms + 1_000) * TICKS_PER_MS };
      const mark = markAt(ms);
      const video = videoAt(ms);
      if (video === "key") this.#push(this.#ts.pes(VIDEO_PID, annexB("09F0", SPS, PPS, `658884${mark}`), times));
      if (video === "inter") this.#push(this.#ts.pes(VIDEO_PID, annexB("09F0", `419A01${mark}`), times));
      this.#push(this.#ts.pes(AUDIO_PID, adts(`01${mark}`), times));
      this.stage.clock.advance(STEP_MS);
    }
  }

  #push(bytes: Buffer): void {
    for (const message of this.#demuxer.push(bytes)) this.publisher.push(message);
  }
}

/** The second of the stream, from 1 on, as a byte. */
const markAt = (ms: number) =>
  Math.floor(ms / 1_000 + 1)
    .toString(16)
    .padStart(2, "0");

function onAir(...streams: readonly StreamEntry[]): TsRun {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const run = new TsRun(stage);
  run.list(...streams);
  return run;
}

/** What the target got first behind its headers: type and second of the stream. */
function firstSent({ stage }: TsRun): readonly [number | undefined, number] {
  const frame = marksOf(stage.dialer.latest(1)).find((_mark, index) => index >= headersOf(stage));
  return [frame?.[0], (frame?.[2] ?? 0) - 1];
}

const headersOf = (stage: RelayStage) =>
  mediaOf(stage.dialer.latest(1)).filter(({ payload }) => payload[1] === 0).length;

/** Runs until the media came that makes targets connect, and accepts the connection. */
function accept(run: TsRun, videoAt: Parameters<TsRun["run"]>[1]): void {
  while (run.stage.dialer.links.length === 0) run.run(STEP_MS, videoAt);
  run.stage.dialer.latest(1).accept();
}

test.each([1, 2, 4, 8, 10])(
  "a stream that is joined in its group of pictures begins with the keyframe after %i s, with all its audio from there on",
  (seconds) => {
    const videoAt = (ms: number) => (ms === seconds * 1_000 ? "key" : "inter");
    const run = onAir(AVC, ADTS);
    accept(run, videoAt);
    run.run(seconds * 1_000 + 2_000, videoAt);
    run.stage.flush();
    expect(firstSent(run)).toEqual([VIDEO, seconds]);
    const audio = mediaOf(run.stage.dialer.latest(1)).filter(
      ({ type, payload }) => type === AUDIO && payload.at(-1) === seconds + 1,
    );
    expect(audio).toHaveLength(25);
  },
);

test("a stream that is joined begins with audio where no keyframe comes for twelve seconds", () => {
  const run = onAir(AVC, ADTS);
  accept(run, () => "inter");
  run.run(14_000, () => "inter");
  run.stage.flush();
  expect(firstSent(run)).toEqual([AUDIO, 12]);
});

test("video that the program lists and that never comes is waited for, two seconds behind the first audio", () => {
  const run = onAir(AVC, ADTS);
  accept(run, () => "none");
  run.run(5_000, () => "none");
  run.stage.flush();
  expect(firstSent(run)).toEqual([AUDIO, 2]);
});

test.each([
  { name: "audio alone", streams: [ADTS] },
  { name: "video that RTMP cannot carry", streams: [MPEG2, ADTS] },
])("a program of $name begins with its first audio", ({ streams }) => {
  const run = onAir(...streams);
  accept(run, () => "none");
  run.run(1_000, () => "none");
  run.stage.flush();
  expect(firstSent(run)).toEqual([AUDIO, 0]);
});

test("video that the program lists only after the first audio is waited for by targets that have not begun", () => {
  const run = onAir(ADTS);
  run.run(1_000, () => "none");
  run.list(ADTS, AVC);
  run.run(80, () => "inter");
  run.stage.dialer.latest(1).accept();
  run.run(3_000, (ms) => (ms === 3_000 ? "key" : "inter"));
  run.stage.flush();
  expect(firstSent(run)).toEqual([VIDEO, 3]);
});

test("video that the program lists no more before it came is not waited for", () => {
  const run = onAir(ADTS, AVC);
  accept(run, () => "none");
  run.run(200, () => "none");
  run.stage.flush();
  expect(mediaOf(run.stage.dialer.latest(1))).toEqual([]);
  run.list(ADTS);
  run.run(STEP_MS, () => "none");
  run.stage.flush();
  expect(firstSent(run)[0]).toBe(AUDIO);
});

test("an encoder that comes back in its group of pictures goes on at its keyframe, in the same connections", () => {
  const stage = new RelayStage(60);
  stage.engine.introduce(stage.spec([target(1)]));
  const first = new TsRun(stage);
  const each2s = (ms: number) => (ms % 2_000 === 0 ? "key" : "inter");
  first.list(AVC, ADTS);
  accept(first, each2s);
  first.run(4_000, each2s);
  first.publisher.end("connection-lost");
  stage.clock.advance(5_000);
  const again = new TsRun(stage, 2);
  again.list(AVC, ADTS);
  const keyMs = stage.clock.now() + 6_000;
  const videoAt = (ms: number) => (ms === keyMs ? "key" : "inter");
  again.run(8_000, videoAt);
  stage.flush();
  expect(stage.dialer.links).toHaveLength(1);
  const sent = mediaOf(stage.dialer.latest(1));
  const second = Math.floor(keyMs / 1_000) + 1;
  const key = sent.findIndex(({ type, payload }) => type === VIDEO && payload.at(-1) === second);
  expect(sent[key]?.payload[0]).toBe(0x17);
  // Between the two encoders there is filler only: no audio of the second one before its keyframe.
  const early = sent.slice(0, key).filter(({ payload }) => (payload.at(-1) ?? 0) > 6 && (payload.at(-1) ?? 0) < second);
  expect(early.filter(({ type, payload }) => type === AUDIO && payload[2] === 1)).toEqual([]);
});
