import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { ChunkReader } from "../../../src/protocol/rtmp/chunk/chunk-reader.ts";
import type { Message } from "../../../src/protocol/rtmp/message.ts";
import { ChunkArena } from "../../../src/relay/packing/chunk-arena.ts";
import { FlushBatch } from "../../../src/relay/packing/flush-batch.ts";
import { MEDIA_CHUNK_SIZE } from "../../../src/relay/packing/media-chunk-size.ts";
import { cutPacket, withOwnMemory } from "../../../src/relay/packing/rtmp-chunks.ts";
import type { Packet, PacketKind, PacketMarks } from "../../../src/relay/stream/packet.ts";
import { WaitingMemory } from "../../../src/relay/stream/waiting-memory.ts";
import type { SendQueueLimits } from "../../../src/relay/subscriber/rtmp-push/choose-drops.ts";
import { SendQueue } from "../../../src/relay/subscriber/rtmp-push/send-queue.ts";

const LIMITS: SendQueueLimits = { bytesMax: 10_000, timeMaxMs: 1_000 };

/** Cuts packets as a channel does: each a delta to the one before it of its kind. */
class Cutter {
  #arena = new ChunkArena();
  readonly #last: Record<PacketKind, { timeMs: number; ordinal: number }> = {
    audio: { timeMs: 0, ordinal: 0 },
    video: { timeMs: 0, ordinal: 0 },
    data: { timeMs: 0, ordinal: 0 },
  };
  /** When the packets arrive; undefined: at their own time. */
  arrivalMs: number | undefined;

  cut(kind: PacketKind, timeMs: number, payload: Buffer, flags: Partial<PacketMarks> = {}): Packet {
    const last = this.#last[kind];
    const type = { audio: 8, video: 9, data: 18 }[kind];
    const marks = { isConfig: false, isKeyframe: false, trackId: 0, startsTrack: false, ...flags };
    const arrivalMs = this.arrivalMs ?? timeMs;
    const fields = { kind, type, ...marks, timeMs, arrivalMs, ordinal: last.ordinal + 1 };
    const packet = cutPacket(this.#arena, fields, timeMs - last.timeMs, payload);
    last.timeMs = timeMs;
    last.ordinal += 1;
    return packet;
  }

  /** Releases the memory of all packets that were cut. */
  forget(): void {
    this.#arena = new ChunkArena();
  }

  key(timeMs: number, bytes = 50): Packet {
    return this.cut("video", timeMs, Buffer.alloc(bytes, 0x17), { isKeyframe: true });
  }

  inter(timeMs: number, bytes = 50): Packet {
    return this.cut("video", timeMs, Buffer.alloc(bytes, 0x27));
  }

  audio(timeMs: number, bytes = 10): Packet {
    return this.cut("audio", timeMs, Buffer.alloc(bytes, 0xaf));
  }

  config(timeMs: number): Packet {
    return this.cut("video", timeMs, Buffer.alloc(20, 0xcc), { isConfig: true });
  }
}

function read(...pieces: readonly (Buffer | undefined)[]): Message[] {
  const reader = new ChunkReader({
    messageBytesMax: () => 16_777_215,
    partialMessagesMax: 8,
    chunkStreamsMax: 256,
    partialBytesMax: 64_000_000,
    chunkSizeMin: 1,
  });
  const announce = Buffer.from(`0200000000000401000000000000${MEDIA_CHUNK_SIZE.toString(16).padStart(4, "0")}`, "hex");
  reader.receive(announce, () => undefined);
  const messages: Message[] = [];
  for (const piece of pieces) if (piece !== undefined) reader.receive(piece, (message) => messages.push(message));
  return messages;
}

const shape = (messages: readonly Message[]) =>
  messages.map(({ type, timestamp, streamId, payload }) => [type, timestamp, streamId, payload.length]);

test("time starts at 0 for each connection, and the headers go first at 0", () => {
  const cutter = new Cutter();
  cutter.key(70_000);
  const sendQueue = new SendQueue(7);
  const key = cutter.key(71_000);
  sendQueue.begin(key.timeMs, [
    { kind: "data", type: 18, payload: Buffer.alloc(3) },
    { kind: "audio", type: 8, payload: Buffer.alloc(4) },
    { kind: "video", type: 9, payload: Buffer.alloc(5) },
  ]);
  sendQueue.offer(key);
  sendQueue.offer(cutter.audio(71_010));
  sendQueue.offer(cutter.inter(71_040));
  expect(shape(read(sendQueue.take(1_000_000)))).toEqual([
    [18, 0, 7, 3],
    [8, 0, 7, 4],
    [9, 0, 7, 5],
    [9, 0, 7, 50],
    [8, 10, 7, 10],
    [9, 40, 7, 50],
  ]);
  expect(sendQueue.isEmpty).toBe(true);
});

