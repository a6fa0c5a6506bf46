import { type ControlType, controlPacket } from "./wire/packet.ts";

/** The way to the peer: what both directions of a connection need to make their packets. */
export class Line {
  readonly #peerId: number;
  readonly #startUs: number;
  readonly #send: (packet: Buffer) => void;
  #lastSentUs: number;

  /** `startUs`: when our socket began; timestamps count from then. */
  constructor(peerId: number, startUs: number, send: (packet: Buffer) => void) {
    this.#peerId = peerId;
    this.#startUs = startUs;
    this.#send = send;
    this.#lastSentUs = startUs;
  }

  /** When the last packet was sent, in microseconds. */
  get lastSentUs(): number {
    return this.#lastSentUs;
  }

  /** The header's fields for a packet that is made now. */
  at(nowUs: number): { readonly destination: number; readonly timestampUs: number } {
    return { destination: this.#peerId, timestampUs: nowUs - this.#startUs };
  }

  control(
    type: ControlType,
    nowUs: number,
    content?: Buffer,
    words?: { readonly info?: number; readonly subtype?: number },
  ): void {
    this.send(controlPacket(type, this.at(nowUs), content, words), nowUs);
  }

  send(packet: Buffer, nowUs: number): void {
    this.#lastSentUs = nowUs;
    this.#send(packet);
  }
}
