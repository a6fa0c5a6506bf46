import type { SessionKeys } from "./crypto/session-keys.ts";
import type { Pauses } from "./flow/pauses.ts";
import type { PeerTime } from "./flow/peer-time.ts";
import { ReceiveBuffer, WINDOW_PACKETS } from "./flow/receive-buffer.ts";
import type { RoundTrip } from "./flow/round-trip.ts";
import { SequenceRanges } from "./flow/sequence-ranges.ts";
import type { Line } from "./line.ts";
import type { SrtCounts } from "./stats.ts";
import { REPORT_WORDS_MAX, type SequenceRange, writeLossReport } from "./wire/loss-report.ts";
import { contentOf, isRetransmitted, keyIndexOf, sequenceOf, timestampOf } from "./wire/packet.ts";
import { addSequence, sequenceDistance } from "./wire/sequence.ts";

/** A light acknowledgement is due after so many packets without a full one. */
const LIGHT_ACK_PACKETS = 64;
/**
 * Full acknowledgements: the draft sends one every 10 ms, and each costs a packet to the peer and one back. A stream of
 * few packets gets them more rarely, since a few packets more under way change nothing for its sender.
 */
const ACK_PERIOD_MIN_US = 10_000;
const ACK_PERIOD_US = 30_000;
const FULL_ACK_PACKETS = 32;
/** An unconfirmed acknowledgement is repeated at most this rarely, in microseconds. */
const ACK_REPEAT_MAX_US = 100_000;
const ACK_RECORDS_MAX = 1_024;
const NAK_PERIOD_MIN_US = 20_000;
/** How often lost packets are looked at with the packets that come, beside the ticks. */
const REPORT_PERIOD_US = 2_000;
/**
 * So many packets in a row from beyond the window: the sender has given up what is between. The stream goes on behind a
 * gap, unless that is longer than five seconds of any stream.
 */
const BEYOND_MAX = 64;
const GAP_MAX = 65_536;
/** So many given-up ranges are remembered, to tell a late packet from a repeated one. */
const GIVEN_UP_MAX = 16;
const NOTHING = Buffer.alloc(0);

export type ReceiverDeps = {
  readonly line: Line;
  readonly counts: SrtCounts;
  readonly roundTrip: RoundTrip;
  readonly peerTime: PeerTime;
  readonly pauses: Pauses;
  readonly keys: SessionKeys | undefined;
  readonly initialSequence: number;
  readonly latencyUs: number;
  /** The next payload in order. */
  readonly deliver: (payload: Buffer) => void;
  /** So many packets are missing before the next payload. */
  readonly onGap: (packets: number) => void;
};

type AckRecord = { readonly ack: number; readonly sentUs: number };

/**
 * The receiving half of a connection: asks for lost packets, confirms, and delivers in order. A relay times its media by
 * itself, so packets in order are delivered at once, and only a gap waits until its time is over.
 */
export class Receiver {
  readonly #deps: ReceiverDeps;
  readonly #buffer = new ReceiveBuffer();
  readonly #lost = new SequenceRanges();
  readonly #givenUp: SequenceRange[] = [];
  readonly #acks = new Map<number, AckRecord>();
  /** The next packet to deliver: the first that is missing. */
  #next: number;
  /** The highest that came. */
  #highest: number;
  #beyondCount = 0;
  #ackNumber = 0;
  #lastAck: number;
  #confirmedAck: number;
  #lastAckUs = 0;
  #nextReportUs = 0;
  #ackRepeatUs = 0;
  #packetsSinceAck = 0;
  #rateSinceUs: number | undefined;
  #rateCount = 0;
  #packetsPerSecond = 0;
  #averageBytes = 0;

  constructor(deps: ReceiverDeps) {
    this.#deps = deps;
    this.#next = deps.initialSequence;
    this.#highest = addSequence(deps.initialSequence, -1);
    this.#lastAck = deps.initialSequence;
    this.#confirmedAck = deps.initialSequence;
  }

  get waiting(): number {
    return this.#buffer.count;
  }

