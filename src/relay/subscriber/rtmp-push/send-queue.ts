import type { DroppedFrames } from "../../../thread-protocol/samples.ts";
import type { FlushBatch, Tally } from "../../packing/flush-batch.ts";
import { cutOwn, recutPacket, withOwnMemory } from "../../packing/rtmp-chunks.ts";
import type { Block } from "../../stream/block-store.ts";
import type { HeadMessage } from "../../stream/config/head-message.ts";
import { ofKind, type Packet, type PacketKind } from "../../stream/packet.ts";
import { WaitingMemory } from "../../stream/waiting-memory.ts";
import { chooseDrops, isVideoFrame, type SendQueueLimits, waitingMsOf } from "./choose-drops.ts";
import { sumOfDrops } from "./drops.ts";

/** `WaitingMemory` bounds the bytes. */
const DEFAULT_LIMITS: SendQueueLimits = { bytesMax: Number.POSITIVE_INFINITY, timeMaxMs: 5_000 };

/** The last packet of one kind that was sent; `timeMs` undefined: none yet. */
type Sent = { timeMs: number | undefined; ordinal: number };

/**
 * Pieces that lie apart are copied into one write up to this length, in bytes. For many targets that are behind, longer
 * copies would allocate memory at the rate of their streams, and V8 would mark its heap twice a second.
 */
const JOINED_BYTES_MAX = 16 * 1024;

/** The ordinal of headers that are not packets: no packet follows it. */
const NO_ORDINAL = -1;

/**
 * Packets that wait for one target's socket. Bounded in bytes and time: a target that is too slow loses its own video
 * up to the next keyframe, its audio where that is not enough, and never holds up the encoder or another target.
 * Sequence headers and metadata are never lost.
 *
 * Time counts by the media's clock and by arrival, whichever is less: after a network delay an encoder's media comes in
 * one burst, and a target that had no time to take it is not slow.
 *
 * Packets are held, not copied, in memory that all targets share. Wherever possible, what is sent is one slice of the bytes that all targets share; only
 * after a join or a loss does a packet get a header of its own.
 */
