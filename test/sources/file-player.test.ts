import { expect, test } from "vitest";
import type { FilesSource } from "../../src/control/channels/source.ts";
import type { FlvTag } from "../../src/protocol/flv/flv-tag.ts";
import type { MediaMessage } from "../../src/relay/stream/media-message.ts";
import { FilePlayer } from "../../src/sources/file-player.ts";
import { nextPosition } from "../../src/sources/next-position.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";
import { AVC_CONFIG } from "../support/streams/media-messages.ts";

/** What FFmpeg would write: video each 40 ms and audio each 20 ms, from 0 on. */
class FakeClip {
  failure: string | undefined;
  takenTotal = 0;
  isKilled = false;
  readonly gone = Promise.resolve();
  readonly #tags: FlvTag[];
  readonly #isRead: boolean;

  /** `timeOf`: the file's own time of what plays so many milliseconds behind its beginning. */
  constructor(
    lengthMs: number,
    {
      isRead = true,
      failure,
      timeOf = (ms) => ms,
      heads = [],
    }: { isRead?: boolean; failure?: string; timeOf?: (ms: number) => number; heads?: readonly FlvTag[] } = {},
  ) {
    const frames = Array.from({ length: lengthMs / 20 }, (_, index) => [
      ...(index % 2 === 0 ? [{ type: 9, timestamp: timeOf(index * 20), payload: Buffer.from("video") }] : []),
      { type: 8, timestamp: timeOf(index * 20), payload: Buffer.from("audio") },
    ]);
    this.#tags = [...heads, ...frames.flat()];
    this.#isRead = isRead;
    this.failure = failure;
  }

  get next() {
    return this.#tags[0];
  }
  get isRead() {
    return this.#isRead || this.isKilled;
  }
  get isOver() {
    return this.isRead && this.#tags.length === 0;
  }
  take() {
    this.takenTotal += 1;
    return this.#tags.shift();
  }
  kill(reason?: string) {
    this.isKilled = true;
    this.failure ??= reason;
  }
}

function stageOf(
  source: FilesSource,
  clips: Readonly<Record<string, () => FakeClip | { reason: string }>>,
  position = 0,
  offsetMs = 0,
  mayReturn: (fileId: string) => boolean = () => false,
) {
  const clock = new VirtualClock();
  const pushed: MediaMessage[] = [];
  const told: string[] = [];
  const opened: FakeClip[] = [];
  let offset = "";
  const player = new FilePlayer(
    source,
    { position, offsetMs },
    {
      clock,
      publisher: { push: (message) => void pushed.push(message), end: () => undefined },
      isFull: () => false,
      flush: () => undefined,
      open: (fileId, offsetMs) => {
        offset = offsetMs === 0 ? "" : ` from ${offsetMs}`;
        const clip = clips[fileId]?.() ?? { reason: "gone" };
        if (!("reason" in clip)) opened.push(clip);
        return clip;
      },
      onPosition: (at, fileId) => void told.push(`${at} ${fileId}${offset}`),
      onSkipped: (fileId, detail) => void told.push(`${fileId}: ${detail}`),
      mayReturn,
      onLost: ({ position, fileId, detail }) => void told.push(`lost ${position} ${fileId}: ${detail}`),
      onOver: (reason, detail) => void told.push([reason, detail].filter((word) => word !== undefined).join(": ")),
    },
  );
  const times = (kind: string) => pushed.filter((each) => each.kind === kind).map(({ timestamp }) => timestamp);
  return { clock, player, told, opened, times };
}

const files = (...fileIds: string[]): FilesSource => ({ kind: "files", fileIds, isLooped: false });
const steady = (times: readonly number[]) => times.slice(1).map((time, index) => time - (times[index] ?? 0));

test("files follow one another without a gap, in real time", () => {
  const { clock, told, times } = stageOf(files("a", "b", "a"), {
    a: () => new FakeClip(2_000),
    b: () => new FakeClip(400),
  });
  clock.advance(1_000);
  expect(times("video").at(-1)).toBeLessThanOrEqual(1_000);
  expect(times("video").at(-1)).toBeGreaterThan(900);
  clock.advance(5_000);
  expect(new Set(steady(times("video")))).toEqual(new Set([40]));
  expect(new Set(steady(times("audio")))).toEqual(new Set([20]));
  expect(times("audio")).toHaveLength(220);
  expect(told).toEqual(["0 a", "1 b", "2 a", "finished"]);
});

