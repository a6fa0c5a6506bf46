import type { Clock, Timer } from "../base/clock.ts";
import { tidyAddress } from "../base/pasted-text.ts";
import { parseSrtUrl, type SrtAddress } from "../base/srt-url.ts";
import type { MachineTrouble } from "../base/system-errors.ts";
import { DatagramPort, type Sender } from "../net/datagram-port.ts";
import { DrainedTimer } from "../net/drained-timer.ts";
import type { CheckedAddress } from "../net/target-address.ts";
import { type CallFailure, type CallStep, SrtCaller } from "../protocol/srt/caller.ts";
import { SrtConnection } from "../protocol/srt/connection.ts";
import { MPEG_TS } from "../relay/packing/mpeg-ts.ts";
import type { KernelQueue, Link, LinkEvents, PathAnswer } from "../relay/subscriber/rtmp-push/link.ts";
import type { LinkClose } from "../relay/subscriber/subscriber.ts";
import type { TargetSpec } from "../thread-protocol/channel-spec.ts";
import { targetError } from "../thread-protocol/targets/target-errors.ts";
import type { TargetError } from "../thread-protocol/targets/target-status.ts";
import { ADDRESSES_TRIED_MAX, inTurn, OpenError } from "./open-socket.ts";
import { callFailed, connectionEnded } from "./srt-errors.ts";

const TICK_MS = 10;
const TS_PACKET_BYTES = 188;
/** Packets without content are sent at this interval until the target confirms one, for at most so long. */
const PROOF_EVERY_MS = 100;
const PROOF_DEADLINE_MS = 5_000;
/** At the end what is under way may still be repeated for this long, beside the target's latency. In milliseconds. */
const LINGER_MS = 1_000;
/** Receivers drop what they hold back for their latency when they are told of the end, so we wait that long, and more. */
const HELD_BACK_MARGIN_MS = 500;

export type SrtLinkDeps = {
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Buffer;
  /**
   * Resolves and checks the target's name.
   *
   * @throws OpenError, or the signal's reason.
   */
  readonly resolve: (address: SrtAddress, signal: AbortSignal) => Promise<readonly CheckedAddress[]>;
  /** Called with an error that no peer caused. */
  readonly onFault: (error: unknown) => void;
  readonly onTrouble: (trouble: MachineTrouble) => void;
  /** A stage after the name's resolution begins. */
  readonly onStage: (stage: "handshake" | "publish") => void;
  /** The socket is gone, or was never there. */
  readonly onGone: (link: SrtLink) => void;
};

/**
 * One connection to an SRT target: a UDP socket and an SRT caller. It is publishing once the target has confirmed data:
 * until then it is sent packets without content, which MPEG-TS allows.
 */
export class SrtLink implements Link {
  readonly form = MPEG_TS;
  readonly isHolding = false;
  readonly pendingBytes = 0;
  readonly isBehind = false;
  readonly acks = undefined;
  readonly creditBytes = Number.POSITIVE_INFINITY;
  readonly #target: TargetSpec;
  readonly #events: LinkEvents;
  readonly #deps: SrtLinkDeps;
  readonly #abort = new AbortController();
  #failedAt: "resolve" | "handshake" | "publishing" = "resolve";
  readonly #timer: DrainedTimer;
  #port: DatagramPort | undefined;
  #peer: Sender = { address: "", port: 0 };
  #caller: SrtCaller | undefined;
  /** What to call, and where its name leads, too: called in turn while nobody replies. */
  #address: SrtAddress | undefined;
  #untried: readonly CheckedAddress[] = [];
  #connection: SrtConnection | undefined;
  #tickTimer: Timer | undefined;
  /** On the clock's `awakeNow()`: a target must have had the time to confirm. */
  #connectedMs = 0;
  #nextProofMs = 0;
  #publishingSinceMs: number | undefined;
  /** Closed: it ends when everything is confirmed, but not before the first time and not after the second. */
  #linger: { readonly fromMs: number; readonly untilMs: number } | undefined;
  /** Packets of MPEG-TS that do not fill a packet of SRT yet. */
  #batch = Buffer.alloc(0);
  #batchBytes = 0;
  #takenBytes = 0;
  #resentBefore = 0;
  #isResending = false;
  #isClosed = false;
  #isGone = false;

