import { expect, test } from "vitest";
import { mediaOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { aacFrame, audio, avcFrame, video } from "../support/streams/media-messages.ts";

const FRAME_MS = 40;
const MARK = 77;

/**
 * Runs an encoder that freezes right before a keyframe and then goes on. Its clock ran on meanwhile, and is `behindMs`
 * behind this machine's clock, as a busy encoder's is. Returns whether the keyframe was sent, and what was dropped.
 */
function thawAtKeyframe(lateMs: number, frozenMs: number) {
  const stage = new RelayStage(20);
  const publisher = stage.onAir(target(1));
  for (let atMs = 0; atMs < 4_000; atMs += FRAME_MS) {
    publisher.push(video(atMs, avcFrame(atMs % 2_000 === 0, 1, 30)));
    publisher.push(audio(atMs, aacFrame(1)));
    stage.clock.advance(FRAME_MS);
  }
  stage.clock.advance(frozenMs);
  const nowMs = 4_000 + frozenMs - lateMs;
  publisher.push(video(nowMs, avcFrame(true, MARK, 30)));
  for (let atMs = nowMs; atMs < nowMs + 2_000; atMs += FRAME_MS) {
    publisher.push(audio(atMs, aacFrame(2)));
    if (atMs > nowMs) publisher.push(video(atMs, avcFrame(false, MARK + 1, 30)));
    stage.clock.advance(FRAME_MS);
  }
  stage.clock.advance(1_000);
  const media = mediaOf(stage.dialer.latest(1));
  return {
    keyframes: media.filter(({ type, payload }) => type === 9 && payload.at(-1) === MARK).length,
    later: media.filter(({ type, payload }) => type === 9 && payload.at(-1) === MARK + 1).length,
    times: media.map(({ timestamp }) => timestamp),
    dropped: stage.samples.at(-1)?.targets[0]?.droppedFrames,
  };
}

test.each([0, 1, 40, 120, 240])(
  "a keyframe right after a freeze is sent although filler got %i ms ahead of it",
  (lateMs) => {
    for (const frozenMs of [3_500, 7_500, 7_540, 7_590]) {
      const { keyframes, later, times, dropped } = thawAtKeyframe(lateMs, frozenMs);
      expect({ lateMs, frozenMs, keyframes, later, dropped }).toEqual({
        ...{ lateMs, frozenMs, keyframes: 1, later: 49, dropped: 0 },
      });
      expect(times).toEqual(times.toSorted((left, right) => left - right));
    }
  },
);

test("frames that are seconds behind were delayed on their way, and are dropped because filler covered their time", () => {
  const { keyframes, dropped } = thawAtKeyframe(3_000, 7_500);
  expect(keyframes).toBe(0);
  expect(dropped).toBeGreaterThan(0);
});
