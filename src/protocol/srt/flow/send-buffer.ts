import { addSequence, sequenceDistance } from "../wire/sequence.ts";
import { WINDOW_PACKETS } from "./receive-buffer.ts";

/** One packet as it was sent, until the peer has confirmed it. */
export type SentPacket = {
  readonly packet: Buffer;
  /** When it was handed over, in microseconds. */
  readonly submittedUs: number;
  /** When it was last sent again; undefined: never. */
  resentUs: number | undefined;
};

/** The packets between the first unconfirmed one and the end. Holds at most the window. */
export class SendBuffer {
  #slots: (SentPacket | undefined)[] = [];
  #first: number;
  #nextToSend: number;
  #end: number;

  constructor(initialSequence: number) {
    this.#first = initialSequence;
    this.#nextToSend = initialSequence;
    this.#end = initialSequence;
  }

  /** The first unconfirmed packet. */
  get first(): number {
    return this.#first;
  }

  /** The first packet that was not sent yet. */
  get nextToSend(): number {
    return this.#nextToSend;
  }

  /** The number of the packet that `add` takes next. */
  get end(): number {
    return this.#end;
  }

  get count(): number {
    return sequenceDistance(this.#first, this.#end);
  }

  get inFlight(): number {
    return sequenceDistance(this.#first, this.#nextToSend);
  }

  get isFull(): boolean {
    return this.count >= WINDOW_PACKETS;
  }

  add(packet: Buffer, submittedUs: number): void {
    this.#slots[this.#end % WINDOW_PACKETS] = { packet, submittedUs, resentUs: undefined };
    this.#end = addSequence(this.#end, 1);
  }

  at(sequence: number): SentPacket | undefined {
    return this.#slots[sequence % WINDOW_PACKETS];
  }

  /** The next packet that was not sent yet. */
  takeNext(): SentPacket | undefined {
    if (this.#nextToSend === this.#end) return undefined;
    const sent = this.at(this.#nextToSend);
    this.#nextToSend = addSequence(this.#nextToSend, 1);
    return sent;
  }

  /** Drops the first packet and returns it. */
  shift(): SentPacket | undefined {
    if (this.#first === this.#end) return undefined;
    const at = this.#first % WINDOW_PACKETS;
    const sent = this.#slots[at];
    this.#slots[at] = undefined;
    if (this.#nextToSend === this.#first) this.#nextToSend = addSequence(this.#first, 1);
    this.#first = addSequence(this.#first, 1);
    return sent;
  }
}
