import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { PublisherHandle } from "../../../src/relay/publisher/publisher.ts";
import type { Block } from "../../../src/relay/stream/block-store.ts";
import { WaitingMemory } from "../../../src/relay/stream/waiting-memory.ts";
import type { TargetSpec } from "../../../src/thread-protocol/channel-spec.ts";
import { mediaOf, RelayStage, target } from "../../support/stages/relay-stage.ts";
import { AVC_CONFIG, avcFrame, video } from "../../support/streams/media-messages.ts";

const MIB = 1024 * 1024;
const GROUP_FRAMES = 20;
/** 0.75 Mbit/s at ten frames a second. */
const FRAME_BYTES = 9_400;
const FRAME_MS = 100;
const PAUSE_MS = 2_000;
/** 18 s of media, of which the clock that a target's time counts by has 4.5 s. */
const TURNS = 9;

const block = (bytes: number): Block => ({ bytes: Buffer.alloc(bytes), holders: 0, isKept: false });

function bufferMib(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  // Buffers are freed behind the first collection.
  if (typeof collect === "function") for (let count = 0; count < 3; count += 1) collect();
  return process.memoryUsage().arrayBuffers / MIB;
}

test("a block counts once, however often it is held", () => {
  const memory = new WaitingMemory();
  const [first, second] = [block(1_000), block(300)];
  for (const each of [first, second, first]) memory.hold(each);
  expect(memory.bytes).toBe(1_300);
  memory.letGo(first);
  expect(memory.bytes).toBe(1_300);
  memory.letGo(first);
  expect(memory.bytes).toBe(300);
});

test("one receiver has 16 MiB as long as little waits, then an eighth of what is left, at last nothing", () => {
  const memory = new WaitingMemory();
  expect(memory.eachBytesMax).toBe(16 * MIB);
  memory.add(384 * MIB);
  expect(memory.eachBytesMax).toBe(16 * MIB);
  memory.add(64 * MIB);
  expect(memory.eachBytesMax).toBe(8 * MIB);
  memory.add(128 * MIB);
  expect(memory.eachBytesMax).toBe(0);
  memory.remove(576 * MIB);
  expect(memory.eachBytesMax).toBe(16 * MIB);
});

/** What the memory of all buffers grows by, in MiB, while this runs. */
function grownMib(run: () => void): number {
  const before = bufferMib();
  run();
  return bufferMib() - before;
}

/** Channels with one target each, or one channel with many: on air, and the targets take nothing more. */
function stuck(stage: RelayStage, channels: readonly (readonly TargetSpec[])[]): readonly PublisherHandle[] {
  const publishers = channels.map((targets, index) => {
    stage.engine.introduce(stage.spec(targets, `ls-${index}`));
    return stage.open(`ls-${index}`);
  });
  for (const publisher of publishers) publisher.push(video(0, AVC_CONFIG));
  for (const link of stage.dialer.links) link.accept();
  for (const publisher of publishers) publisher.push(video(0, avcFrame(true, 0)));
  stage.flush();
  for (const link of stage.dialer.links) link.isTaking = false;
  return publishers;
}

/** A starved machine: between two turns of so many it stands still for 2 s, and then the media of that time comes. */
function starve(stage: RelayStage, publishers: readonly PublisherHandle[], turns: number): void {
  for (let frame = 1; frame <= (turns * PAUSE_MS) / FRAME_MS; frame += 1) {
    const payload = avcFrame(frame % GROUP_FRAMES === 0, frame, FRAME_BYTES);
    for (const publisher of publishers) publisher.push(video(frame * FRAME_MS, payload));
    if ((frame * FRAME_MS) % PAUSE_MS !== 0) continue;
    stage.clock.pause(PAUSE_MS);
    stage.flush();
  }
}

test("100 stuck targets of one channel hold no more than one of them does", () => {
  const stage = new RelayStage();
  const targets = Array.from({ length: 100 }, (_, index) => target(index + 1));
  const publishers = stuck(stage, [targets]);
  expect(grownMib(() => starve(stage, publishers, TURNS))).toBeLessThan(4);
});

test("100 channels with a stuck target each, on a starved machine, stay below the limit together", () => {
  const stage = new RelayStage(0, undefined, undefined, 64 * MIB);
  const targets = Array.from({ length: 100 }, (_, index) => [target(index + 1)]);
  const publishers = stuck(stage, targets);
  // Beside it lies the group of pictures that is coming, in blocks: what waits is counted in blocks, too.
  expect(grownMib(() => starve(stage, publishers, TURNS))).toBeLessThan(64 + 100 * 0.75);
  // Each target has the last frames waiting, from the last keyframe on.
  for (const link of stage.dialer.links) {
    link.isTaking = true;
    link.drain();
    const messages = mediaOf(link);
    const keyframeAt = messages.findLastIndex(({ payload }) => payload[0] === 0x17);
    const waited = messages.slice(keyframeAt).map(({ timestamp }) => timestamp);
    expect(waited.at(-1)).toBe(TURNS * PAUSE_MS);
    expect(waited.every((timestamp, index) => timestamp === (waited[0] ?? 0) + index * FRAME_MS)).toBe(true);
  }
});
