import { expect, test } from "vitest";
import { RenditionFanOut } from "../../../src/relay/rendition/rendition-fan-out.ts";
import { BlockStore } from "../../../src/relay/stream/block-store.ts";
import { DecoderConfig } from "../../../src/relay/stream/config/decoder-config.ts";
import { FillerStock } from "../../../src/relay/stream/filler/filler-stock.ts";
import { WHOLE_STREAM } from "../../../src/relay/subscriber/subscriber.ts";
import { marksOf, RelayStage, target } from "../../support/stages/relay-stage.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";
import { avcFrame, video } from "../../support/streams/media-messages.ts";

test("a rendition without a target keeps nothing of the filler that was begun for it", () => {
  const head = new DecoderConfig();
  const fanOut = new RenditionFanOut({
    ...{ clock: new VirtualClock(), blocks: new BlockStore(), stock: new FillerStock(), head: () => head },
    onFault: (error) => {
      throw error;
    },
  });
  fanOut.prepare([{ ...WHOLE_STREAM, tracks: { video: 1, audio: 0 } }]);
  const rendition = fanOut.renditions[1];
  if (rendition === undefined) throw new Error("no rendition of its own");
  const marks = { isConfig: false, isKeyframe: true, trackId: 0, startsTrack: true, timeMs: 0, arrivalMs: 0 };
  const frame = { kind: "video", type: 9, ...marks, payload: avcFrame(true, 1) } as const;
  fanOut.sendFiller(rendition, frame);
  expect(rendition.batch.packets).toHaveLength(1);
  fanOut.flush();
  fanOut.prepare([WHOLE_STREAM]);
  fanOut.sendFiller(rendition, frame);
  expect(rendition.batch.packets).toEqual([]);
});

test("the next broadcast does not overwrite data of a flush that a socket has not taken", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  // The block a target joins in is kept in any case: here a target's join fills it.
  publisher.push(video(0, avcFrame(true, 1, 300 * 1024)));
  stage.flush();
  const link = stage.dialer.latest(1);
  link.isTaking = false;
  publisher.push(video(40, avcFrame(false, 2)));
  stage.flush();
  expect(link.pendingBytes).toBeGreaterThan(0);
  publisher.end("clean");
  const next = stage.onAir(target(1));
  for (let mark = 3; mark < 20; mark += 1) next.push(video(mark * 40, avcFrame(mark === 3, mark)));
  stage.flush();
  expect(marksOf(link).slice(-2)).toEqual([
    [9, 0, 1],
    [9, 40, 2],
  ]);
});
