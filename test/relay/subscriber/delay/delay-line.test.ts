import { expect, test } from "vitest";
import type { Packet } from "../../../../src/relay/stream/packet.ts";
import { DelayLine } from "../../../../src/relay/subscriber/delay/delay-line.ts";
import { DELAY_MEMORY_MAX, DelayMemory, UNSTORED_MAX } from "../../../../src/relay/subscriber/delay/delay-memory.ts";
import type { ShelfListener } from "../../../../src/relay/subscriber/delay/delay-shelf.ts";
import type { DelayProblem } from "../../../../src/thread-protocol/delays/delay.ts";

const MIB = 1024 * 1024;
const FRAME_BYTES = 100_000;
const FRAME_MS = 40;
const GOP = 25;

/** A line of 20 Mbit/s whose disk is the test. */
class Scene {
  nowMs = 0;
  readonly left: number[] = [];
  readonly gaps: number[] = [];
  readonly problems: (DelayProblem | undefined)[] = [];
  readonly shelf = new Map<number, Uint8Array<ArrayBuffer>>();
  listener: ShelfListener | undefined;
  /** Whether the disk works. */
  isStoring = true;
  isReading = true;
  #number = 0;
  readonly line: DelayLine;

  constructor(delayMs: number, memory = new DelayMemory()) {
    this.line = new DelayLine(delayMs, {
      now: () => this.nowMs,
      memory,
      output: {
        hasBegun: true,
        play: (segment, index) => {
          const packet = segment.packet(index, this.nowMs, 0);
          // An `expect` for each packet would take most of the time.
          const { bytes } = packet.block;
          const got = [packet.end - packet.start, bytes[packet.start], bytes[packet.end - 1]];
          if (got.join() !== [FRAME_BYTES, packet.ordinal % 256, packet.ordinal % 256].join())
            throw new Error(`packet ${packet.ordinal} has ${got.join()}`);
          this.left.push(packet.ordinal);
        },
        hold: () => undefined,
        jump: () => undefined,
        gap: () => this.gaps.push(this.left.at(-1) ?? -1),
      },
      shelves: {
        open: (listener) => {
          this.listener = listener;
          return {
            put: (id, bytes) => {
              this.shelf.set(id, bytes);
              if (this.isStoring) queueMicrotask(() => listener.stored(id));
            },
            take: (id) => {
              const bytes = this.shelf.get(id);
              this.shelf.delete(id);
              queueMicrotask(() => listener.taken(id, this.isReading ? bytes : undefined));
            },
            drop: (id) => this.shelf.delete(id),
            close: () => this.shelf.clear(),
          };
        },
      },
      onProblem: (problem) => this.problems.push(problem),
    });
  }

  get diskBytes(): number {
    return [...this.shelf.values()].reduce((sum, { length }) => sum + length, 0);
  }

