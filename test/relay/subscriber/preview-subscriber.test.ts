import { expect, test } from "vitest";
import { FLV_FILE_START } from "../../../src/protocol/flv/flv-tag.ts";
import { ChunkArena } from "../../../src/relay/packing/chunk-arena.ts";
import { PackedForms } from "../../../src/relay/packing/packed-forms.ts";
import { cutPacket } from "../../../src/relay/packing/rtmp-chunks.ts";
import type { Packet } from "../../../src/relay/stream/packet.ts";
import { PreviewSubscriber } from "../../../src/relay/subscriber/preview/preview-subscriber.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { marksOf, RelayStage, target } from "../../support/stages/relay-stage.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";
import { avcFrame, video } from "../../support/streams/media-messages.ts";

const METADATA = Buffer.concat([
  Buffer.from("02000d40736574446174614672616d65", "hex"),
  Buffer.from("020003616263", "hex"),
]);
const CONFIG = Buffer.from("1700000000aa", "hex");
const HEAD = [
  { kind: "data", type: 18, payload: METADATA },
  { kind: "video", type: 9, payload: CONFIG },
] as const;
const MIB = 1024 * 1024;

class Sink {
  readonly batches: Buffer[] = [];
  isOver = false;
  take(bytes: Uint8Array): void {
    this.batches.push(Buffer.from(bytes));
  }
  end(): void {
    this.isOver = true;
  }
  get tags() {
    return readFlv(Buffer.concat(this.batches));
  }
}

const arena = new ChunkArena();
function frame(timeMs: number, isKeyframe: boolean, bytes = 8): Packet {
  const payload = Buffer.alloc(bytes, isKeyframe ? 0x17 : 0x27);
  const marks = { isConfig: false, isKeyframe, trackId: 0, startsTrack: isKeyframe };
  const fields = { kind: "video", type: 9, ...marks, timeMs, arrivalMs: timeMs, ordinal: 1 } as const;
  return cutPacket(arena, fields, 40, payload);
}

/** Offers a packet as the fan-out does. */
function offer(preview: PreviewSubscriber, packet: Packet, packer = new PackedForms()): void {
  if (preview.isWaitingToBegin && packet.isKeyframe) preview.begin(HEAD, packet.timeMs, packer);
  preview.offer(packet, packet.isKeyframe, packer);
}

test("a preview is an FLV file from the first keyframe on: metadata, headers, and times from 0", () => {
  const sink = new Sink();
  const preview = new PreviewSubscriber(sink, new VirtualClock());
  offer(preview, frame(4_960, false));
  offer(preview, frame(5_000, true, 9_000));
  offer(preview, frame(5_040, false));
  preview.flush();
  expect(sink.batches).toHaveLength(1);
  expect(sink.batches[0]?.subarray(0, FLV_FILE_START.length)).toEqual(FLV_FILE_START);
  expect(sink.tags.map(({ type, timestamp, payload }) => [type, timestamp, payload.length])).toEqual([
    [18, 0, METADATA.length - 16],
    [9, 0, CONFIG.length],
    [9, 0, 9_000],
    [9, 40, 8],
  ]);
  expect(sink.tags[2]?.payload).toEqual(Buffer.alloc(9_000, 0x17));
});

test("a viewer that is behind loses frames up to the next keyframe, and holds no more than its bound", () => {
  const sink = new Sink();
  const preview = new PreviewSubscriber(sink, new VirtualClock());
  offer(preview, frame(0, true, 4 * MIB));
  preview.flush();
  offer(preview, frame(40, false));
  offer(preview, frame(1_000, true));
  preview.taken(4 * MIB);
  offer(preview, frame(1_040, false));
  offer(preview, frame(2_000, true));
  offer(preview, frame(2_040, false));
  preview.flush();
  expect(sink.tags.slice(2).map(({ timestamp }) => timestamp)).toEqual([0, 2_000, 2_040]);
  expect(sink.isOver).toBe(false);
});

test("a viewer that takes nothing for ten seconds is cut, and one that was sent nothing is not", () => {
  const sink = new Sink();
  const clock = new VirtualClock();
  const preview = new PreviewSubscriber(sink, clock);
  clock.advance(60_000);
  preview.tick();
  expect(sink.isOver).toBe(false);
  offer(preview, frame(0, true));
  preview.flush();
  clock.advance(9_999);
  preview.tick();
  expect(sink.isOver).toBe(false);
  clock.advance(1);
  preview.tick();
  expect(sink.isOver).toBe(true);
});

test("a preview that throws ends alone, and the channel's targets and other previews get everything", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  const broken = new PreviewSubscriber(
    {
      take: () => {
        throw new Error("the other side is gone");
      },
      end: () => {
        throw new Error("and its end throws too");
      },
    },
    stage.clock,
  );
  const sink = new Sink();
  expect(stage.engine.subscribe("ls-1", broken)).toBe(true);
  expect(stage.engine.subscribe("ls-1", new PreviewSubscriber(sink, stage.clock))).toBe(true);
  publisher.push(video(0, avcFrame(true, 1)));
  stage.engine.flush();
  publisher.push(video(40, avcFrame(false, 2)));
  stage.engine.flush();
  stage.clock.advance(1_000);
  publisher.push(video(1_040, avcFrame(false, 3)));
  stage.engine.flush();
  expect(marksOf(stage.dialer.latest(1)).slice(2)).toEqual([
    [9, 0, 1],
    [9, 40, 2],
    [9, 1_040, 3],
  ]);
  expect(sink.tags.filter(({ type, payload }) => type === 9 && payload[1] === 1)).toHaveLength(3);
  const faults = stage.facts.filter(({ kind }) => kind === "internal-fault");
  expect(faults).toHaveLength(1);
});
