import { expect, test } from "vitest";
import { ChunkArena } from "../../../src/relay/packing/chunk-arena.ts";
import { FlushBatch } from "../../../src/relay/packing/flush-batch.ts";
import { cutPacket } from "../../../src/relay/packing/rtmp-chunks.ts";
import type { Packet, PacketKind } from "../../../src/relay/stream/packet.ts";

const TYPES = { audio: 8, video: 9, data: 18 } as const;

function cut(arena: ChunkArena, kind: PacketKind, ordinal: number, changes: Partial<Packet> & { bytes?: number } = {}) {
  const { bytes = 100, ...marks } = changes;
  const fields = {
    ...{ kind, type: TYPES[kind], isConfig: false, isKeyframe: false, trackId: 0, startsTrack: false },
    ...{ timeMs: ordinal * 40, arrivalMs: ordinal * 40, ordinal, ...marks },
  };
  return cutPacket(arena, fields, 40, Buffer.alloc(bytes, ordinal));
}

const bytesOf = ({ block, start, end }: Packet) => block.bytes.subarray(start, end);

test("packets cut in a row are one slice of the memory they lie in, for every target the same", () => {
  const [arena, batch] = [new ChunkArena(), new FlushBatch()];
  const packets = [cut(arena, "video", 1, { isKeyframe: true }), cut(arena, "audio", 1), cut(arena, "video", 2)];
  for (const packet of packets) batch.add(packet);
  const slices = batch.slices ?? [];
  expect(slices).toEqual([Buffer.concat(packets.map(bytesOf))]);
  expect(slices[0]?.buffer).toBe(packets[0]?.block.bytes.buffer);
  expect(batch.slices).toBe(slices);
  expect([batch.hasKeyframe, batch.packets]).toEqual([true, packets]);
});

test("a slice ends where a block ends", () => {
  const [arena, batch] = [new ChunkArena(), new FlushBatch()];
  cut(arena, "video", 1, { bytes: 150_000 });
  const packets = [2, 3, 4].map((ordinal) => cut(arena, "video", ordinal, { bytes: 80_000 }));
  for (const packet of packets) batch.add(packet);
  const [first, second, third] = packets.map(bytesOf);
  if (first === undefined || second === undefined || third === undefined) throw new Error("three were cut");
  expect(packets[1]?.block).not.toBe(packets[0]?.block);
  expect(batch.slices).toEqual([first, Buffer.concat([second, third])]);
});

test("a batch reports the first and the last packet of each kind, and their number", () => {
  const [arena, batch] = [new ChunkArena(), new FlushBatch()];
  for (const ordinal of [7, 8, 9]) batch.add(cut(arena, "video", ordinal));
  batch.add(cut(arena, "audio", 3));
  expect(batch.tallies).toEqual({
    video: { count: 3, firstOrdinal: 7, lastOrdinal: 9, lastMs: 360 },
    audio: { count: 1, firstOrdinal: 3, lastOrdinal: 3, lastMs: 120 },
    data: { count: 0, firstOrdinal: 0, lastOrdinal: 0, lastMs: 0 },
  });
});

test("frames of further tracks, or more than 256 KiB, are not written as they lie, but headers of further tracks are", () => {
  const arena = new ChunkArena();
  const slicesOf = (...packets: Packet[]) => {
    const batch = new FlushBatch();
    for (const packet of packets) batch.add(packet);
    return batch.slices?.length;
  };
  expect(slicesOf(cut(arena, "video", 1), cut(arena, "video", 2, { trackId: 1 }))).toBeUndefined();
  expect(slicesOf(cut(arena, "video", 1, { trackId: 1, isConfig: true }))).toBe(1);
  expect(slicesOf(cut(arena, "video", 1, { bytes: 256 * 1024 }))).toBeUndefined();
  expect(slicesOf(cut(arena, "video", 1, { bytes: 255 * 1024 }))).toBe(1);
});

test("a cleared batch starts anew", () => {
  const [arena, batch] = [new ChunkArena(), new FlushBatch()];
  batch.add(cut(arena, "video", 1, { isKeyframe: true, trackId: 2 }));
  batch.clear();
  expect([batch.packets, batch.hasKeyframe, batch.slices, batch.tallies.video.count]).toEqual([[], false, [], 0]);
});
