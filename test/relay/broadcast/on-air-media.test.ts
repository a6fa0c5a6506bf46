import { expect, test } from "vitest";
import type { BroadcastState } from "../../../src/relay/broadcast/broadcast-state.ts";
import { OnAirMedia } from "../../../src/relay/broadcast/on-air-media.ts";
import type { Publisher } from "../../../src/relay/publisher/publisher.ts";
import { FanOut, type Frame } from "../../../src/relay/rendition/fan-out.ts";
import { BlockStore } from "../../../src/relay/stream/block-store.ts";
import type { MediaMessage } from "../../../src/relay/stream/media-message.ts";
import { FREEZE_TIMES } from "../../../src/thread-protocol/freeze-times.ts";
import { newPublisher } from "../../support/encoders/publishers.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";
import {
  AAC_CONFIG,
  AAC_CONFIG_CHANGED,
  AVC_CONFIG,
  AVC_CONFIG_CHANGED,
  aacFrame,
  audio,
  avcFrame,
  video,
} from "../../support/streams/media-messages.ts";
import { Recorder } from "../../support/targets/recorder.ts";

const LOOK_MS = 100;
const BEGUN_MS = 400;
/** Fields of the video frames of `begin`: of the first one, and of those after it. */
const [KEY, NEXT] = [1, 2];

/** The media of one channel with one subscriber, on virtual time. The test plays the broadcast around them. */
function stage() {
  const clock = new VirtualClock();
  const recorder = new Recorder();
  const seen: string[] = [];
  const out = new FanOut({
    ...{ clock, blocks: new BlockStore(), onDirty: () => undefined },
    connections: {
      ...{ haveBegun: true, want: () => undefined, unwant: () => undefined, checkStream: () => undefined },
      redial: () => void seen.push("reconnect"),
      endSilence: () => undefined,
      missed: (cause) => void seen.push(cause),
    },
    onFault: (error) => {
      throw error;
    },
  });
  const media = new OnAirMedia({
    ...{ out, clock },
    targets: { missed: (cause) => void seen.push(cause), takeSilence: false },
    onFact: (_publisher, fact) => void seen.push(fact.kind),
    onFillerOver: () => void seen.push("filler over"),
  });
  out.subscribe(recorder);
  /** The publisher takes a message. Returns its classification; it must be a frame. */
  const frameOf = (publisher: Publisher, message: MediaMessage): Frame => {
    const classified = publisher.take(message, clock.now(), clock.awakeNow());
    if (classified.what !== "frame") throw new Error(`${classified.what} is no frame`);
    return classified;
  };
  const at = (timestamp: number) => ({ timestamp, nowMs: clock.now(), awakeMs: clock.awakeNow() });
  const push = (publisher: Publisher, message: MediaMessage) =>
    media.forward(publisher, publisher.take(message, clock.now(), clock.awakeNow()), at(message.timestamp));
  const look = (state: BroadcastState<Publisher>, mayFill = true) => {
    const isFilling = media.look(state, mayFill, FREEZE_TIMES);
    media.fill();
    return isFilling;
  };
  /** Advances time with a look every 100 ms. */
  const pass = (state: BroadcastState<Publisher>, byMs: number, mayFill = true) => {
    for (let atMs = 0; atMs < byMs; atMs += LOOK_MS) {
      clock.advance(LOOK_MS);
      look(state, mayFill);
    }
  };
  /** A publisher sends a keyframe, nine more frames and their audio, the last ones at 360 ms; it is 400 ms now. */
  const begin = (publisher: Publisher): BroadcastState<Publisher> => {
    media.begin(publisher);
    push(publisher, audio(0, AAC_CONFIG));
    push(publisher, video(0, AVC_CONFIG));
    for (let atMs = 0; atMs < BEGUN_MS; atMs += 40) {
      push(publisher, video(atMs, avcFrame(atMs === 0, atMs === 0 ? KEY : NEXT)));
      push(publisher, audio(atMs, aacFrame(1)));
      clock.advance(40);
    }
    return { at: "live", publisher };
  };
  /** What the subscriber got since the last call: time and last byte of each video frame. */
  let readCount = 0;
  const shown = () => {
    out.deliver();
    const news = recorder.recorded.slice(readCount);
    readCount = recorder.recorded.length;
    return news.filter(([type, , tag]) => type === 9 && tag[12] === 1).map(([, timeMs, tag]) => [timeMs, tag.at(-5)]);
  };
  return { clock, media, out, recorder, seen, frameOf, push, look, pass, begin, shown, at };
}