test("several sequence headers of one kind all go at 0", () => {
  const cutter = new Cutter();
  const sendQueue = new SendQueue(1);
  const key = cutter.key(500);
  sendQueue.begin(500, [
    { kind: "video", type: 9, payload: Buffer.alloc(5) },
    { kind: "video", type: 9, payload: Buffer.alloc(6) },
  ]);
  sendQueue.offer(key);
  expect(shape(read(sendQueue.take(1_000_000)))).toEqual([
    [9, 0, 1, 5],
    [9, 0, 1, 6],
    [9, 0, 1, 50],
  ]);
});

test("targets that joined at different times are given the very same memory once they are under way", () => {
  const cutter = new Cutter();
  const first = new SendQueue(1);
  const second = new SendQueue(9);
  const key = cutter.key(0);
  first.begin(0, []);
  first.offer(key);
  first.take(1_000_000);
  const laterKey = cutter.key(2_000);
  second.begin(2_000, []);
  for (const sendQueue of [first, second]) {
    sendQueue.offer(laterKey);
    sendQueue.take(1_000_000);
  }
  const run = [cutter.inter(2_040), cutter.inter(2_080), cutter.inter(2_120)];
  for (const packet of run) for (const sendQueue of [first, second]) sendQueue.offer(packet);
  const [one, two] = [first.take(1_000_000), second.take(1_000_000)];
  expect(one?.buffer).toBe(two?.buffer);
  expect(one?.byteOffset).toBe(two?.byteOffset);
  expect(one?.length).toBe(run.reduce((sum, packet) => sum + packet.end - packet.start, 0));
  expect(two?.length).toBe(one?.length);
});

test("packets of several blocks are written as they lie, and only short ones are copied together", () => {
  const cutter = new Cutter();
  const sendQueue = new SendQueue(1);
  sendQueue.begin(0, []);
  sendQueue.offer(cutter.key(0));
  sendQueue.take(1_000_000);
  const long = [cutter.inter(40, 200_000), cutter.inter(80, 200_000)];
  for (const packet of long) sendQueue.offer(packet);
  for (const { block, start, end } of long) {
    const slice = sendQueue.take(1_000_000);
    expect(slice?.buffer === block.bytes.buffer && slice.length === end - start).toBe(true);
  }
  const short = [cutter.inter(120, 60_000), cutter.inter(160, 1_000)].map(withOwnMemory);
  short.push(withOwnMemory(cutter.inter(200, 1_000)));
  for (const packet of short) sendQueue.offer(packet);
  expect([sendQueue.take(1_000_000), sendQueue.take(1_000_000)].map((bytes) => bytes?.length)).toEqual([60_022, 2_016]);
});

test("a block is held for each packet that waits in it, until the socket has taken that packet", () => {
  const cutter = new Cutter();
  const sendQueue = new SendQueue(1, new WaitingMemory(), LIMITS);
  sendQueue.begin(0, []);
  const packets = [cutter.key(0), cutter.inter(40), cutter.inter(80)];
  const [block] = packets.map((packet) => packet.block);
  for (const packet of packets) sendQueue.offer(packet);
  expect(block?.holders).toBe(3);
  sendQueue.take(1);
  sendQueue.take(1);
  expect(block?.holders).toBe(3);
  sendQueue.taken();
  expect(block?.holders).toBe(1);
  const batch = new FlushBatch();
  batch.add(packets[0] ?? cutter.key(120));
  sendQueue.hold(batch);
  expect(block?.holders).toBe(2);
  sendQueue.taken();
  // Too late: the waiting video is lost, and what comes is copied until the next keyframe.
  sendQueue.offer(cutter.inter(4_000));
  sendQueue.offer(cutter.audio(4_020));
  expect([block?.holders, block?.isKept]).toEqual([0, false]);
});

test("what waits when nobody takes from the queue any more, or was given to the socket, is never written again", () => {
  const cutter = new Cutter();
  const sendQueue = new SendQueue(1);
  sendQueue.begin(0, []);
  const [first, second] = [cutter.key(0, 200_000), cutter.inter(40, 200_000)];
  for (const packet of [first, second]) sendQueue.offer(packet);
  sendQueue.take(1);
  sendQueue.abandon();
  expect([first.block.isKept, second.block.isKept, sendQueue.isEmpty, sendQueue.waitingBytes]).toEqual([
    true,
    true,
    true,
    0,
  ]);
});