test("a loop goes on for an hour with audio and video in step, and time never goes back", () => {
  const source = { ...files("a", "b"), isLooped: true };
  const { clock, player, times } = stageOf(source, { a: () => new FakeClip(20_000), b: () => new FakeClip(30_000) });
  clock.advance(3_600_000);
  void player.stop();
  const [video, audio] = [times("video"), times("audio")];
  expect(new Set(steady(video))).toEqual(new Set([40]));
  expect(new Set(steady(audio))).toEqual(new Set([20]));
  expect(Math.abs((video.at(-1) ?? 0) - (audio.at(-1) ?? 0))).toBeLessThanOrEqual(40);
  expect(video.at(-1)).toBeGreaterThan(3_599_000);
});

test("an edit takes effect behind the present file, also when the next one was open already", () => {
  const { clock, player, told, opened } = stageOf(files("a", "b"), {
    a: () => new FakeClip(2_000),
    b: () => new FakeClip(2_000),
    c: () => new FakeClip(2_000),
  });
  clock.advance(1_000);
  expect(opened).toHaveLength(2);
  player.update(files("c", "a", "c"));
  expect(opened[1]?.isKilled).toBe(true);
  clock.advance(10_000);
  expect(told).toEqual(["0 a", "2 c", "finished"]);
});

test("another list takes over at once, within the stream: time goes on", () => {
  const { clock, player, told, opened, times } = stageOf(files("a"), {
    a: () => new FakeClip(60_000),
    b: () => new FakeClip(2_000),
  });
  clock.advance(1_000);
  player.replace(files("a", "b"), { position: 1, offsetMs: 700 });
  expect(opened[0]?.isKilled).toBe(true);
  clock.advance(10_000);
  expect(told).toEqual(["0 a", "1 b from 700", "finished"]);
  expect(new Set(steady(times("video")))).toEqual(new Set([40]));
  expect(times("video").at(-1)).toBeGreaterThan(2_900);
});

test("a file that fails is skipped with its reason; where all fail, the player says so", () => {
  const broken = () => new FakeClip(0, { failure: "moov atom not found" });
  const some = stageOf(files("bad", "a", "gone"), { bad: broken, a: () => new FakeClip(400) });
  some.clock.advance(5_000);
  expect(some.told).toEqual(["0 bad", "bad: moov atom not found", "1 a", "gone: gone", "finished"]);
  const none = stageOf({ ...files("bad", "bad"), isLooped: true }, { bad: broken });
  none.clock.advance(5_000);
  expect(none.told.at(-1)).toBe("not-playable: moov atom not found");
});

test("where nothing more can be played, but a file may return, the first of those that failed is told", () => {
  const [broken, away] = [() => new FakeClip(0, { failure: "broken" }), () => new FakeClip(0, { failure: "away" })];
  const clips = { bad: broken, away, other: away, a: () => new FakeClip(400) };
  const endOf = (source: FilesSource, mayReturn: (fileId: string) => boolean) => {
    const { clock, told } = stageOf(source, clips, 0, 0, mayReturn);
    clock.advance(5_000);
    return told.filter((word) => /^(?:lost|finished|not-playable)/.test(word));
  };
  const watched = (fileId: string) => ["away", "other", "a"].includes(fileId);
  expect(endOf({ ...files("bad", "away", "other"), isLooped: true }, watched)).toEqual(["lost 1 away: away"]);
  // The rest of a list that plays once.
  expect(endOf(files("away", "a", "other", "away", "gone"), watched)).toEqual(["lost 2 other: away"]);
  expect(endOf(files("away", "a"), watched)).toEqual(["finished"]);
  expect(endOf(files("a", "bad"), watched)).toEqual(["finished"]);
  expect(endOf({ ...files("bad", "gone"), isLooped: true }, watched)).toEqual(["not-playable: broken"]);
  expect(endOf({ ...files("gone"), isLooped: true }, () => true)).toEqual(["lost 0 gone: gone"]);
});

