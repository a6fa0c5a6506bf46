import { type CallFailure, SrtCaller } from "../../../src/protocol/srt/caller.ts";
import { SrtConnection, type SrtEnd } from "../../../src/protocol/srt/connection.ts";
import type { KeyLength } from "../../../src/protocol/srt/crypto/key-material.ts";
import type { RotationPace } from "../../../src/protocol/srt/crypto/key-rotation.ts";
import { SrtListenerHandshake } from "../../../src/protocol/srt/listener.ts";
import { destinationOf } from "../../../src/protocol/srt/wire/packet.ts";
import { LossyWire, type WireFaults } from "./lossy-wire.ts";
import { seededRandom } from "./seeded-random.ts";

export type PairOptions = {
  readonly seed?: number;
  readonly faults?: WireFaults;
  readonly latencyMs?: number;
  readonly passphrase?: string | undefined;
  readonly listenerPassphrase?: string | undefined;
  readonly keyLength?: KeyLength;
  readonly rotation?: RotationPace;
  /** The first sequence number; absent: random. */
  readonly initialSequence?: number;
  /** The virtual time of the start, and of the caller's clock: how fast it is against ours, in millionths. */
  readonly startUs?: number;
  readonly callerPpm?: number;
  /** The network's resolution, in milliseconds. */
  readonly stepMs?: number;
};

const TICK_US = 10_000;
const PEER = { address: "192.0.2.7", port: 40_000 };

/** A caller that sends and a listener that receives, joined by a faulty network on virtual time. */
export class SrtPair {
  readonly delivered: Buffer[] = [];
  readonly gaps: number[] = [];
  readonly toListener: LossyWire;
  readonly toCaller: LossyWire;
  nowUs: number;
  callerEnd: SrtEnd | undefined;
  listenerEnd: SrtEnd | undefined;
  failure: CallFailure | undefined;
  /** The caller's machine has vanished. */
  isCallerGone = false;
  /** A process stands still: what comes waits in its socket. */
  isListenerStill = false;
  isCallerStill = false;
  caller: SrtConnection | undefined;
  listener: SrtConnection | undefined;
  readonly #options: PairOptions;
  readonly #calling: SrtCaller;
  readonly #handshake: SrtListenerHandshake;
  readonly #startUs: number;
  #response: Buffer | undefined;
  #nextTickUs = 0;

  constructor(options: PairOptions = {}) {
    const { seed = 1, faults = {}, latencyMs = 200, passphrase, keyLength = 16, initialSequence } = options;
    const random = seededRandom(seed);
    this.#options = options;
    this.nowUs = options.startUs ?? 1_000_000;
    this.#startUs = this.nowUs;
    this.toListener = new LossyWire(faults, random);
    this.toCaller = new LossyWire(faults, random);
    let drawn = 0;
    const randomBytes = (length: number) => {
      const bytes = Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
      drawn += 1;
      if (drawn === 2 && initialSequence !== undefined) bytes.writeUInt32BE(initialSequence, 0);
      return bytes;
    };
    const address = "192.0.2.1";
    this.#calling = new SrtCaller(
      { address, streamId: "key", passphrase, keyLength, latencyMs, randomBytes },
      this.#callerUs(),
    );
    this.#handshake = new SrtListenerHandshake(Buffer.from("secret"), this.nowUs);
  }

  /** Runs the network and both sides for this long. `each` is called at every step: of a millisecond, usually. */
  run(forMs: number, each: () => void = () => undefined): void {
    const endUs = this.nowUs + forMs * 1_000;
    while (this.nowUs < endUs) {
      this.nowUs += (this.#options.stepMs ?? 1) * 1_000;
      each();
      if (!this.isListenerStill) for (const { packet } of this.toListener.arrived(this.nowUs)) this.#atListener(packet);
      if (!this.isCallerStill) for (const { packet } of this.toCaller.arrived(this.nowUs)) this.#atCaller(packet);
      if (this.nowUs < this.#nextTickUs) continue;
      this.#nextTickUs = this.nowUs + TICK_US;
      if (!this.isListenerStill) this.listener?.tick(this.nowUs);
      if (this.isCallerGone || this.isCallerStill) continue;
      if (this.caller === undefined) this.#takeStep(this.#calling.tick(this.#callerUs()));
      else this.caller.tick(this.#callerUs());
    }
  }

  connect(): void {
    for (let tries = 0; tries < 4_000 && this.caller === undefined && this.failure === undefined; tries += 1)
      this.run(1);
  }

  /** A datagram from the listener's address that no listener has sent. */
  forge(packet: Buffer): void {
    this.#atCaller(packet);
  }

  write(payload: Buffer): void {
    this.caller?.write(payload, this.#callerUs());
  }

  #callerUs(): number {
    return this.#startUs + (this.nowUs - this.#startUs) * (1 + (this.#options.callerPpm ?? 0) / 1e6);
  }

  #atListener(packet: Buffer): void {
    if (destinationOf(packet) !== 0) return this.listener?.receive(packet, this.nowUs);
    const step = this.#handshake.receive(packet, PEER, this.nowUs);
    if (step.kind === "reply") this.toCaller.send(step.packet, this.nowUs);
    if (step.kind !== "request") return;
    if (this.#response !== undefined) return this.toCaller.send(this.#response, this.nowUs);
    const { passphrase, latencyMs = 200 } = this.#options;
    const expected = "listenerPassphrase" in this.#options ? this.#options.listenerPassphrase : passphrase;
    const options = { localId: 77, passphrase: expected, latencyMs, nowUs: this.nowUs };
    const accepted = this.#handshake.accept(step.request, options);
    if (typeof accepted === "string")
      return this.toCaller.send(this.#handshake.reject(step.request.handshake, accepted, this.nowUs), this.nowUs);
    this.#response = accepted.response;
    this.listener = new SrtConnection(accepted.agreement, this.nowUs, {
      send: (bytes) => this.toCaller.send(bytes, this.nowUs),
      deliver: (payload) => void this.delivered.push(payload),
      onGap: (packets) => void this.gaps.push(packets),
      onEnd: (end) => {
        this.listenerEnd = end;
      },
      randomBytes: (length) => Buffer.alloc(length, 1),
    });
    this.toCaller.send(accepted.response, this.nowUs);
  }

  #atCaller(packet: Buffer): void {
    if (this.isCallerGone) return;
    if (this.caller === undefined) this.#takeStep(this.#calling.receive(packet, this.#callerUs()));
    else this.caller.receive(packet, this.#callerUs());
  }

  #takeStep(step: ReturnType<SrtCaller["tick"]>): void {
    if (step.kind === "wait" && step.send !== undefined) this.toListener.send(step.send, this.nowUs);
    if (step.kind === "failed") this.failure = step.failure;
    if (step.kind !== "connected" || this.caller !== undefined) return;
    let fill = 0;
    const { rotation } = this.#options;
    this.caller = new SrtConnection(step.agreement, this.#callerUs(), {
      send: (bytes) => this.toListener.send(bytes, this.nowUs),
      deliver: () => undefined,
      onGap: () => undefined,
      onEnd: (end) => {
        this.callerEnd = end;
      },
      randomBytes: (length) => {
        fill += 1;
        return Buffer.alloc(length, fill);
      },
      ...(rotation === undefined ? {} : { rotation }),
    });
  }
}

/** A payload that tells its number. */
export function numbered(number: number, bytes = 1_316): Buffer {
  const payload = Buffer.alloc(bytes, number & 0xff);
  payload.writeUInt32BE(number, 0);
  return payload;
}