  /** Takes a data packet, whose memory it keeps. Returns false where the stream cannot go on. */
  data(packet: Buffer, nowUs: number): boolean {
    const { counts, peerTime } = this.#deps;
    const sequence = sequenceOf(packet);
    counts.received += 1;
    counts.receivedBytes += packet.length;
    if (isRetransmitted(packet)) counts.receiveRetransmitted += 1;
    let offset = sequenceDistance(this.#next, sequence);
    if (offset >= WINDOW_PACKETS) {
      this.#beyondCount += 1;
      if (this.#beyondCount < BEYOND_MAX) return true;
      if (offset > GAP_MAX) return false;
      this.#leap(sequence);
      offset = 0;
    }
    this.#beyondCount = 0;
    if (offset < 0 || this.#buffer.has(sequence)) {
      if (offset < 0 && this.#isGivenUp(sequence)) counts.receiveBelated += 1;
      else counts.receiveDuplicate += 1;
      return true;
    }
    const payload = this.#decrypt(packet, sequence);
    this.#rateCount += 1;
    this.#averageBytes += (packet.length - this.#averageBytes) / 64;
    const sentUs = peerTime.sentUs(timestampOf(packet));
    if (offset === 0 && this.#buffer.count === 0) {
      this.#next = addSequence(sequence, 1);
      this.#noteHighest(sequence, nowUs);
      this.#pass(payload);
    } else {
      // It never waits longer than the latency from its arrival, whatever the timestamps say.
      this.#buffer.put(sequence, payload, Math.min(sentUs, nowUs));
      this.#noteHighest(sequence, nowUs);
      if (offset === 0) this.#deliverInOrder();
    }
    if (this.#lost.count > 0 && nowUs >= this.#nextReportUs) this.#reportLost(nowUs);
    this.#packetsSinceAck += 1;
    if (this.#packetsSinceAck >= LIGHT_ACK_PACKETS) this.#sendLightAck(nowUs);
    return true;
  }

  /** The sender will not send packets of a range again. Malformed and useless ranges are ignored. */
  dropRequest(content: Buffer): void {
    if (content.length < 8) return;
    const [first, last] = [content.readUInt32BE(0) & 0x7fffffff, content.readUInt32BE(4) & 0x7fffffff];
    const from = sequenceDistance(this.#next, first) < 0 ? this.#next : first;
    const to = sequenceDistance(this.#highest, last) > 0 ? this.#highest : last;
    if (sequenceDistance(from, to) < 0) return;
    if (from === this.#next) this.#skipTo(addSequence(to, 1));
    else this.#lost.removeRange(from, to);
  }

  /** The peer confirms our acknowledgement: that measures the round trip and compares the clocks. */
  ackAck(number: number, timestampUs: number, nowUs: number): void {
    const record = this.#acks.get(number);
    if (record === undefined) return;
    for (const older of this.#acks.keys()) {
      this.#acks.delete(older);
      if (older === number) break;
    }
    if (sequenceDistance(this.#confirmedAck, record.ack) > 0) this.#confirmedAck = record.ack;
    // When it came is not known: it lay in the socket while the process stood still.
    if (this.#deps.pauses.since(record.sentUs) > 0) return;
    const rttUs = nowUs - record.sentUs;
    this.#deps.roundTrip.measured(rttUs);
    this.#deps.peerTime.compare(timestampUs, nowUs, rttUs);
  }

  /** Call about every 10 ms: gives up what is too late, asks again, and acknowledges. */
  tick(nowUs: number): void {
    this.#measureRate(nowUs);
    this.#giveUp(nowUs);
    this.#reportLost(nowUs);
    this.#acknowledge(nowUs);
  }

  /** No more packets will come: delivers what waits, without what is missing. */
  drain(): void {
    if (this.#buffer.count > 0) this.#skipTo(addSequence(this.#highest, 1));
  }

  #decrypt(packet: Buffer, sequence: number): Buffer {
    const { keys, counts } = this.#deps;
    const index = keyIndexOf(packet);
    const payload = contentOf(packet);
    if (keys === undefined && index === 0) return payload;
    if (keys?.apply(index, sequence, payload) === true) return payload;
    // Asking for it again would bring the same bytes, so it counts as received.
    counts.receiveUndecrypted += 1;
    return NOTHING;
  }

  #noteHighest(sequence: number, nowUs: number): void {
    const ahead = sequenceDistance(this.#highest, sequence);
    if (ahead <= 0) {
      this.#lost.remove(sequence);
      return;
    }
    const from = addSequence(this.#highest, 1);
    this.#highest = sequence;
    if (ahead === 1) return;
    const to = addSequence(sequence, -1);
    this.#deps.counts.receiveLost += ahead - 1;
    this.#lost.append(from, to, nowUs + this.#nakPeriodUs);
    this.#sendNak([{ from, to }], nowUs);
  }

  #deliverInOrder(): void {
    for (let payload = this.#buffer.take(this.#next); payload !== undefined; payload = this.#buffer.take(this.#next)) {
      this.#next = addSequence(this.#next, 1);
      this.#pass(payload);
    }
  }

  #pass(payload: Buffer): void {
    if (payload.length === 0) this.#deps.onGap(1);
    else this.#deps.deliver(payload);
  }

  #giveUp(nowUs: number): void {
    while (this.#buffer.count > 0) {
      const end = this.#lost.ranges[0]?.to;
      // Without a loss in the list, what is missing before the first stored packet was abandoned by the sender.
      let first = end === undefined ? this.#next : addSequence(end, 1);
      while (!this.#buffer.has(first)) first = addSequence(first, 1);
      const sentUs = this.#buffer.sentUs(first);
      if (sentUs === undefined) return;
      const waitedUs = nowUs - sentUs - this.#deps.pauses.since(sentUs);
      if (waitedUs < this.#deps.latencyUs) return;
      this.#skipTo(first);
    }
  }

  /** Delivers what there is before this packet, and goes on with it. */
  #skipTo(sequence: number): void {
    let missing = 0;
    let missingFrom = this.#next;
    while (this.#next !== sequence) {
      const payload = this.#buffer.take(this.#next);
      if (payload === undefined) {
        if (missing === 0) missingFrom = this.#next;
        missing += 1;
        this.#next = addSequence(this.#next, 1);
        continue;
      }
      this.#noteMissing(missingFrom, missing);
      missing = 0;
      this.#next = addSequence(this.#next, 1);
      this.#pass(payload);
    }
    this.#noteMissing(missingFrom, missing);
    this.#lost.removeBefore(sequence);
    this.#deliverInOrder();
  }

  /** Delivers what waits, and goes on with this packet. */
  #leap(sequence: number): void {
    this.drain();
    this.#noteMissing(this.#next, sequenceDistance(this.#next, sequence));
    this.#lost.clear();
    this.#next = sequence;
    this.#highest = addSequence(sequence, -1);
  }

  #noteMissing(from: number, count: number): void {
    if (count === 0) return;
    this.#deps.counts.receiveDropped += count;
    this.#givenUp.push({ from, to: addSequence(from, count - 1) });
    if (this.#givenUp.length > GIVEN_UP_MAX) this.#givenUp.shift();
    this.#deps.onGap(count);
  }

  #isGivenUp(sequence: number): boolean {
    return this.#givenUp.some(
      ({ from, to }) => sequenceDistance(from, sequence) >= 0 && sequenceDistance(sequence, to) >= 0,
    );
  }

  get #nakPeriodUs(): number {
    return Math.max(this.#deps.roundTrip.replyTimeUs / 2, NAK_PERIOD_MIN_US);
  }

  #reportLost(nowUs: number): void {
    if (this.#lost.count === 0) return;
    this.#nextReportUs = nowUs + REPORT_PERIOD_US;
    const due = this.#lost.takeDue(nowUs, nowUs + this.#nakPeriodUs, REPORT_WORDS_MAX / 2);
    if (due.length > 0) this.#sendNak(due, nowUs);
  }

  #sendNak(ranges: readonly SequenceRange[], nowUs: number): void {
    this.#deps.counts.sentNak += 1;
    this.#deps.line.control("nak", nowUs, writeLossReport(ranges));
  }

  #acknowledge(nowUs: number): void {
    const isSoon = this.#packetsSinceAck >= FULL_ACK_PACKETS || !this.#deps.roundTrip.isMeasured;
    if (nowUs - this.#lastAckUs < (isSoon ? ACK_PERIOD_MIN_US : ACK_PERIOD_US)) return;
    if (this.#next === this.#lastAck) {
      // What was confirmed is not repeated; what was not confirmed is, ever more rarely.
      if (this.#lastAck === this.#confirmedAck || nowUs - this.#lastAckUs < this.#ackRepeatUs) return;
      this.#ackRepeatUs = Math.min(ACK_REPEAT_MAX_US, this.#ackRepeatUs * 2);
    } else
      this.#ackRepeatUs = Math.min(ACK_REPEAT_MAX_US, Math.max(this.#deps.roundTrip.replyTimeUs, ACK_PERIOD_MIN_US));
    this.#sendFullAck(nowUs);
  }

  #sendFullAck(nowUs: number): void {
    const { roundTrip, line, counts } = this.#deps;
    this.#ackNumber = (this.#ackNumber + 1) & 0x7fffffff || 1;
    this.#lastAck = this.#next;
    this.#lastAckUs = nowUs;
    this.#packetsSinceAck = 0;
    this.#acks.set(this.#ackNumber, { ack: this.#lastAck, sentUs: nowUs });
    if (this.#acks.size > ACK_RECORDS_MAX) {
      const [oldest] = this.#acks.keys();
      if (oldest !== undefined) this.#acks.delete(oldest);
    }
    const content = Buffer.allocUnsafe(28);
    content.writeUInt32BE(this.#lastAck, 0);
    content.writeUInt32BE(Math.round(roundTrip.rttUs), 4);
    content.writeUInt32BE(Math.round(roundTrip.varianceUs), 8);
    content.writeUInt32BE(Math.max(2, WINDOW_PACKETS - sequenceDistance(this.#next, this.#highest) - 1), 12);
    content.writeUInt32BE(this.#packetsPerSecond, 16);
    content.writeUInt32BE(this.#packetsPerSecond, 20);
    content.writeUInt32BE(Math.round(this.#packetsPerSecond * this.#averageBytes), 24);
    counts.sentAck += 1;
    line.control("ack", nowUs, content, { info: this.#ackNumber });
  }

  #sendLightAck(nowUs: number): void {
    this.#packetsSinceAck = 0;
    const content = Buffer.allocUnsafe(4);
    content.writeUInt32BE(this.#next, 0);
    this.#deps.counts.sentAck += 1;
    this.#deps.line.control("ack", nowUs, content);
  }

  #measureRate(nowUs: number): void {
    this.#rateSinceUs ??= nowUs;
    const lastedUs = nowUs - this.#rateSinceUs;
    if (lastedUs < 1_000_000) return;
    this.#packetsPerSecond = Math.round((this.#rateCount * 1_000_000) / lastedUs);
    this.#rateCount = 0;
    this.#rateSinceUs = nowUs;
  }
}
