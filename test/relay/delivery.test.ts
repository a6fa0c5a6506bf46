import { expect, test } from "vitest";
import { BlockStore } from "../../src/relay/block-store.ts";
import { Delivery } from "../../src/relay/delivery.ts";
import { StreamHead } from "../../src/relay/stream-head.ts";
import { avcFrame, video } from "../support/media-messages.ts";
import { marksOf, RelayStage, target } from "../support/relay-stage.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

test("a lane that nobody wants any more gathers nothing of the filler that was begun for it", () => {
  const head = new StreamHead();
  const delivery = new Delivery({
    ...{ clock: new VirtualClock(), blocks: new BlockStore(), head: () => head },
    onFault: (error) => {
      throw error;
    },
  });
  delivery.provideFor([target(1, { tracks: { video: 1, audio: 0 } })]);
  const lane = delivery.lanes[1];
  if (lane === undefined) throw new Error("no lane of its own");
  const marks = { isConfig: false, isKeyframe: true, trackId: 0, startsTrack: true, timeMs: 0, arrivalMs: 0 };
  const frame = { kind: "video", type: 9, ...marks, payload: avcFrame(true, 1) } as const;
  delivery.sendFiller(lane, frame);
  expect(lane.gathering.packets).toHaveLength(1);
  delivery.flush();
  delivery.provideFor([target(1)]);
  delivery.sendFiller(lane, frame);
  expect(lane.gathering.packets).toEqual([]);
});

test("what a socket has not taken of a flush is not written over by the next broadcast", () => {
  const stage = new RelayStage();
  const source = stage.onAir(target(1));
  // The block a target joins in is kept in any case: this one is full with it.
  source.push(video(0, avcFrame(true, 1, 300 * 1024)));
  stage.flush();
  const link = stage.dialer.latest(1);
  link.isTaking = false;
  source.push(video(40, avcFrame(false, 2)));
  stage.flush();
  expect(link.pendingBytes).toBeGreaterThan(0);
  source.end("clean");
  const next = stage.onAir(target(1));
  for (let mark = 3; mark < 20; mark += 1) next.push(video(mark * 40, avcFrame(mark === 3, mark)));
  stage.flush();
  expect(marksOf(link).slice(-2)).toEqual([
    [9, 0, 1],
    [9, 40, 2],
  ]);
});
