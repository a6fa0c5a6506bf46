import { createHmac } from "node:crypto";
import type { Agreement } from "./connection.ts";
import { SessionKeys } from "./crypto/session-keys.ts";
import { PeerTime } from "./flow/peer-time.ts";
import { WINDOW_PACKETS } from "./flow/receive-buffer.ts";
import {
  type Extensions,
  keyExtension,
  OUR_FLAGS,
  OUR_VERSION,
  readExtensions,
  SETTING_FLAGS,
  type Settings,
  settingsExtension,
} from "./wire/extensions.ts";
import {
  addressField,
  CONCLUSION,
  EXTENSION_FLAGS,
  HANDSHAKE_BYTES,
  type Handshake,
  handshakePacket,
  INDUCTION,
  readHandshake,
  SRT_MAGIC,
} from "./wire/handshake.ts";
import {
  CONTROL_TYPES,
  controlTypeOf,
  HEADER_BYTES,
  isControl,
  PAYLOAD_BYTES_MAX,
  PAYLOAD_BYTES_USUAL,
  timestampOf,
} from "./wire/packet.ts";
import { REJECTIONS, type Rejection } from "./wire/rejections.ts";

/** A cookie is good until the end of the next slot, in microseconds. */
const COOKIE_SLOT_US = 60_000_000;
/** Of IPv4 and UDP. */
const IP_HEADERS_BYTES = 28;
const MTU_MIN = 76;
const MTU_MAX = 1_500;

export type PeerAddress = { readonly address: string; readonly port: number };

/** A caller's request for a connection, checked as far as that is possible without knowing the channel. */
export type CallRequest = {
  readonly handshake: Handshake;
  readonly settings: Settings;
  readonly extensions: Extensions;
  /** Its packet's timestamp and arrival. */
  readonly timestampUs: number;
  readonly arrivalUs: number;
};

/** `reply`: send these bytes to the caller, and keep nothing. `request`: decide, then `accept` or `reject`. */
export type ListenerStep =
  | { readonly kind: "ignore" }
  | { readonly kind: "reply"; readonly packet: Buffer; readonly rejected?: Rejection }
  | { readonly kind: "request"; readonly request: CallRequest };

export type AcceptOptions = {
  /** The new connection's ID. */
  readonly localId: number;
  readonly passphrase: string | undefined;
  /** Our least latency as receiver; the caller may ask for more. In milliseconds. */
  readonly latencyMs: number;
  readonly nowUs: number;
};

export type Accepted = { readonly agreement: Agreement; readonly response: Buffer };

const IGNORE: ListenerStep = { kind: "ignore" };

/**
 * The listening side of the handshake: draft-sharabayko-srt, section 4.3.1. It keeps nothing of callers: a cookie, which
 * depends on the address, proves that a caller gets what is sent to it. No reply is longer than its request.
 */
export class SrtListenerHandshake {
  readonly #secret: Buffer;
  readonly #startUs: number;

  /** `secret`: random bytes of this process. */
  constructor(secret: Buffer, startUs: number) {
    this.#secret = secret;
    this.#startUs = startUs;
  }