test("what is taken at once is bounded, but never less than one packet", () => {
  const cutter = new Cutter();
  const sendQueue = new SendQueue(1);
  sendQueue.begin(0, []);
  sendQueue.offer(cutter.key(0, 3_000));
  sendQueue.offer(cutter.inter(40, 500));
  sendQueue.offer(cutter.inter(80, 500));
  const takes = [sendQueue.take(1_200), sendQueue.take(1_200), sendQueue.take(1_200)];
  expect(takes.map((bytes) => bytes !== undefined)).toEqual([true, true, false]);
  expect(shape(read(...takes))).toEqual([
    [9, 0, 1, 3_000],
    [9, 40, 1, 500],
    [9, 80, 1, 500],
  ]);
});

test("over the time bound the video before the last keyframe is dropped, and its audio is kept", () => {
  const cutter = new Cutter();
  const sendQueue = new SendQueue(1, new WaitingMemory(), { bytesMax: 1_000_000, timeMaxMs: 1_000 });
  sendQueue.begin(0, []);
  sendQueue.offer(cutter.key(0));
  sendQueue.offer(cutter.audio(100));
  sendQueue.offer(cutter.inter(500));
  sendQueue.offer(cutter.key(900));
  sendQueue.offer(cutter.inter(1_001));
  expect(shape(read(sendQueue.take(1_000_000)))).toEqual([
    [8, 100, 1, 10],
    [9, 900, 1, 50],
    [9, 1_001, 1, 50],
  ]);
  expect(sendQueue.drops).toEqual({ overTime: 2, overBytes: 0, untilKeyframe: 0 });
});

test("media that arrived at once is not late, however much time it covers: a slow target has as long for it as for anything", () => {
  const cutter = new Cutter();
  const sendQueue = new SendQueue(1, new WaitingMemory(), { bytesMax: 1_000_000, timeMaxMs: 1_000 });
  sendQueue.begin(0, []);
  cutter.arrivalMs = 0;
  for (let timeMs = 0; timeMs < 10_000; timeMs += 40) {
    expect(sendQueue.offer(timeMs % 2_000 === 0 ? cutter.key(timeMs) : cutter.inter(timeMs))).toBe(true);
  }
  cutter.arrivalMs = 1_000;
  expect(sendQueue.offer(cutter.key(10_000))).toBe(true);
  expect(sendQueue.waitingMs).toBe(1_000);
  cutter.arrivalMs = 1_001;
  expect(sendQueue.offer(cutter.inter(10_040))).toBe(false);
  expect(sendQueue.drops).toEqual({ overTime: 250, overBytes: 0, untilKeyframe: 0 });
  expect(read(sendQueue.take(1_000_000)).map(({ timestamp }) => timestamp)).toEqual([10_000, 10_040]);
});

test("media that came slowly and covers little time is not late", () => {
  const cutter = new Cutter();
  const sendQueue = new SendQueue(1, new WaitingMemory(), { bytesMax: 1_000_000, timeMaxMs: 1_000 });
  sendQueue.begin(0, []);
  for (let timeMs = 0; timeMs <= 1_000; timeMs += 40) {
    cutter.arrivalMs = timeMs * 10;
    expect(sendQueue.offer(timeMs === 0 ? cutter.key(0) : cutter.inter(timeMs))).toBe(true);
  }
});

test("where no keyframe waits all video is dropped, and none is taken before the next keyframe", () => {
  const cutter = new Cutter();
  const sendQueue = new SendQueue(1, new WaitingMemory(), LIMITS);
  sendQueue.begin(0, []);
  sendQueue.offer(cutter.key(0));
  const before = sendQueue.take(1_000_000);
  for (let timeMs = 40; timeMs <= 1_080; timeMs += 40) sendQueue.offer(cutter.inter(timeMs));
  expect(sendQueue.offer(cutter.inter(1_120))).toBe(false);
  expect(sendQueue.offer(cutter.key(1_160))).toBe(true);
  expect(sendQueue.offer(cutter.inter(1_200))).toBe(true);
  expect(shape(read(before, sendQueue.take(1_000_000)))).toEqual([
    [9, 0, 1, 50],
    [9, 1_160, 1, 50],
    [9, 1_200, 1, 50],
  ]);
  expect(sendQueue.drops).toEqual({ overTime: 27, overBytes: 0, untilKeyframe: 1 });
});

