import { expect, test } from "vitest";
import type { PublisherHandle } from "../../../../src/relay/publisher/publisher.ts";
import type { ShelfListener } from "../../../../src/relay/subscriber/delay/delay-shelf.ts";
import type { DelaySample } from "../../../../src/thread-protocol/delays/delay.ts";
import { targetError } from "../../../../src/thread-protocol/targets/target-errors.ts";
import { marksOf, mediaOf, RelayStage, target } from "../../../support/stages/relay-stage.ts";
import { AudioPacket, oneTrackTag } from "../../../support/streams/enhanced-tags.ts";
import {
  AAC_CONFIG,
  AVC_CONFIG,
  AVC_CONFIG_CHANGED,
  aacFrame,
  audio,
  avcFrame,
  metadata,
  video,
} from "../../../support/streams/media-messages.ts";

const FRAME_MS = 40;
const GOP_FRAMES = 25;
const DELAY_S = 10;

const delayed = (targetId: number, delaySeconds = DELAY_S) => target(targetId, { delaySeconds });

/** An encoder at 25 frames a second with a keyframe each second; links are accepted as they are dialled. */
class Show {
  readonly stage = new RelayStage();
  publisher: PublisherHandle | undefined;
  /** Targets accept no further links for now. */
  isBusy = false;
  #accepted = 0;
  #timeMs = 0;

  begin(...targets: Parameters<RelayStage["spec"]>[0]): void {
    this.stage.engine.introduce(this.stage.spec(targets));
    this.publisher = this.stage.open();
    this.#timeMs = 0;
    this.publisher.push(audio(0, AAC_CONFIG));
    this.publisher.push(video(0, AVC_CONFIG));
  }

