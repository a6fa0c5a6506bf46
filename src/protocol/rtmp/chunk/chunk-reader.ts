import { ProtocolError } from "../../protocol-error.ts";
import { decodeControl } from "../control.ts";
import { type Message, MessageType } from "../message.ts";
import {
  basicHeaderLengthFrom,
  CHUNK_SIZE_INITIAL,
  EXTENDED_TIME,
  EXTENDED_TIME_BYTES,
  MESSAGE_HEADER_BYTES,
  readCsid,
} from "./chunk-header.ts";
import { ChunkStream, NO_PAYLOAD } from "./chunk-stream.ts";
import { LentPayloads } from "./lent-payloads.ts";
import type { PayloadSlab } from "./payload-slab.ts";
import type { ReaderLimits } from "./reader-limits.ts";

/**
 * The specification requires the top bit of a chunk size to be 0. Far longer than any message, so nothing depends on
 * it.
 */
const CHUNK_SIZE_MAX = 0x7f_ff_ff_ff;
const HEADER_BYTES_MAX = 3 + 11 + EXTENDED_TIME_BYTES;
/** Smallest first allocation for a payload, in bytes, so that a trickle does not grow it byte by byte. */
const PAYLOAD_BYTES_FIRST = 1_024;
/**
 * A fmt 3 header directly after a fmt 0 repeats that one's timestamp as a delta: the specification says so, and FMLE
 * does so. nginx-rtmp and OvenMediaEngine mean a delta of 0. Timestamps up to this one follow the specification, in
 * milliseconds.
 */
const TIMESTAMP_AS_DELTA_MAX_MS = 5_000;
/** How far ahead an absolute timestamp may lie where the specification demands the delta repeated, in milliseconds. */
const ABSOLUTE_AHEAD_MAX_MS = 60_000;

/**
 * Puts RTMP messages together from a chunk stream (RTMP 1.0, chapter 5.3), for either role. Obeys Set Chunk Size and
 * Abort itself, and also delivers them like all others. One reader for each connection; after a ProtocolError it stays
 * broken.
 *
 * Memory follows what has arrived, not what was announced: a payload's buffer is at most twice the bytes that have
 * arrived for it plus what the present input still holds. Each payload is a buffer of its own, never written again,
 * unless payloads are lent.
 */
export class ChunkReader {
  #limits: ReaderLimits;
  #chunkSize = CHUNK_SIZE_INITIAL;
  readonly #streams = new Map<number, ChunkStream>();
  /** The chunk stream of the chunk being read, and the missing bytes of that chunk's payload. */
  #current = new ChunkStream(0);
  #chunkLeft = 0;
  /** A header that was cut in two by the end of an input. */
  readonly #held = Buffer.alloc(HEADER_BYTES_MAX);
  #heldLength = 0;
  #partialMessages = 0;
  #partialBytes = 0;
  #bytesReceived = 0;
  /** Whether this peer repeats extended timestamps in fmt 3 headers, once that is known. */
  #repeatsExtendedTime: boolean | undefined;
  #failure: { readonly error: unknown } | undefined;
  #lending: LentPayloads | undefined;
  #isHalted = false;

  constructor(limits: ReaderLimits) {
    this.#limits = limits;
  }

  /** Bytes of chunks in total, without the handshake; never wraps. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /**
   * From the next message on payloads are lent from this slab, or are views of the input: valid until the slab's next
   * use. A second call changes nothing.
   */
  lendPayloads(slab: PayloadSlab): void {
    this.#lending ??= new LentPayloads(slab);
  }

  /** Takes effect with the next header; `onMessage` may call it. */
  setLimits(limits: ReaderLimits): void {
    this.#limits = limits;
  }

  /** For `onMessage`: nothing after this message is read in this call of `receive`. */
  halt(): void {
    this.#isHalted = true;
  }

