import { KeyRotation, type RotationPace } from "./crypto/key-rotation.ts";
import type { SessionKeys } from "./crypto/session-keys.ts";
import { Pauses } from "./flow/pauses.ts";
import type { PeerTime } from "./flow/peer-time.ts";
import { RoundTrip } from "./flow/round-trip.ts";
import { Line } from "./line.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import { newCounts, type SrtStats } from "./stats.ts";
import { SETTING_FLAGS } from "./wire/extensions.ts";
import {
  CONTROL_TYPES,
  contentOf,
  controlTypeOf,
  HEADER_BYTES,
  infoOf,
  isControl,
  KEY_REQUEST,
  KEY_RESPONSE,
  PACKET_BYTES_MAX,
  subtypeOf,
  timestampOf,
} from "./wire/packet.ts";

const KEEPALIVE_US = 1_000_000;
/** A peer that is silent for longer while we listen is gone, in microseconds. */
const SILENCE_MAX_US = 5_000_000;

/** What the handshake has agreed. */
export type Agreement = {
  readonly localId: number;
  readonly peerId: number;
  /** The first sequence number, in both directions. */
  readonly initialSequence: number;
  /** When our socket began: our timestamps count from then. */
  readonly startUs: number;
  readonly peerTime: PeerTime;
  readonly latencyMs: number;
  readonly peerLatencyMs: number;
  /** Packets that the peer takes without an acknowledgement. */
  readonly windowPackets: number;
  /** Bytes of payload in one packet at most. */
  readonly payloadBytesMax: number;
  readonly peerFlags: number;
  readonly keys: SessionKeys | undefined;
};

/** `shutdown`: the peer ended it. `silent`: nothing came for 5 s. `broken`: the peer broke the protocol. */
export type SrtEnd = { readonly kind: "shutdown" | "silent" } | { readonly kind: "broken"; readonly detail: string };

export type ConnectionDeps = {
  readonly send: (packet: Buffer) => void;
  /** The next payload in order. Its memory is the packet's. */
  readonly deliver: (payload: Buffer) => void;
  /** So many packets were lost before the next payload. */
  readonly onGap: (packets: number) => void;
  /** The connection ended, not by `close`. Called once, after the last payload. */
  readonly onEnd: (end: SrtEnd) => void;
  /** For new keys. */
  readonly randomBytes: (length: number) => Buffer;
  readonly rotation?: RotationPace;
};

/**
 * One SRT connection after its handshake, in live mode, on either side. It has no socket and no clock: times are given,
 * in microseconds of any monotonic clock. Call `tick` about every 10 ms.
 */
export class SrtConnection {
  readonly localId: number;
  readonly payloadBytesMax: number;
  readonly #agreement: Agreement;
  readonly #deps: ConnectionDeps;
  readonly #line: Line;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  readonly #rotation: KeyRotation | undefined;
  readonly #roundTrip = new RoundTrip();
  readonly #pauses: Pauses;
  readonly #counts = newCounts();
  #lastHeardUs: number;
  #isOver = false;

  constructor(agreement: Agreement, nowUs: number, deps: ConnectionDeps) {
    const { keys, peerId, startUs, initialSequence, peerFlags } = agreement;
    this.localId = agreement.localId;
    this.payloadBytesMax = agreement.payloadBytesMax;
    this.#agreement = agreement;
    this.#deps = deps;
    this.#lastHeardUs = nowUs;
    this.#pauses = new Pauses(nowUs);
    this.#line = new Line(peerId, startUs, deps.send);
    const shared = { line: this.#line, counts: this.#counts, roundTrip: this.#roundTrip, initialSequence };
    this.#receiver = new Receiver({
      ...shared,
      keys,
      peerTime: agreement.peerTime,
      pauses: this.#pauses,
      latencyUs: agreement.latencyMs * 1_000,
      deliver: deps.deliver,
      onGap: deps.onGap,
    });
    const { randomBytes, rotation: pace } = deps;
    this.#rotation =
      keys === undefined ? undefined : new KeyRotation({ keys, randomBytes, ...(pace === undefined ? {} : { pace }) });
    this.#sender = new Sender({
      ...shared,
      keys:
        keys === undefined || this.#rotation === undefined ? undefined : { session: keys, rotation: this.#rotation },
      peerLatencyUs: agreement.peerLatencyMs * 1_000,
      windowPackets: agreement.windowPackets,
      peerDropsTooLate: (peerFlags & SETTING_FLAGS.dropsTooLate) !== 0,
      peerReportsAgain: (peerFlags & SETTING_FLAGS.periodicNak) !== 0,
      marksRetransmitted: (peerFlags & SETTING_FLAGS.retransmitFlag) !== 0,
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get stats(): SrtStats {
    return {
      ...this.#counts,
      rttMs: this.#roundTrip.isMeasured ? this.#roundTrip.rttUs / 1_000 : undefined,
      latencyMs: this.#agreement.latencyMs,
      peerLatencyMs: this.#agreement.peerLatencyMs,
      waiting: this.#receiver.waiting,
      unacknowledged: this.#sender.unacknowledged,
      isEncrypted: this.#agreement.keys !== undefined,
    };
  }