test("a file of headers alone cannot be played: a loop of it does not start FFmpeg again and again", () => {
  const heads = [
    { type: 18, timestamp: 0, payload: Buffer.from("onMetaData") },
    { type: 9, timestamp: 0, payload: Buffer.concat([Buffer.from([0x17, 0, 0, 0, 0]), AVC_CONFIG.subarray(5)]) },
  ];
  const bare = () => new FakeClip(0, { heads });
  const loop = stageOf({ ...files("bare"), isLooped: true }, { bare });
  loop.clock.advance(60_000);
  expect([loop.told, loop.opened.length]).toEqual([["0 bare", "not-playable: it has no media"], 1]);
  // One that is joined at its very end has no more than that either, and plays whole from then on.
  const clips = [bare, () => new FakeClip(400)];
  const joined = stageOf({ ...files("a"), isLooped: true }, { a: () => (clips.shift() ?? bare)() }, 0, 399);
  joined.clock.advance(300);
  expect(joined.told.slice(0, 2)).toEqual(["0 a from 399", "0 a"]);
  expect(joined.times("video").length).toBeGreaterThan(1);
});

test("a file whose own times jump by days, and back, is played to its end in its own length", () => {
  const timeOf = (ms: number) => (ms < 500 ? ms : ms < 1_000 ? ms + 2 ** 31 : ms + 60_000);
  const { clock, told, times } = stageOf(files("odd", "a"), {
    odd: () => new FakeClip(1_500, { timeOf }),
    a: () => new FakeClip(400),
  });
  clock.advance(2_500);
  expect(told).toEqual(["0 odd", "1 a", "finished"]);
  expect(times("audio")).toHaveLength(95);
  expect(Math.min(...steady(times("audio")))).toBeGreaterThan(0);
  expect(Math.max(...steady(times("audio")))).toBeLessThanOrEqual(60);
});

test("FFmpeg that hangs is killed after 15 s, and the next file plays", () => {
  const { clock, told, opened } = stageOf(files("hung", "a"), {
    hung: () => new FakeClip(400, { isRead: false }),
    a: () => new FakeClip(400),
  });
  clock.advance(15_000);
  expect(opened[0]?.isKilled).toBe(false);
  clock.advance(5_000);
  expect(told).toEqual(["0 hung", "hung: nothing came from it for 15 s", "1 a", "finished"]);
});

test("a pause of the process is not FFmpeg's: it is killed only after 15 s in which it could have been read", () => {
  const { clock, told, opened } = stageOf(files("hung", "a"), {
    hung: () => new FakeClip(400, { isRead: false }),
    a: () => new FakeClip(400),
  });
  clock.advance(5_000);
  clock.pause(60_000);
  clock.advance(9_000);
  expect(opened[0]?.isKilled).toBe(false);
  clock.advance(3_000);
  expect(told.slice(0, 2)).toEqual(["0 hung", "hung: nothing came from it for 15 s"]);
});

test.each([
  { name: "the one behind it", fileIds: ["a", "b", "c"], present: { position: 0, fileId: "a" }, next: 1 },
  { name: "none behind the last", fileIds: ["a"], present: { position: 0, fileId: "a" }, next: undefined },
  { name: "the first again in a loop", fileIds: ["a"], isLooped: true, present: { position: 0, fileId: "a" }, next: 0 },
  { name: "behind its new place", fileIds: ["x", "y", "a", "b"], present: { position: 0, fileId: "a" }, next: 3 },
  { name: "what has its place once it is gone", fileIds: ["a", "c"], present: { position: 1, fileId: "b" }, next: 1 },
  {
    name: "the nearest of several",
    fileIds: ["a", "x", "x", "a", "y"],
    present: { position: 4, fileId: "a" },
    next: 4,
  },
])("the next file is $name", ({ fileIds, isLooped = false, present, next }) => {
  expect(nextPosition({ kind: "files", fileIds, isLooped }, present)).toBe(next);
});