  /**
   * Takes the received bytes and delivers every message that they complete, in order. Does not keep the input. Returns
   * how many bytes were taken: all of them, unless `halt` was called; give it the others again.
   *
   * @throws ProtocolError, and again at each later call. Messages delivered before it stay valid.
   */
  receive(bytes: Buffer, onMessage: (message: Message) => void): number {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#isHalted = false;
    try {
      this.#lending?.resume(this.#streams.values());
      const taken = this.#read(bytes, onMessage);
      this.#bytesReceived += taken;
      this.#lending?.suspend(this.#streams.values(), this.#partialMessages);
      return taken;
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  #read(input: Buffer, onMessage: (message: Message) => void, halts = true): number {
    let at = 0;
    while (at < input.length && !(halts && this.#isHalted)) {
      if (this.#chunkLeft > 0) at = this.#readPayload(input, at, onMessage);
      else if (this.#heldLength > 0) at = this.#readHeldHeader(input, at, onMessage);
      else {
        const available = input.length - at;
        if (this.#headerLength(input, at, available) <= available) at += this.#readHeader(input, at, onMessage);
        else at += this.#hold(input, at, available);
      }
    }
    return at;
  }

  #hold(input: Buffer, at: number, length: number): number {
    this.#heldLength += input.copy(this.#held, this.#heldLength, at, at + length);
    return length;
  }

  /** Completes a header that was cut in two, and reads it. */
  #readHeldHeader(input: Buffer, from: number, onMessage: (message: Message) => void): number {
    let at = from;
    let wanted = this.#headerLength(this.#held, 0, this.#heldLength);
    while (wanted > this.#heldLength && at < input.length) {
      at += this.#hold(input, at, Math.min(wanted - this.#heldLength, input.length - at));
      wanted = this.#headerLength(this.#held, 0, this.#heldLength);
    }
    if (wanted > this.#heldLength) return at;
    const length = this.#heldLength;
    this.#heldLength = 0;
    const used = this.#readHeader(this.#held, 0, onMessage);
    // The four bytes taken for an extended timestamp may turn out to be none: then they are read like all input.
    if (used < length) this.#read(Buffer.from(this.#held.subarray(used, length)), onMessage, false);
    return at;
  }

  /**
   * Bytes needed to read the header that starts here, as far as the available bytes show; more than those if unsure.
   */
  #headerLength(bytes: Buffer, at: number, available: number): number {
    const first = bytes.readUInt8(at);
    const basic = basicHeaderLengthFrom(first);
    if (available < basic) return basic;
    const fmt = formatOf(first);
    if (fmt === 3) {
      const isExtended = this.#known(readCsid(bytes, at))?.extendedTime !== undefined;
      return isExtended ? basic + EXTENDED_TIME_BYTES : basic;
    }
    const length = basic + MESSAGE_HEADER_BYTES[fmt];
    if (available < length) return length;
    return bytes.readUIntBE(at + basic, 3) === EXTENDED_TIME ? length + EXTENDED_TIME_BYTES : length;
  }

  /** Reads a complete header, and returns its length: less than was available where a fmt 3 repeats no time. */
  #readHeader(bytes: Buffer, at: number, onMessage: (message: Message) => void): number {
    const first = bytes.readUInt8(at);
    const fmt = formatOf(first);
    const stream = this.#streamOf(readCsid(bytes, at), fmt);
    let used = basicHeaderLengthFrom(first);
    if (fmt === 3) used += this.#readRepeatedHeader(stream, bytes, at + used);
    else used += this.#readFields(stream, fmt, bytes, at + used);
    this.#startChunk(stream, onMessage);
    return used;
  }

  /** Most chunks belong to the same chunk stream as the one before. */
  #known(csid: number): ChunkStream | undefined {
    return this.#current.csid === csid ? this.#current : this.#streams.get(csid);
  }

  #streamOf(csid: number, fmt: 0 | 1 | 2 | 3): ChunkStream {
    const known = this.#known(csid);
    if (known !== undefined) return known;
    // librtmp's pings and some encoders start a chunk stream with fmt 1; fmt 2 and 3 would leave out the length.
    if (fmt >= 2) throw new ProtocolError("no-previous-header", `fmt ${fmt} first on chunk stream ${csid}`);
    if (this.#streams.size >= this.#limits.chunkStreamsMax) {
      throw new ProtocolError("too-many-partial-messages", `more than ${this.#limits.chunkStreamsMax} chunk streams`);
    }
    const stream = new ChunkStream(csid);
    this.#streams.set(csid, stream);
    return stream;
  }