  /** Takes a datagram with the destination 0. Any bytes are safe. */
  receive(packet: Buffer, peer: PeerAddress, nowUs: number): ListenerStep {
    if (packet.length < HANDSHAKE_BYTES || !isControl(packet)) return IGNORE;
    if (controlTypeOf(packet) !== CONTROL_TYPES.handshake) return IGNORE;
    const handshake = readHandshake(packet);
    if (handshake === undefined || handshake.socketId === 0) return IGNORE;
    if (handshake.type === INDUCTION) return { kind: "reply", packet: this.#induction(handshake, peer, nowUs) };
    if (handshake.type !== CONCLUSION || !this.#isGood(handshake.cookie, peer, nowUs)) return IGNORE;
    const read = this.#readConclusion(packet, handshake, nowUs);
    if (typeof read !== "string") return { kind: "request", request: read };
    return { kind: "reply", packet: this.reject(handshake, read, nowUs), rejected: read };
  }

  /** The reply to a caller that does not get its connection: as long as the shortest request. */
  reject(handshake: Handshake, rejection: Rejection, nowUs: number): Buffer {
    return handshakePacket({ ...handshake, type: REJECTIONS[rejection] }, this.#target(handshake, nowUs));
  }

  /**
   * Accepts a caller. The response is the reply to each repetition of the request, too: the caller may miss the first.
   * Returns a rejection where the passphrases do not fit.
   */
  accept(request: CallRequest, options: AcceptOptions): Accepted | Rejection {
    const { handshake, settings, extensions } = request;
    const keys = acceptKeys(extensions.key, options.passphrase);
    if (typeof keys === "string") return keys;
    const latencyMs = Math.max(options.latencyMs, settings.sendLatencyMs);
    const peerLatencyMs = settings.receiveLatencyMs;
    const mtu = Math.min(handshake.mtu, MTU_MAX);
    const agreed: Handshake = {
      ...handshake,
      extension: EXTENSION_FLAGS.settings | (keys === undefined ? 0 : EXTENSION_FLAGS.key),
      mtu,
      window: WINDOW_PACKETS,
      socketId: options.localId,
    };
    const response = handshakePacket(agreed, { destination: handshake.socketId, timestampUs: 0 }, [
      settingsExtension("response", {
        version: OUR_VERSION,
        flags: OUR_FLAGS,
        receiveLatencyMs: latencyMs,
        sendLatencyMs: peerLatencyMs,
      }),
      ...(keys === undefined || extensions.key === undefined ? [] : [keyExtension("response", extensions.key)]),
    ]);
    const agreement: Agreement = {
      localId: options.localId,
      peerId: handshake.socketId,
      initialSequence: handshake.initialSequence,
      startUs: options.nowUs,
      peerTime: new PeerTime(request.timestampUs, request.arrivalUs),
      latencyMs,
      peerLatencyMs,
      windowPackets: handshake.window,
      payloadBytesMax: payloadBytesFor(mtu),
      peerFlags: settings.flags,
      keys,
    };
    return { agreement, response };
  }

  #induction(handshake: Handshake, peer: PeerAddress, nowUs: number): Buffer {
    const slot = Math.floor(nowUs / COOKIE_SLOT_US);
    const reply: Handshake = {
      ...handshake,
      version: 5,
      encryption: 0,
      extension: SRT_MAGIC,
      cookie: this.#cookie(peer, slot),
      peerAddress: addressField(peer.address),
    };
    return handshakePacket(reply, this.#target(handshake, nowUs));
  }

  #readConclusion(packet: Buffer, handshake: Handshake, nowUs: number): CallRequest | Rejection {
    if (handshake.version !== 5) return handshake.version === 4 ? "version" : "rogue";
    if (handshake.mtu < MTU_MIN || handshake.window < 2 || handshake.initialSequence >= 0x7fffffff) return "rogue";
    const extensions = readExtensions(packet.subarray(HANDSHAKE_BYTES));
    const settings = extensions?.settings;
    if (extensions === undefined || settings === undefined) return "rogue";
    if ((settings.flags & SETTING_FLAGS.stream) !== 0) return "messageApi";
    if (extensions.congestion !== undefined && extensions.congestion !== "live") return "congestion";
    if (extensions.hasFilter) return "filter";
    if (extensions.hasGroup) return "group";
    if (extensions.streamId === "invalid") return "badRequest";
    return { handshake, settings, extensions, timestampUs: timestampOf(packet), arrivalUs: nowUs };
  }

  #target(handshake: Handshake, nowUs: number) {
    return { destination: handshake.socketId, timestampUs: nowUs - this.#startUs };
  }

  #isGood(cookie: number, peer: PeerAddress, nowUs: number): boolean {
    const slot = Math.floor(nowUs / COOKIE_SLOT_US);
    return cookie === this.#cookie(peer, slot) || cookie === this.#cookie(peer, slot - 1);
  }

  #cookie({ address, port }: PeerAddress, slot: number): number {
    const digest = createHmac("sha256", this.#secret).update(`${address} ${port} ${slot}`).digest();
    return digest.readUInt32BE(0) || 1;
  }
}

/** Bytes of payload that fit in packets of this size, in whole packets of MPEG-TS up to the usual seven. */
export function payloadBytesFor(mtu: number): number {
  const room = Math.min(PAYLOAD_BYTES_MAX, mtu - IP_HEADERS_BYTES - HEADER_BYTES);
  return Math.max(188, Math.min(PAYLOAD_BYTES_USUAL, Math.floor(room / 188) * 188));
}

function acceptKeys(message: Buffer | undefined, passphrase: string | undefined): SessionKeys | undefined | Rejection {
  if (message === undefined && passphrase === undefined) return undefined;
  if (message === undefined || passphrase === undefined) return "unsecure";
  const keys = SessionKeys.accept(message, passphrase);
  if (typeof keys !== "string") return keys;
  return keys === "bad-secret" ? "badSecret" : keys === "other-cipher" ? "crypto" : "rogue";
}