  /** Sends video and audio for so long. Each frame's last byte is its number. */
  play(seconds: number): void {
    const untilMs = this.#timeMs + seconds * 1_000;
    for (; this.#timeMs < untilMs; this.#timeMs += FRAME_MS) {
      const frame = this.#timeMs / FRAME_MS;
      this.publisher?.push(video(this.#timeMs, avcFrame(frame % GOP_FRAMES === 0, frame % 256)));
      this.publisher?.push(audio(this.#timeMs, aacFrame(frame % 256)));
      this.pass(FRAME_MS);
    }
  }

  pass(ms: number): void {
    this.stage.clock.advance(ms);
    const { links } = this.stage.dialer;
    if (this.isBusy) return;
    for (; this.#accepted < links.length; this.#accepted += 1) links[this.#accepted]?.accept();
  }

  change(...targets: Parameters<RelayStage["spec"]>[0]): void {
    this.stage.engine.apply(this.stage.spec(targets));
  }

  links(targetId: number) {
    return this.stage.dialer.links.filter((link) => link.target.targetId === targetId);
  }

  times(targetId: number): number[] {
    return mediaOf(this.stage.dialer.latest(targetId)).map(({ timestamp }) => timestamp);
  }

  delay(targetId = 1): DelaySample | undefined {
    const { targets = [] } = this.stage.samples.at(-1) ?? {};
    return targets.find((each) => each.targetId === targetId)?.delay;
  }
}

const SECOND_TRACK = oneTrackTag(
  { kind: "audio", isKeyframe: false, packetType: AudioPacket.SequenceStart },
  { trackId: 1, fourCc: "mp4a", body: Buffer.from("1190", "hex") },
);

const ascending = (times: readonly number[]) => times.toSorted((a, b) => a - b);

test("a delayed target gets the same media, to the byte, later by its delay", () => {
  const show = new Show();
  show.begin(delayed(1), target(2));
  show.play(9.96);
  expect(show.links(1)).toHaveLength(0);
  expect(show.stage.status(1)).toBeUndefined();
  expect(show.delay()).toMatchObject({ state: "FILLING", delayMs: 10_000 });
  show.play(0.12);
  expect(show.links(1)).toHaveLength(1);
  expect(show.stage.status(1)?.status).toBe("PUBLISHING");
  show.play(14.92);
  expect(show.delay()).toMatchObject({ state: "DELAYED", delayMs: 10_000, diskBytes: 0 });
  const { bufferedMs = 0, bufferedBytes = 0 } = show.delay() ?? {};
  expect(bufferedMs).toBeGreaterThan(9_900);
  expect(bufferedMs).toBeLessThanOrEqual(10_050);
  expect(bufferedBytes).toBeGreaterThan(10_000);
  const [late, live] = [show.links(1)[0], show.links(2)[0]].map((link) => (link === undefined ? [] : marksOf(link)));
  expect(late?.length).toBeGreaterThan(700);
  expect(late).toEqual(live?.slice(0, late?.length));
  // Ten seconds of 25 frames of each kind are missing, and what lies between two flushes.
  expect((live?.length ?? 0) - (late?.length ?? 0)).toBeGreaterThanOrEqual(496);
  expect((live?.length ?? 0) - (late?.length ?? 0)).toBeLessThanOrEqual(504);
});

test("when the encoder ends, the rest still goes out, then the target is left as the broadcast was", () => {
  const show = new Show();
  show.begin(delayed(1), target(2));
  show.play(12);
  show.publisher?.end("clean");
  expect(show.links(2)[0]?.closedHow).toBe("end");
  show.pass(9_900);
  expect(show.delay()?.state).toBe("DRAINING");
  expect(show.delay()?.bufferedMs).toBeLessThan(1_200);
  expect(show.links(1)[0]?.closedHow).toBeUndefined();
  show.pass(200);
  const [late, live] = [show.links(1)[0], show.links(2)[0]].map((link) => (link === undefined ? [] : marksOf(link)));
  expect(late).toEqual(live);
  expect(show.links(1)[0]?.closedHow).toBe("end");
  expect(show.stage.status(1)?.status).toBe("READY");
  show.pass(1_100);
  expect(show.delay()?.state).not.toBe("FILLING");
});

test("a broadcast that begins while the one before still goes out follows it, over a connection of its own", () => {
  const show = new Show();
  show.begin(delayed(1));
  show.play(12);
  show.publisher?.end("clean");
  show.pass(3_000);
  show.begin(delayed(1));
  show.play(8);
  expect(show.links(1)).toHaveLength(1);
  show.play(6);
  expect(show.links(1).map(({ closedHow }) => closedHow)).toEqual(["end", undefined]);
  expect(show.times(1).slice(0, 4)).toEqual([0, 0, 0, 0]);
  expect(show.times(1).length).toBeGreaterThan(100);
});

test("an end from outside, or a target turned off, drops what is delayed", () => {
  const show = new Show();
  show.begin(delayed(1), delayed(2));
  show.play(12);
  show.change({ ...delayed(1), isEnabled: false }, delayed(2));
  expect(show.links(1)[0]?.closedHow).toBe("end");
  expect(show.stage.status(1)?.status).toBe("READY");
  show.stage.engine.end("ls-1");
  expect(show.links(2)[0]?.closedHow).toBe("end");
  const count = show.times(2).length;
  show.pass(30_000);
  expect(show.times(2)).toHaveLength(count);
  expect(show.stage.dialer.links).toHaveLength(2);
});

test("turned on again while on air, it gets the stream from then on, later by its delay", () => {
  const show = new Show();
  show.begin({ ...delayed(1), isEnabled: false });
  show.play(5);
  show.change(delayed(1));
  show.play(9.9);
  expect(show.links(1)).toHaveLength(0);
  show.play(2);
  expect(show.links(1)).toHaveLength(1);
  expect(show.times(1).length).toBeGreaterThan(50);
});

test("a cut goes on live at the next keyframe, in the same connection, with time that goes on", () => {
  const show = new Show();
  show.begin(delayed(1), target(2));
  show.play(15.5);
  const before = show.times(1).length;
  show.stage.engine.cutDelay("ls-1", 1);
  show.play(0.48);
  const [last = 0] = show.times(1).slice(-1);
  expect(show.times(1).length - before).toBeGreaterThan(20);
  show.play(4);
  const [link] = show.links(1);
  if (link === undefined) throw new Error("no link");
  const marks = marksOf(link);
  const at = marks.findIndex(([type, time]) => type === 9 && (time as number) > last);
  // Frame 400 is the keyframe of second 16.
  expect(marks[at]?.[2]).toBe(400 % 256);
  expect((marks[at]?.[1] as number) - last).toBeLessThanOrEqual(2 * FRAME_MS + 50);
  expect(show.times(1)).toEqual(ascending(show.times(1)));
  const live = show.links(2)[0];
  expect(marks.at(-1)?.[2]).toBe(live === undefined ? undefined : marksOf(live).at(-1)?.[2]);
  expect(show.links(1)).toHaveLength(1);
  expect(show.delay()).toMatchObject({ state: "LIVE", delayMs: 0 });
});

test("after a cut the next broadcast is delayed again", () => {
  const show = new Show();
  show.begin(delayed(1));
  show.play(12);
  show.stage.engine.cutDelay("ls-1", 1);
  show.play(3);
  show.publisher?.end("clean");
  show.pass(200);
  expect(show.links(1)[0]?.closedHow).toBe("end");
  show.begin(delayed(1));
  show.play(9.9);
  expect(show.links(1)).toHaveLength(1);
  show.play(0.3);
  expect(show.links(1)).toHaveLength(2);
});

test("a cut while the rest goes out ends the target at once", () => {
  const show = new Show();
  show.begin(delayed(1));
  show.play(12);
  show.publisher?.end("clean");
  show.stage.engine.cutDelay("ls-1", 1);
  show.pass(100);
  expect(show.links(1)[0]?.closedHow).toBe("end");
});

test("a longer delay shows the last frame, then goes on where it was", () => {
  const show = new Show();
  show.begin(delayed(1, 2), target(2));
  show.play(6);
  show.change(delayed(1, 5), target(2));
  show.play(10);
  const [link] = show.links(1);
  const [live] = show.links(2);
  if (link === undefined || live === undefined) throw new Error("no link");
  expect(show.times(1)).toEqual(ascending(show.times(1)));
  expect(show.links(1)).toHaveLength(1);
  const ownVideo = marksOf(link).filter(([type]) => type === 9);
  const liveVideo = marksOf(live).filter(([type]) => type === 9);
  // Filler, twice a second for three seconds, and no frame is lost.
  const repeated = ownVideo.length - (liveVideo.length - 5 * 25);
  expect(repeated).toBeGreaterThanOrEqual(4);
  expect(repeated).toBeLessThanOrEqual(8);
  const gaps = show.times(1).map((time, index, all) => time - (all[index - 1] ?? 0));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(500);
  expect(show.delay()).toMatchObject({ state: "DELAYED", delayMs: 5_000 });
});

test("a shorter delay drops what is between, from keyframe to keyframe", () => {
  const show = new Show();
  show.begin(delayed(1, 8), target(2));
  show.play(12);
  show.change(delayed(1, 3), target(2));
  show.play(4);
  expect(show.links(1)).toHaveLength(1);
  expect(show.times(1)).toEqual(ascending(show.times(1)));
  expect(show.delay()).toMatchObject({ state: "DELAYED", delayMs: 3_000 });
  const [link] = show.links(1);
  const frames = link === undefined ? [] : marksOf(link).filter(([type]) => type === 9);
  const at = frames.findIndex(([, , mark], index) => index > 1 && mark !== ((frames[index - 1]?.[2] ?? 0) + 1) % 256);
  expect((frames[at]?.[2] ?? 1) % 25).toBe(0);
});

test("a delay added on air keeps the connection; removed, the target goes on live", () => {
  const show = new Show();
  show.begin(target(1), target(2));
  show.play(4);
  show.change(delayed(1, 3), target(2));
  show.play(6);
  expect(show.delay()).toMatchObject({ state: "DELAYED", delayMs: 3_000 });
  show.change(target(1), target(2));
  show.play(4);
  expect(show.links(1)).toHaveLength(1);
  expect(show.times(1)).toEqual(ascending(show.times(1)));
  const [own, live] = [show.links(1)[0], show.links(2)[0]];
  expect(own === undefined ? 0 : marksOf(own).at(-1)?.[2]).toBe(live === undefined ? 1 : marksOf(live).at(-1)?.[2]);
  show.publisher?.end("clean");
  show.pass(100);
  show.begin(target(1), target(2));
  show.play(0.5);
  expect(show.links(1)).toHaveLength(2);
});

test("a connection that is made anew begins with the delayed stream's keyframe and its own headers", () => {
  const show = new Show();
  show.begin(delayed(1, 4));
  show.play(6);
  show.publisher?.push(video(6_000, AVC_CONFIG_CHANGED));
  show.play(3);
  show.links(1)[0]?.fail({ code: "TCP_RESET", severity: "transient", message: "lost", messageKo: "오류" });
  // Four seconds behind, the headers are still the old ones.
  show.play(3);
  const links = show.links(1);
  expect(links.length).toBeGreaterThanOrEqual(2);
  const first = links[1] === undefined ? [] : mediaOf(links[1]).filter(({ type }) => type === 9);
  expect(first[0]?.payload.toString("hex")).toBe(AVC_CONFIG.toString("hex"));
  expect(first[1]?.payload[0]).toBe(0x17);
});

test("a channel that still goes out is not forgotten, and then is", () => {
  const show = new Show();
  show.begin(delayed(1));
  show.play(11);
  show.publisher?.end("clean");
  show.pass(5_000);
  expect(show.stage.engine.forgetIdle(1_000)).toEqual([]);
  show.pass(6_000);
  expect(show.stage.engine.forgetIdle(1_000)).toEqual(["ls-1"]);
});

test("a disk that takes no more: what came before still goes out, then the target is told why, and comes back", () => {
  let listener: ShelfListener | undefined;
  const lying = new Map<number, Uint8Array<ArrayBuffer>>();
  const stage: RelayStage = new RelayStage(0, undefined, {
    open: (opened) => {
      listener = opened;
      return {
        put: (id, bytes) => void lying.set(id, bytes),
        take: (id) => void stage.clock.startTimer(1, () => opened.taken(id, lying.get(id))),
        drop: () => undefined,
        close: () => undefined,
      };
    },
  });
  const publisher = stage.onAir(delayed(1, 60));
  let second = 0;
  /** A keyframe a second. */
  const play = (seconds: number, bytes = 100): void => {
    for (const until = second + seconds; second < until; second += 1) {
      publisher.push(video(second * 1_000, avcFrame(true, second, bytes)));
      stage.clock.advance(1_000);
      for (const link of stage.dialer.links)
        if (link.writes.length === 0 && link.closedHow === undefined) link.accept();
    }
  };
  play(40, 990_000);
  expect(lying.size).toBeGreaterThan(3);
  listener?.failed("disk-full");
  play(59);
  expect(stage.status()?.status).toBe("PUBLISHING");
  play(3);
  const frames = mediaOf(stage.dialer.latest(1)).filter(({ payload }) => payload.length > 900_000);
  expect(frames.map(({ payload }) => payload.at(-1))).toEqual(Array.from({ length: 40 }, (_, frame) => frame));
  const failed = stage.status();
  expect(failed).toMatchObject({ status: "FAIL", lastError: { message: targetError("delay-disk-full").message } });
  for (const id of lying.keys()) listener?.stored(id);
  play(65);
  expect(stage.status()?.status).toBe("PUBLISHING");
});

test.each([
  { what: "metadata", message: (ms: number) => metadata({ width: 1280, height: 720, now: ms }), isFrom: 0 },
  { what: "the header of a further track", message: (ms: number) => audio(ms, SECOND_TRACK), isFrom: 0 },
  // What came before it cannot be decoded with it.
  { what: "another header", message: (ms: number) => video(ms, AVC_CONFIG_CHANGED), isFrom: 25 },
])("a connection that is accepted behind $what begins with frame $isFrom", ({ message, isFrom }) => {
  const show = new Show();
  show.begin(delayed(1, 2));
  show.play(0.4);
  show.publisher?.push(message(400));
  show.isBusy = true;
  show.play(2.4);
  expect(show.links(1)).toHaveLength(1);
  show.isBusy = false;
  show.play(1);
  const [header, first] = marksOf(show.stage.dialer.latest(1)).filter(([type]) => type === 9);
  expect([header?.[1], first]).toEqual([0, [9, 0, isFrom]]);
});
