import { expect, test } from "vitest";
import { encodeFlvTag, FLV_FILE_START, type FlvTag } from "../../src/protocol/flv/flv-tag.ts";
import type { PublisherHandle } from "../../src/relay/publisher/publisher.ts";
import { mediaOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { AAC_CONFIG, AVC_CONFIG, aacFrame, audio, avcFrame, video } from "../support/streams/media-messages.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** File → live → curtain → live → hold → file: five changes. */
const ROUNDS = 20;
const SLATE_MS = 20_000;
const FRAME_MS = 1_000;
/** Marks of the encoders' frames; the slate's are above. */
const MARKS = 100;
const SLATE_MARK = 0xa0;
const SLATE_FLV = Buffer.concat([
  FLV_FILE_START,
  ...[
    { type: 9, timestamp: 0, payload: AVC_CONFIG },
    ...[0, 500].map((timestamp, index): FlvTag => {
      return { type: 9, timestamp, payload: avcFrame(index === 0, SLATE_MARK + index) };
    }),
  ].map(encodeFlvTag),
]);

/** A day's channel on virtual time: 86,400 s of it take a few seconds. */
class Day {
  readonly stage = new RelayStage(600);
  #frame = 0;

  constructor() {
    this.stage.engine.introduce(this.stage.spec([target(1)]));
  }

  /** An encoder, or a file in its place. It begins at a time of its own. */
  open(startMs: number): { readonly handle: PublisherHandle; atMs: number } {
    const handle = this.stage.open();
    handle.push(audio(startMs, AAC_CONFIG));
    handle.push(video(startMs, AVC_CONFIG));
    if (this.#frame === 0) this.stage.dialer.latest(1).accept();
    return { handle, atMs: startMs };
  }

  /** A frame of each kind each second, of the same mark and time. */
  play(publisher: ReturnType<Day["open"]>, forMs: number): void {
    for (const untilMs = this.stage.clock.now() + forMs; this.stage.clock.now() < untilMs; ) {
      const mark = this.#frame % MARKS;
      publisher.handle.push(video(publisher.atMs, avcFrame(true, mark, 12)));
      publisher.handle.push(audio(publisher.atMs, aacFrame(mark, 4)));
      this.#frame += 1;
      publisher.atMs = (publisher.atMs + FRAME_MS) % 2 ** 32;
      this.stage.clock.advance(FRAME_MS);
    }
  }
}

type Got = { readonly type: number; readonly timestamp: number; readonly mark: number };

/** How far audio is off the video of the same mark, in milliseconds, at most. */
function driftOf(got: readonly Got[]): number {
  const lastVideo = new Map<number, number>();
  let most = 0;
  for (const { type, timestamp, mark } of got) {
    if (mark >= MARKS) continue;
    if (type === 9) lastVideo.set(mark, timestamp);
    const videoMs = lastVideo.get(mark);
    if (type === 8 && videoMs !== undefined) most = Math.max(most, Math.abs(timestamp - videoMs));
  }
  return most;
}

test("a day of file, encoder and slate: 100 changes, one connection, time that never goes back", () => {
  const day = new Day();
  const { stage } = day;
  const roundMs = DAY_MS / ROUNDS;
  const longMs = (roundMs - 2 * SLATE_MS) / 3;
  let file = day.open(0);
  stage.engine.setSlate("ls-1", SLATE_FLV);
  for (let round = 0; round < ROUNDS; round += 1) {
    day.play(file, longMs);
    // Each encoder's clock is elsewhere, and some wrap.
    const live = day.open(2 ** 32 - 1_000_000 * (round + 1));
    day.play(live, longMs);
    stage.engine.setCurtain("ls-1", true);
    day.play(live, SLATE_MS);
    stage.engine.setCurtain("ls-1", false);
    day.play(live, longMs);
    live.handle.end("connection-lost");
    stage.clock.advance(SLATE_MS);
    file = day.open(round * 1_000);
  }
  day.play(file, 10_000);
  const [link, ...others] = stage.dialer.links;
  expect([link?.closedHow, others]).toEqual([undefined, []]);
  const direct = (link === undefined ? [] : mediaOf(link))
    .filter(({ payload }) => payload[1] === 1)
    .map(({ type, timestamp, payload }): Got => ({ type, timestamp, mark: payload.at(-1) ?? 0 }));
  expect(direct.length).toBeGreaterThan(2 * 85_000);
  const back = direct.findIndex(({ timestamp }, at) => timestamp < (direct[at - 1]?.timestamp ?? 0));
  expect(back).toBe(-1);
  expect(driftOf(direct)).toBeLessThanOrEqual(20);
  expect(Math.abs((direct.at(-1)?.timestamp ?? 0) - stage.clock.now())).toBeLessThan(2_000);
  // Nothing was dark: no second without video, but where an encoder is missed before the slate begins.
  const times = direct.filter(({ type }) => type === 9).map(({ timestamp }) => timestamp);
  const gaps = times.map((time, at) => time - (times[at - 1] ?? time));
  expect(Math.max(...gaps.slice(1).filter((gap) => gap > 0))).toBeLessThanOrEqual(3_100);
});
