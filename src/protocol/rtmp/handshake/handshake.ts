import { ProtocolError } from "../../protocol-error.ts";
import { digestReply } from "./handshake-digest.ts";

const VERSION = 3;
/** C1, S1, C2 and S2: time u32, zero u32, then random bytes or their echo. */
const PACKET_BYTES = 1_536;
const RANDOM_BYTES = 1_528;
/** In a signed S2 the signature follows them. */
const SIGNED_BYTES = 1_504;

/** The specification forbids versions from here on, so that RTMP differs from text protocols such as HTTP. */
const TEXT_FROM = 32;
/**
 * For lower versions a server may reply "3" to any version, but these are other protocols, and there is no point in
 * waiting for more.
 */
const FOREIGN: ReadonlyMap<number, string> = new Map([
  [0x06, "RTMPE, which is not supported"],
  [0x08, "RTMPE, which is not supported"],
  [0x16, "TLS on a port without it"],
]);
/** Some TLS servers reply to C0 with an alert, which begins so. */
const TLS_ALERT = 0x15;

export type HandshakeStep = {
  /** Write at once, in one piece. */
  readonly send: Buffer | undefined;
  readonly isDone: boolean;
  /** The bytes after the handshake: the peer's first chunks. A view of what was received. */
  readonly rest: Buffer;
};

/**
 * The handshake, server side. S0, S1 and S2 are sent together as soon as C1 is complete: FFmpeg and Elemental encoders
 * read all three before they send C2. A C1 with a valid digest gets signed packets. Any other gets a simple reply: S1's
 * version is 0, so the client expects no digest, and S2 echoes C1 exactly, because Streamlabs on iOS compares it. C2 is
 * counted and never checked, because many clients get it wrong: FFmpeg echoes a signed S1 like any other.
 */
export class ServerHandshake {
  readonly #incoming: IncomingHandshake;

  /** `random`: 1528 bytes. */
  constructor(random: Buffer) {
    const s0s1 = versionAndFirstPacket(random);
    // Unauthenticated peers cost memory: the random bytes are kept once.
    const fill = s0s1.subarray(s0s1.length - RANDOM_BYTES);
    this.#incoming = new IncomingHandshake((c1) => {
      const signed = digestReply(c1, { s1: fill, s2: fill.subarray(0, SIGNED_BYTES) });
      return signed === undefined ? Buffer.concat([s0s1, c1]) : Buffer.concat([s0s1.subarray(0, 1), signed]);
    });
  }

  /** @throws ProtocolError "bad-version" at a first byte that is not RTMP. */
  receive(bytes: Buffer): HandshakeStep {
    return this.#incoming.receive(bytes);
  }
}

/**
 * The simple handshake, client side. C2 echoes S1 as soon as S1 is complete. It is not done before all of S2 has
 * arrived: a server may read chunks sent earlier as a part of the handshake. S2 is never checked.
 */
export class ClientHandshake {
  readonly #c0c1: Buffer;
  readonly #incoming = new IncomingHandshake((s1) => s1);

  /** `random`: 1528 bytes. */
  constructor(random: Buffer) {
    this.#c0c1 = versionAndFirstPacket(random);
  }

  /** C0 and C1. */
  start(): Buffer {
    return this.#c0c1;
  }

  /** @throws ProtocolError "expects-tls" or "bad-version" at a first byte that is not RTMP. */
  receive(bytes: Buffer): HandshakeStep {
    if (this.#incoming.isUntouched && bytes[0] === TLS_ALERT) throw new ProtocolError("expects-tls", "an alert of TLS");
    return this.#incoming.receive(bytes);
  }
}

/** The incoming half of either side: a version byte, a packet to reply to, a packet to count. */
class IncomingHandshake {
  readonly #answer: (first: Buffer) => Buffer;
  readonly #first = Buffer.alloc(PACKET_BYTES);
  #expected: "version" | "first" | "second" | "nothing" = "version";
  /** Bytes of the expected packet that have arrived. */
  #filled = 0;

  constructor(answer: (first: Buffer) => Buffer) {
    this.#answer = answer;
  }

  /** Nothing has arrived. */
  get isUntouched(): boolean {
    return this.#expected === "version";
  }

  receive(bytes: Buffer): HandshakeStep {
    let rest = bytes;
    let send: Buffer | undefined;
    if (this.#expected === "version" && rest.length > 0) {
      this.#checkVersion(rest.readUInt8(0));
      rest = rest.subarray(1);
      this.#expected = "first";
    }
    if (this.#expected === "first") {
      rest.copy(this.#first, this.#filled);
      rest = this.#skipPacket(rest);
      if (this.#filled === PACKET_BYTES) {
        send = this.#answer(this.#first);
        this.#filled = 0;
        this.#expected = "second";
      }
    }
    if (this.#expected === "second") {
      rest = this.#skipPacket(rest);
      if (this.#filled === PACKET_BYTES) this.#expected = "nothing";
    }
    return { send, isDone: this.#expected === "nothing", rest };
  }

  #skipPacket(bytes: Buffer): Buffer {
    const taken = Math.min(bytes.length, PACKET_BYTES - this.#filled);
    this.#filled += taken;
    return bytes.subarray(taken);
  }

  #checkVersion(version: number): void {
    const foreign = FOREIGN.get(version);
    if (foreign !== undefined) throw new ProtocolError("bad-version", foreign);
    if (version >= TEXT_FROM) throw new ProtocolError("bad-version", `first byte ${version}, not RTMP`);
  }
}

/** C0 C1 or S0 S1: the version, time 0, the four bytes that would announce a digest 0, random bytes. */
function versionAndFirstPacket(random: Buffer): Buffer {
  if (random.length !== RANDOM_BYTES) throw new RangeError(`a handshake takes ${RANDOM_BYTES} random bytes`);
  return Buffer.concat([Buffer.from([VERSION, 0, 0, 0, 0, 0, 0, 0, 0]), random]);
}
