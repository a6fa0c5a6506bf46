import { expect, test } from "vitest";
import { BlockStore } from "../../src/relay/block-store.ts";
import { Delivery } from "../../src/relay/delivery.ts";
import { StreamHead } from "../../src/relay/stream-head.ts";
import { avcFrame } from "../support/media-messages.ts";
import { target } from "../support/relay-stage.ts";
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
