import type { Agreement } from "./connection.ts";
import type { KeyLength } from "./crypto/key-material.ts";
import { SessionKeys } from "./crypto/session-keys.ts";
import { Pauses } from "./flow/pauses.ts";
import { PeerTime } from "./flow/peer-time.ts";
import { WINDOW_PACKETS } from "./flow/receive-buffer.ts";
import { payloadBytesFor } from "./listener.ts";
import {
  keyExtension,
  OUR_FLAGS,
  OUR_VERSION,
  readExtensions,
  settingsExtension,
  streamIdExtension,
} from "./wire/extensions.ts";
import {
  addressField,
  CONCLUSION,
  DATAGRAM_MODE,
  EXTENSION_FLAGS,
  HANDSHAKE_BYTES,
  type Handshake,
  handshakePacket,
  INDUCTION,
  REJECTION_FROM,
  readHandshake,
  SRT_MAGIC,
} from "./wire/handshake.ts";
import { CONTROL_TYPES, controlTypeOf, destinationOf, isControl, timestampOf } from "./wire/packet.ts";

const REPEAT_US = 250_000;
const TIMEOUT_US = 3_000_000;
const MTU = 1_500;

export type CallOptions = {
  /** Of the listener. */
  readonly address: string;
  /** Empty: none is sent. */
  readonly streamId: string;
  readonly passphrase: string | undefined;
  readonly keyLength: KeyLength;
  /** The least latency in both directions, in milliseconds. */
  readonly latencyMs: number;
  readonly randomBytes: (length: number) => Buffer;
};

/** `code`: the number of a rejection. The other failures are found here. */
export type CallFailure =
  | { readonly kind: "rejected"; readonly code: number }
  | { readonly kind: "no-answer" | "not-srt" | "old-version" | "unsecure" | "bad-secret" | "malformed" };

export type CallStep =
  | { readonly kind: "wait"; readonly send?: Buffer }
  | { readonly kind: "connected"; readonly agreement: Agreement }
  | { readonly kind: "failed"; readonly failure: CallFailure };

/**
 * In place of our key, a listener that also takes callers whose key it cannot use sends one word: this one where it has no
 * passphrase, another where it has another. libsrt writes it in the byte order of its machine.
 */
const NO_SECRET = ["00000003", "03000000"];

const isNoSecret = (key: Buffer): boolean => NO_SECRET.includes(key.toString("hex"));

const WAIT: CallStep = { kind: "wait" };
const fail = (failure: CallFailure): CallStep => ({ kind: "failed", failure });

/**
 * The calling side of the handshake: draft-sharabayko-srt, section 4.3.1. Repeats each packet every 250 ms and gives up
 * after 3 s in which the process ran. Call `tick` at once, and then about every 10 ms.
 */
export class SrtCaller {
  readonly localId: number;
  readonly #options: CallOptions;
  readonly #startUs: number;
  readonly #initialSequence: number;
  readonly #keys: SessionKeys | undefined;
  readonly #pauses: Pauses;
  #cookie: number | undefined;
  #nextSendUs: number;

  constructor(options: CallOptions, nowUs: number) {
    const { randomBytes, passphrase, keyLength } = options;
    this.#options = options;
    this.#startUs = nowUs;
    this.#nextSendUs = nowUs;
    this.#pauses = new Pauses(nowUs);
    this.localId = randomBytes(4).readUInt32BE(0) & 0x3fffffff || 1;
    this.#initialSequence = randomBytes(4).readUInt32BE(0) & 0x3fffffff;
    this.#keys = passphrase === undefined ? undefined : SessionKeys.create(passphrase, keyLength, randomBytes);
  }

