import type { KeyRotation } from "./crypto/key-rotation.ts";
import type { SessionKeys } from "./crypto/session-keys.ts";
import { WINDOW_PACKETS } from "./flow/receive-buffer.ts";
import { ResendBudget } from "./flow/resend-budget.ts";
import type { RoundTrip } from "./flow/round-trip.ts";
import { SendBuffer } from "./flow/send-buffer.ts";
import { SequenceRanges } from "./flow/sequence-ranges.ts";
import type { Line } from "./line.ts";
import type { SrtCounts } from "./stats.ts";
import { readLossReport } from "./wire/loss-report.ts";
import { contentOf, dataPacket, infoOf, type KeyIndex, markRetransmitted } from "./wire/packet.ts";
import { addSequence, nextMessageNumber, sequenceDistance } from "./wire/sequence.ts";

/** A packet is given up after the peer's latency, but not before a second. draft-sharabayko-srt, section 4.6. */
const DROP_AFTER_MIN_US = 1_000_000;
const DROP_MARGIN_US = 20_000;
/** Replies to reports about packets that are gone, for one report. */
const DROP_REPLIES_MAX = 8;

export type SenderDeps = {
  readonly line: Line;
  readonly counts: SrtCounts;
  readonly roundTrip: RoundTrip;
  readonly keys: { readonly session: SessionKeys; readonly rotation: KeyRotation } | undefined;
  readonly initialSequence: number;
  /** How long the peer waits for a lost packet. */
  readonly peerLatencyUs: number;
  /** Packets that the peer takes without an acknowledgement. */
  readonly windowPackets: number;
  /** The peer goes on without a packet that comes too late. Another one waits for each packet, however long. */
  readonly peerDropsTooLate: boolean;
  /** The peer reports again what did not come: it needs no repetition by our timer. */
  readonly peerReportsAgain: boolean;
  /** The peer reads the header's bit for repeated packets. */
  readonly marksRetransmitted: boolean;
};