test("the byte bound holds whatever is offered, and sequence headers survive it", () => {
  const cutter = new Cutter();
  const sendQueue = new SendQueue(1, new WaitingMemory(), LIMITS);
  sendQueue.begin(0, []);
  for (let index = 0; index < 40; index += 1) {
    if (index % 10 === 0) sendQueue.offer(cutter.config(index * 10));
    sendQueue.offer(index % 8 === 0 ? cutter.key(index * 10, 900) : cutter.inter(index * 10, 900));
    expect(sendQueue.waitingBytes).toBeLessThanOrEqual(LIMITS.bytesMax);
  }
  const sizes = read(sendQueue.take(1_000_000)).map(({ payload }) => payload.length);
  expect(sizes.filter((size) => size === 20)).toHaveLength(4);
});

test("audio that is kept does not keep the memory of the dropped video", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const cutter = new Cutter();
  const sendQueue = new SendQueue(1, new WaitingMemory(), { bytesMax: 1_000_000, timeMaxMs: 10_000 });
  sendQueue.begin(0, []);
  sendQueue.offer(cutter.key(0));
  const begun = sendQueue.take(1_000_000);
  sendQueue.taken();
  const blocks: WeakRef<object>[] = [];
  const lose = () => {
    for (let timeMs = 40; timeMs <= 400; timeMs += 40) {
      const audio = cutter.audio(timeMs, 10);
      blocks.push(new WeakRef(audio.block));
      sendQueue.offer(audio);
      sendQueue.offer(cutter.inter(timeMs, 200_000));
    }
  };
  lose();
  expect(sendQueue.drops.overBytes).toBeGreaterThan(0);
  cutter.forget();
  // What was looked at in this turn of the loop is held until its end.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(blocks.filter((block) => block.deref() !== undefined)).toEqual([]);
  expect(
    read(begun, sendQueue.take(1_000_000)).map(({ type, timestamp, payload }) => [type, timestamp, payload[0]]),
  ).toEqual([[9, 0, 0x17], ...[40, 80, 120, 160, 200, 240, 280, 320, 360, 400].map((timeMs) => [8, timeMs, 0xaf])]);
});

test("of audio alone the oldest is dropped", () => {
  const cutter = new Cutter();
  const sendQueue = new SendQueue(1, new WaitingMemory(), { bytesMax: 1_000_000, timeMaxMs: 100 });
  sendQueue.begin(0, []);
  for (const timeMs of [0, 40, 80, 120, 160]) sendQueue.offer(cutter.audio(timeMs));
  expect(read(sendQueue.take(1_000_000)).map(({ timestamp }) => timestamp)).toEqual([80, 120, 160]);
  expect(sendQueue.drops).toEqual({ overTime: 2, overBytes: 0, untilKeyframe: 0 });
});

test("a stream of more than 4 h 39 min needs no extended timestamp, not even after a loss", () => {
  const cutter = new Cutter();
  const sendQueue = new SendQueue(1, new WaitingMemory(), LIMITS);
  sendQueue.begin(0, []);
  sendQueue.offer(cutter.key(0));
  const before = sendQueue.take(1_000_000);
  const pieces = [before];
  const fiveHoursMs = 5 * 3_600_000;
  for (let timeMs = 3_600_000; timeMs <= fiveHoursMs; timeMs += 3_600_000) {
    sendQueue.offer(cutter.key(timeMs, 9_000));
    const bytes = sendQueue.take(1_000_000);
    expect(bytes?.subarray(0, 5).includes(Buffer.from("ffffff", "hex"))).toBe(false);
    pieces.push(bytes);
  }
  expect(read(...pieces).map(({ timestamp }) => timestamp)).toEqual(
    [0, 1, 2, 3, 4, 5].map((hours) => hours * 3_600_000),
  );
});

test("a gap longer than a delta can hold is sent with an extended timestamp, shared or own", () => {
  const gapMs = 0x01_00_00_00;
  const cutter = new Cutter();
  const shared = new SendQueue(1, new WaitingMemory(), { bytesMax: 1_000_000, timeMaxMs: 10 * gapMs });
  const own = new SendQueue(1, new WaitingMemory(), { bytesMax: 1_000_000, timeMaxMs: 10 * gapMs });
  const key = cutter.key(0);
  for (const sendQueue of [shared, own]) sendQueue.begin(0, []);
  shared.offer(key);
  own.offer(key);
  const skipped = cutter.inter(40);
  shared.offer(skipped);
  const far = cutter.key(gapMs + 40, 9_000);
  for (const sendQueue of [shared, own]) sendQueue.offer(far);
  expect(read(shared.take(1_000_000)).map(({ timestamp, payload }) => [timestamp, payload.length])).toEqual([
    [0, 50],
    [40, 50],
    [gapMs + 40, 9_000],
  ]);
  expect(read(own.take(1_000_000)).map(({ timestamp, payload }) => [timestamp, payload.length])).toEqual([
    [0, 50],
    [gapMs + 40, 9_000],
  ]);
});
