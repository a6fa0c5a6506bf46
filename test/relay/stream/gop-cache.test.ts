import { expect, test } from "vitest";
import { ChunkArena } from "../../../src/relay/packing/chunk-arena.ts";
import { cutPacket } from "../../../src/relay/packing/rtmp-chunks.ts";
import { BlockStore } from "../../../src/relay/stream/block-store.ts";
import { GopCache } from "../../../src/relay/stream/gop-cache.ts";
import type { Packet } from "../../../src/relay/stream/packet.ts";

const MARKS = { isConfig: false, isKeyframe: false, trackId: 0, startsTrack: false };

/** Packets of all kinds, large enough to lie in several blocks. */
function packets(arena: ChunkArena, count: number): Packet[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = (["video", "audio", "video", "data"] as const)[index % 4] ?? "video";
    const type = { video: 9, audio: 8, data: 18 }[kind];
    const isKeyframe = index === 0;
    const trackId = index % 4 === 2 ? 3 : 0;
    const marks = { ...MARKS, isKeyframe, startsTrack: isKeyframe || index === 6, trackId };
    const fields = { kind, type, ...marks, timeMs: 1_000 + index * 10, arrivalMs: 77.5 + index, ordinal: index + 7 };
    return cutPacket(arena, fields, index, Buffer.alloc(3_000, index));
  });
}

test("what is kept of a group comes back unchanged, whatever its kind and wherever it lies", () => {
  const gop = new GopCache();
  const group = packets(new ChunkArena(new BlockStore()), 300);
  for (const packet of group) gop.add(packet);
  expect(gop.packets).toEqual(group);
  expect(gop.packets.every(({ block }, index) => block === group[index]?.block)).toBe(true);
  expect(gop.beganMs).toBe(1_000);
  expect(gop.oldestBlock).toBe(group[0]?.block);
  expect(new Set(group.map(({ block }) => block)).size).toBeGreaterThan(2);
});

test("a group starts at each keyframe, and is given up beyond ten seconds", () => {
  const gop = new GopCache();
  const [key, audio, ...rest] = packets(new ChunkArena(), 8);
  if (key === undefined || audio === undefined) throw new Error("there are eight");
  gop.add(audio);
  expect([gop.packets, gop.beganMs, gop.oldestBlock]).toEqual([[], undefined, undefined]);
  for (const packet of [key, ...rest, key, audio]) gop.add(packet);
  expect(gop.packets).toEqual([key, audio]);
  gop.add({ ...audio, timeMs: key.timeMs + 10_000 });
  expect(gop.packets).toHaveLength(3);
  gop.add({ ...audio, timeMs: key.timeMs + 10_001 });
  expect(gop.packets).toEqual([]);
});

test("where a stream goes on from elsewhere, its groups of three seconds are kept together", () => {
  const gop = new GopCache();
  const [key, audio] = packets(new ChunkArena(), 8);
  if (key === undefined || audio === undefined) throw new Error("there are eight");
  const at = (packet: Packet, timeMs: number): Packet => ({ ...packet, timeMs });
  const first = [at(key, 1_000), at(audio, 1_010), at(key, 2_000), at(audio, 2_010), at(key, 4_000)];
  gop.keepFirstGroups(true);
  for (const packet of first) gop.add(packet);
  expect(gop.packetsSince(Number.NEGATIVE_INFINITY)).toEqual(first);
  expect(gop.packetsSince(1_000)).toEqual(first);
  expect(gop.packetsSince(1_001)).toEqual(first.slice(2));
  expect([gop.packets, gop.beganMs]).toEqual([first.slice(4), 4_000]);
  expect(gop.packetsSince(4_001)).toEqual([]);
  gop.add(at(key, 4_001));
  expect(gop.packetsSince(0)).toEqual([at(key, 4_001)]);
  gop.add(at(key, 4_002));
  expect(gop.packetsSince(0)).toEqual([at(key, 4_002)]);
});