  constructor(target: TargetSpec, events: LinkEvents, deps: SrtLinkDeps) {
    this.#target = target;
    this.#events = events;
    this.#deps = deps;
    this.#timer = new DrainedTimer({ clock: deps.clock, afterReads: setImmediate });
    void this.#open();
  }

  /** Where the link is, or was when it failed. */
  get failedAt(): "resolve" | "handshake" | "publishing" {
    return this.#failedAt;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** What the target has not confirmed, and what it has. */
  get kernelQueue(): KernelQueue | undefined {
    const stats = this.#connection?.stats;
    if (stats === undefined) return undefined;
    const queuedBytes = this.#connection?.unacknowledged ? stats.unacknowledged * TS_PACKET_BYTES * 7 : 0;
    const ackedBytes = stats.acknowledgedBytes;
    return { queuedBytes, ackedBytes, isWindowShut: false, isResending: this.#isResending };
  }

  suit(): void {
    // Nothing waits before the socket: SRT gives up by itself what is too late.
  }

  /** UDP has no connection that could be tried beside this one. */
  probe(onAnswer: (answer: PathAnswer) => void): void {
    this.#deps.clock.startTimer(0, () => onAnswer("none"));
  }

  /** Takes whole packets of MPEG-TS. What does not fill a packet of SRT is sent within 10 ms. */
  write(bytes: Buffer): void {
    const connection = this.#connection;
    if (connection === undefined || this.#isClosed) return;
    this.#takenBytes += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min(this.#batch.length - this.#batchBytes, bytes.length - at);
      bytes.copy(this.#batch, this.#batchBytes, at, at + count);
      this.#batchBytes += count;
      at += count;
      if (this.#batchBytes === this.#batch.length) this.#flush(connection);
    }
  }

  close(how: LinkClose): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#abort.abort();
    const { clock } = this.#deps;
    if (this.#connection !== undefined && how !== "abort") {
      this.#flush(this.#connection);
      const playedMs = clock.now() + this.#connection.stats.peerLatencyMs + HELD_BACK_MARGIN_MS;
      this.#linger = { fromMs: playedMs, untilMs: playedMs + LINGER_MS };
      return;
    }
    this.#release();
  }

  async #open(): Promise<void> {
    // The dialling code must have the link before the first event.
    await Promise.resolve();
    await this.#orFail(async () => {
      const address = parseSrtUrl(tidyAddress(this.#target.url).text);
      if (typeof address === "string") throw new OpenError("resolve", targetError("address-unusable", address));
      const addresses = await this.#deps.resolve(address, this.#abort.signal);
      if (this.#isClosed) return this.#leave();
      this.#address = address;
      this.#untried = inTurn(addresses).slice(0, ADDRESSES_TRIED_MAX);
      await this.#callNext();
    });
  }

  async #orFail(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (error instanceof OpenError) {
        if (error.trouble !== undefined && !this.#isClosed) this.#deps.onTrouble(error.trouble);
        this.#fail(error.targetError);
      } else if (!this.#isClosed) this.#failByFault(error);
      if (this.#port === undefined) this.#leave();
    }
  }

  /** Calls the first of the addresses that were not called yet. */
  async #callNext(): Promise<void> {
    const [checked, ...untried] = this.#untried;
    if (checked === undefined || this.#address === undefined)
      throw new OpenError("resolve", targetError("name-failed"));
    this.#untried = untried;
    const { address: ip, family, port } = checked;
    const { clock, randomBytes } = this.#deps;
    const before = this.#port;
    const bound = await DatagramPort.bind(family === 4 ? "0.0.0.0" : "::", 0, (datagram, sender) => {
      // A socket is not connected: anybody may send to it.
      if (sender.port === port && sender.address === ip) this.#guard(() => this.#receive(datagram));
    });
    if (this.#isClosed) {
      bound.close();
      return this.#leave();
    }
    before?.close();
    this.#peer = { address: ip, port };
    this.#port = bound;
    const { passphrase, keyLength, latencyMs } = this.#address;
    const options = { address: ip, streamId: this.#target.streamKey, passphrase, keyLength, latencyMs, randomBytes };
    this.#caller = new SrtCaller(options, clock.now() * 1_000);
    if (before !== undefined) return;
    this.#failedAt = "handshake";
    this.#deps.onStage("handshake");
    this.#tick();
  }

  #callFailed(failure: CallFailure): void {
    // Whoever replies is the target.
    if (failure.kind !== "no-answer" || this.#untried.length === 0) return this.#fail(callFailed(failure));
    this.#caller = undefined;
    void this.#orFail(() => this.#callNext());
  }

  #receive(datagram: Buffer): void {
    this.#timer.noteRead();
    if (this.#connection !== undefined) this.#connection.receive(datagram, this.#nowUs());
    else if (this.#caller !== undefined && !this.#isClosed) this.#step(this.#caller.receive(datagram, this.#nowUs()));
  }

  #tick(): void {
    this.#guard(() => {
      const connection = this.#connection;
      if (connection !== undefined) {
        this.#flush(connection);
        connection.tick(this.#nowUs());
        this.#prove(connection);
        this.#endLinger(connection);
      } else if (this.#caller !== undefined) this.#step(this.#caller.tick(this.#nowUs()));
    });
    if (this.#port !== undefined) this.#tickTimer = this.#timer.start(TICK_MS, () => this.#tick());
  }

  #step(step: CallStep): void {
    if (step.kind === "wait" && step.send !== undefined) this.#port?.send(step.send, this.#peer);
    if (step.kind === "failed") this.#callFailed(step.failure);
    if (step.kind !== "connected") return;
    const { clock, randomBytes } = this.#deps;
    this.#connectedMs = clock.awakeNow();
    this.#deps.onStage("publish");
    this.#batch = Buffer.alloc(step.agreement.payloadBytesMax);
    this.#connection = new SrtConnection(step.agreement, this.#nowUs(), {
      send: (packet) => this.#port?.send(packet, this.#peer),
      deliver: () => undefined,
      onGap: () => undefined,
      onEnd: (end) => {
        const since = this.#publishingSinceMs;
        this.#fail(connectionEnded(end, since === undefined ? undefined : clock.now() - since));
      },
      randomBytes,
    });
  }

  /** Sends packets without content until the target has confirmed one. */
  #prove(connection: SrtConnection): void {
    if (this.#publishingSinceMs !== undefined || this.#isClosed) return;
    const nowMs = this.#deps.clock.now();
    if (connection.stats.acknowledged > 0) {
      this.#publishingSinceMs = nowMs;
      this.#failedAt = "publishing";
      // Legacy HEVC and Enhanced RTMP's forms are all read by the muxer.
      return this.#events.onPublishing(0, true, true);
    }
    if (this.#deps.clock.awakeNow() - this.#connectedMs > PROOF_DEADLINE_MS)
      return this.#fail(targetError("srt-unanswered"));
    if (nowMs < this.#nextProofMs) return;
    this.#nextProofMs = nowMs + PROOF_EVERY_MS;
    connection.write(NULL_PACKET, this.#nowUs());
  }

  #endLinger(connection: SrtConnection): void {
    const { sentRetransmitted } = connection.stats;
    this.#isResending = sentRetransmitted > this.#resentBefore;
    this.#resentBefore = sentRetransmitted;
    if (this.#linger === undefined) return;
    const { fromMs, untilMs } = this.#linger;
    const nowMs = this.#deps.clock.now();
    if (nowMs >= untilMs || (nowMs >= fromMs && connection.unacknowledged === 0)) this.#release();
  }

  #flush(connection: SrtConnection): void {
    if (this.#batchBytes === 0) return;
    connection.write(this.#batch.subarray(0, this.#batchBytes), this.#nowUs());
    this.#batchBytes = 0;
  }

  #nowUs(): number {
    return this.#deps.clock.now() * 1_000;
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#failByFault(error);
    }
  }

  #fail(error: TargetError): void {
    const wasClosed = this.#isClosed;
    this.#isClosed = true;
    this.#abort.abort();
    this.#release();
    if (!wasClosed) this.#events.onClosed(error);
  }

  /** A mistake of this program ends this link only. */
  #failByFault(error: unknown): void {
    this.#deps.onFault(error);
    this.#fail(targetError("server-fault"));
  }

  #release(): void {
    const port = this.#port;
    if (port === undefined) return;
    this.#connection?.close(this.#nowUs());
    this.#port = undefined;
    this.#tickTimer?.cancel();
    // What was sent last leaves with this turn.
    this.#deps.clock.startTimer(0, () => port.close());
    this.#leave();
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#deps.onGone(this);
  }
}

/** A packet of MPEG-TS that every receiver ignores. */
const NULL_PACKET = Buffer.alloc(TS_PACKET_BYTES, 0xff);
NULL_PACKET.writeUInt32BE(0x471fff10, 0);