/** The sending half of a connection: sends at once, keeps what is not confirmed, and repeats what the peer asks for. */
export class Sender {
  readonly #deps: SenderDeps;
  readonly #buffer: SendBuffer;
  readonly #lost = new SequenceRanges();
  readonly #budget = new ResendBudget();
  readonly #dropAfterUs: number;
  #messageNumber = 1;
  #window: number;
  #lastTimestampUs = 0;
  /** When the peer last confirmed something new, or nothing was under way. */
  #progressUs = 0;
  #lastNewUs = 0;
  #timeouts = 0;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
    this.#buffer = new SendBuffer(deps.initialSequence);
    this.#window = Math.min(deps.windowPackets, WINDOW_PACKETS);
    this.#dropAfterUs = Math.max(deps.peerLatencyUs, DROP_AFTER_MIN_US) + DROP_MARGIN_US;
  }

  /** Packets that the peer has not confirmed. */
  get unacknowledged(): number {
    return this.#buffer.count;
  }

  /**
   * Sends a payload of at most 1456 bytes, or queues it where the peer's window is full. Where the queue is full, the oldest
   * packet is given up, or the payload where the peer waits for each packet that has a number. The payload is copied.
   */
  write(payload: Buffer, nowUs: number): void {
    const { line, keys, counts, peerDropsTooLate } = this.#deps;
    if (this.#buffer.isFull) {
      if (!peerDropsTooLate) {
        counts.sendDropped += 1;
        return;
      }
      this.#drop();
    }
    const sequence = this.#buffer.end;
    const { destination, timestampUs } = line.at(nowUs);
    this.#lastTimestampUs = Math.max(this.#lastTimestampUs, timestampUs);
    const keyIndex: KeyIndex = keys?.rotation.next() ?? 0;
    const header = { destination, timestampUs: this.#lastTimestampUs, sequence, keyIndex };
    const packet = dataPacket({ ...header, messageNumber: this.#messageNumber }, payload);
    keys?.session.apply(keyIndex, sequence, contentOf(packet));
    if (this.#buffer.count === 0) this.#progressUs = nowUs;
    this.#buffer.add(packet, nowUs);
    this.#messageNumber = nextMessageNumber(this.#messageNumber);
    counts.sent += 1;
    counts.sentBytes += payload.length;
    this.#sendNew(nowUs);
  }

  /** Takes an acknowledgement. Returns false where it is for packets that were never sent. */
  ack(packet: Buffer, content: Buffer, nowUs: number): boolean {
    if (content.length < 4) return true;
    const ack = content.readUInt32BE(0) & 0x7fffffff;
    const number = infoOf(packet);
    const { counts, roundTrip, line } = this.#deps;
    const confirmed = sequenceDistance(this.#buffer.first, ack);
    if (confirmed > this.#buffer.inFlight) return false;
    if (confirmed > 0) {
      for (let count = 0; count < confirmed; count += 1) {
        counts.acknowledged += 1;
        counts.acknowledgedBytes += this.#buffer.shift()?.packet.length ?? 0;
      }
      this.#lost.removeBefore(ack);
      this.#progressUs = nowUs;
      this.#timeouts = 0;
    }
    if (content.length >= 16) {
      roundTrip.told(content.readUInt32BE(4), content.readUInt32BE(8));
      this.#window = Math.min(content.readUInt32BE(12), WINDOW_PACKETS);
      line.control("ackAck", nowUs, undefined, { info: number });
    }
    this.#sendNew(nowUs);
    return true;
  }

  /** Takes a loss report. Returns false where it names packets that were never sent. */
  nak(content: Buffer, nowUs: number): boolean {
    const ranges = readLossReport(content);
    if (ranges === undefined) return true;
    let dropReplies = 0;
    for (const { from, to } of ranges) {
      if (sequenceDistance(from, to) < 0 || sequenceDistance(to, this.#buffer.nextToSend) <= 0) return false;
      const { first } = this.#buffer;
      const isGone = sequenceDistance(from, first) > 0;
      if (isGone && dropReplies < DROP_REPLIES_MAX) {
        dropReplies += 1;
        this.#sendDrop(from, sequenceDistance(to, first) > 0 ? to : addSequence(first, -1), nowUs);
      }
      if (sequenceDistance(first, to) < 0) continue;
      const start = isGone ? first : from;
      const count = sequenceDistance(start, to) + 1;
      if (!this.#budget.takeNumbers(count)) break;
      this.#deps.counts.sendLost += count;
      this.#lost.add(start, to);
    }
    this.#resend(nowUs);
    return true;
  }

  /** Call every few milliseconds: gives up what is too old, and repeats what waits. */
  tick(nowUs: number): void {
    this.#budget.tick(nowUs);
    if (this.#deps.peerDropsTooLate) this.#dropTooLate(nowUs);
    this.#resendUnconfirmed(nowUs);
    this.#resend(nowUs);
    this.#sendNew(nowUs);
    const { keys, roundTrip, line } = this.#deps;
    const key = keys?.rotation.due(nowUs, 1.5 * roundTrip.rttUs);
    if (key !== undefined) line.control("userDefined", nowUs, key, { subtype: 3 });
  }

  #oldest() {
    return this.#buffer.count === 0 ? undefined : this.#buffer.at(this.#buffer.first);
  }

  #dropTooLate(nowUs: number): void {
    for (
      let sent = this.#oldest();
      sent !== undefined && nowUs - sent.submittedUs > this.#dropAfterUs;
      sent = this.#oldest()
    )
      this.#drop();
  }

  #drop(): void {
    this.#buffer.shift();
    this.#lost.removeBefore(this.#buffer.first);
    this.#deps.counts.sendDropped += 1;
  }

  #sendNew(nowUs: number): void {
    while (this.#buffer.inFlight < this.#window) {
      const sent = this.#buffer.takeNext();
      if (sent === undefined) return;
      this.#budget.sent(sent.packet.length);
      this.#lastNewUs = nowUs;
      this.#deps.line.send(sent.packet, nowUs);
    }
  }

  #resend(nowUs: number): void {
    const { counts, line, roundTrip, marksRetransmitted } = this.#deps;
    // The peer cannot have the last repetition yet.
    const tooSoonUs = nowUs - Math.max(0, roundTrip.rttUs - 4 * roundTrip.varianceUs);
    for (let sequence = this.#lost.ranges[0]?.from; sequence !== undefined; sequence = this.#lost.ranges[0]?.from) {
      const sent = this.#buffer.at(sequence);
      if (sent !== undefined && (sent.resentUs === undefined || sent.resentUs <= tooSoonUs)) {
        if (!this.#budget.takeBytes(sent.packet.length)) return;
        sent.resentUs = nowUs;
        if (marksRetransmitted) markRetransmitted(sent.packet);
        counts.sentRetransmitted += 1;
        counts.sentRetransmittedBytes += sent.packet.length;
        line.send(sent.packet, nowUs);
      }
      this.#lost.shift();
    }
  }

  /**
   * The peer cannot report the loss of the last packet before another one comes, so that one is repeated. For a peer that
   * reports a loss only once, everything is repeated while nothing is confirmed.
   */
  #resendUnconfirmed(nowUs: number): void {
    if (this.#buffer.inFlight === 0) return;
    const waitUs = (this.#timeouts + 1) * (this.#deps.roundTrip.replyTimeUs + DROP_MARGIN_US) + 10_000;
    if (nowUs - this.#progressUs < waitUs) return;
    const last = addSequence(this.#buffer.nextToSend, -1);
    if (this.#deps.peerReportsAgain && nowUs - this.#lastNewUs < waitUs) return;
    this.#timeouts += 1;
    this.#lost.add(this.#deps.peerReportsAgain ? last : this.#buffer.first, last);
  }

  #sendDrop(from: number, to: number, nowUs: number): void {
    const content = Buffer.allocUnsafe(8);
    content.writeUInt32BE(from, 0);
    content.writeUInt32BE(to, 4);
    this.#deps.line.control("dropRequest", nowUs, content);
  }
}