  /** Packets that were written and that the peer has not confirmed. */
  get unacknowledged(): number {
    return this.#sender.unacknowledged;
  }

  /** Takes a packet for our socket ID that came from the peer's address, and its memory. Any bytes are safe. */
  receive(packet: Buffer, nowUs: number): void {
    if (this.#isOver || packet.length < HEADER_BYTES || packet.length > PACKET_BYTES_MAX) return;
    this.#pauses.note(nowUs);
    this.#lastHeardUs = nowUs;
    if (isControl(packet)) this.#control(packet, nowUs);
    else if (!this.#receiver.data(packet, nowUs)) this.#break("packets far outside of the window", nowUs);
  }

  /** Sends one payload of at most `payloadBytesMax` bytes. The memory may be reused afterwards. */
  write(payload: Buffer, nowUs: number): void {
    if (!this.#isOver) this.#sender.write(payload, nowUs);
  }

  tick(nowUs: number): void {
    if (this.#isOver) return;
    this.#pauses.note(nowUs);
    if (nowUs - this.#lastHeardUs - this.#pauses.since(this.#lastHeardUs) >= SILENCE_MAX_US) {
      this.#line.control("shutdown", nowUs);
      return this.#end({ kind: "silent" });
    }
    this.#receiver.tick(nowUs);
    this.#sender.tick(nowUs);
    if (nowUs - this.#line.lastSentUs >= KEEPALIVE_US) this.#line.control("keepalive", nowUs);
  }

  /** Ends it from our side and tells the peer. Nothing is reported. Idempotent. */
  close(nowUs: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#line.control("shutdown", nowUs);
  }

  #control(packet: Buffer, nowUs: number): void {
    const content = contentOf(packet);
    switch (controlTypeOf(packet)) {
      case CONTROL_TYPES.ack:
        if (!this.#sender.ack(packet, content, nowUs)) this.#break("an ACK for packets that were not sent", nowUs);
        return;
      case CONTROL_TYPES.nak:
        if (!this.#sender.nak(content, nowUs)) this.#break("a loss report about packets that were not sent", nowUs);
        return;
      case CONTROL_TYPES.ackAck:
        return this.#receiver.ackAck(infoOf(packet), timestampOf(packet), nowUs);
      case CONTROL_TYPES.keepalive:
        return this.#agreement.peerTime.heard(timestampOf(packet));
      case CONTROL_TYPES.dropRequest:
        return this.#receiver.dropRequest(content);
      case CONTROL_TYPES.userDefined:
        return this.#keyMessage(subtypeOf(packet), content, nowUs);
      case CONTROL_TYPES.shutdown:
        return this.#end({ kind: "shutdown" });
    }
  }

  #keyMessage(subtype: number, content: Buffer, nowUs: number): void {
    const { keys } = this.#agreement;
    if (subtype === KEY_RESPONSE) this.#rotation?.confirmed(content);
    if (subtype !== KEY_REQUEST || keys === undefined || !keys.refresh(content)) return;
    this.#line.control("userDefined", nowUs, content, { subtype: KEY_RESPONSE });
  }

  #break(detail: string, nowUs: number): void {
    this.#line.control("shutdown", nowUs);
    this.#end({ kind: "broken", detail });
  }

  #end(end: SrtEnd): void {
    this.#receiver.drain();
    this.#isOver = true;
    this.#deps.onEnd(end);
  }
}
