import { expect, test } from "vitest";
import { FrozenVideo } from "../../../src/relay/broadcast/frozen-video.ts";
import type { Publisher } from "../../../src/relay/publisher/publisher.ts";
import { FillerRun } from "../../../src/relay/rendition/filler-run.ts";
import { Filler } from "../../../src/relay/stream/filler/filler.ts";
import { FillerStock } from "../../../src/relay/stream/filler/filler-stock.ts";
import { FREEZE_TIMES } from "../../../src/thread-protocol/freeze-times.ts";
import { sending } from "../../support/encoders/publishers.ts";
import { oneTrackTag, VideoPacket } from "../../support/streams/enhanced-tags.ts";
import { aacFrame, audio, avcFrame, video } from "../../support/streams/media-messages.ts";

const LAST_VIDEO_MS = 1_000;
const STEP_MS = 100;

/** Of a publisher whose video stops now while its audio goes on. `seen`: facts and calls, each with its time. */
function stage(publisher: Publisher = sending({ fromMs: 0, untilMs: LAST_VIDEO_MS }), startMs = LAST_VIDEO_MS) {
  const seen: (readonly [atMs: number, what: string])[] = [];
  let nowMs = startMs;
  const note = (what: string) => void seen.push([nowMs, what]);
  const frozen = new FrozenVideo({
    out: {
      newFillerRun: (what) => {
        note(`filler for ${what}`);
        return new FillerRun(new Filler(new FillerStock(), undefined, 0), new Map());
      },
      fillVideo: () => note("fill"),
      resumeVideo: () => note("resume"),
    },
    onFact: (of, fact) => {
      expect(of).toBe(publisher);
      if (fact.kind === "video-stopped") note(`stopped ${fact.silentMs}`);
      else if (fact.kind === "video-back") note(`back ${fact.awayMs}`);
      else note(fact.kind);
    },
  });
  /** Lets audio arrive until then, and looks at each step. Returns what the last look returned. */
  const goOn = (untilMs: number, times = FREEZE_TIMES): boolean => {
    let isFilling = false;
    while (nowMs < untilMs) {
      nowMs += STEP_MS;
      frozen.take(publisher.take(audio(nowMs, aacFrame(1)), nowMs, nowMs), nowMs);
      isFilling = frozen.look(publisher, nowMs, times);
    }
    return isFilling;
  };
  const send = (payload: Buffer) => frozen.take(publisher.take(video(nowMs, payload), nowMs, nowMs), nowMs);
  return { frozen, seen, goOn, send, kinds: () => seen.filter(([, what]) => what !== "fill") };
}

test("video that stops is reported after five seconds, once, and nothing replaces it yet", () => {
  const { seen, goOn } = stage();
  expect(goOn(10_900)).toBe(false);
  expect(seen).toEqual([[6_000, "stopped 5000"]]);
});

test("after the channel's own time filler replaces the video, at each look", () => {
  const { seen, goOn } = stage();
  expect(goOn(11_300)).toBe(true);
  expect(seen).toEqual([
    [6_000, "stopped 5000"],
    [11_000, "filler for video"],
    ...[11_000, 11_100, 11_200, 11_300].map((atMs) => [atMs, "fill"] as const),
  ]);
  const longer = stage();
  longer.goOn(40_000, { mediaSeconds: 5, videoSeconds: 30 });
  expect(longer.kinds()).toEqual([
    [6_000, "stopped 5000"],
    [31_000, "filler for video"],
  ]);
});

test("a channel whose time is 0 gets no filler, however long video is missing", () => {
  const { seen, goOn } = stage();
  expect(goOn(120_000, { mediaSeconds: 5, videoSeconds: 0 })).toBe(false);
  expect(seen).toEqual([[6_000, "stopped 5000"]]);
});

test("before filler, video is back with any frame, and its absence is reported from its last frame on", () => {
  const { seen, goOn, send } = stage();
  goOn(8_000);
  send(avcFrame(false, 2));
  send(avcFrame(false, 3));
  expect(seen).toEqual([
    [6_000, "stopped 5000"],
    [8_000, "back 7000"],
  ]);
});

test("after filler, video is back with a keyframe only", () => {
  const { kinds, goOn, send } = stage();
  goOn(12_000);
  send(avcFrame(false, 2));
  expect(goOn(12_500)).toBe(true);
  send(avcFrame(true, 3));
  expect(goOn(13_000)).toBe(false);
  expect(kinds()).toEqual([
    [6_000, "stopped 5000"],
    [11_000, "filler for video"],
    [12_500, "resume"],
    [12_500, "back 11500"],
  ]);
});

test("a frame of a further track does not stand for the missing video", () => {
  const { seen, goOn, send } = stage();
  goOn(8_000);
  const tag = { kind: "video", isKeyframe: true, packetType: VideoPacket.CodedFramesX } as const;
  send(oneTrackTag(tag, { trackId: 1, fourCc: "avc1", body: avcFrame(true, 2).subarray(5) }));
  expect(seen).toEqual([[6_000, "stopped 5000"]]);
});

test("slow video is not frozen: it has twice its own longest gap", () => {
  const slow = sending({ fromMs: 0, untilMs: 0 });
  for (let atMs = STEP_MS; atMs <= 32_000; atMs += STEP_MS) {
    if (atMs % 4_000 === 0) slow.take(video(atMs, avcFrame(false, 1)), atMs, atMs);
    slow.take(audio(atMs, aacFrame(1)), atMs, atMs);
  }
  const { seen, goOn } = stage(slow, 32_000);
  expect(goOn(39_900)).toBe(false);
  expect(seen).toEqual([]);
  goOn(40_000);
  expect(seen.slice(0, 1)).toEqual([[40_000, "stopped 8000"]]);
});

test("an encoder that sends nothing at all does not count as one whose video stopped", () => {
  const publisher = sending({ fromMs: 0, untilMs: LAST_VIDEO_MS });
  const { frozen, seen } = stage(publisher);
  for (let atMs = LAST_VIDEO_MS; atMs <= 60_000; atMs += STEP_MS)
    expect(frozen.look(publisher, atMs, FREEZE_TIMES)).toBe(false);
  expect(seen).toEqual([]);
});

test("when another publisher is on air, filler is over and nothing is reported back", () => {
  const { frozen, kinds, goOn, send } = stage();
  goOn(12_000);
  frozen.forget();
  send(avcFrame(true, 2));
  expect(goOn(12_100)).toBe(false);
  expect(kinds()).toEqual([
    [6_000, "stopped 5000"],
    [11_000, "filler for video"],
  ]);
});