test("an entry is a keyframe, or audio of a publisher that sends no video", () => {
  const { clock, media, frameOf } = stage();
  const publisher = newPublisher();
  publisher.take(video(0, AVC_CONFIG), 0, 0);
  expect(media.isEntry(publisher, frameOf(publisher, video(0, avcFrame(true, 1))))).toBe(true);
  expect(media.isEntry(publisher, frameOf(publisher, video(0, avcFrame(false, 1))))).toBe(false);
  expect(media.isEntry(publisher, frameOf(publisher, audio(0, aacFrame(1))))).toBe(false);
  const audioAlone = newPublisher();
  expect(media.isEntry(audioAlone, frameOf(audioAlone, audio(0, aacFrame(1))))).toBe(true);
  // A header announces video, for a while.
  audioAlone.take(video(0, AVC_CONFIG), 0, 0);
  expect(media.isEntry(audioAlone, frameOf(audioAlone, audio(0, aacFrame(1))))).toBe(false);
  clock.advance(5_000);
  expect(media.isEntry(audioAlone, frameOf(audioAlone, audio(5_000, aacFrame(1))))).toBe(true);
});

test("filler begins where media are missed, only where the channel may fill, and goes on until media come", () => {
  const { begin, pass, look, shown, media } = stage();
  const state = begin(newPublisher());
  expect(shown()).toHaveLength(10);
  pass(state, 2_600, false);
  expect(shown()).toEqual([]);
  expect(look(state)).toBe(true);
  pass(state, 1_000, false);
  // A keyframe and the frame after it in turn, twice a second, from the time that had passed.
  expect(shown()).toEqual([
    [3_000, KEY],
    [3_500, NEXT],
    [4_000, KEY],
  ]);
  media.stop();
  expect(look(state, false)).toBe(false);
  expect(shown()).toEqual([]);
});

test("frames that cannot follow filler are counted as lost, and the first keyframe ends it", () => {
  const { begin, pass, push, seen, shown, clock } = stage();
  const publisher = newPublisher();
  const state = begin(publisher);
  pass(state, 2_600);
  shown();
  push(publisher, video(3_000, avcFrame(false, 3)));
  push(publisher, audio(3_000, aacFrame(3)));
  expect(seen).toEqual(["untilKeyframe", "untilKeyframe"]);
  clock.advance(40);
  push(publisher, video(3_040, avcFrame(true, 4)));
  push(publisher, video(3_080, avcFrame(false, 5)));
  push(publisher, audio(3_080, aacFrame(5)));
  expect(seen).toEqual(["untilKeyframe", "untilKeyframe", "filler over"]);
  expect(shown()).toEqual([
    [3_040, 4],
    [3_080, 5],
  ]);
});

test("after four seconds of audio filler ends without a keyframe", () => {
  const { begin, pass, push, seen, clock } = stage();
  const publisher = newPublisher();
  pass(begin(publisher), 2_600);
  for (let atMs = 3_000; atMs < 7_000; atMs += 20) {
    push(publisher, audio(atMs, aacFrame(2)));
    clock.advance(20);
  }
  expect(new Set(seen)).toEqual(new Set(["untilKeyframe"]));
  push(publisher, audio(7_000, aacFrame(2)));
  expect(seen.at(-1)).toBe("filler over");
});

test("a keyframe whose time filler has covered by far was delayed on its way, and counts as lost", () => {
  const { begin, pass, push, seen, shown } = stage();
  const publisher = newPublisher();
  pass(begin(publisher), 5_600);
  shown();
  push(publisher, video(2_000, avcFrame(true, 3)));
  expect(seen).toEqual(["overTime"]);
  push(publisher, video(6_000, avcFrame(true, 4)));
  push(publisher, audio(6_000, aacFrame(4)));
  expect(seen).toEqual(["overTime", "filler over"]);
  expect(shown()).toEqual([[6_000, 4]]);
});

test("messages of other publishers are no backlog of the one on air", () => {
  const { begin, pass, media, frameOf } = stage();
  const publisher = newPublisher();
  pass(begin(publisher), 5_600);
  const [stale, other] = [video(2_000, avcFrame(true, 3)), newPublisher(6_000, "backup")];
  expect(media.isBacklog(publisher, frameOf(publisher, stale), 2_000)).toBe(true);
  expect(media.isBacklog(other, frameOf(other, stale), 2_000)).toBe(false);
});