  /** A fmt 0, 1 or 2 header: of a new message, or repeated in the middle of one by incorrect senders. */
  #readFields(stream: ChunkStream, fmt: 0 | 1 | 2, bytes: Buffer, at: number): number {
    const shortTime = bytes.readUIntBE(at, 3);
    const used = MESSAGE_HEADER_BYTES[fmt];
    const isExtended = shortTime === EXTENDED_TIME;
    const time = isExtended ? bytes.readUInt32BE(at + used) : shortTime;
    const length = fmt < 2 ? bytes.readUIntBE(at + 3, 3) : stream.length;
    const type = fmt < 2 ? bytes.readUInt8(at + 6) : stream.type;
    const streamId = fmt === 0 ? bytes.readUInt32LE(at + 7) : stream.streamId;
    stream.extendedTime = isExtended ? time : undefined;
    if (!stream.isPartial) {
      stream.length = length;
      stream.type = type;
      stream.streamId = streamId;
      stream.timestamp = fmt === 0 ? time : (stream.timestamp + time) >>> 0;
      stream.delta = fmt === 0 && time > TIMESTAMP_AS_DELTA_MAX_MS ? 0 : time;
    } else if (length !== stream.length || type !== stream.type || streamId !== stream.streamId) {
      // CVE-2016-10191 came from trusting a changed length here.
      throw new ProtocolError("header-changed", `in the middle of a message on chunk stream ${stream.csid}`);
    }
    return isExtended ? used + EXTENDED_TIME_BYTES : used;
  }

  /**
   * A fmt 3 header: continues a message, or starts one like the one before. Returns its length after the basic header.
   */
  #readRepeatedHeader(stream: ChunkStream, bytes: Buffer, at: number): number {
    const { extendedTime, timestamp } = stream;
    if (extendedTime === undefined) {
      if (!stream.isPartial) stream.timestamp = (timestamp + stream.delta) >>> 0;
      return 0;
    }
    const found = bytes.readUInt32BE(at);
    const isRepeated = stream.isPartial
      ? found === extendedTime || ((found ^ timestamp) & 0x7f_ff_ff_ff) === 0
      : found === extendedTime || this.#isAbsolute(found, timestamp);
    this.#repeatsExtendedTime = isRepeated;
    if (!stream.isPartial) {
      const isDelta = !isRepeated || found === extendedTime;
      stream.timestamp = isDelta ? (timestamp + stream.delta) >>> 0 : found;
    }
    return isRepeated ? EXTENDED_TIME_BYTES : 0;
  }

  /** Some senders put the new message's own timestamp there; not checked for peers known to put nothing there. */
  #isAbsolute(found: number, timestamp: number): boolean {
    return this.#repeatsExtendedTime !== false && (found - timestamp) >>> 0 <= ABSOLUTE_AHEAD_MAX_MS;
  }

  #startChunk(stream: ChunkStream, onMessage: (message: Message) => void): void {
    if (!stream.isPartial) {
      const { length, type } = stream;
      const bytesMax = this.#limits.messageBytesMax(type);
      if (length > bytesMax) throw new ProtocolError("message-too-long", `${length} bytes of type ${type}`);
      if (length === 0) {
        this.#deliver(stream, NO_PAYLOAD, onMessage);
        return;
      }
      if (this.#partialMessages >= this.#limits.partialMessagesMax) {
        throw new ProtocolError("too-many-partial-messages", `more than ${this.#limits.partialMessagesMax}`);
      }
      stream.isPartial = true;
      this.#partialMessages += 1;
    }
    this.#current = stream;
    this.#chunkLeft = Math.min(this.#chunkSize, stream.length - stream.claimed);
    stream.claimed += this.#chunkLeft;
    this.#partialBytes += this.#chunkLeft;
    // Counted by chunk, not by input, so that the network's segments make no difference.
    if (this.#partialBytes > this.#limits.partialBytesMax) {
      throw new ProtocolError("too-many-partial-messages", `more than ${this.#limits.partialBytesMax} bytes of them`);
    }
  }

  #readPayload(input: Buffer, at: number, onMessage: (message: Message) => void): number {
    const stream = this.#current;
    const available = input.length - at;
    const taken = Math.min(this.#chunkLeft, available);
    if (stream.arrived === 0 && this.#lending !== undefined) {
      if (taken === stream.length) return this.#deliverInPlace(stream, input, at, onMessage);
      this.#lending.begin(stream);
    }
    if (stream.arrived + taken > stream.payload.length) {
      const room = Math.max(PAYLOAD_BYTES_FIRST, 2 * stream.arrived + available);
      const payload = Buffer.allocUnsafe(Math.min(stream.length, room));
      stream.payload.copy(payload, 0, 0, stream.arrived);
      stream.payload = payload;
    }
    input.copy(stream.payload, stream.arrived, at, at + taken);
    stream.arrived += taken;
    this.#chunkLeft -= taken;
    if (stream.arrived === stream.length) {
      const payload = stream.payload;
      this.#forgetPartial(stream);
      this.#deliver(stream, payload, onMessage);
    }
    return at + taken;
  }

  /** Delivers a message that is in the input in one piece as a view of it. */
  #deliverInPlace(stream: ChunkStream, input: Buffer, at: number, onMessage: (message: Message) => void): number {
    const end = at + stream.length;
    this.#chunkLeft = 0;
    this.#forgetPartial(stream);
    this.#deliver(stream, input.subarray(at, end), onMessage);
    return end;
  }

  /** The message is complete, or dropped. The next one still builds on its header. */
  #forgetPartial(stream: ChunkStream): void {
    this.#partialMessages -= 1;
    this.#partialBytes -= stream.claimed;
    stream.isPartial = false;
    stream.claimed = 0;
    stream.arrived = 0;
    stream.payload = NO_PAYLOAD;
    stream.isLent = false;
  }

  #deliver(stream: ChunkStream, payload: Buffer, onMessage: (message: Message) => void): void {
    const { type, timestamp, streamId } = stream;
    const message: Message = { type, timestamp, streamId, payload };
    if (type === MessageType.SetChunkSize || type === MessageType.Abort) this.#obey(message);
    onMessage(message);
  }

  #obey(message: Message): void {
    const control = decodeControl(message);
    if (control?.kind === "set-chunk-size") {
      const { chunkSize } = control;
      if (chunkSize < this.#limits.chunkSizeMin || chunkSize > CHUNK_SIZE_MAX) {
        throw new ProtocolError("bad-chunk-size", String(chunkSize));
      }
      this.#chunkSize = chunkSize;
    } else if (control?.kind === "abort") {
      const stream = this.#streams.get(control.csid);
      if (stream?.isPartial) this.#forgetPartial(stream);
    }
  }
}

function formatOf(firstByte: number): 0 | 1 | 2 | 3 {
  switch (firstByte >>> 6) {
    case 0:
      return 0;
    case 1:
      return 1;
    case 2:
      return 2;
    default:
      return 3;
  }
}