export class SendQueue {
  readonly #limits: SendQueueLimits;
  readonly #memory: WaitingMemory;
  readonly #streamId: number;
  readonly #sent: Readonly<Record<PacketKind, Sent>> = {
    audio: nothingSent(),
    video: nothingSent(),
    data: nothingSent(),
  };
  readonly #head: Buffer[] = [];
  #waiting: Packet[] = [];
  /** Everything before this index of `#waiting` was sent. */
  #next = 0;
  /** The blocks of packets that were given to the socket, which may not have taken them yet. */
  readonly #given: Block[] = [];
  #bytes = 0;
  #baseMs: number | undefined;
  #needsKeyframe = false;
  /** Video tracks that the target can decode: the default one, and others from their own keyframe on. */
  #tracks = new Set([0]);
  /**
   * Media that left this queue and is still in the kernel, in milliseconds: it counts against the time that media may
   * wait.
   */
  aheadMs = 0;
  /** The last video frame that was lost. */
  readonly #lastLoss: { timeMs: number | undefined; trackId: number } = { timeMs: undefined, trackId: 0 };
  readonly #drops = { overTime: 0, overBytes: 0, untilKeyframe: 0 };
  #missed = 0;

  /** `streamId`: the message stream id the target gave, for the few headers that name it. */
  constructor(streamId: number, memory = new WaitingMemory(), limits = DEFAULT_LIMITS) {
    this.#streamId = streamId;
    this.#memory = memory;
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#next === this.#waiting.length && this.#head.length === 0;
  }

  /** Whether the connection's timeline has begun. */
  get hasBegun(): boolean {
    return this.#baseMs !== undefined;
  }

  /** Whether it lost video, and takes none before the next keyframe. */
  get lacksKeyframe(): boolean {
    return this.#needsKeyframe;
  }

  /** Chunk bytes waiting. */
  get waitingBytes(): number {
    return this.#bytes;
  }

  /** How far the target is behind, in milliseconds. */
  get waitingMs(): number {
    return waitingMsOf(this.#waiting, this.#next);
  }

  /** Audio and video frames lost so far, by cause. */
  get drops(): DroppedFrames {
    return this.#drops;
  }

  /** Counts a frame of the encoder that went to no target, for example while filler is sent. */
  missed(cause: keyof DroppedFrames): void {
    if (this.#baseMs === undefined) return;
    this.#drops[cause] += 1;
    this.#missed += 1;
  }

  /** Frames lost because this target was too slow. */
  get ownDrops(): number {
    return sumOfDrops(this.#drops) - this.#missed;
  }

  /**
   * Begins the connection's timeline: `baseMs` of channel time becomes 0, the decoder config's messages go first, at 0.
   */
  begin(baseMs: number, head: readonly HeadMessage[]): void {
    this.#baseMs = baseMs;
    for (const message of head) {
      const sent = this.#sent[message.kind];
      const own =
        sent.timeMs === undefined
          ? ({ fmt: 0, timestampMs: 0, streamId: this.#streamId } as const)
          : ({ fmt: 1, deltaMs: 0 } as const);
      this.#head.push(cutOwn(message.kind, message.type, message.payload, own));
      sent.timeMs = baseMs;
      sent.ordinal = NO_ORDINAL;
    }
  }

  /** Queues a packet; returns false if that lost frames: this one, or others that waited. */
  offer(packet: Packet): boolean {
    if (packet.kind === "video" && !packet.isConfig && this.#needsKeyframe) {
      if (!packet.isKeyframe) {
        this.#countLoss(packet, "untilKeyframe");
        return false;
      }
      this.#needsKeyframe = false;
    }
    if (!this.#mayShow(packet)) return true;
    // The video around it is lost, so it must not keep that memory.
    const held = this.#needsKeyframe ? withOwnMemory(packet) : packet;
    this.#memory.hold(held.block);
    this.#waiting.push(held);
    this.#bytes += packet.end - packet.start;
    if (!this.#isOver()) return true;
    this.#shrink();
    return false;
  }

  /**
   * Whether the batch can be written as it is: nothing waits, nothing is left out, and each kind continues where it
   * was.
   */
  isFollowedBy(batch: FlushBatch): boolean {
    if (!this.isEmpty || this.#needsKeyframe) return false;
    // Written out for each kind, since it runs for every target at every flush: V8 does not cache a lookup by a name
    // that varies.
    const { audio, video, data } = batch.tallies;
    const sent = this.#sent;
    return isNext(sent.audio, audio) && isNext(sent.video, video) && isNext(sent.data, data);
  }

  /** The socket has taken everything that it was given: the memory of that is free. */
  taken(): void {
    if (this.#given.length === 0) return;
    for (const block of this.#given) this.#memory.letGo(block);
    this.#given.length = 0;
  }

  /** The socket did not take all of this batch at once. */
  hold({ packets }: FlushBatch): void {
    for (const { block } of packets) {
      this.#memory.hold(block);
      this.#given.push(block);
    }
  }

  /** Nobody takes from this queue any more. The socket may still send what it was given. */
  abandon(): void {
    for (const { block } of this.#waiting.splice(this.#next)) this.#given.push(block);
    for (const block of this.#given) {
      block.isKept = true;
      this.#memory.letGo(block);
    }
    this.#given.length = 0;
    this.#bytes = 0;
  }

  /** The batch was written without passing through this queue. */
  passed(batch: FlushBatch): void {
    const { audio, video, data } = batch.tallies;
    const sent = this.#sent;
    pass(sent.audio, audio);
    pass(sent.video, video);
    pass(sent.data, data);
  }

  #mayShow(packet: Packet): boolean {
    if (packet.trackId === 0 || packet.isConfig) return true;
    if (packet.startsTrack) this.#tracks.add(packet.trackId);
    return this.#tracks.has(packet.trackId);
  }

  /**
   * The next bytes to write: at least one packet, then as many more as stay within `bytesMax`. Undefined when nothing
   * waits. Consecutive packets come as one slice, which is not copied; short pieces that lie apart are copied together.
   */
  take(bytesMax: number): Buffer | undefined {
    const pieces: Buffer[] = this.#head.splice(0);
    let total = pieces.reduce((sum, piece) => sum + piece.length, 0);
    let run: { block: Block; start: number; end: number } | undefined;
    while (this.#next < this.#waiting.length) {
      const packet = this.#waiting[this.#next];
      if (packet === undefined) break;
      const length = packet.end - packet.start;
      const isContinuous = this.#isContinuous(packet);
      const isBehindRun = isContinuous && run?.block === packet.block && run.end === packet.start;
      const isOneSlice = isBehindRun && pieces.length === 0;
      const max = isOneSlice ? bytesMax : Math.min(bytesMax, JOINED_BYTES_MAX);
      if (total > 0 && total + length > max) break;
      this.#next += 1;
      this.#given.push(packet.block);
      this.#bytes -= length;
      total += length;
      if (isBehindRun && run !== undefined) run.end = packet.end;
      else {
        if (run !== undefined) pieces.push(run.block.bytes.subarray(run.start, run.end));
        run = isContinuous ? { block: packet.block, start: packet.start, end: packet.end } : undefined;
        if (!isContinuous) pieces.push(this.#recut(packet));
      }
      const sent = ofKind(this.#sent, packet.kind);
      sent.timeMs = packet.timeMs;
      sent.ordinal = packet.ordinal;
    }
    if (run !== undefined) pieces.push(run.block.bytes.subarray(run.start, run.end));
    this.#forgetTaken();
    return pieces.length <= 1 ? pieces[0] : Buffer.concat(pieces);
  }

  #isContinuous(packet: Packet): boolean {
    return this.#sent[packet.kind].ordinal === packet.ordinal - 1;
  }

  #recut(packet: Packet): Buffer {
    const beforeMs = this.#sent[packet.kind].timeMs;
    // Metadata has no time of its own: it stays at the connection's 0.
    const deltaMs = packet.kind === "data" || beforeMs === undefined ? 0 : packet.timeMs - beforeMs;
    if (beforeMs !== undefined) return recutPacket(packet, { fmt: 1, deltaMs });
    const timestampMs = packet.timeMs - (this.#baseMs ?? packet.timeMs);
    return recutPacket(packet, { fmt: 0, timestampMs, streamId: this.#streamId });
  }

  /** Removes sent packets from the array, once there are enough of them. */
  #forgetTaken(): void {
    if (this.#next === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#next = 0;
    } else if (this.#next > 256) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
  }

  get #timeMaxMs(): number {
    return this.#limits.timeMaxMs - this.aheadMs;
  }

  get #bytesMax(): number {
    return Math.min(this.#limits.bytesMax, this.#memory.eachBytesMax);
  }

  #isOver(): boolean {
    return this.#bytes > this.#bytesMax || this.waitingMs > this.#timeMaxMs;
  }

  /** Drops what `chooseDrops` says. */
  #shrink(): void {
    const limits = { bytesMax: this.#bytesMax, timeMaxMs: this.#timeMaxMs };
    const { kept, lost, cause, needsKeyframe, tracks } = chooseDrops(this.#waiting.slice(this.#next), limits);
    if (needsKeyframe) this.#needsKeyframe = true;
    this.#tracks = tracks;
    for (const packet of lost) {
      this.#memory.letGo(packet.block);
      this.#bytes -= packet.end - packet.start;
      this.#countLoss(packet, cause);
    }
    // Audio before the first remaining frame must not keep the memory of the lost video.
    const videoAt = kept.findIndex(isVideoFrame);
    this.#waiting = kept.map((packet, index) =>
      videoAt === -1 || index < videoAt ? this.#inOwnMemory(packet) : packet,
    );
    this.#next = 0;
  }

  /** Holds a copy in place of the packet. */
  #inOwnMemory(packet: Packet): Packet {
    const own = withOwnMemory(packet);
    this.#memory.hold(own.block);
    this.#memory.letGo(packet.block);
    return own;
  }

  /** A frame of several messages counts once. */
  #countLoss({ kind, timeMs, trackId }: Packet, cause: keyof DroppedFrames): void {
    const last = this.#lastLoss;
    if (kind === "video" && last.timeMs === timeMs && last.trackId === trackId) return;
    if (kind === "video") {
      last.timeMs = timeMs;
      last.trackId = trackId;
    }
    this.#drops[cause] += 1;
  }
}

function nothingSent(): Sent {
  return { timeMs: undefined, ordinal: NO_ORDINAL };
}

function isNext(sent: Sent, gathered: Readonly<Tally>): boolean {
  return gathered.count === 0 || sent.ordinal === gathered.firstOrdinal - 1;
}

function pass(sent: Sent, gathered: Readonly<Tally>): void {
  if (gathered.count === 0) return;
  sent.timeMs = gathered.lastMs;
  sent.ordinal = gathered.lastOrdinal;
}
