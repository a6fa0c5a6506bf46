import fc from "fast-check";
import { expect, test } from "vitest";
import { mediaOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import { aacFrame, audio, avcFrame, video } from "../support/streams/media-messages.ts";

// Rule: every frame of an encoder on air is sent to a target that is in step, or counted as dropped. No frame is lost
// without a count, also when the encoder stops sending and goes on.

const FRAME_MS = 40;
const AUDIO_MS = 20;
const KEYFRAME_EVERY_MS = 1_000;
const HOLD_SECONDS = 120;
/** The encoder sends before a freeze, and after it until everything has arrived. */
const BEFORE_MS = 5_000;
const AFTER_MS = 4_000;

type Frame = { readonly kind: "audio" | "video"; readonly clipMs: number };

/** Frames in the order in which an encoder sends them. */
function framesUntil(endMs: number): Frame[] {
  const frames: Frame[] = [];
  for (let clipMs = 0; clipMs < endMs; clipMs += AUDIO_MS) {
    if (clipMs % FRAME_MS === 0) frames.push({ kind: "video", clipMs });
    frames.push({ kind: "audio", clipMs });
  }
  return frames;
}

type Freeze = {
  /** The clip's time at which the encoder stops sending, counted from a keyframe. */
  readonly phaseMs: number;
  readonly freezeMs: number;
  /** By how much its frames are late afterwards: it sends its backlog at once, with its own timestamps. */
  readonly lateMs: number;
};

/** Runs one encoder that freezes once. Returns what it sent, what the target got, and what was counted as dropped. */
function run({ phaseMs, freezeMs, lateMs }: Freeze) {
  const stage = new RelayStage(HOLD_SECONDS);
  const publisher = stage.onAir(target(1));
  const frozenAtMs = BEFORE_MS + phaseMs;
  const sent: number[] = [];
  for (const [serial, { kind, clipMs }] of framesUntil(frozenAtMs + AFTER_MS).entries()) {
    const isBefore = clipMs < frozenAtMs;
    const timestamp = isBefore ? clipMs : clipMs + freezeMs - lateMs;
    const atMs = isBefore ? clipMs : Math.max(timestamp, frozenAtMs + freezeMs);
    stage.clock.advance(Math.max(0, atMs - stage.clock.now()));
    const payload = kind === "video" ? avcFrame(clipMs % KEYFRAME_EVERY_MS === 0, 0) : aacFrame(0);
    payload.writeUInt32BE(serial, payload.length - 4);
    publisher.push(kind === "video" ? video(timestamp, payload) : audio(timestamp, payload));
    sent.push(serial);
  }
  // A sample comes once a second; filler begins after two.
  stage.clock.advance(1_100);
  const droppedFrames = stage.samples.at(-1)?.targets[0]?.droppedFrames;
  publisher.end("clean");
  const isConfig = (payload: Buffer) => payload[1] === 0;
  const received = new Set(
    mediaOf(stage.dialer.latest(1)).flatMap(({ payload }) =>
      isConfig(payload) ? [] : [payload.readUInt32BE(payload.length - 4)],
    ),
  );
  const missing = sent.filter((serial) => !received.has(serial));
  return { missing, droppedFrames, connections: stage.dialer.links.length };
}

test("every frame of an encoder that freezes is sent or counted as dropped", () => {
  fc.assert(
    fc.property(
      fc.record({
        phaseMs: fc.oneof(fc.constant(0), fc.integer({ min: -60, max: 60 }), fc.integer({ min: 0, max: 999 })),
        freezeMs: fc.oneof(fc.constantFrom(1_000, 3_500, 7_500), fc.integer({ min: 0, max: 9_500 })),
        lateMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 3_000 })),
      }),
      (freeze) => {
        const { missing, droppedFrames, connections } = run({
          ...freeze,
          lateMs: Math.min(freeze.lateMs, freeze.freezeMs),
        });
        expect(connections).toBe(1);
        expect(droppedFrames).toBe(missing.length);
      },
    ),
    { numRuns: 200 },
  );
});

test.each([3_500, 7_500])(
  "a keyframe that is slightly late at the edge of a freeze of %i ms is sent and ends the filler",
  (freezeMs) => {
    for (const lateMs of [0, 21, 200, 350]) {
      expect(run({ phaseMs: 0, freezeMs, lateMs })).toEqual({ missing: [], droppedFrames: 0, connections: 1 });
    }
  },
);

test("frames that are later than that belong to time that filler covered, and are dropped up to the next keyframe", () => {
  const { missing, droppedFrames } = run({ phaseMs: 0, freezeMs: 7_500, lateMs: 700 });
  const oneGroup = framesUntil(KEYFRAME_EVERY_MS).length;
  expect([missing.length, droppedFrames]).toEqual([oneGroup, oneGroup]);
});
