import type { DelayProblem } from "../../../thread-protocol/delays/delay.ts";
import type { Packet } from "../../stream/packet.ts";
import { type DelayMemory, LineMemory } from "./delay-memory.ts";
import type { DelayShelf, DelayShelves } from "./delay-shelf.ts";
import { Segment, SegmentWriter } from "./segment.ts";

const MIB = 1024 * 1024;
/** Headers and other marks stay in memory, in bytes. Far more than any encoder sends in a quarter of an hour. */
const MARKS_MAX = 8 * MIB;
/** A mark's own memory, about, in bytes. */
const MARK_BYTES = 200;
const SEGMENT_BYTES = MIB;
/** Segments are asked back this long before they are due, in milliseconds. */
const READ_AHEAD_MS = 5_000;
/** … and at most so many at once. */
const READ_AHEAD_COUNT = 4;

/** Something that happens at its place in the stream. */
type Mark = { readonly kind: "mark"; readonly inMs: number; readonly bytes: number; readonly run: () => void };
type Stretch = {
  readonly kind: "stretch";
  readonly id: number;
  readonly bytes: number;
  readonly firstMs: number;
  /** The packets at which a decoder can begin. */
  readonly starts: readonly { readonly index: number; readonly inMs: number }[];
  /** Absent: on the shelf, or asked for. */
  segment: Segment | undefined;
  isAsked: boolean;
  isStored: boolean;
};

/** Where delayed packets go. */
export interface DelayOutput {
  /** Whether a target has got something since the last beginning. */
  readonly hasBegun: boolean;
  /** The next packet, which came in at `inMs`. */
  play(segment: Segment, index: number, isStart: boolean): void;
  /** The delay grows: nothing comes for a while. */
  hold(): void;
  /** What comes next is not the continuation of what came before, but follows at once. */
  jump(): void;
  /** Packets are missing: what follows cannot be decoded before the next start. */
  gap(): void;
}

export type DelayLineDeps = {
  readonly now: () => number;
  readonly memory: DelayMemory;
  readonly output: DelayOutput;
  readonly shelves: DelayShelves;
  /** Nothing more can be taken for this reason; undefined: it can again. */
  readonly onProblem: (problem: DelayProblem | undefined) => void;
};

/**
 * A stream that waits: packets and marks come in, and leave in the same order a fixed time later. Bounded in memory;
 * what has no room there goes to the shelf, newest first, and is asked back in time. It is given the time, and does no
 * input or output itself.
 */
export class DelayLine {
  readonly #deps: DelayLineDeps;
  readonly #writer = new SegmentWriter();
  #starts: { index: number; inMs: number }[] = [];
  #writerFirstMs = 0;
  #lastInMs = 0;
  #items: (Mark | Stretch)[] = [];
  /** Everything before this index of `#items` has left. */
  #next = 0;
  /** The next packet of the first stretch. */
  #cursor = 0;
  readonly #memory: LineMemory;
  #markBytes = 0;
  #diskBytes = 0;
  #lastId = 0;
  #shelf: DelayShelf | undefined;
  #problem: DelayProblem | undefined;
  #delayMs: number;
  #wantedMs: number;
  /** A cut waits for the first start that came in at this time or later. */
  #cutFromMs: number | undefined;

  constructor(delayMs: number, deps: DelayLineDeps) {
    this.#delayMs = delayMs;
    this.#wantedMs = delayMs;
    this.#deps = deps;
    this.#memory = new LineMemory(deps.memory);
  }

  /** How much later packets leave at present, in milliseconds. */
  get delayMs(): number {
    return this.#delayMs;
  }

  get isEmpty(): boolean {
    return this.#next === this.#items.length && this.#writer.count === 0;
  }

  /** Why it takes no more at present. */
  get problem(): DelayProblem | undefined {
    return this.#problem;
  }

  /** Whether a cut waits for its keyframe. */
  get isCutting(): boolean {
    return this.#cutFromMs !== undefined;
  }

  get bufferedBytes(): number {
    return this.#memory.keptBytes + this.#diskBytes + this.#writer.bytes;
  }

  get diskBytes(): number {
    return this.#diskBytes;
  }