  async play(seconds: number): Promise<void> {
    const untilMs = this.nowMs + seconds * 1_000;
    for (; this.nowMs < untilMs; this.nowMs += FRAME_MS) {
      if (this.line.problem === undefined) {
        this.line.add(packetOf(this.#number, this.nowMs), this.#number % GOP === 0);
        this.#number += 1;
      }
      this.line.play();
      await Promise.resolve();
    }
  }

  /** Time passes, and nothing comes in. */
  async pass(seconds: number): Promise<void> {
    for (const untilMs = this.nowMs + seconds * 1_000; this.nowMs < untilMs; this.nowMs += FRAME_MS) {
      this.line.play();
      await Promise.resolve();
    }
  }
}

function packetOf(ordinal: number, timeMs: number): Packet {
  return {
    ...{ kind: "video", type: 9, isConfig: false, isKeyframe: ordinal % GOP === 0, trackId: 0, startsTrack: false },
    ...{ timeMs, arrivalMs: timeMs, ordinal, payloadLength: FRAME_BYTES - 100, deltaMs: FRAME_MS },
    ...{
      block: { bytes: Buffer.alloc(FRAME_BYTES, ordinal % 256), holders: 0, isKept: false },
      start: 0,
      end: FRAME_BYTES,
    },
  };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

test("what has no room in memory lies on the shelf, and comes back in its order, whole", async () => {
  const scene = new Scene(60_000);
  await scene.play(59);
  expect(scene.left).toEqual([]);
  const { bufferedBytes, diskBytes } = scene.line;
  expect(bufferedBytes).toBeGreaterThan(59 * 25 * FRAME_BYTES);
  expect(bufferedBytes - diskBytes).toBeLessThanOrEqual(DELAY_MEMORY_MAX + 2 * MIB);
  expect(scene.diskBytes).toBe(0 + diskBytes + scene.shelf.size * 8);
  await scene.play(121);
  expect(scene.left).toEqual(upTo(120 * 25));
  expect(scene.line.bufferedBytes - scene.line.diskBytes).toBeLessThanOrEqual(DELAY_MEMORY_MAX + 8 * MIB);
  await scene.pass(61);
  expect(scene.left).toEqual(upTo(180 * 25));
  expect(scene.line.isEmpty).toBe(true);
  expect([scene.line.bufferedBytes, scene.line.diskBytes, scene.diskBytes]).toEqual([0, 0, 0]);
  expect(scene.problems).toEqual([]);
});

test("a disk that stores too slowly is a problem; what came before it still leaves, and then all is well", async () => {
  const scene = new Scene(60_000);
  scene.isStoring = false;
  await scene.play(59);
  expect(scene.problems).toEqual(["disk-slow"]);
  expect(scene.diskBytes).toBeLessThan(UNSTORED_MAX + 2 * MIB);
  const taken = Math.floor(scene.line.bufferedBytes / (FRAME_BYTES + 88));
  await scene.pass(60);
  expect(scene.left).toEqual(upTo(taken));
  // They came back although they were never stored.
  expect(scene.problems).toEqual(["disk-slow", undefined]);
  expect(scene.line.bufferedBytes).toBe(0);
});

test("many lines keep less in memory each, and together stay below the limit; nothing is lost", async () => {
  const memory = new DelayMemory(64 * MIB);
  const scenes = Array.from({ length: 10 }, () => new Scene(20_000, memory));
  for (const scene of scenes) await scene.play(19);
  const kept = scenes.map(({ line }) => line.bufferedBytes - line.diskBytes);
  expect(kept.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(64 * MIB);
  expect(Math.min(...kept)).toBeGreaterThan(3 * MIB);
  for (const scene of scenes) await scene.pass(21);
  for (const scene of scenes) expect(scene.left).toEqual(upTo(19 * 25));
  expect([memory.kept.bytes, memory.unstored.bytes]).toEqual([0, 0]);
});

test("what many lines wait for the disk with is bounded together, and cleared lines hold nothing", async () => {
  const memory = new DelayMemory(32 * MIB);
  const scenes = Array.from({ length: 10 }, () => new Scene(60_000, memory));
  for (const scene of scenes) scene.isStoring = false;
  for (const scene of scenes) await scene.play(59);
  expect(scenes.map(({ problems }) => problems)).toEqual(scenes.map(() => ["disk-slow"]));
  // One segment more of each than it may.
  expect(memory.unstored.bytes).toBeLessThan(32 * MIB + 10 * 1.2 * MIB);
  for (const { line } of scenes) line.clear();
  expect([memory.kept.bytes, memory.unstored.bytes]).toEqual([0, 0]);
});

test("a full disk is a problem until the last segment is stored", async () => {
  const scene = new Scene(60_000);
  await scene.play(20);
  scene.isStoring = false;
  scene.listener?.failed("disk-full");
  await scene.play(1);
  expect(scene.problems).toEqual(["disk-full", undefined]);
  await scene.play(2);
  scene.listener?.failed("disk-full");
  scene.listener?.failed("disk-full");
  expect(scene.problems).toEqual(["disk-full", undefined, "disk-full"]);
  await scene.pass(1);
  for (const id of scene.shelf.keys()) scene.listener?.stored(id);
  expect(scene.problems).toEqual(["disk-full", undefined, "disk-full", undefined]);
});

test("a segment that cannot be read is a gap, and the next ones follow", async () => {
  const scene = new Scene(60_000);
  await scene.play(60);
  await scene.play(15);
  scene.isReading = false;
  await scene.play(2);
  scene.isReading = true;
  await scene.play(80);
  expect(scene.gaps.length).toBeGreaterThan(0);
  const lost = upTo(95 * 25).filter((ordinal) => !scene.left.includes(ordinal));
  expect(lost.length).toBeGreaterThan(5);
  expect(lost.length).toBeLessThan(8 * 25);
  expect(scene.left).toEqual(scene.left.toSorted((a, b) => a - b));
});

test("the thread of the shelf ends: what it had is a gap, and the line goes on", async () => {
  const scene = new Scene(60_000);
  await scene.play(59);
  scene.shelf.clear();
  scene.listener?.lost();
  expect(scene.line.diskBytes).toBe(0);
  await scene.play(121);
  expect(scene.gaps.length).toBeGreaterThan(0);
  expect(scene.left.at(-1)).toBe(120 * 25 - 1);
  expect(scene.problems).toEqual([]);
});

test("a cut drops what lies on the shelf", async () => {
  const scene = new Scene(60_000);
  await scene.play(59);
  scene.line.setDelay(0);
  await scene.play(1.2);
  expect(scene.line.diskBytes).toBe(0);
  expect(scene.diskBytes).toBe(0);
  expect(scene.left[0]).toBe(59 * 25);
});

test("marks are bounded too", async () => {
  const scene = new Scene(60_000);
  for (let count = 0; count < 20; count += 1) scene.line.mark(() => undefined, MIB);
  expect(scene.problems).toEqual(["disk-full"]);
  await scene.pass(61);
  expect(scene.problems).toEqual(["disk-full", undefined]);
});