  /** Sends or repeats what is due, or gives up. */
  tick(nowUs: number): CallStep {
    this.#pauses.note(nowUs);
    if (nowUs - this.#startUs - this.#pauses.since(this.#startUs) >= TIMEOUT_US) return fail({ kind: "no-answer" });
    if (nowUs < this.#nextSendUs) return WAIT;
    return this.#sendAgain(nowUs);
  }

  /** Takes a datagram from the listener's address. Any bytes are safe. */
  receive(packet: Buffer, nowUs: number): CallStep {
    this.#pauses.note(nowUs);
    if (packet.length < 16 || destinationOf(packet) !== this.localId) return WAIT;
    const isHandshake = isControl(packet) && controlTypeOf(packet) === CONTROL_TYPES.handshake;
    // Data before the response: the response was lost, and comes again when we repeat our request.
    if (!isHandshake) return this.#cookie === undefined ? WAIT : this.#repeatSoon(nowUs);
    const handshake = readHandshake(packet);
    if (handshake === undefined) return WAIT;
    if (handshake.type === INDUCTION) return this.#inducted(handshake, nowUs);
    if (handshake.type === CONCLUSION)
      return this.#cookie === undefined ? WAIT : this.#concluded(packet, handshake, nowUs);
    if (handshake.type >= REJECTION_FROM) return fail({ kind: "rejected", code: handshake.type });
    return WAIT;
  }

  #inducted(handshake: Handshake, nowUs: number): CallStep {
    if (this.#cookie !== undefined) return WAIT;
    if (handshake.version < 5) return fail({ kind: "old-version" });
    if (handshake.extension !== SRT_MAGIC) return fail({ kind: "not-srt" });
    this.#cookie = handshake.cookie;
    return this.#sendAgain(nowUs);
  }

  #concluded(packet: Buffer, handshake: Handshake, nowUs: number): CallStep {
    const extensions = readExtensions(packet.subarray(HANDSHAKE_BYTES));
    const settings = extensions?.settings;
    if (settings === undefined || handshake.mtu < 76 || handshake.window < 2) return fail({ kind: "malformed" });
    if (this.#keys !== undefined) {
      if (extensions?.key === undefined) return fail({ kind: "unsecure" });
      if (isNoSecret(extensions.key)) return fail({ kind: "unsecure" });
      if (!extensions.key.equals(this.#keys.message())) return fail({ kind: "bad-secret" });
    }
    return {
      kind: "connected",
      agreement: {
        localId: this.localId,
        peerId: handshake.socketId,
        initialSequence: this.#initialSequence,
        startUs: this.#startUs,
        peerTime: new PeerTime(timestampOf(packet), nowUs),
        latencyMs: settings.sendLatencyMs,
        peerLatencyMs: settings.receiveLatencyMs,
        windowPackets: handshake.window,
        payloadBytesMax: payloadBytesFor(handshake.mtu),
        peerFlags: settings.flags,
        keys: this.#keys,
      },
    };
  }

  #repeatSoon(nowUs: number): CallStep {
    // At most once in 10 ms, however much data comes.
    this.#nextSendUs = Math.min(this.#nextSendUs, nowUs + 10_000);
    return WAIT;
  }

  #sendAgain(nowUs: number): CallStep {
    this.#nextSendUs = nowUs + REPEAT_US;
    return { kind: "wait", send: this.#cookie === undefined ? this.#induction(nowUs) : this.#conclusion(nowUs) };
  }

  #induction(nowUs: number): Buffer {
    const handshake = { ...this.#handshake(), version: 4, encryption: 0, extension: DATAGRAM_MODE, type: INDUCTION };
    return handshakePacket(handshake, this.#target(nowUs));
  }

  #conclusion(nowUs: number): Buffer {
    const { streamId, latencyMs } = this.#options;
    const keys = this.#keys;
    const extension =
      EXTENSION_FLAGS.settings |
      (keys === undefined ? 0 : EXTENSION_FLAGS.key) |
      (streamId === "" ? 0 : EXTENSION_FLAGS.config);
    const encryption = keys === undefined ? 0 : keys.keyLength / 8;
    const handshake = { ...this.#handshake(), version: 5, encryption, extension, type: CONCLUSION };
    return handshakePacket(handshake, this.#target(nowUs), [
      settingsExtension("request", {
        version: OUR_VERSION,
        flags: OUR_FLAGS,
        receiveLatencyMs: latencyMs,
        sendLatencyMs: latencyMs,
      }),
      ...(streamId === "" ? [] : [streamIdExtension(streamId)]),
      ...(keys === undefined ? [] : [keyExtension("request", keys.message())]),
    ]);
  }

  #handshake() {
    return {
      initialSequence: this.#initialSequence,
      mtu: MTU,
      window: WINDOW_PACKETS,
      socketId: this.localId,
      cookie: this.#cookie ?? 0,
      peerAddress: addressField(this.#options.address),
    };
  }

  #target(nowUs: number) {
    return { destination: 0, timestampUs: nowUs - this.#startUs };
  }
}