  /** How much of the stream waits, in milliseconds. */
  get bufferedMs(): number {
    const first = this.#items.slice(this.#next).find(({ kind }) => kind === "stretch");
    const firstMs =
      first?.kind === "stretch"
        ? (first.segment?.inMs(this.#items[this.#next] === first ? this.#cursor : 0) ?? first.firstMs)
        : this.#writer.count > 0
          ? this.#writerFirstMs
          : undefined;
    return firstMs === undefined ? 0 : this.#lastInMs - firstMs;
  }

  /**
   * Changes the delay. A longer one begins at the next start that leaves; a shorter one drops what is between, and goes
   * on at the first start behind that.
   */
  setDelay(delayMs: number): void {
    this.#wantedMs = delayMs;
    this.#cutFromMs = delayMs < this.#delayMs ? this.#deps.now() - delayMs : undefined;
    if (this.isEmpty || (delayMs > this.#delayMs && !this.#deps.output.hasBegun)) this.#delayMs = delayMs;
    if (this.#delayMs === delayMs) this.#cutFromMs = undefined;
  }

  /** Takes a packet. `isStart`: a decoder can begin here. The caller takes none while there is a problem. */
  add(packet: Packet, isStart: boolean): void {
    const inMs = this.#deps.now();
    const isLong = this.#writer.bytes >= SEGMENT_BYTES || (isStart && this.#writer.bytes >= SEGMENT_BYTES / 2);
    if (isLong) this.#seal();
    if (this.#writer.count === 0) this.#writerFirstMs = inMs;
    this.#lastInMs = inMs;
    if (isStart) this.#starts.push({ index: this.#writer.count, inMs });
    this.#writer.add(packet, isStart, inMs);
  }

  /** Adds something that happens at this place of the stream. `bytes`: memory that it keeps. */
  mark(run: () => void, bytes = 0): void {
    this.#seal();
    const mark: Mark = { kind: "mark", inMs: this.#deps.now(), bytes: bytes + MARK_BYTES, run };
    this.#items.push(mark);
    this.#memory.keep(mark.bytes);
    this.#markBytes += mark.bytes;
    if (this.#markBytes > MARKS_MAX) this.#fail("disk-full");
  }

  /** Lets leave what is due. */
  play(): void {
    this.#tryCut();
    while (this.#playNext()) {}
    this.#forgetLeft();
    this.#readAhead();
    this.#judge();
  }

  /** Drops all packets, and runs all marks. */
  skip(): void {
    this.#seal();
    this.#cutFromMs = undefined;
    while (this.#next < this.#items.length) this.#leave();
    this.#forgetLeft();
  }

  /** Drops everything, and what the shelf has. */
  clear(): void {
    this.#shelf?.close();
    this.#shelf = undefined;
    this.#writer.take();
    this.#starts = [];
    this.#items = [];
    this.#next = 0;
    this.#cursor = 0;
    this.#memory.clear();
    this.#markBytes = 0;
    this.#diskBytes = 0;
    this.#problem = undefined;
    this.#cutFromMs = undefined;
    this.#delayMs = this.#wantedMs;
  }

  /** Lets one packet or mark leave; returns whether it did. */
  #playNext(): boolean {
    if (this.#next === this.#items.length) {
      const isDue = this.#writer.count > 0 && this.#isDue(this.#writerFirstMs);
      if (!isDue) return false;
      this.#seal();
    }
    const item = this.#items[this.#next];
    if (item === undefined) return false;
    if (item.kind === "mark") {
      if (!this.#isDue(item.inMs)) return false;
      this.#leave();
      return true;
    }
    const { segment } = item;
    const inMs = segment?.inMs(this.#cursor);
    if (segment === undefined || inMs === undefined) {
      if (segment !== undefined) this.#leave();
      return segment !== undefined;
    }
    const isStart = segment.isStart(this.#cursor);
    if (isStart && this.#wantedMs > this.#delayMs && this.#isDue(inMs)) {
      this.#delayMs = this.#wantedMs;
      if (this.#deps.output.hasBegun) this.#deps.output.hold();
    }
    if (!this.#isDue(inMs)) return false;
    const index = this.#cursor;
    this.#cursor += 1;
    this.#deps.output.play(segment, index, isStart);
    return true;
  }

  #isDue(inMs: number): boolean {
    return inMs + this.#delayMs <= this.#deps.now();
  }

  /** The first item leaves. */
  #leave(): void {
    const item = this.#items[this.#next];
    if (item === undefined) return;
    this.#next += 1;
    this.#cursor = 0;
    if (item.kind === "mark") {
      this.#memory.keep(-item.bytes);
      this.#markBytes -= item.bytes;
      return item.run();
    }
    if (item.segment !== undefined) this.#memory.keep(-item.bytes);
    else this.#dropAway(item);
  }

  #dropAway(item: Stretch): void {
    this.#diskBytes -= item.bytes;
    if (!item.isStored) this.#memory.waitForDisk(-item.bytes);
    if (!item.isAsked) this.#shelf?.drop(item.id);
  }

  /** Goes on at the start that a shorter delay waits for, once that is due. */
  #tryCut(): void {
    const fromMs = this.#cutFromMs;
    if (fromMs === undefined) return;
    if (this.#starts.some(({ inMs }) => inMs >= fromMs)) this.#seal();
    const items = this.#items;
    for (let at = this.#next; at < items.length; at += 1) {
      const item = items[at];
      const start = item?.kind === "stretch" ? item.starts.find(({ inMs }) => inMs >= fromMs) : undefined;
      if (item?.kind !== "stretch" || start === undefined) continue;
      if (start.inMs + this.#wantedMs > this.#deps.now()) return;
      if (item.segment === undefined) return this.#ask(item);
      const isThere = at === this.#next && this.#cursor >= start.index;
      while (this.#items[this.#next] !== item && this.#next < this.#items.length) this.#leave();
      this.#delayMs = this.#wantedMs;
      this.#cutFromMs = undefined;
      if (isThere) return;
      this.#cursor = start.index;
      return this.#deps.output.jump();
    }
  }

  #seal(): void {
    if (this.#writer.count === 0) return;
    const segment = this.#writer.take();
    this.#lastId += 1;
    const item: Stretch = {
      ...{ kind: "stretch", id: this.#lastId, bytes: segment.bytes, firstMs: this.#writerFirstMs },
      ...{ starts: this.#starts, segment, isAsked: false, isStored: false },
    };
    this.#starts = [];
    this.#items.push(item);
    this.#memory.keep(item.bytes);
    if (this.#memory.isFull && this.#items.length - this.#next > READ_AHEAD_COUNT) this.#putAway(item, segment);
  }

  #putAway(item: Stretch, segment: Segment): void {
    this.#shelf ??= this.#openShelf();
    this.#shelf.put(item.id, segment.encode());
    item.segment = undefined;
    this.#memory.keep(-item.bytes);
    this.#diskBytes += item.bytes;
    this.#memory.waitForDisk(item.bytes);
    if (this.#memory.isDiskSlow) this.#fail("disk-slow");
  }

  #openShelf(): DelayShelf {
    const shelf = this.#deps.shelves.open({
      stored: (id) => {
        if (shelf === this.#shelf) this.#stored(id);
      },
      failed: (problem) => {
        if (shelf === this.#shelf) this.#fail(problem);
      },
      taken: (id, bytes) => {
        if (shelf === this.#shelf) this.#taken(id, bytes);
      },
      lost: () => {
        if (shelf === this.#shelf) this.#lose();
      },
    });
    return shelf;
  }

  #find(id: number): Stretch | undefined {
    for (let at = this.#next; at < this.#items.length; at += 1) {
      const item = this.#items[at];
      if (item?.kind === "stretch" && item.id === id) return item;
    }
    return undefined;
  }

  #stored(id: number): void {
    const item = this.#find(id);
    if (item === undefined || item.segment !== undefined || item.isStored) return;
    item.isStored = true;
    this.#memory.waitForDisk(-item.bytes);
    this.#judge();
  }

  /** Reads segments before they are due. */
  #readAhead(): void {
    const untilMs = this.#deps.now() - this.#delayMs + READ_AHEAD_MS;
    for (let at = this.#next; at < Math.min(this.#items.length, this.#next + READ_AHEAD_COUNT); at += 1) {
      const item = this.#items[at];
      if (item?.kind === "stretch" && item.segment === undefined && item.firstMs <= untilMs) this.#ask(item);
    }
  }

  #ask(item: Stretch): void {
    if (item.isAsked) return;
    item.isAsked = true;
    this.#shelf?.take(item.id);
  }

  #taken(id: number, bytes: Uint8Array<ArrayBuffer> | undefined): void {
    const item = this.#find(id);
    if (item === undefined || item.segment !== undefined) return;
    if (bytes === undefined) return this.#loseOne(item);
    this.#diskBytes -= item.bytes;
    if (!item.isStored) this.#memory.waitForDisk(-item.bytes);
    item.segment = Segment.decode(bytes);
    this.#memory.keep(item.bytes);
    this.#judge();
  }

  /** A stretch becomes the mark of its gap. */
  #loseOne(item: Stretch): void {
    this.#dropAway({ ...item, isAsked: true });
    const gap: Mark = { kind: "mark", inMs: item.firstMs, bytes: MARK_BYTES, run: () => this.#deps.output.gap() };
    this.#items[this.#items.indexOf(item)] = gap;
    this.#memory.keep(gap.bytes);
    this.#markBytes += gap.bytes;
  }

  #lose(): void {
    for (const item of this.#items.slice(this.#next))
      if (item.kind === "stretch" && item.segment === undefined) this.#loseOne(item);
  }

  #fail(problem: DelayProblem): void {
    if (this.#problem !== undefined) return;
    this.#problem = problem;
    this.#deps.onProblem(problem);
  }

  /** Takes more again once everything is stored, and something has left. */
  #judge(): void {
    if (this.#problem === undefined || !this.#memory.isStored || this.#markBytes > MARKS_MAX / 2) return;
    this.#problem = undefined;
    this.#deps.onProblem(undefined);
  }

  /** Removes what has left from the array, once there is enough of it. */
  #forgetLeft(): void {
    if (this.#next < this.#items.length && this.#next < 64) return;
    this.#items = this.#items.slice(this.#next);
    this.#next = 0;
  }
}