test("the same encoder goes on by its own clock, another one in step with the wall clock", () => {
  const { begin, pass, media, frameOf, out, shown, clock, at } = stage();
  const publisher = newPublisher();
  const state = begin(publisher);
  pass(state, 2_600);
  shown();
  const own = frameOf(publisher, video(3_200, avcFrame(true, 3)));
  media.switchTo(publisher, own, 3_200);
  out.forward({ what: "frame", ...own }, at(3_200));
  expect(shown()).toEqual([[3_200, 3]]);
  expect(media.last).toBe(publisher);
  pass(state, 4_000);
  shown();
  const other = newPublisher(clock.now(), "backup");
  other.take(audio(0, AAC_CONFIG), clock.now(), clock.awakeNow());
  other.take(video(0, AVC_CONFIG), clock.now(), clock.awakeNow());
  const first = frameOf(other, video(90_000, avcFrame(true, 4)));
  media.switchTo(other, first, 90_000);
  out.forward({ what: "frame", ...first }, at(90_000));
  const [frame] = shown();
  expect(frame?.[1]).toBe(4);
  expect(frame?.[0]).toBeGreaterThanOrEqual(7_000);
  expect(frame?.[0]).toBeLessThanOrEqual(7_300);
  expect(media.last).toBe(other);
});

test("targets reconnect for an encoder with another sample rate, and not for one with the same stream", () => {
  for (const [config, news] of [
    [AAC_CONFIG, []],
    [AAC_CONFIG_CHANGED, ["reconnect"]],
  ] as const) {
    const { begin, media, frameOf, seen } = stage();
    begin(newPublisher());
    const other = newPublisher(0, "backup");
    other.take(audio(0, config), 0, 0);
    other.take(video(0, AVC_CONFIG), 0, 0);
    media.switchTo(other, frameOf(other, video(0, avcFrame(true, 2))), 0);
    expect(seen).toEqual(news);
  }
});

test("a change of encoder brings the new encoder's header, unless the targets already have it", () => {
  for (const [config, count] of [
    [AVC_CONFIG, 0],
    [AVC_CONFIG_CHANGED, 1],
  ] as const) {
    const { begin, media, frameOf, recorder, out } = stage();
    begin(newPublisher());
    out.deliver();
    const before = recorder.recorded.length;
    const other = newPublisher(0, "backup");
    other.take(audio(0, AAC_CONFIG), 0, 0);
    other.take(video(0, config), 0, 0);
    media.switchTo(other, frameOf(other, video(0, avcFrame(true, 2))), 0);
    out.deliver();
    const headers = recorder.recorded.slice(before).filter(([type]) => type === 9);
    expect(headers.map(([, , tag]) => tag.subarray(11, -4))).toEqual(Array.from({ length: count }, () => config));
  }
});

test("a publisher that lacks a track of the stream is complete once two seconds passed without it", () => {
  const { begin, media, frameOf, clock } = stage();
  begin(newPublisher());
  const other = newPublisher(0, "backup");
  other.take(video(0, AVC_CONFIG), 0, 0);
  frameOf(other, video(0, avcFrame(true, 2)));
  const complete = [0, 1_999, 2_000].map((laterMs) => media.isComplete(other, clock.awakeNow() + laterMs));
  expect(complete).toEqual([false, false, true]);
  other.take(audio(0, AAC_CONFIG), clock.now(), clock.awakeNow());
  expect(media.isComplete(other, clock.awakeNow())).toBe(true);
});

test("video that stopped is watched while the publisher is on air, and not in a hold", () => {
  const { begin, push, look, media, clock, seen } = stage();
  const publisher = newPublisher();
  const state = begin(publisher);
  const goOn = (untilMs: number) => {
    while (clock.now() < untilMs) {
      clock.advance(LOOK_MS);
      push(publisher, audio(clock.now(), aacFrame(1)));
      look(state);
    }
  };
  goOn(6_000);
  expect(seen).toEqual(["video-stopped"]);
  push(publisher, video(6_000, avcFrame(false, 2)));
  expect(seen).toEqual(["video-stopped", "video-back"]);
  // It is slow now: the next stop is reported after twice its gap.
  goOn(17_200);
  expect(seen).toHaveLength(2);
  goOn(17_300);
  expect(seen).toEqual(["video-stopped", "video-back", "video-stopped"]);
  media.hold();
  push(publisher, video(17_300, avcFrame(true, 3)));
  expect(seen).toHaveLength(3);
});
